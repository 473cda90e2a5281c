//! A call from its first ring to its end.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::EndReason;

use super::phone::Phone;
use super::script::{Act, Noticed};
use super::watch::Watch;
use super::words::Words;
use crate::clock;
use crate::command::{Error, Output};

/// How often the caller considers whether to speak, and the node is asked what was heard.
const TICK: Duration = Duration::from_millis(200);

/// How the call ended.
pub(super) struct End {
    pub(super) reason: EndReason,
    pub(super) answered: bool,
    pub(super) hung_up_by_us: bool,
}

/// Talks until one side hangs up.
pub(super) async fn talk(
    phone: &mut Phone,
    mut words: Words,
    watch: &mut Watch,
    output: &mut Output<'_>,
) -> Result<End, Error> {
    let began = clock::monotonic();
    let mut ticks = tokio::time::interval(TICK);
    let mut end = End { reason: EndReason::SignallingTimeout, answered: false, hung_up_by_us: false };
    loop {
        let mut act = None;
        let noticed = tokio::select! {
            event = phone.next() => match event {
                None => return Ok(end),
                Some(Event::Ended(reason)) => {
                    end.reason = reason;
                    return Ok(end);
                }
                Some(event) => notice(&event),
            },
            at_once = words.line(), if end.answered => {
                act = at_once;
                None
            }
            _ = tokio::signal::ctrl_c() => {
                act = Some(Act::HangUp);
                None
            }
            _ = ticks.tick() => {
                watch.look(output).await?;
                None
            }
        };
        let now_ms = u64::try_from(clock::since(began).as_millis()).unwrap_or(u64::MAX);
        if let Some(noticed) = noticed {
            end.answered |= noticed == Noticed::Answered;
            words.notice(now_ms, noticed);
        }
        match act.or_else(|| words.act(now_ms)) {
            Some(Act::Say(line)) => phone.say(&line).await?,
            Some(Act::HangUp) => {
                end.hung_up_by_us = true;
                phone.hang_up();
            }
            None => {}
        }
    }
}

fn notice(event: &Event) -> Option<Noticed> {
    match event {
        Event::Established => Some(Noticed::Answered),
        Event::SpeechStarted => Some(Noticed::SpeechStarted),
        Event::SpeechStopped => Some(Noticed::SpeechStopped),
        Event::PlaybackEnded { .. } => Some(Noticed::Said),
        _ => None,
    }
}
