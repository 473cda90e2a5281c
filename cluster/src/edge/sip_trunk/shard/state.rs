//! What a shard has.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actors::call::leg::{Event, Events, Reception};
use actors::types::{CallId, EndReason};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::Settings;
use super::super::addresses::Addresses;
use super::super::attesting::Attesting;
use super::super::connections::Context;
use super::super::counts::Gauges;
use super::super::guard::Guard;
use super::super::names::Names;
use super::super::registrations::Registrations;
use super::super::transports::{Flow, Transports};
use super::registering::Registering;
use super::taking_over::Lately;
use super::{Control, Inbound};
use crate::edge::media::{Media, Session};
use crate::sip::dialog::{Dialog, Ending, Moment, RequestId, TransactionId};
use crate::sip::location::Target;
use crate::sip::proof::Prover;
use crate::sip::sdp::Handshake;
use crate::sip::wheel::Wheel;
use crate::sip::wire::{Limits, Request, Timer, Timers, TransactionKey, TransactionLayer};

/// What all shards of a trunk have in common.
pub(in super::super) struct Shared {
    pub(in super::super) settings: Arc<Settings>,
    pub(in super::super) reception: Arc<dyn Reception>,
    pub(in super::super) media: Media,
    pub(in super::super) transports: Arc<Transports>,
    pub(in super::super) addresses: Addresses,
    pub(in super::super) guard: Guard,
    pub(in super::super) names: Names,
    pub(in super::super) registrations: Registrations,
    pub(in super::super) refusing: AtomicBool,
    pub(in super::super) gauges: Vec<Gauges>,
    pub(in super::super) connecting: Context,
    pub(in super::super) attesting: Option<Arc<Attesting>>,
}

/// A shard. See the module's documentation.
pub(in super::super) struct Shard {
    pub(super) shared: Arc<Shared>,
    pub(super) index: usize,
    pub(super) limits: Limits,
    /// Two layers, because a key does not say on which side of a transaction it is, and a trunk may call
    /// itself.
    pub(super) servers: TransactionLayer,
    pub(super) clients: TransactionLayer,
    pub(super) served: HashMap<TransactionKey, TransactionId>,
    pub(super) serving: HashMap<TransactionId, Serving>,
    pub(super) asked: HashMap<TransactionKey, u64>,
    pub(super) asking: HashMap<u64, Asking>,
    pub(super) next_transaction: u64,
    pub(super) calls: HashMap<u64, Call>,
    /// The calls whose dialog has another tag than the call's own, by that tag: they took another's place.
    pub(super) tags: HashMap<u64, u64>,
    /// The dialogs that ended last.
    pub(super) lately: Lately,
    /// Calls that came in.
    pub(super) origins: HashMap<Origin, u64>,
    /// Our registrations, by the trunk's number.
    pub(super) registering: HashMap<usize, Registering>,
    pub(super) wheel: Wheel<Due>,
    pub(super) outbox: Vec<(Bytes, SocketAddr)>,
    /// The length of the datagram that is being handled.
    pub(super) datagram_bytes: Option<usize>,
    pub(super) started: Instant,
    pub(super) me: mpsc::Sender<Control>,
    pub(super) control: mpsc::Receiver<Control>,
    pub(super) messages: mpsc::Receiver<Inbound>,
}

/// A request of others.
pub(super) struct Serving {
    pub(super) key: TransactionKey,
    pub(super) flow: Flow,
    pub(super) call: Option<u64>,
}

/// A request of ours.
pub(super) struct Asking {
    pub(super) key: TransactionKey,
    pub(super) flow: Flow,
    pub(super) owner: Owner,
    pub(super) request: RequestId,
    /// The request itself, where it may have to be sent once more.
    pub(super) kept: Option<Box<Request>>,
    /// Something has come back.
    pub(super) heard: bool,
    /// A final answer has come.
    pub(super) answered: bool,
}

/// Whose a request of ours is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A call's.
    Call(u64),
    /// A registration's, by the trunk's number.
    Registration(usize),
}

/// What a timer is for. None is cancelled; each is checked when it fires.
#[derive(Debug)]
pub(super) enum Due {
    Server(TransactionId, Timer),
    Client(u64, Timer),
    Dialog(u64),
    MediaClosing(u64),
    Registration(usize),
    KeepAlive(usize),
    NextServer(u64),
    /// A Call-ID's messages need no longer come here.
    Settled(Vec<u8>),
}

/// The Call-ID, From tag and sequence number of an INVITE: the same by another way is the same call, with the
/// next number it is a new attempt.
pub(super) type Origin = (Vec<u8>, String, u32);

/// A call.
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) dialog: Dialog,
    /// Its audio: opened once the reception has taken the call.
    pub(super) session: Option<Session>,
    pub(super) sink: Sink,
    pub(super) flow: Flow,
    /// Who we are to those who ask, where the call's trunk has an account of ours.
    pub(super) prover: Option<Prover>,
    /// Servers that our INVITE can still go to.
    pub(super) elsewhere: VecDeque<Target>,
    pub(super) origin: Option<Origin>,
    /// The named trunk that it is by.
    pub(super) trunk: Option<usize>,
    /// The Call-ID of its dialog, where that is another shard's by right.
    pub(super) moved: Option<Vec<u8>>,
    /// The call that takes this one's place once it is answered.
    pub(super) successor: Option<u64>,
    /// The call whose place this one is to take.
    pub(super) predecessor: Option<u64>,
    /// The far side has gone; the call lives on for its successor.
    pub(super) orphaned: Option<Ending>,
    pub(super) alive: Arc<AtomicBool>,
    /// The reception has not said yet whether it takes the call.
    pub(super) offering: bool,
    pub(super) answered: bool,
    /// The call actor knows that the call is up.
    pub(super) established: bool,
    /// With whom keys are agreed on by DTLS, as described last, and whether they were.
    pub(super) handshake: Option<Box<Handshake>>,
    pub(super) keyed: bool,
    /// It is up, and the call actor is told so once there are keys.
    pub(super) waits_for_keys: bool,
    /// Why we hung up, where it was not the call's own wish.
    pub(super) cause: Option<EndReason>,
    pub(super) ending: Option<Ending>,
    /// The last event was told.
    pub(super) concluded: bool,
    pub(super) scheduled: Option<Moment>,
}

/// Where a call's events go.
pub(super) enum Sink {
    /// Nobody has taken the call yet.
    Waiting(Vec<Event>),
    /// The call actor.
    Open(Events),
    /// Nobody will.
    Closed,
}

impl Shard {
    pub(in super::super) fn new(
        shared: Arc<Shared>,
        index: usize,
        me: mpsc::Sender<Control>,
        control: mpsc::Receiver<Control>,
        messages: mpsc::Receiver<Inbound>,
    ) -> Self {
        let timing = shared.settings.timing;
        let timers = Timers {
            t1: std::time::Duration::from_millis(timing.t1_ms),
            t2: std::time::Duration::from_millis(timing.t2_ms),
            t4: std::time::Duration::from_millis(shared.settings.t4_ms),
        };
        Self {
            shared,
            index,
            limits: Limits::datagram(),
            servers: TransactionLayer::new(timers),
            clients: TransactionLayer::new(timers),
            served: HashMap::new(),
            serving: HashMap::new(),
            asked: HashMap::new(),
            asking: HashMap::new(),
            next_transaction: 1,
            calls: HashMap::new(),
            tags: HashMap::new(),
            lately: Lately::default(),
            origins: HashMap::new(),
            registering: HashMap::new(),
            wheel: Wheel::new(0),
            outbox: Vec::new(),
            datagram_bytes: None,
            started: Instant::now(),
            me,
            control,
            messages,
        }
    }

    pub(super) fn now(&self) -> Moment {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// This shard's share of a bound of the whole trunk, at least one.
    pub(super) fn share(&self, of_all: usize) -> usize {
        of_all.div_ceil(self.shared.gauges.len().max(1)).max(1)
    }
}
