//! What actors hold: engines, and the sessions that they open on them.
//!
//! No method here blocks or awaits. Work happens on the engine's own threads; what comes of it is told to a
//! callback, which must only send a message and return.

mod choose;
pub(crate) mod delivery;
mod embeddings;
mod pauses;
pub(crate) mod place;
pub(crate) mod sessions;
mod settings;
mod speech_to_text;
mod text_to_speech;

pub use choose::{Choice, Engines, Sense, choose, choose_embeddings, choose_pause_judge};
pub use embeddings::{EmbedRequest, Embedding, Embeddings, EmbeddingsReady};
pub use pauses::{JudgeRequest, Judged, PauseJudge};
pub use place::{Place, PlaceKept};
pub use settings::{EmbeddingsChoice, PauseJudgeChoice, Settings, SpeechToTextChoice, TextToSpeechChoice};
pub use speech_to_text::{
    Expectation, Heard, ListenRequest, Listener, Listening, RecogniserEvent, SpeechToText, Word,
};
pub use text_to_speech::{SpeakRequest, Speaking, SpeechReady, TextToSpeech};
