//! Greedy decoding of many streams at once.
//!
//! As long as a stream says nothing its prediction doesn't change, so each round asks the joint network about all
//! frames that are left; only streams that said something take part in the next (the "label looping" of Bataev et
//! al., 2024, by rounds). One small copy from the device a round.

use candle_core::{D, DType, Device, Result, Tensor};

use super::joint::Joint;
use super::predictor::Predictor;
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;
use crate::speech_to_text::encoder::Places;
use crate::speech_to_text::tokens::Token;

pub(in crate::speech_to_text) struct Greedy {
    predictor: Predictor,
    joint: Joint,
    blank: u32,
    tokens_per_frame: usize,
}

/// A stream in the middle of a chunk.
struct Cursor {
    row: usize,
    frame: usize,
    said_here: usize,
}

/// A stream's tokens, with frames counted from the chunk's first; none where a frame or a logit is no number.
pub(in crate::speech_to_text) type Said = Option<Vec<Token>>;

impl Greedy {
    pub(in crate::speech_to_text) fn take(config: &Config, slots: usize, from: &mut Tensors) -> Result<Self> {
        Ok(Self {
            predictor: Predictor::take(config, slots, from)?,
            joint: Joint::take(config, from)?,
            blank: config.blank(),
            tokens_per_frame: config.tokens_per_frame,
        })
    }

    /// Nothing was said in `slot`.
    pub(in crate::speech_to_text) fn begin(&self, slot: usize) -> Result<()> {
        self.predictor.begin(slot, self.blank)
    }

    /// What `slots` say in `encoded` (slots, frames, width).
    pub(in crate::speech_to_text) fn decode(&self, slots: &[usize], encoded: &Tensor) -> Result<Vec<Said>> {
        let device = encoded.device();
        let frames = self.joint.project(encoded)?;
        let count = frames.dim(1)?;
        // A rectifier turns what is no number into nought, so it must be looked for before one.
        let sums = encoded.to_dtype(DType::F32)?.sum(D::Minus1)?.sum(D::Minus1)?.to_vec1::<f32>()?;
        let mut said: Vec<Said> = sums.iter().map(|sum| sum.is_finite().then(Vec::new)).collect();
        let mut cursors: Vec<Cursor> = (0..slots.len())
            .filter(|row| said.get(*row).is_some_and(Option::is_some))
            .map(|row| Cursor { row, frame: 0, said_here: 0 })
            .collect();
        while !cursors.is_empty() {
            let rows = index(cursors.iter().map(|cursor| cursor.row), device)?;
            let places = cursors.iter().filter_map(|cursor| slots.get(cursor.row).copied());
            let places = Places::of(places, device)?;
            let first = cursors.iter().map(|cursor| cursor.frame).min().unwrap_or(0);
            let left = frames.narrow(1, first, count - first)?.contiguous()?.index_select(&rows, 0)?;
            let logits =
                self.joint.logits(&left, &self.predictor.predicted(&places)?)?.to_dtype(DType::F32)?;
            let best = logits.argmax(D::Minus1)?.to_vec2::<u32>()?;
            let certain =
                logits.max(D::Minus1)?.sub(&logits.log_sum_exp(D::Minus1)?)?.exp()?.to_vec2::<f32>()?;
            let mut tokens = Vec::new();
            cursors.retain_mut(|cursor| {
                let (Some(best), Some(certain)) = (best.get(tokens.len()), certain.get(tokens.len())) else {
                    return false;
                };
                tokens.push(self.next(cursor, first, best, certain, said.get_mut(cursor.row)));
                true
            });
            let (talking, new): (Vec<Cursor>, Vec<u32>) =
                cursors.drain(..).zip(tokens).filter_map(|(cursor, token)| Some((cursor, token?))).unzip();
            if !talking.is_empty() {
                let places = talking.iter().filter_map(|cursor| slots.get(cursor.row).copied());
                self.predictor
                    .said(&Places::of(places, device)?, &Tensor::from_vec(new, talking.len(), device)?)?;
            }
            cursors = talking.into_iter().filter(|cursor| cursor.frame < count).collect();
        }
        Ok(said)
    }

    /// The stream's next token, if it says one in the frames that are left; the cursor moves to it.
    fn next(
        &self,
        cursor: &mut Cursor,
        first: usize,
        best: &[u32],
        certain: &[f32],
        said: Option<&mut Said>,
    ) -> Option<u32> {
        let said = said?;
        let ahead = best.iter().zip(certain).enumerate().skip(cursor.frame - first);
        for (at, (token, probability)) in ahead {
            if !probability.is_finite() {
                *said = None;
                return None;
            }
            if *token == self.blank {
                continue;
            }
            let frame = first + at;
            cursor.said_here = if frame == cursor.frame { cursor.said_here + 1 } else { 1 };
            cursor.frame = frame;
            said.as_mut()?.push(Token { number: *token, frame: frame as u64, probability: *probability });
            if cursor.said_here >= self.tokens_per_frame {
                cursor.frame += 1;
                cursor.said_here = 0;
            }
            return Some(*token);
        }
        None
    }
}

fn index(numbers: impl Iterator<Item = usize>, device: &Device) -> Result<Tensor> {
    let numbers: Vec<u32> = numbers.map(|number| number as u32).collect();
    let count = numbers.len();
    Tensor::from_vec(numbers, count, device)
}
