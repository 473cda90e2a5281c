//! Hears, thinks and speaks. This crate knows audio and text and has never heard of a call.
//!
//! - [`answering`]: has a person answered a call, or a mailbox? Pure.
//! - `arithmetic`: what models on Candle have in common on a processor.
//! - [`audio`]: samples, bounded rings between a media thread and an engine, finished clips.
//! - [`batching`]: which rows share a model's next step, and who may join; pure.
//! - [`canary`]: tries engines with what is known, for an operator.
//! - [`embeddings`]: texts as directions, by a small BERT.
//! - [`engine`]: the traits that actors hold; every engine, scripted, offline or on a GPU, is one of these.
//! - [`voice_activity`]: is somebody speaking in this frame?
//! - [`offline`]: the system's speech engines, found at run time; no model weights needed.
//! - `remote`: the same engines on other nodes, with the feature of that name.
//! - [`request_loop`]: runs models that are asked and answer once: pauses, texts, utterances.
//! - [`step_loop`]: drives a model on a thread of its own, and outlives its faults.
//! - [`speech_to_text`]: streaming recognition on Candle, with weights that are on the machine.
//! - [`scripted`]: the fake engine that every other crate's tests use.
//! - [`weights`]: which models there are, what of them is on this machine, and how to get it.

pub mod answering;
#[cfg(feature = "candle")]
mod arithmetic;
pub mod audio;
pub mod batching;
pub mod canary;
#[cfg(feature = "remote")]
mod chance;
mod clock;
pub mod embeddings;
pub mod engine;
mod error;
pub mod metrics;
pub mod offline;
#[cfg(feature = "remote")]
pub mod remote;
pub mod request_loop;
pub mod scripted;
pub mod speech_to_text;
pub mod step_loop;
mod synthesis;
pub mod voice_activity;
pub mod weights;

pub use error::Error;
pub use synthesis::Settings as SpeakingSettings;
