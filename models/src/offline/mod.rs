//! The system's speech engines, found at run time; no model weights needed.
//!
//! They are what a bare machine can do. Where they are not installed, opening them says which packages to install.

mod ffi;
mod speech_to_text;
mod text_to_speech;

pub use speech_to_text::{Recogniser as PocketSphinx, Settings as PocketSphinxSettings};
pub use text_to_speech::{espeak_ng, flite};
