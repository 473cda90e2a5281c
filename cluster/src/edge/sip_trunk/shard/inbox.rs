//! What a shard is told, and who chooses the shard.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;

use actors::call::leg::{Command, Events, Refusal};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::super::metrics;
use super::super::transports::{ConnectionId, Flow};
use super::{Dial, Register};
use crate::edge::media::MediaEvent;
use crate::sip::location::Target;
use crate::sip::wire::{self, HeaderName, Message};

/// A message from the network. These may be dropped: their senders ask again.
#[derive(Debug)]
pub(in super::super) enum Inbound {
    Datagram { bytes: Bytes, source: SocketAddr },
    Message { message: Box<Message>, flow: Flow },
}

/// Everything else. These may not.
pub(in super::super) enum Control {
    Command { key: u64, command: Command },
    Media { key: u64, event: MediaEvent },
    Offered { key: u64, outcome: Result<Events, Refusal> },
    Dial(Box<Dial>),
    Register(Box<Register>),
    Located { trunk: usize, targets: Vec<Target> },
    Unregister,
    Closed(ConnectionId),
    Stop,
}

/// One shard's ends.
#[derive(Debug, Clone)]
pub(in super::super) struct Inbox {
    pub(in super::super) messages: mpsc::Sender<Inbound>,
    pub(in super::super) control: mpsc::Sender<Control>,
}

/// All shards' ends. Everything about one call goes to one of them, by its Call-ID.
#[derive(Debug, Clone)]
pub(in super::super) struct Inboxes {
    inboxes: Arc<[Inbox]>,
    /// Seeded by the system, so that nobody outside can aim at one shard.
    hash: Arc<RandomState>,
}

impl Inboxes {
    pub(in super::super) fn new(inboxes: Vec<Inbox>) -> Self {
        Self { inboxes: inboxes.into(), hash: Arc::new(RandomState::new()) }
    }

    pub(in super::super) fn all(&self) -> &[Inbox] {
        &self.inboxes
    }

    /// The shard of a call.
    pub(in super::super) fn of(&self, call_id: &[u8]) -> Option<&Inbox> {
        let shards = self.inboxes.len().max(1);
        let hash = self.hash.hash_one(call_id);
        let index = usize::try_from(hash % u64::try_from(shards).unwrap_or(1)).unwrap_or(0);
        self.inboxes.get(index)
    }

    /// Hands over a datagram, or drops it where its shard is behind.
    pub(in super::super) fn datagram(&self, bytes: Bytes, source: SocketAddr) {
        let Some(inbox) = self.of(wire::call_id_of(&bytes).unwrap_or_default()) else { return };
        if inbox.messages.try_send(Inbound::Datagram { bytes, source }).is_err() {
            metrics::dropped("shard_full");
        }
    }

    /// Hands over a message of a connection; a connection waits.
    pub(in super::super) async fn message(&self, message: Message, flow: Flow) {
        let call_id = message.headers().value(&HeaderName::CallId).map(std::borrow::Cow::into_owned);
        let Some(inbox) = self.of(&call_id.unwrap_or_default()) else { return };
        let message = Box::new(message);
        if inbox.messages.send(Inbound::Message { message, flow }).await.is_err() {
            metrics::dropped("stopped");
        }
    }

    /// Tells every shard that a connection is gone.
    pub(in super::super) async fn closed(&self, id: ConnectionId) {
        for inbox in self.inboxes.iter() {
            // A shard that is gone has nothing on the connection.
            let _ = inbox.control.send(Control::Closed(id)).await;
        }
    }
}
