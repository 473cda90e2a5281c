//! A sentence for whoever judges pauses.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::PATIENCE;
use super::hearing::bundled;
use crate::batching::Tenant;
use crate::engine::{JudgeRequest, PauseJudge};
use crate::{Error, clock};

/// How finished a reader sounds, and how fast that was judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finished {
    /// At the end of a sentence, from 0 (will go on) to 1 (has finished).
    pub whole: f32,
    /// In its middle.
    pub half: f32,
    /// Pauses judged per second, one after the other.
    pub per_second: f64,
}

/// Judges bundled speech.
///
/// # Errors
/// [`Error`] where the engine fails, or finds half a sentence no less finished than the whole.
pub fn pauses(engine: &dyn PauseJudge) -> Result<Finished, Error> {
    let failed = |why: String| Error::Failed { engine: engine.name(), why };
    let speech = bundled().ok_or_else(|| failed("the bundled speech can't be read".into()))?;
    let judge = |samples: &[i16]| {
        let (sender, receiver) = sync_channel(1);
        let request = JudgeRequest { samples: samples.to_vec(), tenant: Tenant(0), within: PATIENCE };
        engine.judge(request, Box::new(move |answer| drop(sender.send(answer))))?;
        let patience = PATIENCE * 2 + Duration::from_millis(100);
        receiver.recv_timeout(patience).unwrap_or_else(|_| Err(failed("it did not answer in time".into())))
    };
    let started = clock::now();
    let whole = judge(&speech)?;
    let half = judge(speech.get(..speech.len() / 2).unwrap_or_default())?;
    let took = started.elapsed().max(Duration::from_nanos(1));
    if whole <= half {
        return Err(failed(format!(
            "half a sentence sounds no less finished ({half:.2}) than it all ({whole:.2})"
        )));
    }
    Ok(Finished { whole, half, per_second: 2.0 / took.as_secs_f64() })
}
