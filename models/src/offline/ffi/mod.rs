//! The system's speech libraries, opened at run time. All unsafe code of the workspace is in this folder.
//!
//! A node builds and starts without these libraries; opening one that is absent is an ordinary error. A library,
//! once open, stays open until the process ends: its threads' data and its voices point into it.
#![allow(unsafe_code, reason = "C libraries can't be called without it; each call says why it is sound")]

mod espeak_ng;
mod flite;
mod pocketsphinx;

use std::ffi::CString;
use std::time::Duration;

use libloading::{AsSymbolName, Library};

pub(super) use espeak_ng::EspeakNg;
pub(super) use flite::Flite;
pub(super) use pocketsphinx::{CepstralMean, PocketSphinx, Segment, check_library};

/// How long a thread waits for another to be done inside a library; a long text takes a second.
const TURN_MAX: Duration = Duration::from_secs(20);

/// An utterance as a library speaks it.
#[derive(Debug, Default)]
pub(super) struct Utterance {
    /// Sampling rate in hertz.
    pub(super) rate_hz: u32,
    /// 16-bit mono PCM.
    pub(super) samples: Vec<i16>,
    /// Where each whitespace-separated token of the text begins, in samples; empty where the library did not say
    /// it for every token.
    pub(super) token_starts: Vec<u64>,
}

/// Opens the first of `names` that is on this machine, with its symbols visible to libraries opened later.
fn open(names: &[&str]) -> Result<&'static Library, String> {
    use libloading::os::unix;
    let mut why = String::new();
    for name in names {
        // SAFETY: these are the distribution's own speech libraries; their initialisers only set up their data.
        match unsafe { unix::Library::open(Some(*name), unix::RTLD_NOW | unix::RTLD_GLOBAL) } {
            // Leaked on purpose: a library that voices and threads point into must never be closed.
            Ok(library) => return Ok(Box::leak(Box::new(Library::from(library)))),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// The function `name` of `library`.
///
/// # Safety
/// `F` must be the function's C signature.
unsafe fn function<F: Copy>(library: &'static Library, name: impl AsSymbolName) -> Result<F, String> {
    // SAFETY: the caller vouches for the signature; the library is never closed, so the pointer stays valid.
    unsafe { library.get::<F>(name) }.map(|symbol| *symbol).map_err(|error| error.to_string())
}

/// `text` for C; a NUL inside it becomes a space.
fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}
