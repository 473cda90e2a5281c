//! A call from its first ring to its end.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::EndReason;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

use super::phone::Phone;
use super::script::{Act, Manners, Noticed, Script};
use super::watch::Watch;
use crate::clock;
use crate::command::{Error, Output};

/// How often the caller considers whether to speak, and the node is asked what was heard.
const TICK: Duration = Duration::from_millis(200);

/// What the caller says.
pub(super) enum Words {
    /// Sentences known beforehand.
    Script(Script),
    /// What a person types, said at once.
    Typed(Lines<BufReader<Stdin>>),
}

impl Words {
    /// These words, or else the terminal's lines.
    pub(super) fn of(words: Vec<String>) -> Self {
        if words.is_empty() {
            eprintln!("type what the caller says, a line at a time; end with Ctrl-D");
            return Self::Typed(BufReader::new(tokio::io::stdin()).lines());
        }
        Self::Script(Script::new(words, Manners::default()))
    }

    /// The next line that is typed; `None` at the end. Never comes where there is a script.
    async fn typed(&mut self) -> Option<String> {
        match self {
            Self::Typed(lines) => lines.next_line().await.ok().flatten(),
            Self::Script(_) => std::future::pending().await,
        }
    }

    fn notice(&mut self, now_ms: u64, noticed: Noticed) {
        if let Self::Script(script) = self {
            script.notice(now_ms, noticed);
        }
    }

    fn act(&mut self, now_ms: u64) -> Option<Act> {
        match self {
            Self::Script(script) => script.act(now_ms),
            Self::Typed(_) => None,
        }
    }
}

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
    let mut listening = true;
    loop {
        let noticed = tokio::select! {
            event = phone.next() => match event {
                None => return Ok(end),
                Some(Event::Ended(reason)) => {
                    end.reason = reason;
                    return Ok(end);
                }
                Some(event) => notice(&event),
            },
            line = words.typed(), if listening => {
                match line {
                    Some(line) if !line.trim().is_empty() => phone.say(&line).await?,
                    Some(_) => {}
                    None => {
                        listening = false;
                        end.hung_up_by_us = true;
                        phone.hang_up();
                    }
                }
                None
            }
            _ = tokio::signal::ctrl_c() => {
                end.hung_up_by_us = true;
                phone.hang_up();
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
        match words.act(now_ms) {
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
