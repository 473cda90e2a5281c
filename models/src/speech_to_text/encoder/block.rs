//! One block: half a feed-forward, attention, convolution, half a feed-forward (Gulati et al., "Conformer", 2020).

use candle_core::{Result, Tensor};

use super::Plan;
use super::attention::Attention;
use super::convolution::Convolution;
use super::feed_forward::FeedForward;
use crate::arithmetic::Norm;
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;

pub(super) struct Block {
    norms: [Norm; 5],
    first: FeedForward,
    attention: Attention,
    convolution: Convolution,
    second: FeedForward,
}

impl Block {
    pub(super) fn take(config: &Config, slots: usize, from: &mut Tensors, name: &str) -> Result<Self> {
        let mut norm = |part: &str| from.norm(&format!("{name}.{part}"), config.width);
        Ok(Self {
            norms: [
                norm("norm_feed_forward1")?,
                norm("norm_self_att")?,
                norm("norm_conv")?,
                norm("norm_feed_forward2")?,
                norm("norm_out")?,
            ],
            first: FeedForward::take(config, from, &format!("{name}.feed_forward1"))?,
            attention: Attention::take(config, slots, from, &format!("{name}.self_attn"))?,
            convolution: Convolution::take(config, slots, from, &format!("{name}.conv"))?,
            second: FeedForward::take(config, from, &format!("{name}.feed_forward2"))?,
        })
    }

    pub(super) fn forward(&self, plan: &Plan, input: &Tensor) -> Result<Tensor> {
        let [before_first, before_attention, before_convolution, before_second, last] = &self.norms;
        let half = |feed: &FeedForward, norm: &Norm, to: &Tensor| -> Result<Tensor> {
            to + (feed.forward(&norm.forward(to)?)? * 0.5)?
        };
        let frames = half(&self.first, before_first, input)?;
        let frames = (&frames + self.attention.forward(plan, &before_attention.forward(&frames)?)?)?;
        let frames = (&frames + self.convolution.forward(plan, &before_convolution.forward(&frames)?)?)?;
        last.forward(&half(&self.second, before_second, &frames)?)
    }

    pub(super) fn clear(&self, slot: usize) -> Result<()> {
        self.attention.clear(slot)?;
        self.convolution.clear(slot)
    }
}
