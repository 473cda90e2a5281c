//! From a library's utterance to a clip: the rate asked for, one level, words of the written text.

use crate::audio::{Clip, WordMark, resample};
use crate::offline::ffi::Utterance;
use crate::synthesis::spoken_form::{SpokenWord, spoken_form};
use crate::synthesis::{Words, level};

/// Speaks the text that was asked for through `speak`, which is given tokens separated by single spaces.
pub(super) fn clip(
    asked: &Words,
    speak: impl FnOnce(&str) -> Result<Utterance, String>,
) -> Result<Clip, String> {
    let words = spoken_form(&asked.text);
    if words.is_empty() {
        return Ok(Clip { rate_hz: asked.rate_hz, samples: [].into(), words: [].into() });
    }
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    let utterance = speak(&text)?;
    if utterance.samples.is_empty() || utterance.rate_hz == 0 {
        return Err("it gave no audio".into());
    }
    let mut samples = resample(&utterance.samples, utterance.rate_hz, asked.rate_hz);
    level::normalise(&mut samples, asked.rate_hz);
    let marks = marks(&words, &utterance, asked.rate_hz);
    let samples = samples.into();
    Ok(match marks {
        Some(words) => Clip { rate_hz: asked.rate_hz, samples, words },
        None => Clip::with_estimated_words(asked.rate_hz, samples, &asked.text),
    })
}

/// The start of each written word, where the library said where every token begins and they are in order.
fn marks(words: &[SpokenWord], utterance: &Utterance, rate_hz: u32) -> Option<std::sync::Arc<[WordMark]>> {
    let starts = &utterance.token_starts;
    if starts.len() != words.len() || !starts.is_sorted() {
        return None;
    }
    let mut marks: Vec<WordMark> = Vec::new();
    for (word, start) in words.iter().zip(starts) {
        if marks.last().is_none_or(|last| last.word != word.word) {
            let at_sample = start * u64::from(rate_hz) / u64::from(utterance.rate_hz);
            marks.push(WordMark { word: word.word, at_sample });
        }
    }
    Some(marks.into())
}

#[cfg(test)]
pub(super) mod testing {
    //! What the tests of both voices ask.

    use super::*;
    use crate::audio::Read;
    use crate::engine::{SpeakRequest, TextToSpeech};

    /// The whole clip that `engine` speaks, word marks as a player sees them.
    pub(in super::super) fn spoken(engine: &dyn TextToSpeech, text: &str, rate_hz: u32) -> Clip {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let request = SpeakRequest { text: text.into(), rate_hz, ..SpeakRequest::default() };
        let _speaking =
            engine.speak(request, Box::new(move |speech| drop(sender.send(speech)))).expect("room");
        let answer = receiver.recv_timeout(std::time::Duration::from_secs(20)).expect("an answer");
        let mut speech = answer.expect("it speaks");
        let (mut samples, mut words, mut piece) = (Vec::new(), Vec::new(), [0; 8]);
        loop {
            let Read { samples: count, word, ended } = speech.read(&mut piece);
            if let Some(word) =
                word.filter(|word| words.last().is_none_or(|mark: &WordMark| mark.word != *word))
            {
                words.push(WordMark { word, at_sample: samples.len() as u64 });
            }
            samples.extend_from_slice(&piece[..count]);
            if ended {
                return Clip { rate_hz, samples: samples.into(), words: words.into() };
            }
        }
    }

    /// The level of what is not pause.
    pub(in super::super) fn level(clip: &Clip) -> f64 {
        let squares = clip.samples.iter().map(|sample| f64::from(*sample).powi(2)).collect::<Vec<_>>();
        let loud: Vec<f64> = squares
            .chunks(160)
            .map(|block| block.iter().sum::<f64>() / 160.0)
            .filter(|mean| *mean > 10_000.0)
            .collect();
        (loud.iter().sum::<f64>() / loud.len() as f64).sqrt()
    }
}
