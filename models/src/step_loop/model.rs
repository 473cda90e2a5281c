//! The seam between the step loop and a model: whoever has tensors implements this.

/// One stream's part of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<I> {
    /// Whose state in the model's tensors.
    pub slot: usize,
    /// What the stream brought.
    pub input: I,
}

/// Why a step came to nothing. The step loop then makes the model anew or resets it, and gives every stream's held
/// inputs again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// An output is no number. These slots' streams end; the model's other state is taken for lost as well.
    #[error("the model's output is no number in {} slot(s)", .slots.len())]
    NotFinite {
        /// The slots whose output it is.
        slots: Vec<usize>,
    },
    /// The device has no memory left. Steps are smaller from then on.
    #[error("the device is out of memory: {why}")]
    OutOfMemory {
        /// What could not be had.
        why: String,
    },
    /// Anything else.
    #[error("the step failed: {why}")]
    Failed {
        /// The reason, without anything that was said.
        why: String,
    },
}

/// What a step loop drives: the tensors of [`Self::slots`] streams at once, owned by one thread. It is made on that
/// thread, so it need not be [`Send`].
pub trait Model {
    /// What a stream brings to a step, such as a chunk of audio.
    type Input: Send;
    /// What the step says of it, such as the words so far.
    type Output: Send;

    /// How many streams it has room for.
    fn slots(&self) -> usize;

    /// A new stream takes the slot: nothing of the last one may remain.
    fn reset(&mut self, slot: usize);

    /// One step for at most one row of each slot. Outputs come in row order, one for each row. A row's output must
    /// not depend on which other rows share the step.
    ///
    /// # Errors
    /// [`Failure`]; the state of all slots is then taken for lost.
    fn step(&mut self, rows: Vec<Row<Self::Input>>) -> Result<Vec<Self::Output>, Failure>;
}
