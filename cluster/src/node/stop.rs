//! The ordered end of a node.

use std::future::Future;
use std::time::Duration;

use super::Node;
use super::readiness::Stage;
use crate::operator::{Presence, Token};

/// How often a draining node looks whether its calls are over.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What was left when a node had stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Calls that were ended because they did not end by themselves.
    pub calls_ended: usize,
    /// Calls whose record the store has not taken.
    pub records_unwritten: usize,
}

impl Node {
    /// Takes no more calls and waits until those under way are over, the drain timeout has passed, or `hurry`
    /// comes.
    pub async fn drain(&self, hurry: impl Future<Output = ()>) {
        self.life.enter(Stage::Draining);
        self.trunk.refuse_new(true);
        self.carriers.refuse_new(true);
        self.supervision.drain();
        self.serving.rest();
        let calls_over = async {
            while self.calls() > 0 {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            () = calls_over => {}
            () = tokio::time::sleep(Duration::from_secs(self.settings.drain_timeout_s)) => {
                tracing::warn!(calls = self.calls(), "the drain timeout has passed");
            }
            () = hurry => tracing::warn!(calls = self.calls(), "asked to stop at once"),
        }
    }

    /// Ends the calls that are left, politely while the stop timeout lasts, and then everything else in order.
    pub async fn stop(self) -> Stopped {
        self.life.enter(Stage::Draining);
        let calls_ended = self.calls();
        let grace = Duration::from_secs(self.settings.stop_timeout_s);
        let left = self.supervision.stop(grace).await;
        self.serving.stop(grace).await;
        self.trunk.stop(grace).await;
        self.carriers.stop(grace).await;
        if let Some(sweeping) = &self.sweeping {
            sweeping.abort();
        }
        self.recorder.stop().await;
        let media = self.media;
        in_a_thread("media", move || media.stop()).await;
        self.gateway.stop().await;
        self.keeping_up.abort();
        self.held.end();
        if let Some(keeping) = &self.book_keeping {
            keeping.abort();
        }
        Presence::remove(&self.facts.data);
        Token::remove(&self.facts.data);
        if let Some(search) = &self.search {
            search.stop().await;
        }
        self.store.close(grace).await;
        Stopped { calls_ended, records_unwritten: left.unwritten }
    }
}

/// Stops what blocks while it stops.
async fn in_a_thread(part: &'static str, stop: impl FnOnce() + Send + 'static) {
    if let Err(error) = tokio::task::spawn_blocking(stop).await {
        tracing::error!(%error, part, "a part did not stop in order");
    }
}
