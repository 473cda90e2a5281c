//! One request from its first try to its outcome.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Error, Integration, Request, Settings, only_reads};
use crate::chance::Chance;
use crate::clock::ms;
use crate::types::ToolOutcome;

/// What a request came to.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) outcome: ToolOutcome,
    pub(crate) health: Health,
}

/// What it says of the integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Works,
    Fails,
    Panicked,
}

/// What one try came to.
enum Try {
    Outcome(ToolOutcome),
    Error(Error),
    TimedOut,
    Panicked,
}

/// Tries until there is an outcome, the tries are used up or `deadline` has come. A panic is not tried again.
pub(crate) async fn settle(
    integration: Arc<dyn Integration>,
    request: Arc<Request>,
    deadline: Instant,
    settings: Arc<Settings>,
    chance: Chance,
) -> Settled {
    let (mut unclear, mut wait_ms) = (false, settings.retry_ms);
    let mut why = String::from("no time was left");
    for attempt in 1..=settings.attempts_max.max(1) {
        if Instant::now() >= deadline {
            break;
        }
        let until = deadline.min(Instant::now() + ms(settings.attempt_ms));
        match attempt_once(&integration, &request, until).await {
            Try::Outcome(outcome) => return Settled { outcome, health: Health::Works },
            Try::Error(Error::NotDone { why: reason }) => why = reason,
            Try::Error(Error::Unclear { why: reason }) => (unclear, why) = (true, reason),
            Try::TimedOut => (unclear, why) = (true, "no answer in time".to_owned()),
            Try::Panicked => {
                let why = "the integration failed".to_owned();
                return Settled { outcome: without_outcome(&request, true, why), health: Health::Panicked };
            }
        }
        if attempt < settings.attempts_max {
            sleep_until(deadline.min(Instant::now() + ms(chance.spread_ms(wait_ms)))).await;
            wait_ms = wait_ms.saturating_mul(2);
        }
    }
    Settled { outcome: without_outcome(&request, unclear, why), health: Health::Fails }
}

/// Runs one try in a task of its own, so that a panic ends the task alone. One that takes too long is aborted.
async fn attempt_once(integration: &Arc<dyn Integration>, request: &Arc<Request>, until: Instant) -> Try {
    let (integration, request) = (Arc::clone(integration), Arc::clone(request));
    let mut task = tokio::spawn(async move { integration.call(&request).await });
    match timeout_at(until, &mut task).await {
        Ok(Ok(Ok(outcome))) => Try::Outcome(outcome),
        Ok(Ok(Err(error))) => Try::Error(error),
        Ok(Err(_)) => Try::Panicked,
        Err(_) => {
            task.abort();
            Try::TimedOut
        }
    }
}

/// Nobody knows, where a try that could have done something went without an answer; else nothing was done.
fn without_outcome(request: &Request, unclear: bool, why: String) -> ToolOutcome {
    if unclear && !only_reads(&request.asked) {
        ToolOutcome::Unknown { why }
    } else {
        ToolOutcome::Failed { why }
    }
}
