//! The feed-forward module: out, SiLU, and back.

use candle_core::{Result, Tensor};
use candle_nn::{Linear, Module};

use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;

pub(super) struct FeedForward {
    out: Linear,
    back: Linear,
}

impl FeedForward {
    pub(super) fn take(config: &Config, from: &mut Tensors, name: &str) -> Result<Self> {
        let (width, inner, bias) = (config.width, config.feed_forward, config.attention_bias);
        Ok(Self {
            out: from.linear(&format!("{name}.linear1"), inner, width, bias)?,
            back: from.linear(&format!("{name}.linear2"), width, inner, bias)?,
        })
    }

    pub(super) fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.back.forward(&self.out.forward(input)?.silu()?)
    }
}
