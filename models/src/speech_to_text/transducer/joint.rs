//! The joint network: what a frame and what was said so far make of the next token.

use candle_core::{Result, Tensor};

use crate::arithmetic::{Activation, Dense};
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;

pub(super) struct Joint {
    project: Dense,
    head: Dense,
}

impl Joint {
    pub(super) fn take(config: &Config, from: &mut Tensors) -> Result<Self> {
        Ok(Self {
            project: from.dense(
                "encoder_projector",
                &[config.predictor_width, config.width],
                true,
                Activation::None,
            )?,
            head: from.dense(
                "joint.head",
                &[config.tokens, config.predictor_width],
                true,
                Activation::None,
            )?,
        })
    }

    /// Frames as the joint network sees them.
    pub(super) fn project(&self, frames: &Tensor) -> Result<Tensor> {
        self.project.forward(frames)
    }

    /// (streams, frames, tokens) for (streams, frames, width) and (streams, 1, width).
    pub(super) fn logits(&self, frames: &Tensor, predicted: &Tensor) -> Result<Tensor> {
        self.head.forward(&frames.broadcast_add(predicted)?.relu()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech_to_text::parity_tests::{checkpoint, golden};

    #[test]
    fn logits_are_the_references() {
        let golden = golden();
        let mut made = checkpoint();
        let joint = Joint::take(&made.config, &mut made.tensors).expect("takes its tensors");
        let projected = joint.project(&golden["encoded.0"]).expect("projects");
        crate::speech_to_text::parity_tests::close(&projected, &golden["projected.0"], 1e-5);
        let frames = golden["projected.0"].narrow(0, 0, 9).expect("frames").unsqueeze(0).expect("one stream");
        let largest =
            golden["logits"].abs().and_then(|all| all.max_all()?.to_scalar::<f32>()).expect("a number");
        for said in 0..13 {
            let predicted = golden["predicted"].narrow(0, said, 1).expect("a row").unsqueeze(0).expect("one");
            let logits = joint.logits(&frames, &predicted).expect("joins").squeeze(0).expect("one stream");
            let expected = golden["logits"].narrow(1, said, 1).expect("a row").squeeze(1).expect("a row");
            let worst = (logits - expected)
                .and_then(|off| off.abs()?.max_all()?.to_scalar::<f32>())
                .expect("a number");
            assert!(worst <= 1e-4 * largest, "off by {worst} of {largest}");
        }
    }
}
