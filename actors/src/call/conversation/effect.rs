//! Everything a conversation can ask for.

use serde::{Deserialize, Serialize};

use super::EndSign;
use crate::call::brain::Question;
use crate::types::{CallEventKind, Destination, Outcome, ToolCall, ToolStep};

/// An utterance's number within its call, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct UtteranceId(pub u64);

/// Something to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Utterance {
    /// Its number.
    pub id: UtteranceId,
    /// The text, in sentences.
    pub text: String,
}

/// One thing to be done by the shell, in the order of [`super::Conversation`]'s queue.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Answer the call (200 OK).
    Answer,
    /// Speak and play this next; it follows whatever plays now.
    Say(Utterance),
    /// Play the tone that asks for a message after it.
    PlayTone,
    /// Stop what plays within one packet, forget what waits, and report `PlaybackEnded` for each.
    StopSpeaking,
    /// Ask the recogniser for the final words of this turn.
    FinishTurn {
        /// The turn's number, from 0 without gaps.
        turn: u64,
    },
    /// Have the sound of the turn so far judged, where somebody can: has the caller finished? The answer comes as
    /// `PauseJudged`, or never; nothing waits for it.
    JudgePause {
        /// The pause's number, from 1. Judgements of an older pause are ignored.
        pause: u64,
    },
    /// A turn was decided to be over; for measuring.
    TurnEnded {
        /// What decided it.
        sign: EndSign,
        /// How long voice activity had said that the caller is silent, in milliseconds.
        silent_ms: u64,
    },
    /// The caller went on speaking after their turn was decided to be over, and before an answer was heard: they were
    /// cut off. For measuring.
    CutOff {
        /// What had decided that the turn was over.
        sign: EndSign,
    },
    /// What the caller is expected to say next, where that changed.
    Expect(ExpectationKind),
    /// Ask the brain. Its thoughts come back under the number.
    Think {
        /// The number, from 0 without gaps. Thoughts for an older question are ignored.
        question: u64,
        /// What is asked.
        asked: Question,
    },
    /// The caller went on speaking before any of the answer was heard: put the brain back to where it was before
    /// this question. The `Think` that follows repeats the caller's words with what they added.
    Forget {
        /// The question's number.
        question: u64,
    },
    /// Call a tool, once: `call_id/step` is its idempotency key.
    UseTool {
        /// Its number.
        step: ToolStep,
        /// What is asked.
        call: ToolCall,
    },
    /// Transfer the call blind (REFER, RFC 3515); progress comes as `TransferProgress`.
    Transfer {
        /// To where.
        to: Destination,
    },
    /// Append this to the call's record.
    Record(CallEventKind),
    /// The state is worth a checkpoint: a turn is over or a side effect is pending.
    Checkpoint,
    /// End the leg (BYE, CANCEL's 487 or a refusal) and close the record with this outcome.
    HangUp(Outcome),
    /// An input made no sense here and was ignored; counted.
    Ignored(IgnoredWhy),
}

/// What the caller is expected to say next; the shell tells it to the recogniser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ExpectationKind {
    #[default]
    Open,
    Confirmation,
    DateTime,
    Digits,
    Name,
}

/// Why an input was ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IgnoredWhy {
    /// It answers a question, a turn, a step or an utterance that is no longer open.
    Stale,
    /// The call is over.
    Ended,
    /// The phase has no use for it.
    OutOfPlace,
    /// It judges a pause that is over: the turn has ended, or the caller has gone on.
    Late,
}
