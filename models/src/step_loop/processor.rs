//! Which processor a model's tensors lie on, and how precise they are.

use serde::{Deserialize, Serialize};

/// Where a model works things out. Written `auto`, `cpu`, or `cuda:0` for the first GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Processor {
    /// The first GPU where the program was built for GPUs, else the machine's own processor.
    #[default]
    Auto,
    /// The machine's own processor.
    Cpu,
    /// The NVIDIA GPU of this number. Needs a program that was built for GPUs: see `ops/build-gpu`.
    Cuda(usize),
}

impl std::fmt::Display for Processor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(number) => write!(formatter, "cuda:{number}"),
        }
    }
}

impl From<Processor> for String {
    fn from(processor: Processor) -> Self {
        processor.to_string()
    }
}

impl TryFrom<String> for Processor {
    type Error = String;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        match (word.as_str(), word.strip_prefix("cuda:").and_then(|number| number.parse().ok())) {
            ("auto", _) => Ok(Self::Auto),
            ("cpu", _) => Ok(Self::Cpu),
            (_, Some(number)) => Ok(Self::Cuda(number)),
            _ => Err(format!("\"{word}\" is no processor: auto, cpu, or cuda:0 for the first GPU")),
        }
    }
}

/// How precise a model's tensors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Floats of 32 bits, on a GPU without its shortened ones (TF32).
    #[default]
    F32,
    /// Floats of 16 bits with the range of 32 (bfloat16): half the memory, and on a GPU several times as fast.
    /// Slower than 32 bits on a machine's own processor.
    Bf16,
}

#[cfg(feature = "candle")]
impl Processor {
    /// The processor, for the thread that calls: a GPU's work is in order only within one.
    ///
    /// # Errors
    /// There is no such GPU, or the program was not built for GPUs.
    pub fn open(self) -> candle_core::Result<candle_core::Device> {
        use candle_core::Device;
        // Products of 32-bit floats stay such: the checks against references count on it.
        candle_core::cuda::set_gemm_reduced_precision_f32(false);
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Auto if !candle_core::utils::cuda_is_available() => Ok(Device::Cpu),
            Self::Auto => Device::new_cuda_with_stream(0),
            Self::Cuda(number) => Device::new_cuda_with_stream(number),
        }
    }
}

#[cfg(feature = "candle")]
impl Precision {
    /// Candle's name for it.
    #[must_use]
    pub fn dtype(self) -> candle_core::DType {
        match self {
            Self::F32 => candle_core::DType::F32,
            Self::Bf16 => candle_core::DType::BF16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_written_as_people_write_them() {
        for (word, processor) in
            [("auto", Processor::Auto), ("cpu", Processor::Cpu), ("cuda:3", Processor::Cuda(3))]
        {
            assert_eq!(Processor::try_from(word.to_owned()), Ok(processor));
            assert_eq!(processor.to_string(), word);
        }
        for wrong in ["cuda", "gpu", "cuda:", "cuda:-1", ""] {
            let error = Processor::try_from(wrong.to_owned()).expect_err("no processor");
            assert!(error.contains(&format!("\"{wrong}\"")), "{error}");
        }
    }

    #[cfg(all(feature = "candle", not(feature = "cuda")))]
    #[test]
    fn without_a_gpu_auto_is_the_processor_and_a_gpu_that_is_named_is_an_error() {
        assert!(Processor::Auto.open().is_ok_and(|device| device.is_cpu()));
        assert!(Processor::Cuda(0).open().is_err());
    }
}
