//! The model: the weights once, the state of many streams, and a step for any of them.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};

use super::Config;
use super::checkpoint::{Checkpoint, LoadError, Tensors};
use super::config::FEATURES_PER_FRAME;
use super::encoder::{Encoder, Plan};
use super::tokens::Token;
use super::transducer::Greedy;
use crate::step_loop::{Failure, Model, Row};

/// What a stream brings to a step: the features of the next frames.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chunk {
    /// Eight features for each frame, one after the other; in a stream's first chunk seven fewer, for its first
    /// frame needs no more than the stream's first feature.
    pub features: Vec<f32>,
    /// How many frames ahead the chunk's first frame sees when the chunk is whole. The last chunk of a turn may
    /// have fewer frames.
    pub lookahead: usize,
    /// Whether the stream begins here, whatever it had before.
    pub begins: bool,
}

/// What a step says of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decoded {
    /// New tokens; frames are counted from the chunk's first.
    pub tokens: Vec<Token>,
    /// Frames of 80 ms that the chunk had.
    pub frames: usize,
}

/// A row and its place among the outputs.
type Placed = (usize, Row<Chunk>);

/// A cache-aware FastConformer transducer.
pub struct FastConformer {
    config: Config,
    device: Device,
    dtype: DType,
    encoder: Encoder,
    greedy: Greedy,
    /// Frames that each slot's stream has had.
    had: Vec<u64>,
}

impl std::fmt::Debug for FastConformer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FastConformer").field("config", &self.config).finish_non_exhaustive()
    }
}

impl FastConformer {
    /// Makes the model for `slots` streams at once, with nothing said in any.
    ///
    /// # Errors
    /// [`LoadError`], which names the tensors that are missing or too many.
    pub fn new(checkpoint: Checkpoint, slots: usize) -> Result<Self, LoadError> {
        let Checkpoint { config, mut tensors, .. } = checkpoint;
        let made = Self::from_tensors(config, &mut tensors, slots)?;
        tensors.finish()?;
        (0..slots).try_for_each(|slot| made.greedy.begin(slot))?;
        Ok(made)
    }

    fn from_tensors(config: Config, tensors: &mut Tensors, slots: usize) -> Result<Self, LoadError> {
        let encoder = Encoder::take(&config, slots, tensors)?;
        let greedy = Greedy::take(&config, slots, tensors)?;
        let (device, dtype) = (tensors.device().clone(), tensors.dtype());
        Ok(Self { device, dtype, config, encoder, greedy, had: vec![0; slots] })
    }

    /// Its shape.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// [`Model::step`]; `watch` sees the subsampled frames and what each block makes of them.
    ///
    /// # Errors
    /// As [`Model::step`].
    pub fn step_watched(
        &mut self,
        rows: Vec<Row<Chunk>>,
        watch: &mut dyn FnMut(usize, &Tensor),
    ) -> Result<Vec<Decoded>, Failure> {
        let mut outputs: Vec<Decoded> = rows.iter().map(|_| Decoded::default()).collect();
        // Rows of one size share a pass: each matrix is as full as the rows that come in it.
        let mut groups: BTreeMap<(usize, usize), Vec<Placed>> = BTreeMap::new();
        for (place, row) in rows.into_iter().enumerate() {
            if row.input.begins {
                self.reset(row.slot);
            }
            let frames = self.frames(&row).map_err(|why| Failure::Failed { why })?;
            groups.entry((row.input.lookahead, frames)).or_default().push((place, row));
        }
        let mut broken = Vec::new();
        for ((lookahead, frames), group) in groups {
            let decoded = self.pass(lookahead, frames, &group, watch);
            let decoded = decoded.map_err(|error| failed(&error))?;
            for ((place, row), decoded) in group.into_iter().zip(decoded) {
                match (outputs.get_mut(place), decoded) {
                    (Some(output), Some(decoded)) => *output = decoded,
                    _ => broken.push(row.slot),
                }
            }
        }
        if broken.is_empty() {
            return Ok(outputs);
        }
        // What is no number must not outlive its stream: masks multiply, and nought times it is it.
        for slot in &broken {
            self.encoder.clear(*slot).map_err(|error| failed(&error))?;
        }
        Err(Failure::NotFinite { slots: broken })
    }

    /// How many frames a row brings.
    fn frames(&self, row: &Row<Chunk>) -> Result<usize, String> {
        let had = self.had.get(row.slot).ok_or_else(|| format!("it has no slot {}", row.slot))?;
        let features = row.input.features.len() / self.config.mel_bins;
        // A stream that a rebuilt model meets in the middle has all eight features in its first chunk.
        let short = *had == 0 && features % FEATURES_PER_FRAME == 1;
        let missing = if short { FEATURES_PER_FRAME - 1 } else { 0 };
        let frames = (features + missing) / FEATURES_PER_FRAME;
        let whole = frames * FEATURES_PER_FRAME == features + missing
            && features * self.config.mel_bins == row.input.features.len();
        let most = row.input.lookahead + 1;
        if !whole || frames == 0 || frames > most || most > self.config.longest_chunk() {
            return Err(format!("{features} features are no chunk of at most {most} frames"));
        }
        Ok(frames)
    }

    fn pass(
        &mut self,
        lookahead: usize,
        frames: usize,
        group: &[Placed],
        watch: &mut dyn FnMut(usize, &Tensor),
    ) -> candle_core::Result<Vec<Option<Decoded>>> {
        let slots: Vec<usize> = group.iter().map(|(_, row)| row.slot).collect();
        let had: Vec<u64> = slots.iter().map(|slot| self.had.get(*slot).copied().unwrap_or(0)).collect();
        let length = frames * FEATURES_PER_FRAME * self.config.mel_bins;
        let mut features = Vec::with_capacity(slots.len() * length);
        for (_, row) in group {
            features.resize(features.len() + length - row.input.features.len(), 0.0);
            features.extend_from_slice(&row.input.features);
        }
        let shape = (slots.len(), frames * FEATURES_PER_FRAME, self.config.mel_bins);
        let features = Tensor::from_vec(features, shape, &self.device)?.to_dtype(self.dtype)?;
        for (slot, had) in slots.iter().zip(&had) {
            if *had == 0 {
                self.greedy.begin(*slot)?;
            }
        }
        let plan = Plan::new(
            &self.config,
            (slots.as_slice(), had.as_slice()),
            frames,
            lookahead,
            self.dtype,
            &self.device,
        )?;
        let encoded = self.encoder.forward(&plan, &features, watch)?;
        let said = self.greedy.decode(&slots, &encoded)?;
        let mut decoded = Vec::with_capacity(slots.len());
        for (slot, said) in slots.iter().zip(said) {
            if let Some(had) = self.had.get_mut(*slot) {
                *had += frames as u64;
            }
            decoded.push(said.map(|tokens| Decoded { tokens, frames }));
        }
        Ok(decoded)
    }
}

impl Model for FastConformer {
    type Input = Chunk;
    type Output = Decoded;

    fn slots(&self) -> usize {
        self.had.len()
    }

    fn reset(&mut self, slot: usize) {
        // The rings need no clearing: what a stream has not had is masked.
        if let Some(had) = self.had.get_mut(slot) {
            *had = 0;
        }
    }

    fn step(&mut self, rows: Vec<Row<Chunk>>) -> Result<Vec<Decoded>, Failure> {
        self.step_watched(rows, &mut |_, _| {})
    }
}

/// The first line: the rest is Candle's trace of where it happened.
fn failed(error: &candle_core::Error) -> Failure {
    Failure::Failed { why: error.to_string().lines().next().unwrap_or_default().to_owned() }
}
