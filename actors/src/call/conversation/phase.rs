//! Where a conversation stands. Each phase is a value with what only that phase needs.

use serde::{Deserialize, Serialize};

use super::ExpectationKind;
use super::ending::Ending;
use super::ending_reason::outcome_of;
use super::listening::{Interrupted, Listening};
use super::taking_message::TakingMessage;
use super::transferring::Transferring;
use super::turn_taking::Turn;
use super::using_tool::UsingTool;
use crate::types::{Destination, EndReason, Outcome, Private};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// Answered by us, not yet acknowledged; the greeting is being thought of.
    Ringing(Answer),
    /// The announcement and the greeting are being said.
    Greeting(Answer),
    /// It is the caller's turn.
    Listening(Listening),
    /// The brain has been asked and has said nothing yet.
    Thinking(Answer),
    /// An answer is being said.
    Speaking(Answer),
    /// A tool works.
    UsingTool(UsingTool),
    /// The call is being transferred.
    Transferring(Transferring),
    /// A message is taken by tone, without the brain.
    TakingMessage(TakingMessage),
    /// The last words are being said, or a tool's outcome is awaited.
    Ending(Ending),
    /// It is over.
    Ended(Outcome),
}

/// An answer of the brain, as far as it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The question it answers.
    pub(super) question: u64,
    /// What the caller said, where it answers that.
    pub(super) asked: Option<Asked>,
    /// What follows once everything is said; absent while the brain has more thoughts.
    pub(super) next: Option<Next>,
    /// How many texts it has brought.
    pub(super) texts: u32,
    /// The call ends with this answer, whatever the brain wants next.
    pub(super) last: Option<EndReason>,
}

/// The caller's words that were asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) text: Private<String>,
    pub(super) interrupted_after: Option<String>,
}

/// What follows an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Next {
    Listen(ExpectationKind),
    Transfer { name: String, to: Destination },
    End(EndReason),
    GiveUp,
}

impl Answer {
    pub(super) const fn to(question: u64, asked: Option<Asked>) -> Self {
        Self { question, asked, next: None, texts: 0, last: None }
    }

    /// An answer of the conversation itself, with nothing more to come than what is queued to be said.
    pub(super) const fn own(question: u64, next: Next) -> Self {
        Self { question, asked: None, next: Some(next), texts: 1, last: None }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.next.is_none()
    }
}

impl Phase {
    /// A phase that listens after an interruption.
    pub(super) fn interrupted(answer: Answer, turn: Option<Turn>) -> Self {
        let interrupted = Interrupted { answer, unsaid: Vec::new() };
        Self::Listening(Listening { interrupted: Some(interrupted), turn })
    }

    /// The phase in which an answer is said.
    pub(super) fn saying(answer: Answer) -> Self {
        match answer.next {
            Some(Next::End(reason)) => {
                Self::Ending(Ending { outcome: outcome_of(reason), answer: Some(answer) })
            }
            _ => Self::Speaking(answer),
        }
    }

    /// The answer that is being thought of, said or was interrupted.
    pub(super) fn answer_mut(&mut self) -> Option<&mut Answer> {
        match self {
            Self::Ringing(answer)
            | Self::Greeting(answer)
            | Self::Thinking(answer)
            | Self::Speaking(answer) => Some(answer),
            Self::Listening(listening) => {
                listening.interrupted.as_mut().map(|interrupted| &mut interrupted.answer)
            }
            Self::Ending(ending) => ending.answer.as_mut(),
            Self::UsingTool(_) | Self::Transferring(_) | Self::TakingMessage(_) | Self::Ended(_) => None,
        }
    }

    /// Takes the answer out of a phase that can be interrupted; the phase is to be replaced.
    pub(super) fn take_answer(&mut self) -> Option<Answer> {
        match self {
            Self::Greeting(answer) | Self::Thinking(answer) | Self::Speaking(answer) => Some(answer.clone()),
            Self::Ending(ending) => ending.answer.take(),
            _ => None,
        }
    }

    /// The phase's name, as in snapshots and metric labels.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Ringing(_) => "ringing",
            Self::Greeting(_) => "greeting",
            Self::Listening(_) => "listening",
            Self::Thinking(_) => "thinking",
            Self::Speaking(_) => "speaking",
            Self::UsingTool(_) => "using_tool",
            Self::Transferring(_) => "transferring",
            Self::TakingMessage(_) => "taking_message",
            Self::Ending(_) => "ending",
            Self::Ended(_) => "ended",
        }
    }
}
