//! What can go wrong in what nodes share.

/// What can go wrong in what nodes share.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// It can't be reached, is full or was too busy to be asked; nothing was changed.
    #[error("the coordination server is unavailable: {why}")]
    Unavailable {
        /// Why.
        why: String,
    },
    /// The change may or may not have been made.
    #[error("the coordination server did not confirm: {why}")]
    Unknown {
        /// Why.
        why: String,
    },
    /// It won't ever be done like this: too large, not allowed, not what is stored there. Nothing was changed.
    #[error("the coordination server refused: {why}")]
    Refused {
        /// Why.
        why: String,
    },
}

/// An answer of what nodes share.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into() }
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into() }
    }

    /// The kind's name in metric labels.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "without a server nothing is counted"))]
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::Unknown { .. } => "unknown",
            Self::Refused { .. } => "refused",
        }
    }
}
