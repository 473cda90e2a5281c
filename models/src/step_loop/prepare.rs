//! Before an engine is ready: build, warm-up, canary.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::shared::Shared;
use super::{Failure, Model, Row};
use crate::clock;

/// Judges what the canary's steps came to, and says what is wrong with it.
type Judge<O> = Box<dyn FnMut(&[O]) -> Result<(), String> + Send>;

/// What an engine is tried with before it takes streams, and while it runs.
pub struct Preparation<I, O> {
    /// Inputs for warming up, such as silence: one for each pace of its streams.
    pub warm_up: Vec<I>,
    /// Inputs of one stream whose outputs are known.
    pub canary: Vec<I>,
    /// Whether these are they. It may remember: asked again, the same is expected.
    pub judge: Judge<O>,
}

/// Builds a model and tries it. Only the first build warms up and measures: streams wait for later ones.
pub(super) fn prepare<M: Model>(
    shared: &Shared<M::Input, M::Output>,
    factory: &mut dyn FnMut() -> Result<M, Failure>,
    preparation: &mut Preparation<M::Input, M::Output>,
    first: bool,
) -> Result<M, Failure>
where
    M::Input: Clone,
{
    let prepared = catch_unwind(AssertUnwindSafe(|| {
        let mut model = factory()?;
        // One more for the canary.
        let (slots, wanted) = (model.slots(), shared.settings.slots + 1);
        if slots < wanted {
            return Err(Failure::Failed { why: format!("the model has {slots} slots, not {wanted}") });
        }
        if first {
            warm_up(shared, &mut model, preparation)?;
        }
        try_canary(shared.settings.slots, &mut model, preparation)?;
        Ok(model)
    }));
    prepared.unwrap_or_else(|_| Err(Failure::Failed { why: "building the model panicked".into() }))
}

/// Makes and measures steps of every size. No stream may have state in the model.
pub(super) fn warm_up<M: Model>(
    shared: &Shared<M::Input, M::Output>,
    model: &mut M,
    preparation: &Preparation<M::Input, M::Output>,
) -> Result<(), Failure>
where
    M::Input: Clone,
{
    let (sizes, rows_max) = {
        let mut state = shared.state.lock();
        state.measured_at = shared.now();
        (state.schedule.buckets().sizes().to_vec(), state.schedule.rows_max())
    };
    shared.device.forget(shared.member);
    for (pace, input) in preparation.warm_up.iter().enumerate() {
        for size in sizes.iter().copied().filter(|size| *size <= rows_max) {
            for step in 0..=shared.settings.warm_up_steps {
                (0..size).for_each(|slot| model.reset(slot));
                let row = |slot| Row { slot, input: input.clone() };
                let started = clock::now();
                model.step((0..size).map(row).collect())?;
                if step > 0 {
                    shared.device.record_at(shared.member, pace, size, started.elapsed());
                }
            }
        }
    }
    Ok(())
}

fn try_canary<M: Model>(
    slot: usize,
    model: &mut M,
    preparation: &mut Preparation<M::Input, M::Output>,
) -> Result<(), Failure>
where
    M::Input: Clone,
{
    model.reset(slot);
    let mut outputs = Vec::with_capacity(preparation.canary.len());
    for input in &preparation.canary {
        outputs.extend(model.step(vec![Row { slot, input: input.clone() }])?);
    }
    model.reset(slot);
    (preparation.judge)(&outputs).map_err(|why| Failure::Failed { why: format!("the canary: {why}") })
}
