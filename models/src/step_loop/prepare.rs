//! Before an engine is ready: build, warm-up, canary.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::shared::Shared;
use super::{Failure, Model, Row};
use crate::clock;

/// Judges what the canary's steps came to, and says what is wrong with it.
type Judge<O> = Box<dyn Fn(&[O]) -> Result<(), String> + Send>;

/// What an engine is tried with before it takes streams.
pub struct Preparation<I, O> {
    /// An input for warming up, such as silence.
    pub warm_up: I,
    /// Inputs of one stream whose outputs are known.
    pub canary: Vec<I>,
    /// Whether these are they.
    pub judge: Judge<O>,
}

/// Builds a model and tries it. Only the first build warms up and measures: streams wait for later ones.
pub(super) fn prepare<M: Model>(
    shared: &Shared<M::Input, M::Output>,
    factory: &mut dyn FnMut() -> Result<M, Failure>,
    preparation: &Preparation<M::Input, M::Output>,
    first: bool,
) -> Result<M, Failure>
where
    M::Input: Clone,
{
    let prepared = catch_unwind(AssertUnwindSafe(|| {
        let mut model = factory()?;
        let (slots, wanted) = (model.slots(), shared.settings.slots);
        if slots < wanted {
            return Err(Failure::Failed { why: format!("the model has {slots} slots, not {wanted}") });
        }
        if first {
            warm_up(shared, &mut model, preparation)?;
        }
        try_canary(&mut model, preparation)?;
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
    for size in sizes.into_iter().filter(|size| *size <= rows_max) {
        for step in 0..=shared.settings.warm_up_steps {
            (0..size).for_each(|slot| model.reset(slot));
            let row = |slot| Row { slot, input: preparation.warm_up.clone() };
            let started = clock::now();
            model.step((0..size).map(row).collect())?;
            if step > 0 {
                shared.device.record(shared.member, size, started.elapsed());
            }
        }
    }
    Ok(())
}

fn try_canary<M: Model>(model: &mut M, preparation: &Preparation<M::Input, M::Output>) -> Result<(), Failure>
where
    M::Input: Clone,
{
    model.reset(0);
    let mut outputs = Vec::with_capacity(preparation.canary.len());
    for input in &preparation.canary {
        outputs.extend(model.step(vec![Row { slot: 0, input: input.clone() }])?);
    }
    model.reset(0);
    (preparation.judge)(&outputs).map_err(|why| Failure::Failed { why: format!("the canary: {why}") })
}
