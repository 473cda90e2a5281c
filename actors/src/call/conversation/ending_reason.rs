//! What a call's end counts as.

use super::phase::Phase;
use super::{Conversation, ExpectationKind};
use crate::types::{CallResult, EndReason, Outcome};

/// The outcome that goes with a reason, where the conversation itself ran as it should.
#[must_use]
pub const fn outcome_of(reason: EndReason) -> Outcome {
    let result = match reason {
        EndReason::Completed | EndReason::Transferred | EndReason::WrongNumber | EndReason::CallerHungUp => {
            CallResult::Success
        }
        EndReason::CallerHungUpMidway
        | EndReason::Cancelled
        | EndReason::Mailbox
        | EndReason::Silence
        | EndReason::TooLong
        | EndReason::Refused => CallResult::Client,
        EndReason::MediaTimeout | EndReason::SignallingTimeout | EndReason::KeysNotAgreed => {
            CallResult::Upstream
        }
        EndReason::EngineFailed | EndReason::Crashed | EndReason::NodeStopped => CallResult::Server,
        EndReason::NodeDied => CallResult::Indeterminate,
    };
    Outcome { result, reason }
}

/// Why the call ended, where its leg is gone: what the leg says, and where that is the caller's hanging up,
/// whether anything was open.
pub(super) fn when_the_leg_ended(call: &Conversation, told: EndReason) -> EndReason {
    if !matches!(told, EndReason::CallerHungUp | EndReason::CallerHungUpMidway | EndReason::Cancelled) {
        return told;
    }
    match &call.phase {
        Phase::Ringing(_) => EndReason::Cancelled,
        // The far side of a blind transfer may end our leg before it reports the outcome (RFC 5589 section 6).
        Phase::Transferring(transfer) if transfer.is_answering() => EndReason::Transferred,
        Phase::Ending(ending) => match ending.outcome.reason {
            EndReason::Completed => EndReason::CallerHungUp,
            other => other,
        },
        _ if is_anything_open(call) => EndReason::CallerHungUpMidway,
        _ => EndReason::CallerHungUp,
    }
}

/// Whether the caller is in the middle of something.
fn is_anything_open(call: &Conversation) -> bool {
    match &call.phase {
        Phase::Ringing(_) | Phase::Greeting(_) | Phase::Ending(_) | Phase::Ended(_) => false,
        Phase::Listening(_) => {
            call.expect != ExpectationKind::Open || call.ear.is_mid_turn() || !call.kept.is_empty()
        }
        Phase::TakingMessage(message) => !message.has_begun(),
        Phase::Thinking(_) | Phase::Speaking(_) | Phase::UsingTool(_) | Phase::Transferring(_) => true,
    }
}
