//! The feed-forward module: out, SiLU, and back.

use candle_core::{Result, Tensor};

use crate::arithmetic::{Activation, Dense};
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;

pub(super) struct FeedForward {
    out: Dense,
    back: Dense,
}

impl FeedForward {
    pub(super) fn take(config: &Config, from: &mut Tensors, name: &str) -> Result<Self> {
        let (width, inner, bias) = (config.width, config.feed_forward, config.attention_bias);
        Ok(Self {
            out: from.dense(&format!("{name}.linear1"), &[inner, width], bias, Activation::Silu)?,
            back: from.dense(&format!("{name}.linear2"), &[width, inner], bias, Activation::None)?,
        })
    }

    pub(super) fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.back.forward(&self.out.forward(input)?)
    }
}
