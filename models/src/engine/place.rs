//! A place on an engine, kept for a call from before it is answered until it is over.

use std::any::Any;
use std::sync::Arc;

use crate::Error;

/// Where a kept place goes, once. Called on an engine thread or at once: send a message and return.
pub type PlaceKept = Box<dyn FnOnce(Result<Place, Error>) + Send>;

/// Cheap to clone; the place is given back with the last clone. Empty for engines that keep none.
#[derive(Clone, Default)]
pub struct Place(Option<Arc<dyn Any + Send + Sync>>);

impl Place {
    /// What the engine gives back when nobody has it any more.
    #[must_use]
    pub fn new(kept: Arc<dyn Any + Send + Sync>) -> Self {
        Self(Some(kept))
    }

    /// What the engine put in, if it is of this kind.
    #[must_use]
    pub fn kept<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.clone()?.downcast().ok()
    }
}

/// What an engine says to a call that asks for a place.
#[cfg(test)]
pub(crate) fn reserved(
    engine: &dyn super::SpeechToText,
    tenant: crate::batching::Tenant,
) -> Result<Place, Error> {
    let (sender, kept) = std::sync::mpsc::sync_channel(1);
    engine.reserve(tenant, Box::new(move |place| drop(sender.send(place))));
    kept.recv_timeout(std::time::Duration::from_secs(10)).expect("an answer")
}

impl std::fmt::Debug for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() { "Place(kept)" } else { "Place(none)" })
    }
}
