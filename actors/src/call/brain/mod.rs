//! What decides what to say. One trait, two implementations with the same thoughts: `playbook`, which is pure
//! and always works, and `language`, which asks a language model.

pub mod playbook;
mod thought;

pub use thought::{Brain, Context, Opening, Question, Thought};
