//! What can go wrong between a caller's words and ours.

/// An engine's failure, worded for the person who runs the node.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The engine's library, model or voice is not on this machine; `mend` says what to install or set.
    #[error("{engine} is not available: {why}; {mend}")]
    Unavailable {
        /// The engine's name, as in the configuration.
        engine: &'static str,
        /// What was looked for and not found.
        why: String,
        /// What to do about it.
        mend: String,
    },
    /// The engine is at its limit of streams or queued work; nothing was started.
    #[error("{engine} is full: {limit} in use")]
    Full {
        /// The engine's name.
        engine: &'static str,
        /// The bound that was reached.
        limit: usize,
    },
    /// The engine has so much to do that its answer would be of no use any more; nothing was worked out.
    #[error("{engine} is too busy: {why}")]
    Late {
        /// The engine's name.
        engine: &'static str,
        /// What was too late.
        why: String,
    },
    /// The engine failed while it worked; the session is over and may be reopened.
    #[error("{engine} failed: {why}")]
    Failed {
        /// The engine's name.
        engine: &'static str,
        /// The reason, without anything that was said.
        why: String,
    },
}
