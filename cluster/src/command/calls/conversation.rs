//! One line of a conversation.

use actors::types::{CallEvent, CallEventKind, Slot, Speaker, ToolCall, ToolOutcome};

use super::words;
use crate::command::times;

/// One event as a line, without its end; `None` where there is nothing to see.
pub(in crate::command) fn line(event: &CallEvent, time_zone: &str) -> Option<String> {
    let (who, what) = match &event.kind {
        CallEventKind::Answered => ("–", "answered".to_owned()),
        CallEventKind::RecordingStarted { announced, .. } => {
            ("–", if *announced { "recording, as announced" } else { "recording, unannounced" }.to_owned())
        }
        CallEventKind::Said { speaker, text, interrupted, confidence } => {
            let cut = if *interrupted { " — (interrupted)" } else { "" };
            let sure = confidence.map(|sure| format!("  ({:.0} % sure)", sure * 100.0)).unwrap_or_default();
            (speaker_name(*speaker), format!("{}{cut}{sure}", text.reveal()))
        }
        CallEventKind::Digits { digits } => ("caller", format!("pressed {}", digits.reveal())),
        CallEventKind::ToolCalled { step, call } => {
            ("tool", format!("{} {}", step.0, asked(call, time_zone)))
        }
        CallEventKind::ToolAnswered { step, outcome, took_ms } => {
            ("tool", format!("{} → {} ({took_ms} ms)", step.0, answered(outcome, time_zone)))
        }
        CallEventKind::HandOver { to, outcome: None } => ("–", format!("hand-over to {to}")),
        CallEventKind::HandOver { to, outcome: Some(outcome) } => {
            ("–", format!("hand-over to {to}: {}", outcome.name()))
        }
        CallEventKind::Transfer { to, status: 0 } => ("–", format!("transfer to {to}")),
        CallEventKind::Transfer { to, status } => ("–", format!("transfer to {to}: {status}")),
        CallEventKind::Trouble { what } => ("trouble", what.clone()),
        CallEventKind::Held { held } => ("–", if *held { "on hold" } else { "off hold" }.to_owned()),
        CallEventKind::Ended { outcome } => ("–", format!("ended, {}", words::outcome(*outcome))),
    };
    Some(format!("{:>7}  {who:<12}  {what}", times::into_call(event.at)))
}

/// Who speaks.
pub(super) fn speaker_name(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::Caller => "caller",
        Speaker::Receptionist => "receptionist",
    }
}

fn slot(slot: &Slot, time_zone: &str) -> String {
    format!("{} with {}, {}", slot.service, slot.resource, times::appointment(slot.start, time_zone))
}

fn asked(call: &ToolCall, time_zone: &str) -> String {
    let more = match call {
        ToolCall::FindSlots { service, resource, window, .. } => {
            let with = resource.as_ref().map(|resource| format!(" with {resource}")).unwrap_or_default();
            format!(
                "{service}{with}, {} until {}",
                times::appointment(window.from, time_zone),
                times::appointment(window.until, time_zone)
            )
        }
        ToolCall::Book { slot: at, .. } => slot(at, time_zone),
        ToolCall::FindBookings { .. } => String::new(),
        ToolCall::Move { to, .. } => format!("to {}", slot(to, time_zone)),
        ToolCall::Cancel { booking } => booking.to_string(),
        ToolCall::TakeMessage { recipient, .. } => recipient.clone().unwrap_or_default(),
    };
    format!("{} {more}", call.name()).trim_end().to_owned()
}

fn answered(outcome: &ToolOutcome, time_zone: &str) -> String {
    let more = match outcome {
        ToolOutcome::Slots { slots } => format!("({})", slots.len()),
        ToolOutcome::Booked { booking } | ToolOutcome::Moved { booking } => slot(&booking.slot, time_zone),
        ToolOutcome::Cancelled { booking } => slot(&booking.slot, time_zone),
        ToolOutcome::SlotTaken { alternatives } => format!("({} instead)", alternatives.len()),
        ToolOutcome::Bookings { bookings } => format!("({})", bookings.len()),
        ToolOutcome::MessageTaken { message } => message.to_string(),
        ToolOutcome::NotFound => String::new(),
        ToolOutcome::Refused { why } | ToolOutcome::Failed { why } | ToolOutcome::Unknown { why } => {
            why.clone()
        }
    };
    format!("{} {more}", outcome.name()).trim_end().to_owned()
}
