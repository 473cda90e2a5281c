//! `calls show`.

use std::fmt::Write as _;

use actors::types::{Attestation, CallId, CallQuality, TurnLatency};
use clap::Args;

use super::list::{caller, length};
use super::{conversation, words};
use crate::command::access::{Access, Missing};
use crate::command::{Error, Output, times};
use crate::config::NodeConfig;
use crate::operator::{Answer, CallPart, Request};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The call, as `calls list` names it
    #[arg(value_name = "CALL")]
    call: CallId,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let access = Access::to(config, Missing::Refuse).await?;
    let request = Request::Call { call: arguments.call, events_from: 0 };
    let Answer::Call(part) = access.ask(request).await? else { return Err(Error::OtherAnswer) };
    output.show(&part, |part| text(part))
}

fn text(part: &CallPart) -> String {
    let mut text = facts(part);
    text.push('\n');
    for line in part.events.iter().filter_map(|event| conversation::line(event, &part.time_zone)) {
        text += &line;
        text.push('\n');
    }
    text.push('\n');
    text += &quality(&part.record.quality);
    text += &turns(&part.record.latencies);
    text
}

fn facts(part: &CallPart) -> String {
    let record = &part.record;
    let mut text = String::new();
    let mut fact = |name: &str, value: &str| {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{name:<10} {value}");
    };
    fact("call", &record.id.to_string());
    fact("business", &format!("{} (version {})", record.tenant, record.business_version));
    fact("from", &caller(record.caller.as_ref()));
    match record.attestation {
        Attestation::Absent => {}
        Attestation::Failed(why) => fact("vouched", &format!("failed: {}", why.name())),
        other => fact("vouched", other.name()),
    }
    fact("to", record.called.as_str());
    fact("started", &format!("{} {}", times::moment(record.started_at, &part.time_zone), part.time_zone));
    fact("length", &length(record));
    fact("ended", &record.outcome.map_or_else(|| "goes on".to_owned(), words::outcome));
    if record.sip_status != 0 && record.sip_status != 200 {
        fact("status", &record.sip_status.to_string());
    }
    fact("about", words::heading(record.heading));
    if !record.summary.reveal().is_empty() {
        fact("summary", record.summary.reveal());
    }
    for booking in &record.bookings {
        fact("booking", &booking.to_string());
    }
    for message in &record.messages {
        fact("message", &message.to_string());
    }
    if record.recording.is_some() {
        fact("recording", &format!("strowger calls play {}", record.id));
    }
    text
}

fn quality(quality: &CallQuality) -> String {
    if quality.packets_received == 0 && quality.packets_sent == 0 {
        return "quality    no audio passed\n".to_owned();
    }
    let mos = quality.mos.map(|mos| format!("MOS {mos:.1}, ")).unwrap_or_default();
    let round_trip = quality.round_trip_ms.map(|ms| format!(", round trip {ms:.1} ms")).unwrap_or_default();
    format!(
        "quality    {mos}jitter {:.1} ms, {} of {} packets lost, {} ms concealed{round_trip}, {} sent\n",
        quality.jitter_ms,
        quality.packets_lost,
        quality.packets_received + quality.packets_lost,
        quality.concealed_ms,
        quality.packets_sent,
    )
}

/// Each answer's way from the end of the caller's speech to its first sample.
fn turns(latencies: &[TurnLatency]) -> String {
    let mut text = String::new();
    for (number, turn) in latencies.iter().enumerate() {
        let name = if number == 0 { "turns" } else { "" };
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{name:<10} {:>2}: turn over {} ms, words {} ms, answer {} ms, audible {} ms",
            number + 1,
            turn.turn_ended_ms,
            turn.words_final_ms,
            turn.answered_ms,
            turn.audible_ms,
        );
    }
    text
}
