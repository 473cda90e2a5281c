//! Which rows of the rings a step reads and writes, worked out once and used by every layer.

use candle_core::{DType, Device, Result, Tensor};

use super::expanded;
use crate::speech_to_text::Config;

/// One step of streams that bring equally many frames.
pub(in crate::speech_to_text) struct Plan {
    /// Streams.
    pub(in crate::speech_to_text) batch: usize,
    /// New frames of each.
    pub(in crate::speech_to_text) frames: usize,
    /// The rings' rows of the past that attention sees, and where its new frames go.
    pub(super) past: Tensor,
    pub(super) past_put: Tensor,
    /// (batch, 1, 1, past and new): nought where a frame is there to be seen, else minus infinity.
    pub(super) mask: Tensor,
    /// The same for the convolution modules; (batch, past, 1): one where a frame is there, else nought.
    pub(super) tail: Tensor,
    pub(super) tail_put: Tensor,
    pub(super) tail_mask: Tensor,
    /// The slots, and for the subsampling (batch, 1, 1): nought where a stream begins, else one.
    pub(in crate::speech_to_text) slots: Tensor,
    pub(super) goes_on: Tensor,
    /// Whether any stream begins.
    pub(super) begins: bool,
}

impl Plan {
    /// A step of `frames` frames for `slots`, which have had `had` frames each.
    pub(in crate::speech_to_text) fn new(
        config: &Config,
        slots: &[usize],
        had: &[u64],
        frames: usize,
        lookahead: usize,
        device: &Device,
    ) -> Result<Self> {
        let batch = slots.len();
        let (left, tail) = (config.left_frames, config.kernel - 1);
        let streams = || slots.iter().copied().zip(had.iter().copied());
        let read = |length: usize| -> Result<Tensor> {
            let places: Vec<u32> = streams()
                .flat_map(|(slot, had)| {
                    // `had - length + k` modulo the length, in the order of time.
                    (0..length).map(move |k| (slot * length + (had as usize + k) % length) as u32)
                })
                .collect();
            Tensor::from_vec(places, batch * length, device)
        };
        let put = |length: usize| -> Result<Tensor> {
            let new = frames.min(length);
            let places: Vec<u32> = streams()
                .flat_map(|(slot, had)| {
                    let first = had as usize + frames - new;
                    (first..first + new).map(move |at| (slot * length + at % length) as u32)
                })
                .collect();
            expanded(&Tensor::from_vec(places, batch * new, device)?, config.width)
        };
        // A stream's oldest visible frame, counted from the oldest of the ring.
        let hidden =
            |length: usize, most: usize, had: u64| length - most.min(had.min(length as u64) as usize);
        let visible = config.visible_frames(lookahead);
        let mask: Vec<f32> = streams()
            .flat_map(|(_, had)| {
                let hidden = hidden(left, visible, had);
                (0..left + frames).map(move |k| if k < hidden { f32::NEG_INFINITY } else { 0.0 })
            })
            .collect();
        let tail_mask: Vec<f32> = streams()
            .flat_map(|(_, had)| {
                let hidden = hidden(tail, tail, had);
                (0..tail).map(move |k| if k < hidden { 0.0 } else { 1.0 })
            })
            .collect();
        let goes_on: Vec<f32> = had.iter().map(|had| if *had == 0 { 0.0 } else { 1.0 }).collect();
        let places: Vec<u32> = slots.iter().map(|slot| *slot as u32).collect();
        Ok(Self {
            batch,
            frames,
            past: read(left)?,
            past_put: put(left)?,
            mask: Tensor::from_vec(mask, (batch, 1, 1, left + frames), device)?,
            tail: read(tail)?,
            tail_put: put(tail)?,
            tail_mask: Tensor::from_vec(tail_mask, (batch, tail, 1), device)?,
            slots: Tensor::from_vec(places, batch, device)?,
            begins: had.contains(&0),
            goes_on: Tensor::from_vec(goes_on, (batch, 1, 1), device)?.to_dtype(DType::F32)?,
        })
    }

    /// The new frames that stay in a ring of `length`: all, or the last.
    pub(super) fn kept(&self, new: &Tensor, length: usize) -> Result<Tensor> {
        let kept = self.frames.min(length);
        new.narrow(1, self.frames - kept, kept)
    }
}
