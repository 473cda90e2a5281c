//! What goes over the network: protocol buffers in gRPC. Written by hand, so that no compiler is needed to build.
//!
//! | method | up | down |
//! |---|---|---|
//! | `Hear` | [`ToEar`]: an `Open`, perhaps after a `Keep`, then audio, marks, ends of turns | [`FromEar`]: words |
//! | `Say` | one [`Say`] | [`FromVoice`]: audio as fast as it is read, then `End` |
//! | `Embed` | one [`Embed`] | one [`Embedded`] |
//! | `Judge` | one [`Judge`] | one [`Judged`] |
//! | `Look` | one [`Look`] | one [`Room`] per sense |
//!
//! A stream is granted by its response's headers and refused by the status `RESOURCE_EXHAUSTED`, both at once.

mod messages;
mod samples;

pub(super) use messages::{
    Embed, Embedded, EndOfTurn, FromEar, FromVoice, Judge, Judged, Keep, Look, Open, Resume, Room, Rooms,
    Say, ToEar, Words, expectation_of, from_ear, from_voice, mark_of, number_of, number_of_mark, to_ear,
};
pub(super) use samples::{bytes_of, floats_of, samples_of};

/// The service as gRPC names it.
pub(super) const SERVICE: &str = "strowger.inference.v1.Inference";
/// Speech to text.
pub(super) const HEAR: &str = "/strowger.inference.v1.Inference/Hear";
/// Text to speech.
pub(super) const SAY: &str = "/strowger.inference.v1.Inference/Say";
/// Embeddings.
pub(super) const EMBED: &str = "/strowger.inference.v1.Inference/Embed";
/// The end of a turn.
pub(super) const JUDGE: &str = "/strowger.inference.v1.Inference/Judge";
/// How the node is.
pub(super) const LOOK: &str = "/strowger.inference.v1.Inference/Look";
