//! Our own voice, come back by the caller's line: told from the caller's, so that it is not taken for them.
//!
//! Echo comes from the hybrids of analogue lines and from loudspeakers of telephones that don't cancel it. Nothing is
//! taken out of the audio here: what is decided is only whose voice a piece of it is. What was sent is kept as levels,
//! in four bands every 10 ms, for as long as an echo may take. For every delay it is learnt how much quieter what
//! comes back is than what was sent, and how much that varies. Where a delay is that of an echo it varies little,
//! everywhere else as much as speech does; so the varying is held against a delay. What comes is the caller's where it
//! is louder, by a margin, than all delays explain.
//!
//! Until a delay is known every echo up to [`Settings::loss_db_min`] is believed in: in the first second of our first
//! words a caller has to be about as loud as ourselves to be heard over them. In our silence nothing is held back.
//!
//! An adaptive filter would also take the echo out (ITU-T G.168). The maintained ones (the ports of WebRTC's canceller)
//! need several times as much of a processor as the rest of a call; who decides needs to know no more than levels.

mod detector;
mod levels;
mod path;
mod settings;

#[cfg(test)]
mod tests;

pub use detector::{Echo, Whose};
pub use settings::Settings;
