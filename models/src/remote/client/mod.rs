//! Other nodes' engines, behind the traits of every engine.
//!
//! - [`shared`]: the nodes, how they are, and who looks after that.
//! - [`link`]: one node's connections and methods.
//! - [`trouble`]: why a node could not, and what follows from that.
//! - [`hearing`], [`kept`], [`session`], [`carry`]: callers who are heard elsewhere.
//! - [`speaking`], [`utterance`]: what is said elsewhere.
//! - [`comparing`]: texts that are embedded elsewhere.
//! - [`judging`]: pauses that are judged elsewhere.

mod carry;
mod comparing;
mod hearing;
mod judging;
mod kept;
pub(super) mod link;
mod session;
mod shared;
mod speaking;
mod trouble;
mod utterance;

use std::sync::Arc;

use tokio::runtime::Handle;

use super::Settings;
use crate::Error;
use crate::engine::{Embeddings, PauseJudge, SpeechToText, TextToSpeech};
use shared::Shared;

/// The engines of the nodes that the settings name. Its engines live as long as it or longer.
pub struct Remote {
    shared: Arc<Shared>,
}

impl Remote {
    /// Starts to look after the nodes, on `runtime`. None of them needs to be there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where a node's address can't be used, or would take callers' words over the network
    /// in plain text, or where the certificates can't be read.
    pub fn start(settings: &Settings, runtime: &Handle) -> Result<Self, Error> {
        Ok(Self { shared: Shared::start(settings, runtime)? })
    }

    /// Speech to text by the nodes; where none takes a caller, by `instead`.
    ///
    /// # Errors
    /// [`Error::Failed`] where the machine gives no thread.
    pub fn speech_to_text(
        &self,
        instead: Option<Arc<dyn SpeechToText>>,
    ) -> Result<Arc<dyn SpeechToText>, Error> {
        Ok(Arc::new(hearing::Hearing::start(Arc::clone(&self.shared), instead)?))
    }

    /// Text to speech by the nodes; where none takes an utterance, by `instead`.
    #[must_use]
    pub fn text_to_speech(&self, instead: Option<Arc<dyn TextToSpeech>>) -> Arc<dyn TextToSpeech> {
        Arc::new(speaking::Mouths::new(Arc::clone(&self.shared), instead))
    }

    /// Embeddings by the nodes; where none takes a request, by `instead`.
    #[must_use]
    pub fn embeddings(&self, instead: Option<Arc<dyn Embeddings>>) -> Arc<dyn Embeddings> {
        Arc::new(comparing::Comparer::new(Arc::clone(&self.shared), instead))
    }

    /// The judge of pauses by the nodes.
    #[must_use]
    pub fn pause_judge(&self) -> Arc<dyn PauseJudge> {
        Arc::new(judging::Listener::new(Arc::clone(&self.shared)))
    }

    /// How many nodes there are, well or not.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.shared.links.len()
    }
}
