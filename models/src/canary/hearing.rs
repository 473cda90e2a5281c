//! A reader of an old novel for a recogniser, as heard by telephone, and how many words were wrong.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::PATIENCE;
use crate::audio::{AudioSender, TELEPHONE_HZ, resample};
use crate::engine::{ListenRequest, RecogniserEvent, SpeechToText};
use crate::{Error, clock};

/// Readings in the public domain; `SOURCE.txt` beside them says whose. 16 kHz, 16 bits, one channel.
const READINGS: [(&[u8], &str); 3] = [
    (include_bytes!("../../tests/speech/librivox-0880.wav"), "he was not an ill disposed young man"),
    (include_bytes!("../../tests/speech/librivox-0930.wav"), "he might even have been made amiable himself"),
    (
        include_bytes!("../../tests/speech/librivox-0920.wav"),
        "had he married a more amiable woman he might have been made still more respectable than he was",
    ),
];
/// How long to wait before a full ring is tried again.
const RING_WAIT: Duration = Duration::from_millis(5);

/// What was understood of the readings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Understood {
    /// Words that were read.
    pub words: usize,
    /// Words changed, left out or put in.
    pub wrong: usize,
    /// How long the audio is, in milliseconds.
    pub audio_ms: u64,
    /// How long it took to understand it all.
    pub took: Duration,
}

/// Has a recogniser hear the readings. Their words are given to it as a business's phrases are.
///
/// # Errors
/// [`Error`] where it fails or does not answer, or understands nothing.
pub fn hearing(engine: &dyn SpeechToText) -> Result<Understood, Error> {
    let phrases: Arc<[String]> = READINGS.iter().map(|(_, text)| (*text).to_owned()).collect();
    let (sender, events) = sync_channel(1_000);
    let request = ListenRequest { rate_hz: TELEPHONE_HZ, phrases };
    let (mut ring, session) = engine.listen(request, Box::new(move |event| drop(sender.try_send(event))))?;
    let failed = |why: &str| Error::Failed { engine: engine.name(), why: why.into() };
    let mut understood = Understood { words: 0, wrong: 0, audio_ms: 0, took: Duration::ZERO };
    let started = clock::now();
    let mut heard_any = false;
    for (turn, (wav, text)) in (0..).zip(READINGS) {
        let samples = samples(wav).ok_or_else(|| failed("the bundled speech can't be read"))?;
        understood.audio_ms += samples.len() as u64 * 1_000 / u64::from(TELEPHONE_HZ);
        say(&mut ring, &samples).ok_or_else(|| failed("it does not take the audio"))?;
        session.finish_turn(turn);
        let heard = final_words(&events).ok_or_else(|| failed("it did not answer"))??;
        heard_any |= !heard.is_empty();
        understood.words += text.split(' ').count();
        understood.wrong += word_errors(text, &heard);
    }
    understood.took = started.elapsed();
    if heard_any { Ok(understood) } else { Err(failed("it understood nothing")) }
}

/// A long sentence, as heard by telephone.
pub(super) fn bundled() -> Option<Vec<i16>> {
    READINGS.last().and_then(|(wav, _)| samples(wav))
}

fn samples(wav: &[u8]) -> Option<Vec<i16>> {
    let reader = hound::WavReader::new(Cursor::new(wav)).ok()?;
    let rate_hz = reader.spec().sample_rate;
    let wide: Vec<i16> = reader.into_samples().collect::<Result<_, _>>().ok()?;
    Some(resample(&wide, rate_hz, TELEPHONE_HZ))
}

/// Writes as fast as the ring is emptied; none where it is not emptied at all.
fn say(ring: &mut AudioSender, mut samples: &[i16]) -> Option<()> {
    let until = clock::now() + PATIENCE;
    while !samples.is_empty() {
        let (head, rest) = samples.split_at(ring.room().min(samples.len()));
        ring.write(head);
        samples = rest;
        if !samples.is_empty() {
            if clock::now() > until {
                return None;
            }
            std::thread::sleep(RING_WAIT);
        }
    }
    Some(())
}

fn final_words(events: &Receiver<RecogniserEvent>) -> Option<Result<String, Error>> {
    loop {
        match events.recv_timeout(PATIENCE).ok()? {
            RecogniserEvent::Partial { .. } | RecogniserEvent::EndOfTurn { .. } => {}
            RecogniserEvent::Final { heard, .. } => return Some(Ok(heard.text())),
            RecogniserEvent::Failed(error) => return Some(Err(error)),
        }
    }
}

/// Words to be changed, left out or put in to make `heard` of `said`.
fn word_errors(said: &str, heard: &str) -> usize {
    let heard: Vec<&str> = heard.split_whitespace().collect();
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (number, one) in said.split_whitespace().enumerate() {
        let mut next = vec![number + 1];
        for ((place, other), substituted) in heard.iter().enumerate().zip(&row) {
            let left_out = row.get(place + 1).copied().unwrap_or(usize::MAX - 1) + 1;
            let put_in = next.last().copied().unwrap_or(usize::MAX - 1) + 1;
            next.push((substituted + usize::from(one != *other)).min(left_out).min(put_in));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_errors_are_the_fewest_changes() {
        for (said, heard, errors) in [
            ("a b c", "a b c", 0),
            ("a b c", "", 3),
            ("a b c", "a c", 1),
            ("a b c", "a x b c", 1),
            ("a b c", "x y z w", 4),
            ("", "a", 1),
        ] {
            assert_eq!(word_errors(said, heard), errors, "{said} / {heard}");
        }
    }

    #[test]
    fn the_bundled_speech_is_heard_by_the_machine_here() {
        let engine = crate::offline::PocketSphinx::start(crate::offline::PocketSphinxSettings::default())
            .expect("installed");
        let understood = hearing(&engine).expect("hears");
        assert_eq!(understood.words, 34);
        assert!(understood.wrong * 4 <= understood.words, "{understood:?}");
        assert!((8_000..20_000).contains(&understood.audio_ms), "{understood:?}");
    }

    #[test]
    fn a_voice_that_is_not_one_is_found_out() {
        let flite = crate::offline::flite(crate::SpeakingSettings::default()).expect("installed");
        let spoken = super::super::speaking(&flite).expect("speaks");
        assert!(spoken.audio_ms > 1_000);
        let control = crate::scripted::Control::default();
        let recogniser = crate::scripted::Recogniser::start(crate::scripted::Settings::default(), control)
            .expect("starts");
        assert!(hearing(&recogniser).is_err(), "it knows tones, not speech");
    }
}
