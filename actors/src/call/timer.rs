//! One timer per call, armed to the next moment at which anything is due.

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Wakes its owner once per arming. Dropping it ends it.
pub(crate) struct Timer {
    due: watch::Sender<Option<Instant>>,
    task: JoinHandle<()>,
}

impl Timer {
    /// A timer that calls `wake` when the moment has come. Not armed yet.
    pub(crate) fn new(wake: impl Fn() + Send + 'static) -> Self {
        let (due, armed) = watch::channel(None);
        Self { due, task: tokio::spawn(run(armed, wake)) }
    }

    /// Arms it anew; `None` disarms it.
    pub(crate) fn arm(&self, due: Option<Instant>) {
        self.due.send_if_modified(|armed| {
            let changes = *armed != due;
            *armed = due;
            changes
        });
    }

    /// It has woken its owner: the next arming counts, even for the same moment.
    pub(crate) fn fired(&self) {
        self.due.send_if_modified(|armed| {
            *armed = None;
            false
        });
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(mut armed: watch::Receiver<Option<Instant>>, wake: impl Fn()) {
    loop {
        let due = *armed.borrow_and_update();
        let rearmed = match due {
            None => armed.changed().await,
            Some(due) => tokio::select! {
                rearmed = armed.changed() => rearmed,
                () = sleep_until(due) => {
                    wake();
                    armed.changed().await
                }
            },
        };
        if rearmed.is_err() {
            return;
        }
    }
}
