//! ◇ The playbook: what the receptionist understands and says without a language model.
//!
//! An utterance is read by typed parsers and by retrieval over examples; what it says fills in a task, in any
//! order; the task's next step decides what is said. Nothing is said that is not in the business's profile, and
//! nothing is called done before a tool says so.
//!
//! | what | where |
//! |---|---|
//! | days, times, numbers, names, letters, yes and no | `parse/` |
//! | what the caller wants | `intent`, over `lexical`; `meaning` with `regression`, where a model says what the words are like |
//! | the business's own words | `vocabulary` |
//! | everything an utterance says | `heard` |
//! | what comes first | `respond` |
//! | tasks | `book`, `change` with `reschedule` and `cancel`, `message`, `transfer` |
//! | questions | `question/` |
//! | when words fail | `repair` |
//! | sentences | `say/` |

mod book;
mod cancel;
mod change;
mod choose;
mod contact;
mod heard;
mod intent;
mod keys;
mod lexical;
mod meaning;
mod message;
mod normalise;
mod parse;
mod phrases;
mod question;
mod reading;
mod regression;
mod repair;
mod reschedule;
mod respond;
mod say;
mod settings;
mod small_talk;
mod state;
mod summary;
mod transfer;
mod turn;
mod vocabulary;
mod wanted;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use meaning::{Meaning, Meanings};
pub use phrases::phrases;
pub use reading::{meaning_name, reading};
pub use settings::Settings;

use super::{Brain, Context, Question, Thought};
use state::State;
use turn::Turn;

/// The version of the state's form. Raised when older bytes can't be read any more.
const VERSION: u16 = 1;

/// What can go wrong when a playbook is restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are of another version of this program.
    #[error("the playbook's state has version {found}, this program reads version {expected}")]
    Version {
        /// What they are.
        found: u16,
        /// What can be read.
        expected: u16,
    },
    /// The bytes are no playbook.
    #[error("the playbook's state can't be read: {why}")]
    Corrupt {
        /// What the reader said, without the content.
        why: String,
    },
}

/// The brain that needs no model. Its whole state is this value; every answer is a function of it, the context
/// and the question.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Playbook {
    settings: Settings,
    state: State,
}

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    version: u16,
    playbook: T,
}

impl Playbook {
    /// A playbook at the start of a call.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with other bounds and thresholds.
    #[must_use]
    pub fn with_settings(settings: Settings) -> Self {
        Self { settings, state: State::default() }
    }

    /// The state, to be restored elsewhere by [`Playbook::from_bytes`]. Holds personal data.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&Kept { version: VERSION, playbook: self }).unwrap_or_default()
    }

    /// Restores a state.
    ///
    /// # Errors
    /// [`Error::Version`] where the bytes are of another version, [`Error::Corrupt`] where they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        // The category says what is wrong; the message could quote what a caller said.
        let corrupt =
            |error: serde_json::Error| Error::Corrupt { why: format!("{:?} error", error.classify()) };
        let kept: Kept<serde_json::Value> = serde_json::from_slice(bytes).map_err(corrupt)?;
        if kept.version != VERSION {
            return Err(Error::Version { found: kept.version, expected: VERSION });
        }
        serde_json::from_value(kept.playbook).map_err(corrupt)
    }

    /// Answers one question, told what the caller's words mean where a model knows that.
    pub fn think_with(
        &mut self,
        context: &Context<'_>,
        question: Question,
        meaning: Option<Meaning>,
    ) -> Vec<Thought> {
        let mut turn = Turn::new(context, &mut self.state, self.settings);
        turn.meaning = meaning;
        match question {
            Question::Greeting => small_talk::greet(&mut turn),
            Question::Opening(opening) => small_talk::open(&mut turn, opening),
            Question::Heard { text, confidence, interrupted_after } => {
                respond::hear(&mut turn, text.reveal(), confidence, interrupted_after.as_deref());
            }
            Question::NotUnderstood => repair::not_understood(&mut turn, None),
            Question::Digits(digits) => keys::pressed(&mut turn, digits.reveal()),
            Question::Silence { times } => repair::silence(&mut turn, times),
            Question::ToolAnswered(outcome) => respond::tool_answered(&mut turn, outcome),
            Question::TransferFailed { status } => transfer::failed(&mut turn, status),
            Question::HandOverFailed { outcome } => transfer::hand_over_failed(&mut turn, outcome),
            Question::PersonLeft => transfer::person_left(&mut turn),
        }
        if !turn.is_closed() {
            turn.anything_else();
        }
        turn.thoughts
    }
}

impl Brain for Playbook {
    fn think(&mut self, context: &Context<'_>, question: Question) -> Vec<Thought> {
        self.think_with(context, question, None)
    }

    fn summary(&self, context: &Context<'_>) -> String {
        summary::summary(context, &self.state)
    }
}
