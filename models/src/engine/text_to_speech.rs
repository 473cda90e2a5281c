//! Text to speech: one request per utterance.

use std::time::Duration;

use crate::Error;
use crate::audio::Speech;
use crate::batching::Tenant;

/// How long nobody in a hurry waits.
const WITHIN: Duration = Duration::from_mins(1);

/// An utterance to be spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakRequest {
    /// The text, in sentences, without mark-up.
    pub text: String,
    /// The voice's name in the engine; empty for its default.
    pub voice: String,
    /// Sampling rate wanted, in hertz.
    pub rate_hz: u32,
    /// Who shares the voice fairly with others.
    pub tenant: Tenant,
    /// If its turn comes later than this, an error comes instead.
    pub within: Duration,
}

impl Default for SpeakRequest {
    /// Nothing, for nobody in particular, who has a minute.
    fn default() -> Self {
        Self {
            text: String::new(),
            voice: String::new(),
            rate_hz: crate::audio::TELEPHONE_HZ,
            tenant: Tenant(0),
            within: WITHIN,
        }
    }
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

    /// What keeps it from taking anything new, besides being full; none where it is well.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Starts to speak `request` and answers through `ready`, at once where the text is in the engine's cache.
    ///
    /// # Errors
    /// [`Error::Full`] at the bound of queued requests, [`Error::Late`] where so much is before it that it would be too
    /// late; `ready` is then dropped uncalled.
    fn speak(&self, request: SpeakRequest, ready: SpeechReady) -> Result<Box<dyn Speaking>, Error>;
}
