//! ◇ The media of a telephone call as values: packets, codecs, timing and loss. No sockets, no clock.
//!
//! - [`packet`]: RTP headers (RFC 3550 section 5.1).
//! - [`jitter_buffer`]: packets in any order to 20 ms frames in order.
//! - [`codec`]: G.711, G.722 and Opus, all at 8 kHz.
//! - [`comfort_noise`]: a silence that is not sent (RFC 3389).
//! - [`concealment`]: audio for packets that never came (in the manner of G.711 Appendix I).
//! - [`telephone_event`]: keys (RFC 4733).
//! - [`dual_tone`]: keys heard in the audio (ITU-T Q.23, Q.24).
//! - [`echo`]: our own voice, come back, told from the caller's.
//! - [`level`]: one level for whoever speaks (in the manner of ITU-T G.169).
//! - [`noise_suppression`]: noise taken out of what a caller says.
//! - [`latch`]: whose packets a session believes (symmetric RTP, RFC 4961).
//! - [`protection`]: SRTP (RFC 3711).
//! - [`stun`]: connectivity checks, answered (RFC 8445, lite).
//! - [`reception`], [`rtcp`], [`score`]: what the line is like, and telling the far side.
//! - [`timestamps`]: faster clocks on the timeline of 8 kHz.
//! - [`resampler`]: engines' rates to 8 kHz.

pub mod codec;
pub mod comfort_noise;
pub mod concealment;
pub mod dual_tone;
pub mod echo;
pub mod jitter_buffer;
pub mod latch;
pub mod level;
pub mod noise_suppression;
pub mod packet;
pub mod protection;
pub mod reception;
pub mod resampler;
pub mod rtcp;
pub mod score;
pub mod stun;
pub mod telephone_event;
pub mod timestamps;

#[cfg(test)]
mod tests;

/// A moment or a length of time in microseconds, on a clock of the shell's that never goes back.
pub type Micros = u64;

/// Samples in one 20 ms frame at 8 kHz.
pub const FRAME: usize = 160;
