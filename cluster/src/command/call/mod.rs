//! `call`: a real call to a node, with a made-up caller.
//!
//! ```text
//! words ─▶ script (when?) ─▶ phone ─ SIP, RTP ─▶ node
//!            ▲ speech, answers │                   │ POST /operator
//!            └─────────────────┘   watch ◀─────────┘ what was heard, as it is recorded
//! ```

mod phone;
mod script;
mod talk;
mod watch;
mod words;

use actors::types::{CallResult, EndReason, Outcome, PhoneNumber};
use clap::Args;

use super::calls::outcome_words;
use super::{Error, Output};
use crate::chance;
use crate::config::NodeConfig;
use crate::operator::Presence;
use phone::Phone;
use talk::End;
use watch::Watch;
use words::Words;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What the caller says, one turn each; without any, the lines of standard input are said
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// Who is called [default: the node that runs on the data directory]
    #[arg(long, value_name = "SIP URI")]
    to: Option<String>,
    /// The caller's number [default: a made-up one]
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,
    /// The caller's voice, as the speech engine names it [default: rms where flite speaks, else the engine's own]
    #[arg(long, value_name = "NAME")]
    voice: Option<String>,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let presence = Presence::find(&config.node.data);
    let to = target(arguments.to.as_deref(), presence.as_ref(), config)?;
    let from = caller(arguments.from.as_deref())?;
    let mut watch = Watch::new(config, presence.as_ref(), &from, &to);
    eprintln!("calling {to} as {}", from.as_str());
    let mut phone = Phone::dial(config, &to, &from, arguments.voice).await?;
    let words = Words::of(arguments.words);
    let end = talk::talk(&mut phone, words, &mut watch, output).await;
    phone.put_away().await;
    let end = end?;
    let recorded = watch.finish(output).await?;
    judge(&end, recorded)
}

/// Whether the call went as a call should, by both sides.
fn judge(end: &End, recorded: Option<Outcome>) -> Result<(), Error> {
    if let Some(outcome) = recorded
        && !matches!(outcome.result, CallResult::Success | CallResult::Client)
    {
        return Err(Error::Call { why: format!("the node's record says {}", outcome_words(outcome)) });
    }
    let fine = matches!(end.reason, EndReason::CallerHungUp | EndReason::Completed | EndReason::Transferred);
    if end.hung_up_by_us || (end.answered && fine) {
        return Ok(());
    }
    Err(Error::Call { why: why(end.reason, end.answered) })
}

/// The SIP URI to call.
fn target(to: Option<&str>, presence: Option<&Presence>, config: &NodeConfig) -> Result<String, Error> {
    if let Some(to) = to {
        return Ok(to.to_owned());
    }
    let Some(presence) = presence else {
        let data = config.node.data.display();
        let why = format!(
            "no node runs on {data}; start one with `strowger run --demo`, or say whom to call with --to"
        );
        return Err(Error::Call { why });
    };
    let Some(number) = &presence.number else {
        let why = "the node had no business when it started; say whom to call with --to".to_owned();
        return Err(Error::Call { why });
    };
    let mut address = presence.sip;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    Ok(format!("sip:{}@{address}{}", number.as_str(), presence.transport.in_uri()))
}

/// The caller's number: a new one of those kept for fiction (01632 960000 to 960999), so that this call's record
/// is found by it.
fn caller(from: Option<&str>) -> Result<PhoneNumber, Error> {
    let [high, low] = chance::bytes::<2>();
    let made_up = format!("+441632960{:03}", u16::from_be_bytes([high, low]) % 1_000);
    let why = || Error::Call { why: "--from is no telephone number; write +44…".to_owned() };
    PhoneNumber::parse(from.unwrap_or(&made_up)).ok_or_else(why)
}

fn why(reason: EndReason, answered: bool) -> String {
    let what = match reason {
        EndReason::Refused => "the node refused it",
        EndReason::SignallingTimeout => "the node does not answer",
        EndReason::MediaTimeout => "no audio came from the node",
        EndReason::KeysNotAgreed => "no keys for the audio were agreed on",
        _ => "the node ended it",
    };
    let when = if answered { "after it was answered" } else { "before it was answered" };
    format!("{what}, {when} ({reason:?})")
}
