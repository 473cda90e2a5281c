//! What a step loop and the model say to each other.

/// One stream's part of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<I> {
    /// Whose state in the model's tensors.
    pub slot: usize,
    /// What the stream brought.
    pub input: I,
}

/// Why a step came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// An output is no number.
    #[error("the model's output is no number in {} slot(s)", .slots.len())]
    NotFinite {
        /// The slots whose output it is.
        slots: Vec<usize>,
    },
    /// Anything else.
    #[error("the step failed: {why}")]
    Failed {
        /// The reason, without anything that was said.
        why: String,
    },
}
