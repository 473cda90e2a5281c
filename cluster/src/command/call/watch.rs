//! What the node writes down about the call, shown as it is written.

use std::time::Duration;

use actors::types::{Outcome, PhoneNumber, Private};
use jiff::Timestamp;

use crate::clock;
use crate::command::calls::conversation_line;
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::{Answer, CallPart, Client, Failure, Presence, Request, Token};

/// How long the node may take to finish the record of a call that is over.
const FINISH: Duration = Duration::from_secs(8);

/// How often it is asked for it.
const FINISH_EVERY: Duration = Duration::from_millis(200);

/// Shows one call as it goes.
pub(super) struct Watch {
    /// The node, where it is ours to ask.
    client: Option<Client>,
    caller: Private<PhoneNumber>,
    called: Option<PhoneNumber>,
    /// When we began to call.
    since: Timestamp,
    /// The call's record and all events so far.
    seen: Option<CallPart>,
}

impl Watch {
    pub(super) fn new(
        config: &NodeConfig,
        presence: Option<&Presence>,
        caller: &PhoneNumber,
        to: &str,
    ) -> Self {
        let token = Token::read(&config.node.data);
        let client = match (presence, token) {
            (Some(presence), Ok(token)) => Some(Client::new(presence.http, token)),
            _ => {
                eprintln!("what is said is not shown: the node's records are not ours to read (--data)");
                None
            }
        };
        let user = to.trim_start_matches("sip:").split('@').next().unwrap_or_default();
        let called = PhoneNumber::parse(user);
        Self { client, caller: caller.clone().into(), called, since: clock::now(), seen: None }
    }

    /// Asks the node what is new, and shows it.
    pub(super) async fn look(&mut self, output: &mut Output<'_>) -> Result<(), Error> {
        let Some(part) = self.ask().await else { return Ok(()) };
        if !output.is_json() {
            for line in part.events.iter().filter_map(|event| conversation_line(event, &part.time_zone)) {
                output.write(format!("{line}\n").as_bytes())?;
            }
        }
        match &mut self.seen {
            Some(seen) => {
                seen.record = part.record;
                seen.events.extend(part.events);
            }
            None => self.seen = Some(part),
        }
        Ok(())
    }

    /// Waits for the record's end, shows what is left, and returns how the node says it ended.
    pub(super) async fn finish(&mut self, output: &mut Output<'_>) -> Result<Option<Outcome>, Error> {
        let began = clock::monotonic();
        loop {
            self.look(output).await?;
            let over = self.seen.as_ref().is_some_and(|seen| seen.record.outcome.is_some());
            if over || self.client.is_none() || clock::since(began) > FINISH {
                break;
            }
            tokio::time::sleep(FINISH_EVERY).await;
        }
        let Some(seen) = &self.seen else { return Ok(None) };
        if output.is_json() {
            output.show(seen, |_| String::new())?;
        }
        if !seen.record.summary.reveal().is_empty() {
            eprintln!("{}", seen.record.summary.reveal());
        }
        eprintln!("more of it: strowger calls show {}", seen.record.id);
        Ok(seen.record.outcome)
    }

    async fn ask(&mut self) -> Option<CallPart> {
        let (client, called) = self.client.as_ref().zip(self.called.clone())?;
        let events_from =
            self.seen.as_ref().and_then(|seen| seen.events.last()).map_or(0, |last| last.seq + 1);
        let request = match &self.seen {
            Some(seen) => Request::Call { call: seen.record.id, events_from },
            None => {
                Request::LatestCall { caller: self.caller.clone(), called, since: self.since, events_from }
            }
        };
        match client.ask(&request).await {
            Ok(Answer::Call(part)) => Some(*part),
            Ok(Answer::Failure(Failure::NotFound { .. })) => None,
            Ok(Answer::Failure(failure)) => self.give_up(&failure),
            Ok(_) => None,
            Err(error) => self.give_up(&error),
        }
    }

    fn give_up(&mut self, why: &dyn std::fmt::Display) -> Option<CallPart> {
        eprintln!("what is said is not shown any more: {why}");
        self.client = None;
        None
    }
}
