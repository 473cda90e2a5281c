//! The fake engine: text as tones instead of speech, words on demand, and failures by order.
//!
//! [`Voice`] renders text as tones that survive a telephone line ([`tone_code`]); [`Recogniser`] reads them back.
//! Two programs that only share a telephone line thus understand each other word for word, by real packets and
//! without any model, for a thousandth of a core per call. [`Control`] puts words into a turn that the caller
//! never said, and makes either side fail in every way that an engine can.

mod control;
mod recogniser;
mod session;
#[cfg(test)]
mod tests;
pub mod tone_code;
mod voice;

pub use control::{Control, Fault};
pub use recogniser::{Recogniser, Settings};
pub use voice::Voice;
