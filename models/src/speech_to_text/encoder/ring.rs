//! The last frames of every stream, in one tensor.

use candle_core::{DType, Device, Result, Tensor};

/// For each of `slots` streams the last `length` frames of some `width`, at their number modulo the length.
pub(in crate::speech_to_text) struct Ring {
    frames: Tensor,
    length: usize,
    width: usize,
}

impl Ring {
    pub(in crate::speech_to_text) fn new(
        slots: usize,
        length: usize,
        width: usize,
        device: &Device,
    ) -> Result<Self> {
        let frames = Tensor::zeros((slots * length, width), DType::F32, device)?;
        Ok(Self { frames, length, width })
    }

    /// The frames at `places`, `length` for each stream.
    pub(in crate::speech_to_text) fn gather(&self, places: &Tensor) -> Result<Tensor> {
        self.frames.index_select(places, 0)?.reshape(((), self.length, self.width))
    }

    /// Puts `new` (streams, frames, width) at `places`, which are repeated over the width.
    pub(in crate::speech_to_text) fn put(&self, places: &Tensor, new: &Tensor) -> Result<()> {
        self.frames.scatter_set(places, &new.reshape(((), self.width))?.contiguous()?, 0)
    }

    /// Puts noughts into all of a stream's frames, so that no value of theirs can reach anybody.
    pub(in crate::speech_to_text) fn clear(&self, slot: usize) -> Result<()> {
        let noughts = Tensor::zeros((self.length, self.width), DType::F32, self.frames.device())?;
        self.frames.slice_set(&noughts, 0, slot * self.length)
    }
}

/// `places` repeated over `width`, as [`Ring::put`] wants them.
pub(in crate::speech_to_text) fn expanded(places: &Tensor, width: usize) -> Result<Tensor> {
    let count = places.elem_count();
    places.reshape((count, 1))?.broadcast_as((count, width))?.contiguous()
}
