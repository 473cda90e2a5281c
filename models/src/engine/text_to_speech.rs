//! Text to speech: one request per utterance.

use crate::Error;
use crate::audio::Speech;

/// An utterance to be spoken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SpeakRequest {
    /// The text, in sentences, without mark-up.
    pub text: String,
    /// The voice's name in the engine; empty for its default.
    pub voice: String,
    /// Sampling rate wanted, in hertz.
    pub rate_hz: u32,
}

/// Where the audio goes, once, when its first sample is there. Called on an engine thread.
pub type SpeechReady = Box<dyn FnOnce(Result<Speech, Error>) + Send>;

/// Work under way. Dropping it cancels what has not been spoken yet; its callback may then never come.
pub trait Speaking: Send + Sync {}

/// A voice.
pub trait TextToSpeech: Send + Sync {
    /// The engine's name, as logged and configured.
    fn name(&self) -> &'static str;

    /// Whether a call that is answered now would be spoken to: false while as many requests wait as may.
    fn has_room(&self) -> bool {
        true
    }

    /// Starts to speak `request` and answers through `ready`, at once where the text is in the engine's cache.
    ///
    /// # Errors
    /// [`Error::Full`] at the bound of queued requests; `ready` is then dropped uncalled.
    fn speak(&self, request: SpeakRequest, ready: SpeechReady) -> Result<Box<dyn Speaking>, Error>;
}
