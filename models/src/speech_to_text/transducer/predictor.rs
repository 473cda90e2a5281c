//! The prediction network: an LSTM over the tokens so far, for many streams.

use candle_core::{Result, Tensor};

use crate::arithmetic::{Activation, Dense};
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;
use crate::speech_to_text::encoder::{Places, Ring};

pub(super) struct Predictor {
    embedding: Tensor,
    layers: Vec<Layer>,
    project: Dense,
    /// What the joint network sees of each stream's tokens.
    predicted: Ring,
}

/// One LSTM layer with each stream's state.
struct Layer {
    input: Dense,
    recurrent: Dense,
    hidden: Ring,
    cell: Ring,
}

impl Predictor {
    pub(super) fn take(config: &Config, slots: usize, from: &mut Tensors) -> Result<Self> {
        let width = config.predictor_width;
        let embedding = from.tensor("decoder.embedding.weight", &[config.tokens, width])?;
        let (device, dtype) = (from.device().clone(), from.dtype());
        let mut layer = |number: usize| {
            let mut linear = |side: &str| -> Result<Dense> {
                let weight =
                    from.tensor(&format!("decoder.lstm.weight_{side}_l{number}"), &[4 * width, width])?;
                let bias = from.tensor(&format!("decoder.lstm.bias_{side}_l{number}"), &[4 * width])?;
                Dense::new(weight, Some(bias), Activation::None)
            };
            let (input, recurrent) = (linear("ih")?, linear("hh")?);
            let ring = || Ring::new(slots, 1, width, dtype, &device);
            Ok(Layer { input, recurrent, hidden: ring()?, cell: ring()? })
        };
        let layers = (0..config.predictor_layers).map(&mut layer).collect::<Result<_>>()?;
        let project = from.dense("decoder.decoder_projector", &[width, width], true, Activation::None)?;
        Ok(Self { embedding, layers, project, predicted: Ring::new(slots, 1, width, dtype, &device)? })
    }

    /// (streams, 1, width): what `slots` have said so far, as the joint network sees it.
    pub(super) fn predicted(&self, slots: &Places) -> Result<Tensor> {
        self.predicted.gather(slots, 1)
    }

    /// Each of `slots` has said its token of `tokens`.
    pub(super) fn said(&self, slots: &Places, tokens: &Tensor) -> Result<()> {
        let mut input = self.embedding.index_select(tokens, 0)?;
        for layer in &self.layers {
            let hidden = layer.hidden.gather(slots, 1)?.squeeze(1)?;
            let cell = layer.cell.gather(slots, 1)?.squeeze(1)?;
            let (hidden, cell) = layer.step(&input, &hidden, &cell)?;
            layer.hidden.put(slots, &hidden)?;
            layer.cell.put(slots, &cell)?;
            input = hidden;
        }
        self.predicted.put(slots, &self.project.forward(&input)?)
    }

    /// Nothing was said in `slot`: the state is what the blank makes of noughts.
    pub(super) fn begin(&self, slot: usize, blank: u32) -> Result<()> {
        for layer in &self.layers {
            layer.hidden.clear(slot)?;
            layer.cell.clear(slot)?;
        }
        let device = self.embedding.device();
        self.said(&Places::of(std::iter::once(slot), device)?, &Tensor::from_vec(vec![blank], 1, device)?)
    }
}

impl Layer {
    fn step(&self, input: &Tensor, hidden: &Tensor, cell: &Tensor) -> Result<(Tensor, Tensor)> {
        let gates = (self.input.forward(input)? + self.recurrent.forward(hidden)?)?;
        let width = cell.dim(1)?;
        // torch's order: input, forget, cell, output.
        let gate = |number: usize| gates.narrow(1, number * width, width)?.contiguous();
        let open = |number: usize| candle_nn::ops::sigmoid(&gate(number)?);
        let cell = ((open(1)? * cell)? + (open(0)? * gate(2)?.tanh()?)?)?;
        Ok(((open(3)? * cell.tanh()?)?, cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech_to_text::parity_tests::{checkpoint, close, golden};

    #[test]
    fn a_history_is_predicted_from_as_the_reference_does() {
        let golden = golden();
        let mut made = checkpoint();
        let predictor = Predictor::take(&made.config, 3, &mut made.tensors).expect("takes its tensors");
        let history: Vec<i64> = golden["history"].to_vec1().expect("numbers");
        let slot = Places::of(std::iter::once(1), &candle_core::Device::Cpu).expect("a slot");
        predictor.begin(1, history[0] as u32).expect("begins");
        for (at, token) in history.iter().enumerate() {
            if at > 0 {
                let token = Tensor::new(&[*token as u32], &candle_core::Device::Cpu).expect("a token");
                predictor.said(&slot, &token).expect("steps");
            }
            let predicted = predictor.predicted(&slot).expect("predicts").squeeze(0).expect("one stream");
            close(&predicted, &golden["predicted"].narrow(0, at, 1).expect("a row"), 1e-5);
        }
    }
}
