//! What the engines measure. No label says who called or what was said.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Partial results told to sessions, by engine.
pub const PARTIALS: &str = "strowger_speech_to_text_partials_total";
/// Final results told to sessions, by engine.
pub const FINALS: &str = "strowger_speech_to_text_finals_total";
/// Callers' audio decoded, in milliseconds, by engine. Audio decoded again counts again.
pub const DECODED_MS: &str = "strowger_speech_to_text_audio_ms_total";
/// Time from the end of a turn to its final words, in seconds, by engine.
pub const FINAL_SECONDS: &str = "strowger_speech_to_text_final_seconds";
/// Open sessions, by engine.
pub const SESSIONS: &str = "strowger_speech_to_text_sessions";
/// Turns that wait for a decoder, by engine.
pub const LISTENING_QUEUE: &str = "strowger_speech_to_text_queue";
/// Language models built, by engine; a busy node builds one per tenant and expectation, then hits its cache.
pub const LANGUAGE_MODELS: &str = "strowger_speech_to_text_language_models_total";
/// Utterances asked for, by engine and whether their clip was in the cache.
pub const CLIPS: &str = "strowger_text_to_speech_clips_total";
/// Bytes of clips held, by engine.
pub const CLIP_BYTES: &str = "strowger_text_to_speech_clip_bytes";
/// Time to speak one utterance, in seconds, by engine.
pub const SYNTHESIS_SECONDS: &str = "strowger_text_to_speech_synthesis_seconds";
/// Audio spoken, in milliseconds, by engine, without what came from the cache.
pub const SPOKEN_MS: &str = "strowger_text_to_speech_audio_ms_total";
/// Failures, by engine.
pub const FAILURES: &str = "strowger_engine_failures_total";

/// Tells the recorder what each metric means. Call once, when the recorder is installed.
pub fn describe() {
    describe_counter!(PARTIALS, "partial results told to sessions");
    describe_counter!(FINALS, "final results told to sessions");
    describe_counter!(DECODED_MS, "milliseconds of callers' audio decoded");
    describe_histogram!(FINAL_SECONDS, "seconds from the end of a turn to its final words");
    describe_gauge!(SESSIONS, "open speech-to-text sessions");
    describe_gauge!(LISTENING_QUEUE, "turns that wait for a decoder");
    describe_counter!(LANGUAGE_MODELS, "language models built");
    describe_counter!(CLIPS, "utterances asked for, by whether their clip was in the cache");
    describe_gauge!(CLIP_BYTES, "bytes of clips held");
    describe_histogram!(SYNTHESIS_SECONDS, "seconds to speak one utterance");
    describe_counter!(SPOKEN_MS, "milliseconds of audio spoken, without what came from the cache");
    describe_counter!(FAILURES, "engine failures");
    crate::request_loop::metrics::describe();
    crate::step_loop::metrics::describe();
    #[cfg(feature = "remote")]
    crate::remote::metrics::describe();
}

pub(crate) fn count_clip(engine: &'static str, cached: bool) {
    counter!(CLIPS, "engine" => engine, "cached" => if cached { "yes" } else { "no" }).increment(1);
}

pub(crate) fn set_clip_bytes(engine: &'static str, bytes: usize) {
    gauge!(CLIP_BYTES, "engine" => engine).set(bytes as f64);
}

pub(crate) fn record_synthesis(engine: &'static str, audio_ms: u64, took: Duration) {
    histogram!(SYNTHESIS_SECONDS, "engine" => engine).record(took.as_secs_f64());
    counter!(SPOKEN_MS, "engine" => engine).increment(audio_ms);
}

pub(crate) fn count_failure(engine: &'static str) {
    counter!(FAILURES, "engine" => engine).increment(1);
}

pub(crate) fn count_partial(engine: &'static str) {
    counter!(PARTIALS, "engine" => engine).increment(1);
}

pub(crate) fn record_final(engine: &'static str, after: Duration) {
    counter!(FINALS, "engine" => engine).increment(1);
    histogram!(FINAL_SECONDS, "engine" => engine).record(after.as_secs_f64());
}

pub(crate) fn set_sessions(engine: &'static str, open: usize) {
    gauge!(SESSIONS, "engine" => engine).set(open as f64);
}

pub(crate) fn count_decoded(engine: &'static str, samples: usize, rate_hz: u32) {
    counter!(DECODED_MS, "engine" => engine).increment(samples as u64 * 1_000 / u64::from(rate_hz.max(1)));
}

pub(crate) fn set_listening_queue(engine: &'static str, waiting: usize) {
    gauge!(LISTENING_QUEUE, "engine" => engine).set(waiting as f64);
}

pub(crate) fn count_language_model(engine: &'static str) {
    counter!(LANGUAGE_MODELS, "engine" => engine).increment(1);
}
