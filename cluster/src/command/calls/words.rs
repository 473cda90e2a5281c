//! What a record's values are called before people.

use actors::types::{CallResult, EndReason, Heading, Outcome};

/// What a call was about.
pub(super) fn heading(heading: Heading) -> &'static str {
    match heading {
        Heading::Nothing => "–",
        Heading::Question => "question",
        Heading::Booked => "booked",
        Heading::Moved => "moved",
        Heading::Cancelled => "cancelled",
        Heading::Message => "message",
        Heading::Transferred => "transferred",
        Heading::WrongNumber => "wrong number",
    }
}

/// How and why a call ended.
pub(in crate::command) fn outcome(outcome: Outcome) -> String {
    let result = match outcome.result {
        CallResult::Success => "success",
        CallResult::Client => "caller",
        CallResult::Server => "failure",
        CallResult::Upstream => "upstream failure",
        CallResult::Indeterminate => "unknown",
    };
    format!("{result}: {}", reason(outcome.reason))
}

fn reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::CallerHungUp => "the caller hung up",
        EndReason::CallerHungUpMidway => "the caller hung up midway",
        EndReason::Cancelled => "the caller gave up before the answer",
        EndReason::Completed => "completed",
        EndReason::Transferred => "transferred",
        EndReason::Silence => "the caller stayed silent",
        EndReason::WrongNumber => "a wrong number",
        EndReason::MediaTimeout => "no audio came",
        EndReason::SignallingTimeout => "the signalling broke",
        EndReason::TooLong => "too long",
        EndReason::Refused => "refused",
        EndReason::EngineFailed => "an engine failed",
        EndReason::Mailbox => "a mailbox answered",
        EndReason::Crashed => "the call's actor failed",
        EndReason::NodeStopped => "the node stopped",
        EndReason::NodeDied => "the node died",
        EndReason::KeysNotAgreed => "no keys for its audio were agreed on",
    }
}
