//! Pauses: has a caller who fell silent finished, or only drawn breath?

use std::time::Duration;

use crate::Error;
use crate::batching::Tenant;

/// A pause to be judged.
#[derive(Debug, Clone)]
pub struct JudgeRequest {
    /// The turn up to the pause, at [`crate::audio::TELEPHONE_HZ`]; a judge may look at its end only.
    pub samples: Vec<i16>,
    /// Who shares the engine fairly with others.
    pub tenant: Tenant,
    /// After this time the answer is of no use any more and an error comes instead.
    pub within: Duration,
}

/// Where the probability goes, once: from 0 (will go on) to 1 (has finished). Called on an engine thread.
pub type Judged = Box<dyn FnOnce(Result<f32, Error>) + Send>;

/// Judges pauses by how the turn sounded.
pub trait PauseJudge: Send + Sync {
    /// The engine's name, as logged and configured.
    fn name(&self) -> &'static str;

    /// What keeps it from taking anything new, besides being full; none where it is well.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Starts to judge `request` and answers through `judged`.
    ///
    /// # Errors
    /// [`Error::Full`] at the bound of waiting pauses, [`Error::Late`] where so much is before it that it would be too
    /// late; `judged` is then dropped uncalled.
    fn judge(&self, request: JudgeRequest, judged: Judged) -> Result<(), Error>;
}
