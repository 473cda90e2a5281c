//! What a shard is told, and who chooses the shard.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actors::call::leg::{Command, Events, Refusal};
use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::mpsc;

use super::super::metrics;
use super::super::transports::{ConnectionId, Flow};
use super::{Dial, Register, Taking};
use crate::edge::media::MediaEvent;
use crate::sip::location::Target;
use crate::sip::wire::{self, HeaderName, Message};

/// A message from the network. These may be dropped: their senders ask again.
#[derive(Debug)]
pub(in super::super) enum Inbound {
    Datagram {
        bytes: Bytes,
        source: SocketAddr,
    },
    Message {
        message: Box<Message>,
        flow: Flow,
    },
    /// An INVITE that is to take the place of a dialog of this shard.
    Taking(Box<Taking>),
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

/// All shards' ends. Everything about one call goes to one of them, by its Call-ID: a call that takes the place of
/// another goes where that one is.
#[derive(Debug, Clone)]
pub(in super::super) struct Inboxes {
    inboxes: Arc<[Inbox]>,
    /// Seeded by the system, so that nobody outside can aim at one shard.
    hash: Arc<RandomState>,
    moved: Arc<Moved>,
}

/// The calls that are not where their Call-ID alone would have them.
#[derive(Debug, Default)]
struct Moved {
    /// How many; nearly always none, and then nobody looks further.
    count: AtomicUsize,
    shards: RwLock<HashMap<Vec<u8>, usize>>,
}

impl Inboxes {
    pub(in super::super) fn new(inboxes: Vec<Inbox>) -> Self {
        Self { inboxes: inboxes.into(), hash: Arc::new(RandomState::new()), moved: Arc::default() }
    }

    pub(in super::super) fn all(&self) -> &[Inbox] {
        &self.inboxes
    }

    /// The shard of a call.
    pub(in super::super) fn of(&self, call_id: &[u8]) -> Option<&Inbox> {
        self.inboxes.get(self.index_of(call_id))
    }

    /// The number of a call's shard.
    pub(in super::super) fn index_of(&self, call_id: &[u8]) -> usize {
        if let Some(index) = self.moved_to(call_id) {
            return index;
        }
        let shards = self.inboxes.len().max(1);
        let hash = self.hash.hash_one(call_id);
        usize::try_from(hash % u64::try_from(shards).unwrap_or(1)).unwrap_or(0)
    }

    /// Whether any call was moved.
    pub(in super::super) fn is_any_moved(&self) -> bool {
        self.moved.count.load(Ordering::Acquire) > 0
    }

    /// The shard that a call was moved to.
    pub(in super::super) fn moved_to(&self, call_id: &[u8]) -> Option<usize> {
        if !self.is_any_moved() {
            return None;
        }
        self.moved.shards.read().get(call_id).copied()
    }

    /// Moves a call, where no more than `most` are.
    pub(in super::super) fn move_to(&self, call_id: &[u8], index: usize, most: usize) -> bool {
        let mut shards = self.moved.shards.write();
        if shards.len() >= most && !shards.contains_key(call_id) {
            return false;
        }
        shards.insert(call_id.to_vec(), index);
        self.moved.count.store(shards.len(), Ordering::Release);
        true
    }

    /// Forgets that a call was moved.
    pub(in super::super) fn settle(&self, call_id: &[u8]) {
        let mut shards = self.moved.shards.write();
        shards.remove(call_id);
        self.moved.count.store(shards.len(), Ordering::Release);
    }

    /// Hands a message to the shard with this number; false where that is behind.
    pub(in super::super) fn pass(&self, index: usize, inbound: Inbound) -> bool {
        self.inboxes.get(index).is_some_and(|inbox| inbox.messages.try_send(inbound).is_ok())
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
