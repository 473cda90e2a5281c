//! Embeddings: texts as directions, so that what means the same lies close together.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::Error;
use crate::batching::Tenant;

/// A text's direction: a vector of length 1. The dot product of two is their cosine.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(pub Arc<[f32]>);

impl Embedding {
    /// The cosine of the angle between two texts, from -1 to 1; 0 where they come from different models.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f32 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        self.0.iter().zip(other.0.iter()).map(|(one, other)| one * other).sum()
    }
}

/// Texts to be embedded.
#[derive(Debug, Clone)]
pub struct EmbedRequest {
    /// The texts; answered in this order.
    pub texts: Vec<String>,
    /// Who shares the engine fairly with others.
    pub tenant: Tenant,
    /// After this time the answer is of no use any more and an error comes instead.
    pub within: Duration,
}

/// Where the vectors go, once. Called on an engine thread.
pub type EmbeddingsReady = Box<dyn FnOnce(Result<Vec<Embedding>, Error>) + Send>;

/// An engine that embeds.
pub trait Embeddings: Send + Sync {
    /// The engine's name, as logged and configured.
    fn name(&self) -> &'static str;

    /// What keeps it from taking anything new, besides being full; none where it is well.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Starts to embed `request` and answers through `ready`.
    ///
    /// # Errors
    /// [`Error::Full`] at the bound of waiting texts, [`Error::Late`] where so much is before them that they would be too
    /// late; `ready` is then dropped uncalled.
    fn embed(&self, request: EmbedRequest, ready: EmbeddingsReady) -> Result<(), Error>;

    /// Embeds and waits for the answer, for threads that may block.
    ///
    /// # Errors
    /// As [`Self::embed`], and [`Error::Failed`] where no answer came in time.
    fn embed_blocking(&self, request: EmbedRequest) -> Result<Vec<Embedding>, Error> {
        let (sender, receiver) = sync_channel(1);
        // The engine itself tells of a missed deadline; this is for one that hangs.
        let patience = request.within * 2 + Duration::from_millis(100);
        self.embed(request, Box::new(move |answer| drop(sender.send(answer))))?;
        receiver.recv_timeout(patience).unwrap_or_else(|error| {
            let why = match error {
                RecvTimeoutError::Timeout => "it did not answer in time",
                RecvTimeoutError::Disconnected => "it was stopped",
            };
            Err(Error::Failed { engine: self.name(), why: why.into() })
        })
    }
}
