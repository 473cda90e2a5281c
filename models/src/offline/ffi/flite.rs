//! Flite: small English voices from Carnegie Mellon.

use std::ffi::{c_char, c_float, c_int, c_short, c_void};
use std::ptr;

use libloading::Library;
use parking_lot::{Mutex, MutexGuard};

use super::{TURN_MAX, Utterance, c_string, function, open};

/// Flite counts references to its voices' data without atomics, so one thread at a time may be inside it.
static TURN: Mutex<()> = Mutex::new(());

/// `cst_wave` of `cst_wave.h`.
#[repr(C)]
struct Wave {
    kind: *const c_char,
    sample_rate: c_int,
    num_samples: c_int,
    num_channels: c_int,
    samples: *const c_short,
}

type Pointer = *mut c_void;

struct Functions {
    synth_text: unsafe extern "C" fn(*const c_char, Pointer) -> Pointer,
    utt_wave: unsafe extern "C" fn(Pointer) -> *const Wave,
    utt_relation: unsafe extern "C" fn(Pointer, *const c_char) -> Pointer,
    relation_head: unsafe extern "C" fn(Pointer) -> Pointer,
    item_next: unsafe extern "C" fn(Pointer) -> Pointer,
    feature_float: unsafe extern "C" fn(Pointer, *const c_char) -> c_float,
    delete_utterance: unsafe extern "C" fn(Pointer),
}

/// The library with one voice.
pub(in crate::offline) struct Flite {
    functions: Functions,
    voice: Pointer,
}

// SAFETY: the voice is only read, and only while `TURN` is held, so which thread does so makes no difference.
unsafe impl Send for Flite {}

impl Flite {
    /// Opens the library and `voice`: `slt`, `rms`, `awb` or `kal`.
    pub(in crate::offline) fn open(voice: &str) -> Result<Self, String> {
        let _turn = turn()?;
        let library = open(&["libflite.so.1"])?;
        open(&["libflite_cmulex.so.1"])?;
        open(&["libflite_usenglish.so.1"])?;
        let voices = open(&[&format!("libflite_cmu_us_{voice}.so.1")])?;
        // SAFETY: the signature is flite.h's; it may be called more than once.
        unsafe { function::<unsafe extern "C" fn() -> c_int>(library, "flite_init")?() };
        let register = format!("register_cmu_us_{voice}");
        // SAFETY: every voice library has this function, which takes an optional folder and returns its voice.
        let voice = unsafe {
            function::<unsafe extern "C" fn(*const c_char) -> Pointer>(voices, register.as_str())?(ptr::null())
        };
        if voice.is_null() {
            return Err("its voice did not load".into());
        }
        Ok(Self { functions: Functions::find(library)?, voice })
    }

    /// Speaks `text`, whose tokens are separated by single spaces.
    pub(in crate::offline) fn speak(&self, text: &str) -> Result<Utterance, String> {
        let _turn = turn()?;
        let call = &self.functions;
        let text = c_string(text);
        // SAFETY: the text ends in NUL and outlives the call; the voice lives as long as the process.
        let utterance = unsafe { (call.synth_text)(text.as_ptr(), self.voice) };
        if utterance.is_null() {
            return Err("it could not speak a text".into());
        }
        // SAFETY: the utterance is alive until it is deleted below, and its wave belongs to it.
        let spoken = unsafe {
            match (call.utt_wave)(utterance).as_ref() {
                Some(wave) => Ok(copy(wave, call.token_starts(utterance))),
                None => Err("it gave no audio".to_owned()),
            }
        };
        // SAFETY: it came from synth_text, is deleted once, and nothing above points into it any more.
        unsafe { (call.delete_utterance)(utterance) };
        spoken
    }
}

/// The right to be inside the library. Where a thread hangs there, nobody else ever can be.
fn turn() -> Result<MutexGuard<'static, ()>, String> {
    TURN.try_lock_for(TURN_MAX).ok_or_else(|| "another thread is stuck in the library".to_owned())
}

/// # Safety
/// `wave.samples` must point to `wave.num_samples` samples.
unsafe fn copy(wave: &Wave, starts_seconds: Vec<f32>) -> Utterance {
    let length = usize::try_from(wave.num_samples).unwrap_or(0);
    let samples = if length == 0 || wave.samples.is_null() {
        Vec::new()
    } else {
        // SAFETY: the caller vouches for pointer and length; flite's voices are mono.
        unsafe { std::slice::from_raw_parts(wave.samples, length) }.to_vec()
    };
    let rate_hz = u32::try_from(wave.sample_rate).unwrap_or(0);
    let token_starts =
        starts_seconds.into_iter().map(|seconds| (f64::from(seconds) * f64::from(rate_hz)) as u64).collect();
    Utterance { rate_hz, samples, token_starts }
}

impl Functions {
    fn find(library: &'static Library) -> Result<Self, String> {
        // SAFETY: the signatures are those of flite.h, cst_utterance.h, cst_relation.h and cst_item.h of version 2.
        unsafe {
            Ok(Self {
                synth_text: function(library, "flite_synth_text")?,
                utt_wave: function(library, "utt_wave")?,
                utt_relation: function(library, "utt_relation")?,
                relation_head: function(library, "relation_head")?,
                item_next: function(library, "item_next")?,
                feature_float: function(library, "flite_ffeature_float")?,
                delete_utterance: function(library, "delete_utterance")?,
            })
        }
    }

    /// Seconds at which each token begins: where the segment before its first one ends.
    ///
    /// # Safety
    /// `utterance` must be alive and synthesised.
    unsafe fn token_starts(&self, utterance: Pointer) -> Vec<f32> {
        let path = c"daughter1.R:SylStructure.daughter1.daughter1.R:Segment.p.end";
        let mut starts = Vec::new();
        // SAFETY: the names end in NUL; every text utterance has this relation, and an empty one has a null head.
        unsafe {
            let relation = (self.utt_relation)(utterance, c"Token".as_ptr());
            if relation.is_null() {
                return starts;
            }
            let mut item = (self.relation_head)(relation);
            while !item.is_null() {
                starts.push((self.feature_float)(item, path.as_ptr()));
                item = (self.item_next)(item);
            }
        }
        starts
    }
}
