//! An engine that hangs, panics and is late as it is told to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::Error;
use crate::batching::{RequestSettings, Tenant, WatchdogSettings};
use crate::request_loop::{Asker, Pass, RequestLoop, Workers};

/// How long a test waits for what must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What an engine says of a work: ten times its number, and the how manyth engine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) work: u64,
    pub(super) engine: usize,
}

/// Who was told what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) tenant: u64,
    pub(super) number: usize,
    pub(super) work: u64,
    pub(super) answer: Result<Answered, Error>,
}

/// What happens to works.
#[derive(Default)]
pub(super) struct Control {
    /// These hang, once each.
    pub(super) hang: Mutex<BTreeSet<u64>>,
    /// Everything hangs.
    pub(super) hang_all: AtomicBool,
    /// These panic.
    pub(super) panic: Mutex<BTreeSet<u64>>,
    /// These take so long, in milliseconds.
    pub(super) slow: Mutex<BTreeSet<u64>>,
    pub(super) slow_ms: AtomicUsize,
    /// Engines made.
    pub(super) made: AtomicUsize,
    /// How many times making one fails from now on, and whether it hangs, once.
    pub(super) failing: AtomicUsize,
    pub(super) making_hangs: AtomicBool,
    /// What was kept.
    pub(super) kept: Mutex<Vec<(u64, Answered)>>,
    /// What hangs may go on.
    released: Mutex<bool>,
    release: Condvar,
}

impl Control {
    /// Whatever hangs goes on.
    pub(super) fn release(&self) {
        *self.released.lock() = true;
        self.release.notify_all();
    }

    fn stand_still(&self) {
        let mut released = self.released.lock();
        while !*released {
            self.release.wait(&mut released);
        }
    }

    fn work_out(&self, work: u64, engine: usize) -> Result<Answered, Error> {
        if self.hang.lock().remove(&work) || self.hang_all.load(Ordering::SeqCst) {
            self.stand_still();
        }
        assert!(!self.panic.lock().contains(&work), "told to panic");
        let slow = self.slow.lock().contains(&work);
        if slow {
            std::thread::sleep(Duration::from_millis(self.slow_ms.load(Ordering::SeqCst) as u64));
        }
        Ok(Answered { work: work * 10, engine })
    }
}

fn pass(control: &Arc<Control>) -> Pass<u64, Answered> {
    let engine = control.made.fetch_add(1, Ordering::SeqCst);
    let control = Arc::clone(control);
    Box::new(move |works| works.iter().map(|work| control.work_out(**work, engine)).collect())
}

fn anew(control: &Arc<Control>) -> Result<Pass<u64, Answered>, Error> {
    if control.making_hangs.swap(false, Ordering::SeqCst) {
        control.stand_still();
    }
    let left = control.failing.load(Ordering::SeqCst);
    if left > 0 {
        control.failing.store(left - 1, Ordering::SeqCst);
        return Err(Error::Failed { engine: "test", why: "no weights".into() });
    }
    Ok(pass(control))
}

/// Bounds that a busy machine keeps while nothing hangs.
pub(super) fn settings() -> RequestSettings {
    let watchdog = WatchdogSettings {
        stall_ms: 300,
        give_up_ms: 700,
        build_ms: 1_000,
        rebuild_ms: 1,
        rebuild_ms_max: 4,
        given_up_max: 3,
    };
    RequestSettings { quantum: 1, watchdog, ..RequestSettings::default() }
}

/// A loop and everybody who asks it.
pub(super) struct Desk {
    pub(super) requests: Arc<RequestLoop<u64, Answered>>,
    pub(super) control: Arc<Control>,
    to: SyncSender<Told>,
    pub(super) told: Receiver<Told>,
}

impl Desk {
    pub(super) fn new(settings: RequestSettings, threads: usize) -> Self {
        let control = Arc::new(Control::default());
        let (made, kept) = (Arc::clone(&control), Arc::clone(&control));
        let workers = Workers {
            passes: (0..threads).map(|_| pass(&control)).collect(),
            anew: Box::new(move || anew(&made)),
            keep: Some(Box::new(move |work, answered| kept.kept.lock().push((*work, *answered)))),
        };
        let (to, told) = sync_channel(10_000);
        let requests = Arc::new(RequestLoop::start("test", settings, workers).expect("starts"));
        Self { requests, control, to, told }
    }

    pub(super) fn ask(&self, tenant: u64, number: usize, work: u64) -> Result<(), Error> {
        self.ask_within(tenant, number, work, PATIENCE)
    }

    pub(super) fn ask_within(
        &self,
        tenant: u64,
        number: usize,
        work: u64,
        within: Duration,
    ) -> Result<(), Error> {
        let to = self.to.clone();
        let told = move |answer| drop(to.send(Told { tenant, number, work, answer }));
        let asker = Asker { tenant: Tenant(tenant), within, cost: 1 };
        self.requests.ask(asker, vec![(work, Box::new(told))]).map(drop)
    }

    pub(super) fn next(&self) -> Told {
        self.told.recv_timeout(PATIENCE).expect("somebody is told")
    }

    /// Until what it says is so.
    pub(super) fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let tries = PATIENCE.as_millis() / 2;
        for _ in 0..tries {
            if is_so(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("{what}");
    }

    /// It takes requests and works them out: by which engine.
    pub(super) fn works(&self, work: u64) -> usize {
        assert!(self.requests.wait_until_ready(PATIENCE), "it is ready again");
        self.ask(9, 999, work).expect("room");
        let told = self.next();
        let answered = told.answer.expect("an answer");
        assert_eq!((told.number, answered.work), (999, work * 10));
        answered.engine
    }
}

pub(super) fn hangs(told: &Told) -> bool {
    matches!(&told.answer, Err(Error::Failed { engine: "test", why }) if why.starts_with("it hangs: "))
}
