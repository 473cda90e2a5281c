//! Texts in, directions out.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::Status;

use std::sync::Arc;

use super::check;
use super::desk::{Desk, absent, bad, told};
use crate::Error;
use crate::batching::Tenant;
use crate::engine::EmbedRequest;
use crate::remote::metrics::{self as measured, Sense};
use crate::remote::wire::{Embed, Embedded};

/// Nobody's deadline is later, in milliseconds.
const WITHIN_MAX_MS: u64 = 10_000;

/// Embeds, within the asker's deadline. An asker that goes cancels the wait.
pub(super) async fn embed(desk: &Arc<Desk>, asked: Embed) -> Result<Embedded, Status> {
    let _place = desk.take(Sense::Comparing)?;
    let engine = desk.engines.embeddings.clone().ok_or_else(|| absent(Sense::Comparing))?;
    check::embed(&asked, &desk.settings).map_err(|wrong| bad(Sense::Comparing, wrong))?;
    let Embed { model, tenant, texts, within_ms } = asked;
    if model != engine.name() {
        measured::count_refused(Sense::Comparing, "engine");
        return Err(Status::failed_precondition(format!("this node has {}, not {model:.40}", engine.name())));
    }
    let within = Duration::from_millis(within_ms.min(WITHIN_MAX_MS));
    let (ready, answer) = oneshot::channel();
    let request = EmbedRequest { texts, tenant: Tenant(tenant), within };
    let started = engine.embed(request, Box::new(move |answered| drop(ready.send(answered))));
    started.map_err(|error| told(Sense::Comparing, &error))?;
    measured::count_granted(Sense::Comparing);
    let gone = |_| Error::Failed { engine: engine.name(), why: "it gave no answer".into() };
    let late = |_| Status::deadline_exceeded("the engine did not answer in time");
    let answered = timeout(within, answer).await.map_err(late)?.map_err(gone).flatten();
    let directions = answered.map_err(|error| told(Sense::Comparing, &error))?;
    let bytes = |direction: &crate::engine::Embedding| {
        direction.0.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()
    };
    Ok(Embedded { directions: directions.iter().map(bytes).collect() })
}
