//! A pause in, a probability out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::Status;

use super::desk::{Desk, absent, bad, told};
use crate::Error;
use crate::batching::Tenant;
use crate::engine::JudgeRequest;
use crate::remote::metrics::{self as measured, Sense};
use crate::remote::wire::{Judge, Judged, samples_of};

/// Nobody's deadline is later, in milliseconds.
const WITHIN_MAX_MS: u64 = 10_000;

/// Judges, within the asker's deadline. An asker that goes cancels the wait.
pub(super) async fn judge(desk: &Arc<Desk>, asked: Judge) -> Result<Judged, Status> {
    let _place = desk.take(Sense::Pausing)?;
    let engine = desk.engines.pause_judge.clone().ok_or_else(|| absent(Sense::Pausing))?;
    let samples = samples_of(&asked.audio).map_err(|wrong| bad(Sense::Pausing, wrong))?;
    let within = Duration::from_millis(asked.within_ms.min(WITHIN_MAX_MS));
    let (sender, answer) = oneshot::channel();
    let request = JudgeRequest { samples, tenant: Tenant(asked.tenant), within };
    let started = engine.judge(request, Box::new(move |judged| drop(sender.send(judged))));
    started.map_err(|error| told(Sense::Pausing, &error))?;
    measured::count_granted(Sense::Pausing);
    let gone = |_| Error::Failed { engine: engine.name(), why: "it gave no answer".into() };
    let late = |_| Status::deadline_exceeded("the engine did not answer in time");
    let judged = timeout(within, answer).await.map_err(late)?.map_err(gone).flatten();
    Ok(Judged { finished: judged.map_err(|error| told(Sense::Pausing, &error))? })
}
