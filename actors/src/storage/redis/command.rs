//! One command: a place among those under way, a deadline, tries where a repetition is harmless, and a class for
//! what went wrong.

use std::future::Future;
use std::sync::Arc;

use fred::clients::{Client, WithOptions};
use fred::error::{Error as Failure, ErrorKind};
use fred::interfaces::ClientLike;
use fred::types::config::Options;
use fred::types::{ClusterHash, CustomCommand, FromValue, Value};
use fred::util::redis_keyslot;
use metrics::{counter, gauge, histogram};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::error::{class, no_script, read_only};
use super::link::Link;
use super::script::Script;
use crate::chance::Chance;
use crate::clock::ms;
use crate::storage::coordination::metrics::{ERRORS, IN_FLIGHT, RETRIES, SCRIPT_RELOADS, SECONDS, TIMEOUTS};
use crate::storage::coordination::{Error, Result, Settings};

/// How often a command that may be repeated is sent by the client itself: a cluster answers with another server's
/// address while slots move.
const REDIRECTS_MAX: u32 = 3;

/// What a command does, for its metrics and for those who repeat it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    /// Its name in metrics.
    pub(super) name: &'static str,
    /// Whether doing it twice is the same as doing it once.
    pub(super) repeatable: bool,
    /// Whether it changes nothing.
    pub(super) reads: bool,
}

/// Sends commands.
pub(super) struct Commands {
    link: Arc<Link>,
    places: Semaphore,
    settings: Settings,
    chance: Chance,
}

impl Commands {
    pub(super) fn new(link: Arc<Link>, settings: &Settings, chance: Chance) -> Self {
        let places = Semaphore::new(settings.in_flight_max.min(Semaphore::MAX_PERMITS));
        Self { link, places, settings: settings.clone(), chance }
    }

    /// Runs a script.
    pub(super) async fn run<T>(
        &self,
        script: &'static Script,
        keys: &[String],
        arguments: &[Value],
    ) -> Result<T>
    where
        T: FromValue + Send,
    {
        let operation =
            Operation { name: script.operation, repeatable: script.repeatable, reads: script.reads };
        self.operate(operation, |client| evaluate(client, script, keys, arguments)).await
    }

    /// Does something with the client.
    pub(super) async fn operate<T, Doing>(
        &self,
        operation: Operation,
        act: impl Fn(WithOptions<Client>) -> Doing + Send,
    ) -> Result<T>
    where
        T: Send,
        Doing: Future<Output = std::result::Result<T, Failure>> + Send,
    {
        let began = Instant::now();
        let result = match self.places.try_acquire() {
            Err(_) => Err(Error::unavailable(format!(
                "{} commands are under way already",
                self.settings.in_flight_max
            ))),
            Ok(_place) => {
                gauge!(IN_FLIGHT).increment(1.0);
                // Counted down however this ends: whoever asks may give up waiting.
                let _counted = Counted;
                self.by_deadline(operation, act).await
            }
        };
        histogram!(SECONDS, "operation" => operation.name).record(began.elapsed().as_secs_f64());
        if let Err(error) = &result {
            counter!(ERRORS, "operation" => operation.name, "kind" => error.kind()).increment(1);
        }
        result
    }

    async fn by_deadline<T, Doing>(
        &self,
        operation: Operation,
        act: impl Fn(WithOptions<Client>) -> Doing + Send,
    ) -> Result<T>
    where
        T: Send,
        Doing: Future<Output = std::result::Result<T, Failure>> + Send,
    {
        let deadline = ms(self.settings.deadline_ms);
        timeout(deadline, self.tries(operation, act)).await.unwrap_or_else(|_| {
            counter!(TIMEOUTS, "operation" => operation.name).increment(1);
            let why = format!("no answer in {} ms", self.settings.deadline_ms);
            Err(if operation.reads { Error::Unavailable { why } } else { Error::Unknown { why } })
        })
    }

    async fn tries<T, Doing>(
        &self,
        operation: Operation,
        act: impl Fn(WithOptions<Client>) -> Doing + Send,
    ) -> Result<T>
    where
        T: Send,
        Doing: Future<Output = std::result::Result<T, Failure>> + Send,
    {
        let options = Options {
            // One attempt, where a repetition would count twice.
            max_attempts: Some(if operation.repeatable { REDIRECTS_MAX } else { 1 }),
            timeout: Some(ms(self.settings.command_ms.max(1))),
            // Without a connection it fails at once, and with it: nothing waits to be sent again.
            fail_fast: true,
            ..Options::default()
        };
        let tries = if operation.repeatable { self.settings.attempts_max.max(1) } else { 1 };
        let (mut wait_ms, mut maybe_done) = (self.settings.retry_ms, false);
        let mut attempt = 1;
        loop {
            let failure = match act(self.link.client().with_options(&options)).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            self.note(operation, &failure);
            let error = class(&failure, operation.reads);
            maybe_done |= matches!(error, Error::Unknown { .. });
            if matches!(error, Error::Refused { .. }) || attempt >= tries {
                return Err(match self.explained(error) {
                    // What an earlier try may have done is not undone by a later one that did nothing.
                    Error::Unavailable { why } if maybe_done => Error::Unknown { why },
                    error => error,
                });
            }
            attempt += 1;
            counter!(RETRIES, "operation" => operation.name).increment(1);
            sleep(ms(self.chance.spread_ms(wait_ms))).await;
            wait_ms = wait_ms.saturating_mul(2);
        }
    }

    /// With why there is no connection, where there is none.
    fn explained(&self, error: Error) -> Error {
        match (error, self.link.trouble()) {
            (Error::Unavailable { why }, Some(trouble)) => {
                Error::Unavailable { why: format!("{trouble}; {why}") }
            }
            (error, _) => error,
        }
    }

    fn note(&self, operation: Operation, failure: &Failure) {
        if *failure.kind() == ErrorKind::Timeout {
            counter!(TIMEOUTS, "operation" => operation.name).increment(1);
        }
        if read_only(failure) {
            self.link.misled();
        }
    }
}

/// One command under way in the gauge.
struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1.0);
    }
}

/// Runs a script by its hash. A server that has forgotten it has not run it, and is given it again.
///
/// The client's own commands for scripts take no notice of its options, so they are spelt out here.
async fn evaluate<T: FromValue>(
    client: WithOptions<Client>,
    script: &Script,
    keys: &[String],
    arguments: &[Value],
) -> std::result::Result<T, Failure> {
    let run = |command, what: &str| {
        let mut words = vec![Value::from(what), Value::from(i64::try_from(keys.len()).unwrap_or(0))];
        words.extend(keys.iter().map(|key| Value::from(key.as_str())));
        words.extend_from_slice(arguments);
        let slot = keys
            .first()
            .map_or(ClusterHash::Random, |key| ClusterHash::Custom(redis_keyslot(key.as_bytes())));
        client.custom(CustomCommand::new_static(command, slot, false), words)
    };
    match run("EVALSHA", script.hash()).await {
        Err(failure) if no_script(&failure) => {
            counter!(SCRIPT_RELOADS).increment(1);
            run("EVAL", script.text).await
        }
        answer => answer,
    }
}
