//! Whether the node takes calls.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use actors::storage::Storage;
use actors::storage::coordination::Coordination;
use async_trait::async_trait;
use models::remote::Senses;

use crate::gateway::{self, State};

/// How far the node's life is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// It is being built.
    Starting,
    /// It takes calls.
    Running,
    /// It takes no new calls and waits for the others.
    Draining,
}

/// The stage, told by the node and read by its gateway.
#[derive(Debug)]
pub(super) struct Life(AtomicU8);

impl Life {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(Stage::Starting as u8))
    }

    pub(super) fn enter(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Release);
    }

    pub(super) fn stage(&self) -> Stage {
        match self.0.load(Ordering::Acquire) {
            stage if stage == Stage::Running as u8 => Stage::Running,
            stage if stage == Stage::Draining as u8 => Stage::Draining,
            _ => Stage::Starting,
        }
    }
}

/// Calls under way and the most there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) calls: usize,
    pub(super) calls_max: usize,
}

/// Answers `/readyz`.
pub(super) struct Readiness {
    pub(super) life: Arc<Life>,
    pub(super) load: Arc<dyn Fn() -> Load + Send + Sync>,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) coordination: Arc<dyn Coordination>,
    pub(super) probe_timeout: Duration,
    pub(super) senses: Senses,
}

#[async_trait]
impl gateway::Readiness for Readiness {
    async fn state(&self) -> State {
        let Load { calls, calls_max } = (self.load)();
        let mut reasons = Vec::new();
        match self.life.stage() {
            Stage::Starting => reasons.push("starting".to_owned()),
            Stage::Draining => reasons.push("draining".to_owned()),
            Stage::Running if calls >= calls_max => {
                reasons.push(format!("full: {calls} of {calls_max} calls"))
            }
            Stage::Running => {}
        }
        // A store in trouble is told, not a reason: calls go on without it, and their records are written later.
        // The same goes for the coordination server, and for engines: calls go on with what is left of them.
        let (store, shared) = tokio::join!(
            probe("the store", self.probe_timeout, self.storage.check()),
            probe("the coordination server", self.probe_timeout, self.coordination.check()),
        );
        let warnings = store.into_iter().chain(shared).chain(self.senses.troubles()).collect();
        State { ready: reasons.is_empty(), reasons, warnings, calls }
    }
}

/// What is wrong with `whom`, if anything is.
async fn probe<E: Display>(
    whom: &str,
    patience: Duration,
    check: impl Future<Output = Result<(), E>>,
) -> Option<String> {
    match tokio::time::timeout(patience, check).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("{whom} did not answer in {} ms", patience.as_millis())),
    }
}
