//! A place kept on one of the nodes, by a stream that nothing is heard on yet.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::Streaming;

use super::super::metrics::Sense;
use super::super::wire::{FromEar, Keep, ToEar, to_ear};
use super::session::Session;
use super::shared::{Counted, Shared};
use super::trouble::{Trouble, nobody};
use crate::Error;
use crate::batching::Tenant;
use crate::engine::sessions::Seat;
use crate::engine::{Place, SpeechToText};

/// A stream that a node has granted.
pub(super) struct Granted {
    pub(super) node: usize,
    pub(super) incoming: Streaming<FromEar>,
    pub(super) sender: mpsc::Sender<ToEar>,
    /// Counted while it lives.
    pub(super) counted: Counted,
}

/// What a call has before it is heard.
pub(super) struct Kept {
    pub(super) tenant: Tenant,
    /// Its place among all that this node has heard elsewhere.
    pub(super) seat: Arc<Seat<Session>>,
    /// Its place on a node, until a session has taken it: later ones of the call ask again.
    stream: Mutex<Option<Granted>>,
    /// Its place on this node's own engine, where no other takes it.
    pub(super) here: Option<Place>,
}

impl Kept {
    /// Whether no session has taken it yet.
    pub(super) fn is_granted(&self) -> bool {
        self.stream.lock().is_some()
    }

    /// The stream, for the first who asks.
    pub(super) fn take(&self) -> Option<Granted> {
        self.stream.lock().take()
    }
}

impl Granted {
    /// Opens a stream on this node, beginning with that message.
    pub(super) async fn ask(shared: &Arc<Shared>, node: usize, first: ToEar) -> Result<Self, Trouble> {
        let link = shared.link(node).ok_or_else(|| Trouble::Unreachable("there is no such node".into()))?;
        // Two more, for what keeps its place and what opens it.
        let (sender, receiver) = mpsc::channel(shared.settings.messages_waiting_max + 2);
        let _ = sender.try_send(first);
        let patience = Duration::from_millis(shared.settings.open_ms);
        match timeout(patience, link.hear(receiver)).await {
            Ok(Ok(incoming)) => {
                Ok(Self { node, incoming, sender, counted: shared.opened(Sense::Hearing, node) })
            }
            Ok(Err(status)) => Err(Trouble::of(&status)),
            Err(_) => Err(Trouble::Late),
        }
    }
}

/// Asks one node after the other, and then this node's own engine, for a place. Where no node is full and none works,
/// none is kept.
pub(super) async fn keep(
    shared: &Arc<Shared>,
    instead: Option<&dyn SpeechToText>,
    tenant: Tenant,
    seat: Arc<Seat<Session>>,
) -> Result<Place, Error> {
    let (mut tried, mut full) = (Vec::new(), false);
    let first = ToEar { kind: Some(to_ear::Kind::Keep(Keep { tenant: tenant.0 })) };
    let mut stream = None;
    while let Some(node) = shared.pick(Sense::Hearing, &tried) {
        match Granted::ask(shared, node, first.clone()).await {
            Ok(granted) => {
                stream = Some(granted);
                break;
            }
            Err(trouble) => {
                shared.note(Sense::Hearing, node, &trouble);
                full |= trouble == Trouble::Full;
                tried.push(node);
            }
        }
    }
    let here = match instead {
        Some(engine) if stream.is_none() => Some(keep_here(engine, tenant).await?),
        None if stream.is_none() && full => return Err(nobody(shared.links.len(), Some(&Trouble::Full))),
        _ => None,
    };
    Ok(Place::new(Arc::new(Kept { tenant, seat, stream: Mutex::new(stream), here })))
}

async fn keep_here(engine: &dyn SpeechToText, tenant: Tenant) -> Result<Place, Error> {
    let (sender, kept) = tokio::sync::oneshot::channel();
    engine.reserve(tenant, Box::new(move |place| drop(sender.send(place))));
    let gone = |_| Error::Failed { engine: engine.name(), why: "it gave no answer".into() };
    kept.await.map_err(gone).flatten()
}
