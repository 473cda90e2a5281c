//! PocketSphinx 5 prealpha (Debian's 0.8+5prealpha): decoders of speech.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;

use libloading::Library;
use parking_lot::Mutex;

use super::{c_string, function, open};

/// Coefficients of a frame's cepstrum, with which the library's front end is configured.
pub(in crate::offline) const CEPSTRA: usize = 13;

/// The mean cepstrum of a voice over its line, which the front end takes away from every frame.
pub(in crate::offline) type CepstralMean = [f32; CEPSTRA];

type Pointer = *mut c_void;

/// The start of `feat_t` of sphinxbase's `feat.h`, as far as the mean is.
#[repr(C)]
struct Features {
    references: c_int,
    name: *const c_char,
    cepstra: i32,
    streams: i32,
    stream_lengths: Pointer,
    window: i32,
    subvectors: i32,
    subvector_lengths: Pointer,
    subvector_ids: Pointer,
    subvector_buffer: Pointer,
    subvector_dimensions: i32,
    mean_kind: c_int,
    variance: i32,
    gain_kind: c_int,
    compute: Pointer,
    mean: *const Mean,
}

/// `cmn_t` of sphinxbase's `cmn.h`.
#[repr(C)]
struct Mean {
    mean: *const f32,
    variance: *const f32,
    sum: *const f32,
    frames: i32,
    length: i32,
}

#[derive(Clone, Copy)]
struct Functions {
    arguments: unsafe extern "C" fn() -> Pointer,
    parse: unsafe extern "C" fn(Pointer, Pointer, i32, *const *const c_char, i32) -> Pointer,
    free_configuration: unsafe extern "C" fn(Pointer) -> c_int,
    init: unsafe extern "C" fn(Pointer) -> Pointer,
    free: unsafe extern "C" fn(Pointer) -> c_int,
    set_lm_file: unsafe extern "C" fn(Pointer, *const c_char, *const c_char) -> c_int,
    set_search: unsafe extern "C" fn(Pointer, *const c_char) -> c_int,
    start: unsafe extern "C" fn(Pointer) -> c_int,
    process: unsafe extern "C" fn(Pointer, *const i16, usize, c_int, c_int) -> c_int,
    end: unsafe extern "C" fn(Pointer) -> c_int,
    hypothesis: unsafe extern "C" fn(Pointer, *mut i32) -> *const c_char,
    probability: unsafe extern "C" fn(Pointer) -> i32,
    segments: unsafe extern "C" fn(Pointer) -> Pointer,
    next_segment: unsafe extern "C" fn(Pointer) -> Pointer,
    segment_word: unsafe extern "C" fn(Pointer) -> *const c_char,
    segment_probability: unsafe extern "C" fn(Pointer, *mut i32, *mut i32, *mut i32) -> i32,
    log_scale: unsafe extern "C" fn(Pointer) -> Pointer,
    exponential: unsafe extern "C" fn(Pointer, c_int) -> f64,
    features: unsafe extern "C" fn(Pointer) -> *const Features,
    set_mean: unsafe extern "C" fn(*const Mean, *const f32),
}

static FUNCTIONS: Mutex<Option<Functions>> = Mutex::new(None);

/// One decoder: one utterance at a time, with one of its language models.
pub(in crate::offline) struct PocketSphinx {
    functions: Functions,
    decoder: Pointer,
    started: bool,
}

// SAFETY: a decoder has no ties to the thread that made it and shares nothing that changes with other decoders;
// every use is through `&mut self`.
unsafe impl Send for PocketSphinx {}

/// A word of a finished utterance.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::offline) struct Segment {
    /// The word as in the dictionary, with `(2)` where another pronunciation was heard.
    pub(in crate::offline) word: String,
    /// The word's posterior probability among what the decoder considered.
    pub(in crate::offline) posterior: f32,
}

/// Whether the library is on this machine.
pub(in crate::offline) fn check_library() -> Result<(), String> {
    functions().map(drop)
}

fn functions() -> Result<Functions, String> {
    let mut found = FUNCTIONS.lock();
    if let Some(found) = *found {
        return Ok(found);
    }
    let base = open(&["libsphinxbase.so.3"])?;
    let sphinx = open(&["libpocketsphinx.so.3"])?;
    // SAFETY: the signature is err.h's; a null stream turns the library's log off.
    unsafe {
        let set_log: unsafe extern "C" fn(Pointer) = function(base, "err_set_logfp")?;
        set_log(ptr::null_mut());
    }
    Ok(*found.insert(find(base, sphinx)?))
}

fn find(base: &'static Library, sphinx: &'static Library) -> Result<Functions, String> {
    // SAFETY: the signatures are those of pocketsphinx.h, ps_search.h, cmd_ln.h, logmath.h and cmn.h of this version,
    // with every pointer to the library's own types as an untyped one.
    unsafe {
        Ok(Functions {
            arguments: function(sphinx, "ps_args")?,
            parse: function(base, "cmd_ln_parse_r")?,
            free_configuration: function(base, "cmd_ln_free_r")?,
            init: function(sphinx, "ps_init")?,
            free: function(sphinx, "ps_free")?,
            set_lm_file: function(sphinx, "ps_set_lm_file")?,
            set_search: function(sphinx, "ps_set_search")?,
            start: function(sphinx, "ps_start_utt")?,
            process: function(sphinx, "ps_process_raw")?,
            end: function(sphinx, "ps_end_utt")?,
            hypothesis: function(sphinx, "ps_get_hyp")?,
            probability: function(sphinx, "ps_get_prob")?,
            segments: function(sphinx, "ps_seg_iter")?,
            next_segment: function(sphinx, "ps_seg_next")?,
            segment_word: function(sphinx, "ps_seg_word")?,
            segment_probability: function(sphinx, "ps_seg_prob")?,
            log_scale: function(sphinx, "ps_get_logmath")?,
            exponential: function(base, "logmath_exp")?,
            features: function(sphinx, "ps_get_feat")?,
            set_mean: function(base, "cmn_live_set")?,
        })
    }
}

impl PocketSphinx {
    /// Makes a decoder from command-line options of the library (`-hmm`, `-dict`, `-beam`, …).
    pub(in crate::offline) fn open(options: &[(&str, &str)]) -> Result<Self, String> {
        let functions = functions()?;
        let words: Vec<CString> =
            options.iter().flat_map(|(name, value)| [c_string(name), c_string(value)]).collect();
        let pointers: Vec<*const c_char> = words.iter().map(|word| word.as_ptr()).collect();
        let count = i32::try_from(pointers.len()).map_err(|error| error.to_string())?;
        // SAFETY: the words end in NUL and outlive the call, which copies them; init keeps its own reference to the
        // configuration, so ours is given back whether it worked or not.
        let decoder = unsafe {
            let configuration =
                (functions.parse)(ptr::null_mut(), (functions.arguments)(), count, pointers.as_ptr(), 1);
            if configuration.is_null() {
                return Err("it does not know one of its options".into());
            }
            let decoder = (functions.init)(configuration);
            (functions.free_configuration)(configuration);
            decoder
        };
        if decoder.is_null() {
            return Err("a decoder did not start; its model or dictionary may be damaged".into());
        }
        Ok(Self { functions, decoder, started: false })
    }

    /// Loads an n-gram language model (ARPA text or the library's binary) under `name`, and selects it.
    pub(in crate::offline) fn load_language_model(&mut self, name: &str, file: &Path) -> Result<(), String> {
        self.abandon();
        let (name, file) = (c_string(name), c_string(&file.to_string_lossy()));
        // SAFETY: the decoder is alive, and both strings end in NUL and outlive the calls, which copy them.
        let status = unsafe {
            match (self.functions.set_lm_file)(self.decoder, name.as_ptr(), file.as_ptr()) {
                0 => (self.functions.set_search)(self.decoder, name.as_ptr()),
                status => status,
            }
        };
        if status < 0 { Err("a language model did not load".into()) } else { Ok(()) }
    }

    /// Selects the language model loaded under `name`.
    pub(in crate::offline) fn select(&mut self, name: &str) -> Result<(), String> {
        self.abandon();
        let name = c_string(name);
        // SAFETY: the decoder is alive, and the name ends in NUL and outlives the call.
        let status = unsafe { (self.functions.set_search)(self.decoder, name.as_ptr()) };
        if status < 0 { Err("a language model is not loaded".into()) } else { Ok(()) }
    }

    /// Begins an utterance of a voice whose mean cepstrum is `mean`.
    pub(in crate::offline) fn start(&mut self, mean: &CepstralMean) -> Result<(), String> {
        self.abandon();
        let structure = self.mean_structure()?;
        // SAFETY: the structure belongs to the living decoder and holds as many coefficients as were checked.
        let status = unsafe {
            (self.functions.set_mean)(structure, mean.as_ptr());
            (self.functions.start)(self.decoder)
        };
        if status < 0 {
            return Err("an utterance did not start".into());
        }
        self.started = true;
        Ok(())
    }

    /// Decodes the next 16 kHz samples. With `whole` they are the only ones, and their own mean is used.
    pub(in crate::offline) fn feed(&mut self, samples: &[i16], whole: bool) -> Result<(), String> {
        if !self.started || samples.is_empty() {
            return Ok(());
        }
        // SAFETY: an utterance is started; the library reads the samples during the call only.
        let status = unsafe {
            (self.functions.process)(self.decoder, samples.as_ptr(), samples.len(), 0, c_int::from(whole))
        };
        if status < 0 { Err("it could not decode".into()) } else { Ok(()) }
    }

    /// The words so far, separated by spaces; none where nothing was understood.
    pub(in crate::offline) fn partial(&mut self) -> Option<String> {
        // SAFETY: the string belongs to the decoder until its next call; it is copied at once.
        unsafe { text((self.functions.hypothesis)(self.decoder, ptr::null_mut())) }
    }

    /// Ends the utterance and returns its words.
    pub(in crate::offline) fn finish(&mut self) -> Result<Vec<Segment>, String> {
        if !std::mem::take(&mut self.started) {
            return Ok(Vec::new());
        }
        // SAFETY: an utterance is started.
        if unsafe { (self.functions.end)(self.decoder) } < 0 {
            return Err("an utterance did not end".into());
        }
        let call = &self.functions;
        let mut words = Vec::new();
        // SAFETY: the utterance is over, so its best path may be asked for; probability computes the posteriors that
        // the segments carry, and an iterator that has returned null has freed itself.
        unsafe {
            if (call.hypothesis)(self.decoder, ptr::null_mut()).is_null() {
                return Ok(words);
            }
            (call.probability)(self.decoder);
            let scale = (call.log_scale)(self.decoder);
            let mut segment = (call.segments)(self.decoder);
            while !segment.is_null() {
                let (mut acoustic, mut language, mut order) = (0, 0, 0);
                let log = (call.segment_probability)(segment, &mut acoustic, &mut language, &mut order);
                if let Some(word) = text((call.segment_word)(segment)) {
                    words.push(Segment { word, posterior: (call.exponential)(scale, log) as f32 });
                }
                segment = (call.next_segment)(segment);
            }
        }
        Ok(words)
    }

    /// Ends an utterance that nobody waits for.
    pub(in crate::offline) fn abandon(&mut self) {
        if std::mem::take(&mut self.started) {
            // SAFETY: an utterance is started; its words are not asked for.
            unsafe { (self.functions.end)(self.decoder) };
        }
    }

    /// The mean cepstrum as the last utterance left it.
    pub(in crate::offline) fn mean(&self) -> Result<CepstralMean, String> {
        let structure = self.mean_structure()?;
        let mut mean = [0.0; CEPSTRA];
        // SAFETY: mean_structure checked that there are this many coefficients.
        unsafe { ptr::copy_nonoverlapping((*structure).mean, mean.as_mut_ptr(), CEPSTRA) };
        Ok(mean)
    }

    fn mean_structure(&self) -> Result<*const Mean, String> {
        // SAFETY: the decoder is alive; the front end's structure is that of this version's header, which the lengths
        // found in it confirm before anything behind them is read.
        unsafe {
            let features = (self.functions.features)(self.decoder);
            let structure = if features.is_null() { ptr::null() } else { (*features).mean };
            let sound = !structure.is_null()
                && (*features).cepstra == CEPSTRA as i32
                && (*structure).length == CEPSTRA as i32
                && !(*structure).mean.is_null();
            if sound { Ok(structure) } else { Err("its front end is of another version".into()) }
        }
    }
}

impl Drop for PocketSphinx {
    fn drop(&mut self) {
        self.abandon();
        // SAFETY: the decoder came from init and is freed once.
        unsafe { (self.functions.free)(self.decoder) };
    }
}

/// # Safety
/// `string` must be null or end in NUL.
unsafe fn text(string: *const c_char) -> Option<String> {
    if string.is_null() {
        return None;
    }
    // SAFETY: the caller vouches for it.
    Some(unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned())
}
