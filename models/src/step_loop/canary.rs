//! The canary of a running engine: the song that it sang before it was ready, one input at a time between the steps of
//! the streams, in the place that the model has for it.

use std::time::Duration;

use super::prepare::Preparation;
use super::shared::Shared;
use super::{Failure, Model, Row, metrics as measured};

/// A song under way, or one that is due.
pub(super) struct Canary<O> {
    due: Option<Duration>,
    /// Inputs that were given.
    given: usize,
    outputs: Vec<O>,
    /// Whether the last step was a stream's: the canary's turn.
    waited: bool,
}

impl<O> Canary<O> {
    /// Sings the first time one interval from now.
    pub(super) fn new(every_ms: u64, now: Duration) -> Self {
        let due = (every_ms > 0).then(|| now + Duration::from_millis(every_ms));
        Self { due, given: 0, outputs: Vec::new(), waited: false }
    }

    /// When its next step is due; none if it never sings.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Whether it goes before the streams' step that is due as well: they take turns.
    pub(super) fn goes_first(&self, now: Duration) -> bool {
        self.waited && self.due.is_some_and(|due| due <= now)
    }

    /// The streams had a step.
    pub(super) fn wait(&mut self) {
        self.waited = true;
    }

    /// One step, and the judgement after the last.
    pub(super) fn step<M: Model<Output = O>>(
        &mut self,
        shared: &Shared<M::Input, O>,
        model: &mut M,
        preparation: &mut Preparation<M::Input, O>,
    ) -> Result<(), Failure>
    where
        M::Input: Clone,
    {
        self.waited = false;
        let slot = shared.settings.slots;
        if self.given == 0 {
            model.reset(slot);
        }
        if let Some(input) = preparation.canary.get(self.given) {
            self.outputs.extend(model.step(vec![Row { slot, input: input.clone() }])?);
            self.given += 1;
        }
        if self.given < preparation.canary.len() {
            return Ok(());
        }
        let judged = (preparation.judge)(&self.outputs);
        *self = Self::new(shared.settings.canary_ms, shared.now());
        measured::count_canary(shared.name, judged.is_ok());
        let mut state = shared.state.lock();
        state.counts.canaries += 1;
        state.counts.canaries_failed += u64::from(judged.is_err());
        drop(state);
        judged.map_err(|why| Failure::Failed { why: format!("the canary: {why}") })
    }
}
