//! eSpeak NG: a small formant voice in many languages.

use std::ffi::{c_char, c_int, c_short, c_uint, c_void};
use std::ptr;

use parking_lot::{Mutex, MutexGuard};

use super::{TURN_MAX, Utterance, c_string, function, open};

const AUDIO_OUTPUT_SYNCHRONOUS: c_int = 2;
const INITIALIZE_DONT_EXIT: c_int = 0x8000;
const CHARACTERS_UTF8: c_uint = 1;
const POSITION_CHARACTER: c_int = 1;
const EVENT_LIST_TERMINATED: c_int = 0;
const EVENT_WORD: c_int = 1;

/// The library is one global machine: one utterance at a time, and one owner of its initialisation.
static MACHINE: Mutex<Option<Machine>> = Mutex::new(None);

/// `espeak_EVENT` of `speak_lib.h`.
#[repr(C)]
struct Event {
    kind: c_int,
    unique_identifier: c_uint,
    text_position: c_int,
    length: c_int,
    audio_position_ms: c_int,
    sample: c_int,
    user_data: *mut c_void,
    id: [u8; 8],
}

type Callback = unsafe extern "C" fn(*mut c_short, c_int, *mut Event) -> c_int;
type Synth = unsafe extern "C" fn(
    *const c_void,
    usize,
    c_uint,
    c_int,
    c_uint,
    c_uint,
    *mut c_uint,
    *mut c_void,
) -> c_int;

#[derive(Clone, Copy)]
struct Machine {
    rate_hz: u32,
    synth: Synth,
    set_voice: unsafe extern "C" fn(*const c_char) -> c_int,
}

/// What one utterance has brought so far.
#[derive(Default)]
struct Collected {
    samples: Vec<i16>,
    /// Character position (from 1) and time of each word.
    words: Vec<(usize, u64)>,
}

/// The library, initialised.
pub(in crate::offline) struct EspeakNg {
    voice: String,
}

impl EspeakNg {
    /// Opens the library, once for the process, and checks that it knows `voice` (such as `en-us`).
    pub(in crate::offline) fn open(voice: &str) -> Result<Self, String> {
        let mut machine = machine()?;
        let ready = match *machine {
            Some(ready) => ready,
            None => *machine.insert(initialise()?),
        };
        let name = c_string(voice);
        // SAFETY: the library is initialised, and the name ends in NUL and outlives the call.
        if unsafe { (ready.set_voice)(name.as_ptr()) } != 0 {
            return Err("it does not know the voice that is set".into());
        }
        Ok(Self { voice: voice.to_owned() })
    }

    /// Speaks `text`, whose tokens are separated by single spaces.
    pub(in crate::offline) fn speak(&self, text: &str) -> Result<Utterance, String> {
        let machine = machine()?;
        let Some(ready) = *machine else { return Err("it is not initialised".into()) };
        let (name, spoken) = (c_string(&self.voice), c_string(text));
        let mut collected = Box::new(Collected::default());
        let user_data: *mut Collected = &raw mut *collected;
        // SAFETY: both strings end in NUL and outlive the calls. In synchronous mode espeak_Synth returns only when
        // the callback has been called for the last time, so `collected` outlives every use of the pointer.
        let status = unsafe {
            (ready.set_voice)(name.as_ptr());
            (ready.synth)(
                spoken.as_ptr().cast(),
                spoken.as_bytes_with_nul().len(),
                0,
                POSITION_CHARACTER,
                0,
                CHARACTERS_UTF8,
                ptr::null_mut(),
                user_data.cast(),
            )
        };
        if status != 0 {
            return Err(format!("it could not speak a text (code {status})"));
        }
        let token_starts = token_starts(text, &collected.words, ready.rate_hz);
        Ok(Utterance { rate_hz: ready.rate_hz, samples: collected.samples, token_starts })
    }
}

/// The library, for one at a time. Where a thread hangs in it, nobody else ever has it.
fn machine() -> Result<MutexGuard<'static, Option<Machine>>, String> {
    MACHINE.try_lock_for(TURN_MAX).ok_or_else(|| "another thread is stuck in the library".to_owned())
}

fn initialise() -> Result<Machine, String> {
    let library = open(&["libespeak-ng.so.1"])?;
    // SAFETY: the signatures are those of speak_lib.h, API revision 12; initialised once, under the lock of MACHINE.
    unsafe {
        type Initialise = unsafe extern "C" fn(c_int, c_int, *const c_char, c_int) -> c_int;
        let initialise: Initialise = function(library, "espeak_Initialize")?;
        let set_callback: unsafe extern "C" fn(Callback) = function(library, "espeak_SetSynthCallback")?;
        let rate = initialise(AUDIO_OUTPUT_SYNCHRONOUS, 0, ptr::null(), INITIALIZE_DONT_EXIT);
        let rate_hz = u32::try_from(rate).map_err(|_| "its data (espeak-ng-data) is missing".to_owned())?;
        set_callback(collect);
        let synth = function(library, "espeak_Synth")?;
        let set_voice = function(library, "espeak_SetVoiceByName")?;
        Ok(Machine { rate_hz, synth, set_voice })
    }
}

/// Called by the library with each piece of audio and the events in it.
unsafe extern "C" fn collect(wave: *mut c_short, count: c_int, events: *mut Event) -> c_int {
    if events.is_null() {
        return 0;
    }
    // SAFETY: the list ends in an event of kind 0, which carries the user data like every other; the pointer given
    // as user data is valid for the whole of espeak_Synth, and no other reference to it is in use meanwhile.
    unsafe {
        let Some(collected) = (*events).user_data.cast::<Collected>().as_mut() else { return 0 };
        let mut event = events;
        while (*event).kind != EVENT_LIST_TERMINATED {
            if (*event).kind == EVENT_WORD {
                let position = usize::try_from((*event).text_position).unwrap_or(0);
                let at_ms = u64::try_from((*event).audio_position_ms).unwrap_or(0);
                collected.words.push((position, at_ms));
            }
            event = event.add(1);
        }
        let length = usize::try_from(count).unwrap_or(0);
        if !wave.is_null() && length > 0 {
            collected.samples.extend_from_slice(std::slice::from_raw_parts(wave, length));
        }
    }
    0
}

/// The first word event inside each token; empty where a token has none.
fn token_starts(text: &str, words: &[(usize, u64)], rate_hz: u32) -> Vec<u64> {
    let mut starts = Vec::new();
    let mut position = 1;
    for token in text.split(' ') {
        let end = position + token.chars().count();
        let Some((_, at_ms)) = words.iter().find(|(at, _)| (position..end).contains(at)) else {
            return Vec::new();
        };
        starts.push(at_ms * u64::from(rate_hz) / 1_000);
        position = end + 1;
    }
    starts
}
