//! A place on an engine, kept for a call from before it is answered until it is over.

use std::any::Any;
use std::sync::Arc;

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

impl std::fmt::Debug for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() { "Place(kept)" } else { "Place(none)" })
    }
}
