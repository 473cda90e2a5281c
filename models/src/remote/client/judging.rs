//! Pauses that are judged elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::{Instant, timeout};

use super::super::NAME;
use super::super::metrics::{self as measured, Sense};
use super::super::wire::{Judge, bytes_of};
use super::shared::Shared;
use super::trouble::{Trouble, nobody};
use crate::Error;
use crate::engine::{JudgeRequest, Judged, PauseJudge};

/// The judge of pauses on other nodes. There is none instead: without it silence and words decide, and at once.
pub(super) struct Listener {
    shared: Arc<Shared>,
    under_way: Arc<AtomicUsize>,
}

impl Listener {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, under_way: Arc::default() }
    }
}

impl PauseJudge for Listener {
    fn name(&self) -> &'static str {
        NAME
    }

    fn judge(&self, request: JudgeRequest, judged: Judged) -> Result<(), Error> {
        let limit = self.shared.settings.pausing_max;
        let taken = self
            .under_way
            .try_update(Ordering::AcqRel, Ordering::Acquire, |count| (count < limit).then_some(count + 1));
        if taken.is_err() {
            return Err(Error::Full { engine: NAME, limit });
        }
        let (shared, under_way) = (Arc::clone(&self.shared), Arc::clone(&self.under_way));
        self.shared.runtime.spawn(async move {
            judged(judge(&shared, &request).await);
            under_way.fetch_sub(1, Ordering::AcqRel);
        });
        Ok(())
    }
}

/// Asks one node after the other while there is time.
async fn judge(shared: &Arc<Shared>, request: &JudgeRequest) -> Result<f32, Error> {
    let until = Instant::now() + request.within;
    let left = || until.saturating_duration_since(Instant::now());
    let audio = bytes_of(&request.samples);
    let (mut tried, mut last) = (Vec::new(), None);
    while !left().is_zero()
        && let Some(node) = shared.pick(Sense::Pausing, &tried)
    {
        // Half of what is left, so that a node that stands still leaves time for another.
        let patience = if shared.links.len() > tried.len() + 1 { left() / 2 } else { left() };
        let within_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let asked = Judge { audio: audio.clone(), tenant: request.tenant.0, within_ms };
        let Some(link) = shared.link(node) else { break };
        let counted = shared.opened(Sense::Pausing, node);
        let trouble = match timeout(patience, link.judge(asked)).await {
            Ok(Ok(answer)) if (0.0..=1.0).contains(&answer.finished) => {
                measured::count_bytes(Sense::Pausing, "sent", audio.len());
                return Ok(answer.finished);
            }
            Ok(Ok(_)) => Trouble::Broken("its answer is no probability".into()),
            Ok(Err(status)) => Trouble::of(&status),
            Err(_) => Trouble::Late,
        };
        drop(counted);
        shared.note(Sense::Pausing, node, &trouble);
        let is_bad = matches!(trouble, Trouble::Bad(_));
        tried.push(node);
        last = Some(trouble);
        if is_bad {
            break;
        }
    }
    measured::count_nobody(Sense::Pausing);
    Err(nobody(shared.links.len(), last.as_ref()))
}
