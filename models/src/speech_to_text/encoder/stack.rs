//! The encoder as a whole.

use candle_core::{Result, Tensor};

use super::Plan;
use super::block::Block;
use super::subsampling::Subsampling;
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;

/// Subsampling and blocks, with the state of all streams.
pub(in crate::speech_to_text) struct Encoder {
    subsampling: Subsampling,
    blocks: Vec<Block>,
}

impl Encoder {
    pub(in crate::speech_to_text) fn take(config: &Config, slots: usize, from: &mut Tensors) -> Result<Self> {
        let subsampling = Subsampling::take(config, slots, from)?;
        let block = |layer| Block::take(config, slots, from, &format!("encoder.layers.{layer}"));
        let blocks = (0..config.layers).map(block).collect::<Result<_>>()?;
        Ok(Self { subsampling, blocks })
    }

    /// Frames of (batch, frames, width) for features of (batch, 8 × frames, bins); `watch` sees the subsampled
    /// frames and what each block makes of them.
    pub(in crate::speech_to_text) fn forward(
        &self,
        plan: &Plan,
        features: &Tensor,
        watch: &mut dyn FnMut(usize, &Tensor),
    ) -> Result<Tensor> {
        let mut frames = self.subsampling.forward(plan, features)?;
        watch(0, &frames);
        for (layer, block) in self.blocks.iter().enumerate() {
            frames = block.forward(plan, &frames)?;
            watch(layer + 1, &frames);
        }
        Ok(frames)
    }

    /// Forgets a stream's values, not only that they were its.
    pub(in crate::speech_to_text) fn clear(&self, slot: usize) -> Result<()> {
        self.subsampling.clear(slot)?;
        self.blocks.iter().try_for_each(|block| block.clear(slot))
    }
}
