//! From a caller's samples to log-mel features, a frame at a time.

mod filter_bank;
mod log_mel;
mod upsample;

pub use filter_bank::FilterBank;
pub(crate) use filter_bank::mel_filters;
pub use log_mel::LogMel;
pub use upsample::Upsampler;

/// The sampling rate the model hears, in hertz.
pub const MODEL_HZ: u32 = 16_000;
/// Samples between two feature frames: 10 ms.
pub(super) const HOP: usize = 160;
/// Samples that a feature frame looks at: 25 ms.
const WINDOW: usize = 400;
/// Points of the Fourier transform.
pub(super) const POINTS: usize = 512;
