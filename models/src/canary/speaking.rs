//! A sentence for a voice.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::PATIENCE;
use crate::audio::TELEPHONE_HZ;
use crate::engine::{SpeakRequest, TextToSpeech};
use crate::{Error, clock};

const SENTENCE: &str = "Thank you for calling. How can I help you today?";
/// Nobody says it faster or slower.
const LENGTH_MS: std::ops::RangeInclusive<u64> = 1_000..=10_000;

/// A sentence, spoken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spoken {
    /// How long the audio is, in milliseconds.
    pub audio_ms: u64,
    /// How long it took.
    pub took: Duration,
}

/// Has a voice speak a sentence that is in no cache.
///
/// # Errors
/// [`Error`] where it fails, or says nothing that could be the sentence.
pub fn speaking(engine: &dyn TextToSpeech) -> Result<Spoken, Error> {
    let (sender, receiver) = sync_channel(1);
    let request = SpeakRequest { text: SENTENCE.into(), ..SpeakRequest::default() };
    let started = clock::now();
    let speaking = engine.speak(request, Box::new(move |speech| drop(sender.send(speech))))?;
    let failed = |why: String| Error::Failed { engine: engine.name(), why };
    let mut speech = receiver.recv_timeout(PATIENCE).map_err(|_| failed("it did not answer".into()))??;
    let mut samples = vec![0; TELEPHONE_HZ as usize * 20];
    let read = speech.read(&mut samples).samples;
    drop(speaking);
    let took = started.elapsed();
    let audio_ms = read as u64 * 1_000 / u64::from(TELEPHONE_HZ);
    let is_silent = samples.iter().take(read).all(|sample| sample.unsigned_abs() < 100);
    if is_silent || !LENGTH_MS.contains(&audio_ms) {
        return Err(failed(format!(
            "{audio_ms} ms of {} is not the sentence",
            if is_silent { "silence" } else { "audio" }
        )));
    }
    Ok(Spoken { audio_ms, took })
}
