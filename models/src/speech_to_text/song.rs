//! What the engine is tried with: silence to warm up, and for its canary the beginning of a bundled reading.
//!
//! A model's own words are not known here, so the first time it only has to give an answer for each frame; from then
//! on, after a failure as well as every minute, it has to say what it said then.

use std::io::Cursor;
use std::sync::Arc;

use super::Settings;
use super::chunks::Chunks;
use super::config::FEATURES_PER_FRAME;
use super::front_end::LogMel;
use super::model::{Chunk, Decoded};
use super::turn::Shape;
use crate::step_loop::Preparation;

/// A reading in the public domain; `SOURCE.txt` beside it says whose. 16 kHz, 16 bits, one channel.
const READING: &[u8] = include_bytes!("../../tests/speech/librivox-0880.wav");
/// How much of it is sung: a second, at 16 kHz.
const SAMPLES: usize = 16_000;
/// The logarithm of the least power that the front end knows.
const SILENCE: f32 = -16.6;

/// What the step loop needs.
pub(super) fn preparation(settings: &Settings, shape: &Shape) -> Preparation<Chunk, Decoded> {
    let lookaheads = settings.lookaheads(&shape.config.lookaheads);
    let bins = shape.config.mel_bins;
    let silence = |lookahead: &usize| {
        let features = (lookahead + 1) * FEATURES_PER_FRAME - (FEATURES_PER_FRAME - 1);
        Chunk { features: vec![SILENCE; features * bins], lookahead: *lookahead, begins: true }
    };
    let canary = song(lookaheads.first().copied().unwrap_or(0), shape);
    let frames: Vec<usize> =
        canary.iter().map(|chunk| chunk.features.len().div_ceil(FEATURES_PER_FRAME * bins)).collect();
    let mut first: Option<Vec<Vec<u32>>> = None;
    let judge = move |outputs: &[Decoded]| {
        if frames.is_empty() {
            return Err("the bundled reading can't be read".into());
        }
        if !outputs.iter().map(|output| output.frames).eq(frames.iter().copied()) {
            return Err("its reading had another number of frames".into());
        }
        let said =
            outputs.iter().map(|output| output.tokens.iter().map(|token| token.number).collect()).collect();
        match &first {
            Some(first) if *first != said => Err("it makes other words of its reading than at first".into()),
            Some(_) => Ok(()),
            None => {
                first = Some(said);
                Ok(())
            }
        }
    };
    Preparation { warm_up: lookaheads.iter().map(silence).collect(), canary, judge: Box::new(judge) }
}

/// The reading as the model is given it.
fn song(lookahead: usize, shape: &Shape) -> Vec<Chunk> {
    let samples: Vec<i16> = hound::WavReader::new(Cursor::new(READING))
        .map(|reader| reader.into_samples().map_while(Result::ok).take(SAMPLES).collect())
        .unwrap_or_default();
    let mut front_end = LogMel::new(Arc::clone(&shape.bank));
    let mut features = Vec::new();
    front_end.push(&samples, &mut features);
    let mut chunks = Chunks::new(shape.config.mel_bins);
    chunks.push(&features);
    std::iter::from_fn(|| chunks.next(lookahead, false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech_to_text::FastConformer;
    use crate::speech_to_text::front_end::FilterBank;
    use crate::speech_to_text::parity_tests::checkpoint;
    use crate::step_loop::{Model, Row};

    #[test]
    fn what_was_said_at_first_is_expected_from_then_on() {
        let made = checkpoint();
        let bank = Arc::new(FilterBank::new(made.config.mel_bins));
        let shape = Shape { config: made.config.clone(), vocabulary: made.vocabulary.clone(), bank };
        let mut preparation = preparation(&Settings::default(), &shape);
        assert_eq!(preparation.warm_up.len(), 3, "chunks of 2, 4 and 5 frames");
        let mut model = FastConformer::new(made, 1).expect("a whole checkpoint");
        let mut sing = || -> Vec<Decoded> {
            model.reset(0);
            let row = |input: &Chunk| vec![Row { slot: 0, input: input.clone() }];
            preparation.canary.iter().flat_map(|input| model.step(row(input)).expect("steps")).collect()
        };
        let (first, again) = (sing(), sing());
        assert!(first.iter().map(|decoded| decoded.tokens.len()).sum::<usize>() > 5, "it says something");
        assert_eq!((preparation.judge)(&first), Ok(()));
        assert_eq!((preparation.judge)(&again), Ok(()));
        let mut other = again.clone();
        let token = other.iter_mut().find_map(|decoded| decoded.tokens.first_mut()).expect("a token");
        token.number += 1;
        assert!((preparation.judge)(&other).is_err_and(|why| why.contains("other words")));
        assert!((preparation.judge)(&first[1..]).is_err_and(|why| why.contains("frames")));
    }
}
