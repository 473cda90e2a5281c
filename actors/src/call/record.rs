//! The summary row of a call: opened when it rings, filled as it goes, closed once.

use std::time::Duration;

use super::leg::{Incoming, Refusal};
use crate::types::{
    Arrived, Business, CallQuality, CallRecord, CallResult, CallTime, EndReason, Heading, Outcome, Private,
    TenantId, ToolOutcome,
};

/// Named instants of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Milestones {
    /// The answer was sent.
    pub(crate) answered: Option<CallTime>,
    /// The answer was acknowledged.
    pub(crate) established: Option<CallTime>,
    /// Our first sample left.
    pub(crate) first_sample: Option<CallTime>,
    /// The caller's first words were understood.
    pub(crate) first_words: Option<CallTime>,
    /// We hung up.
    pub(crate) hung_up: Option<CallTime>,
}

/// How a call ends whose actor failed.
pub(crate) const CRASHED: Outcome = Outcome { result: CallResult::Server, reason: EndReason::Crashed };

/// How a call ends that the node stopped.
pub(crate) const NODE_STOPPED: Outcome =
    Outcome { result: CallResult::Server, reason: EndReason::NodeStopped };

/// How a call ended that was open when its process died.
pub(crate) const NODE_DIED: Outcome =
    Outcome { result: CallResult::Indeterminate, reason: EndReason::NodeDied };

/// The row of a call that rings.
pub(crate) fn opened(incoming: &Incoming, business: &Business) -> CallRecord {
    CallRecord {
        id: incoming.call,
        tenant: business.id.clone(),
        business_version: business.version,
        caller: incoming.caller.clone(),
        attestation: incoming.attestation,
        called: incoming.called.clone(),
        started_at: incoming.at,
        answered_at: None,
        ended_at: None,
        outcome: None,
        sip_status: 0,
        heading: Heading::Nothing,
        summary: Private::default(),
        bookings: Vec::new(),
        messages: Vec::new(),
        recording: None,
        quality: CallQuality::default(),
        latencies: Vec::new(),
        held_by: None,
        arrived: None,
        call_back: None,
    }
}

/// The row of a call that was refused. `tenant` is empty where nobody has the number.
pub(crate) fn refused(
    incoming: &Incoming,
    business: Option<&Business>,
    arrived: Option<Arrived>,
    refusal: &Refusal,
) -> CallRecord {
    let (status, result) = match refusal {
        Refusal::UnknownNumber => (404, CallResult::Client),
        Refusal::TenantFull { .. } => (486, CallResult::Client),
        Refusal::Screened { status } => (*status, CallResult::Client),
        Refusal::NodeFull { .. } => (503, CallResult::Server),
        Refusal::StoreAway { .. } => (503, CallResult::Upstream),
        Refusal::Failed { .. } => (500, CallResult::Upstream),
    };
    CallRecord {
        tenant: business.map_or_else(TenantId::default, |business| business.id.clone()),
        business_version: business.map_or(0, |business| business.version),
        ended_at: Some(incoming.at),
        outcome: Some(Outcome { result, reason: EndReason::Refused }),
        sip_status: status,
        id: incoming.call,
        caller: incoming.caller.clone(),
        attestation: incoming.attestation,
        called: incoming.called.clone(),
        started_at: incoming.at,
        answered_at: None,
        heading: Heading::Nothing,
        summary: Private::default(),
        bookings: Vec::new(),
        messages: Vec::new(),
        recording: None,
        quality: CallQuality::default(),
        latencies: Vec::new(),
        held_by: None,
        arrived,
        call_back: None,
    }
}

/// Closes the row. Times follow from the clock that never goes back, so that a wall clock that jumped in
/// mid-call makes no call end before it began.
pub(crate) fn end(record: &mut CallRecord, now: CallTime, outcome: Outcome) {
    record.ended_at = Some(moment(record, now));
    record.outcome = Some(outcome);
}

/// The time of day at which the call was so far.
pub(crate) fn moment(record: &CallRecord, at: CallTime) -> jiff::Timestamp {
    record.started_at.checked_add(Duration::from_millis(at.as_ms())).unwrap_or(jiff::Timestamp::MAX)
}

/// Takes note of what a tool did; it makes the heading where the brain has not said what the call was about.
pub(crate) fn note_outcome(record: &mut CallRecord, outcome: &ToolOutcome) {
    match outcome {
        ToolOutcome::Booked { booking }
        | ToolOutcome::Moved { booking }
        | ToolOutcome::Cancelled { booking } => {
            if !record.bookings.contains(&booking.id) {
                record.bookings.push(booking.id);
            }
        }
        ToolOutcome::MessageTaken { message } => {
            if !record.messages.contains(message) {
                record.messages.push(*message);
            }
        }
        ToolOutcome::Slots { .. }
        | ToolOutcome::SlotTaken { .. }
        | ToolOutcome::Bookings { .. }
        | ToolOutcome::NotFound
        | ToolOutcome::Refused { .. }
        | ToolOutcome::Failed { .. }
        | ToolOutcome::Unknown { .. } => {}
    }
    if record.heading == Heading::Nothing {
        record.heading = heading_of(outcome).unwrap_or_default();
    }
}

const fn heading_of(outcome: &ToolOutcome) -> Option<Heading> {
    match outcome {
        ToolOutcome::Booked { .. } => Some(Heading::Booked),
        ToolOutcome::Moved { .. } => Some(Heading::Moved),
        ToolOutcome::Cancelled { .. } => Some(Heading::Cancelled),
        ToolOutcome::MessageTaken { .. } => Some(Heading::Message),
        _ => None,
    }
}

/// A result's name in logs and metric labels.
pub(crate) const fn result_name(result: CallResult) -> &'static str {
    match result {
        CallResult::Success => "success",
        CallResult::Client => "client",
        CallResult::Server => "server",
        CallResult::Upstream => "upstream",
        CallResult::Indeterminate => "indeterminate",
    }
}

/// A reason's name in logs and metric labels.
pub(crate) const fn reason_name(reason: EndReason) -> &'static str {
    match reason {
        EndReason::CallerHungUp => "caller_hung_up",
        EndReason::CallerHungUpMidway => "caller_hung_up_midway",
        EndReason::Cancelled => "cancelled",
        EndReason::Completed => "completed",
        EndReason::Transferred => "transferred",
        EndReason::Silence => "silence",
        EndReason::WrongNumber => "wrong_number",
        EndReason::MediaTimeout => "media_timeout",
        EndReason::SignallingTimeout => "signalling_timeout",
        EndReason::TooLong => "too_long",
        EndReason::Refused => "refused",
        EndReason::EngineFailed => "engine_failed",
        EndReason::Mailbox => "mailbox",
        EndReason::Crashed => "crashed",
        EndReason::NodeStopped => "node_stopped",
        EndReason::NodeDied => "node_died",
        EndReason::KeysNotAgreed => "keys_not_agreed",
    }
}
