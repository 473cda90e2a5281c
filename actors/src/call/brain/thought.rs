//! The contract between a conversation and its brain.

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use crate::call::conversation::ExpectationKind;
use crate::types::{
    Business, Destination, EndReason, HandOverOutcome, Heading, PhoneNumber, Private, ToolCall, ToolOutcome,
};

/// What a brain may know when it thinks. Borrowed for one question, never kept.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The business, as pinned to the call.
    pub business: &'a Business,
    /// Now, in the business's time zone.
    pub now: Zoned,
    /// Who calls, where the network says.
    pub caller: Option<&'a PhoneNumber>,
}

/// What a conversation asks its brain. One is open at a time; a newer one replaces it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The call was answered: what is the greeting? (Answered before the caller has said a word.)
    Greeting,
    /// The same, of a call that begins otherwise.
    Opening(Opening),
    /// The caller said this.
    Heard {
        /// Their words, lower case, without punctuation.
        text: Private<String>,
        /// The recogniser's confidence, from 0 to 1.
        confidence: f32,
        /// The receptionist was interrupted: the words of its last answer that the caller heard.
        interrupted_after: Option<String>,
    },
    /// The caller spoke, but not one word was understood.
    NotUnderstood,
    /// The caller pressed these keys and paused, or ended them with `#`.
    Digits(Private<String>),
    /// The caller has been silent after a question; `times` in a row, from 1.
    Silence {
        /// How often in a row.
        times: u32,
    },
    /// A tool that the brain asked for has answered.
    ToolAnswered(ToolOutcome),
    /// The transfer that the brain asked for failed with this SIP status (408: no answer in time).
    TransferFailed {
        /// The status.
        status: u16,
    },
    /// The caller could not be handed over to a person.
    HandOverFailed {
        /// What became of it.
        outcome: HandOverOutcome,
    },
    /// The caller has spoken with the person, who has hung up; the caller is still there.
    PersonLeft,
}

/// How a call begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Opening {
    /// With a greeting.
    #[default]
    Greeting,
    /// With a greeting, and the question for the number that the caller does not show.
    AskNumber,
    /// With these words, and then it ends.
    Message(String),
    /// We called somebody back.
    CalledBack {
        /// Because their call was cut off; else because nobody answered it.
        cut_off: bool,
    },
}

/// A brain's answer comes as thoughts in order, closed by exactly one of `Listen`, `UseTool`, `Transfer`,
/// `End` or `GiveUp`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thought {
    /// Say this. May come several times; each is one or more whole sentences.
    Say {
        /// The text.
        text: String,
    },
    /// What the call is about, for the record; the last one counts.
    About(Heading),
    /// Wait for the caller.
    Listen {
        /// What they are expected to say.
        expect: ExpectationKind,
    },
    /// Call a tool; `ToolAnswered` follows.
    UseTool {
        /// What is asked.
        call: ToolCall,
        /// Said if the tool has not answered within the filler delay.
        filler: String,
    },
    /// Transfer the caller, after everything said so far was heard.
    Transfer {
        /// Who that is, as spoken and recorded.
        name: String,
        /// To where.
        to: Destination,
    },
    /// The call has come to its end: hang up after everything said so far was heard.
    End {
        /// Why.
        reason: EndReason,
    },
    /// The brain can't go on (its model is gone). The conversation takes a message by itself.
    GiveUp {
        /// Why, without personal data.
        why: String,
    },
}

/// A brain that answers at once and whose whole state is a value.
///
/// An implementation that waits for a model lives in the shell and sends its thoughts as inputs.
pub trait Brain {
    /// Answers one question.
    fn think(&mut self, context: &Context<'_>, question: Question) -> Vec<Thought>;

    /// One or two sentences on what the call was about, for the business.
    fn summary(&self, context: &Context<'_>) -> String;
}
