//! Which rows of the rings a step reads and writes, worked out once and used by every layer.

use candle_core::{DType, Device, Result, Tensor};

use super::ring::Places;
use crate::arithmetic::is_ours;
use crate::speech_to_text::Config;

/// One step of streams that bring equally many frames.
pub(in crate::speech_to_text) struct Plan {
    /// Streams.
    pub(in crate::speech_to_text) batch: usize,
    /// New frames of each.
    pub(in crate::speech_to_text) frames: usize,
    /// The rings' rows of the past and the new frames that attention sees, and where the new ones go.
    pub(super) past: Places,
    pub(super) past_put: Places,
    /// (batch, 1, 1, past and new), of 32 bits: nought where a frame is there to be seen, else minus infinity.
    pub(super) mask: Tensor,
    /// The same for the convolution modules; (batch, past and new, 1): one where a frame is there, else nought.
    pub(super) tail: Places,
    pub(super) tail_put: Places,
    pub(super) tail_mask: Tensor,
    /// The slots, and for the subsampling (batch, 1, 1): nought where a stream begins, else one.
    pub(in crate::speech_to_text) slots: Places,
    pub(super) goes_on: Tensor,
    /// Whether any stream begins.
    pub(super) begins: bool,
    /// The same for the processor's own loops; none on other devices and in other precisions.
    pub(super) on_processor: Option<Streams>,
}

/// The streams of a step.
pub(super) struct Streams {
    /// Slot, and frames before the step.
    pub(super) each: Vec<(usize, u64)>,
    /// Frames of the past that attention may see.
    visible: usize,
    /// Rows of a stream in attention's rings, and in those of the convolution modules.
    past_length: usize,
    pub(super) tail_length: usize,
}

impl Streams {
    /// Where in attention's ring the frames lie that a stream sees, oldest first: of `left` that could be, and the
    /// new ones.
    #[inline(always)]
    pub(super) fn rows_seen(&self, number: usize, left: usize, frames: usize, rows: &mut Vec<usize>) {
        rows.clear();
        let Some((slot, had)) = self.each.get(number).copied() else { return };
        let seen = self.visible.min(left).min(had.min(left as u64) as usize);
        let had = had as usize;
        let mut at = had - seen;
        while at < had + frames {
            rows.push(slot * self.past_length + at % self.past_length);
            at += 1;
        }
    }
}

impl Plan {
    /// A step of `frames` frames for `slots`, which have had `had` frames each.
    pub(in crate::speech_to_text) fn new(
        config: &Config,
        (slots, had): (&[usize], &[u64]),
        frames: usize,
        lookahead: usize,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let batch = slots.len();
        let (left, tail) = (config.left_frames, config.kernel - 1);
        let longest = config.longest_chunk();
        let streams = || slots.iter().copied().zip(had.iter().copied());
        // `of` frames up to the last new one, in rings of `past + longest`.
        let rows = |past: usize, of: usize| -> Result<Places> {
            let length = past + longest;
            let places = streams().flat_map(|(slot, had)| {
                let first = had as usize + frames + length - of;
                (first..first + of).map(move |at| (slot * length + at % length) as u32)
            });
            Places::new(places.collect(), device)
        };
        // A stream's oldest visible frame, counted from the oldest that could be.
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
                (0..tail + frames).map(move |k| if k < hidden { 0.0 } else { 1.0 })
            })
            .collect();
        let goes_on: Vec<f32> = had.iter().map(|had| if *had == 0 { 0.0 } else { 1.0 }).collect();
        let lists = Streams {
            each: streams().collect(),
            visible,
            past_length: left + longest,
            tail_length: tail + longest,
        };
        Ok(Self {
            batch,
            frames,
            past: rows(left, left + frames)?,
            past_put: rows(left, frames)?,
            mask: Tensor::from_vec(mask, (batch, 1, 1, left + frames), device)?,
            tail: rows(tail, tail + frames)?,
            tail_put: rows(tail, frames)?,
            tail_mask: Tensor::from_vec(tail_mask, (batch, tail + frames, 1), device)?.to_dtype(dtype)?,
            slots: Places::of(slots.iter().copied(), device)?,
            begins: had.contains(&0),
            goes_on: Tensor::from_vec(goes_on, (batch, 1, 1), device)?.to_dtype(dtype)?,
            on_processor: is_ours(device, dtype).then_some(lists),
        })
    }
}
