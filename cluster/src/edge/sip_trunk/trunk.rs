//! The trunk: its sockets, its shards, its handle.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::call::leg::{Exchange, Reception};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::addresses::Addresses;
use super::attesting::Attesting;
use super::calling::new_call_id;
use super::connections::Context;
use super::counts::{Counts, Gauges};
use super::exchange::ByTrunk;
use super::guard::Guard;
use super::names::Names;
use super::registrations::Registrations;
use super::shard::{Control, Inbound, Inbox, Inboxes, Register, Shard, Shared};
use super::tls::{self, Tls};
use super::transports::Transports;
use super::{Error, Registration, Settings, Transport, learning, metrics, tcp, udp, ws};
use crate::edge::media::Media;
use crate::sip::sdp::KeyManagement;

/// How often the gauges are shown to the metrics' recorder.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// How often a stopping trunk looks whether its calls are gone.
const STOP_EVERY: Duration = Duration::from_millis(20);

/// All SIP of a node. A cheap handle; every clone is the same trunk. When the last one is dropped, its
/// sockets close and its calls end without a word: call [`Trunk::stop`] first.
#[derive(Clone)]
pub struct Trunk {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    shared: Arc<Shared>,
    inboxes: Inboxes,
    listening: Vec<Listening>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.tasks.lock().drain(..).for_each(|task| task.abort());
        self.shared.transports.close_all();
    }
}

impl std::fmt::Debug for Trunk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Trunk").field("listening", &self.inner.listening).finish_non_exhaustive()
    }
}

/// Where the trunk listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// By what.
    pub transport: Transport,
    /// The bound address, with the port that was really taken.
    pub address: SocketAddr,
}

impl Trunk {
    /// Binds the sockets and starts the shards. Calls are offered to `reception`.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that can't be used, [`Error::Listen`] where a socket can't be bound.
    #[expect(clippy::unused_async, reason = "sockets need the runtime; callers must be on it")]
    pub async fn start(
        settings: Settings,
        reception: Arc<dyn Reception>,
        media: Media,
    ) -> Result<Self, Error> {
        settings.check()?;
        let settings = Arc::new(settings);
        let guard = Guard::new(&settings)?;
        can_shake_hands(&settings, &guard, &media)?;
        let attesting = Attesting::new(&settings.attesting)?.map(Arc::new);
        let tls = Arc::new(Tls::new(&settings.secure, settings.tls.is_some() || settings.wss.is_some())?);
        let Bound { udp: socket, tcp: listener, tls: secure, websockets, listening } = bind(&settings)?;
        let address = |transport| {
            listening.iter().find(|one: &&Listening| one.transport == transport).map(|one| one.address)
        };
        let transports = Arc::new(Transports::new(
            socket.clone(),
            address(Transport::Udp),
            address(Transport::Tcp),
            address(Transport::Tls),
            (address(Transport::Ws), address(Transport::Wss)),
            &settings,
        ));
        let (inboxes, ends) = inboxes(&settings);
        let context = Context {
            settings: Arc::clone(&settings),
            transports: Arc::clone(&transports),
            inboxes: inboxes.clone(),
            tls: Arc::clone(&tls),
            tasks: tokio::runtime::Handle::current(),
        };
        let shared = Arc::new(Shared {
            settings: Arc::clone(&settings),
            reception,
            media,
            transports,
            addresses: Addresses::new(settings.public_address),
            names: Names::new(&settings.names),
            registrations: Registrations::new(
                guard.accounts().map(|account| account.is_some_and(|one| one.register)),
            ),
            guard,
            refusing: AtomicBool::new(false),
            gauges: ends.iter().map(|_| Gauges::default()).collect(),
            connecting: context.clone(),
            attesting,
        });
        let mut tasks = vec![
            tokio::spawn(publish(Arc::clone(&shared))),
            tokio::spawn(learning::learn(Arc::clone(&shared))),
        ];
        for (index, (control, control_end, messages_end)) in ends.into_iter().enumerate() {
            let shard = Shard::new(Arc::clone(&shared), index, control, control_end, messages_end);
            tasks.push(tokio::spawn(shard.run()));
        }
        if let Some(socket) = socket {
            tasks.push(tokio::spawn(udp::read(socket, settings, inboxes.clone())));
        }
        if let Some(listener) = listener {
            tasks.push(tokio::spawn(tcp::accept(listener, context.clone())));
        }
        if let Some(listener) = secure {
            tasks.push(tokio::spawn(tls::accept(listener, context.clone())));
        }
        for (listener, transport) in websockets {
            tasks.push(tokio::spawn(ws::accept(listener, transport, context.clone())));
        }
        if tls.server().is_some() {
            tasks.push(tokio::spawn(tls::watch(tls)));
        }
        register(&shared, &inboxes);
        let tasks = Mutex::new(tasks);
        Ok(Self { inner: Arc::new(Inner { shared, inboxes, listening, tasks }) })
    }

    pub(super) fn of(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Who makes calls by this trunk, for as long as it is there.
    #[must_use]
    pub fn exchange(&self) -> Arc<dyn Exchange> {
        Arc::new(ByTrunk(Arc::downgrade(&self.inner)))
    }

    /// The name of the trunk that numbers are called by: the one that the settings name, else the first with an
    /// account.
    pub(super) fn outgoing(&self) -> Option<String> {
        let shared = self.shared();
        shared.settings.outgoing_trunk.clone().or_else(|| {
            let first = shared.guard.accounts().position(|account| account.is_some())?;
            Some(shared.guard.name(first).to_owned())
        })
    }

    /// Where the trunk listens.
    #[must_use]
    pub fn local_addresses(&self) -> Vec<Listening> {
        self.inner.listening.clone()
    }

    /// How the registration of a trunk stands; none where it does not register or there is no such trunk.
    #[must_use]
    pub fn registration(&self, trunk: &str) -> Option<Registration> {
        let shared = &self.inner.shared;
        shared.registrations.get(shared.guard.named(trunk)?)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    pub(super) fn inboxes(&self) -> &Inboxes {
        &self.inner.inboxes
    }

    /// Refuses new calls and OPTIONS with 503 from now on and takes our registrations back, so that providers send
    /// their calls elsewhere; or takes calls again and registers anew. Calls that are up go on.
    pub fn refuse_new(&self, refuse: bool) {
        let was = self.inner.shared.refusing.swap(refuse, Ordering::AcqRel);
        if was == refuse {
            return;
        }
        if refuse {
            for inbox in self.inner.inboxes.all() {
                // A shard that is behind or gone leaves its bindings to run out.
                let _ = inbox.control.try_send(Control::Unregister);
            }
        } else {
            register(&self.inner.shared, &self.inner.inboxes);
        }
    }

    /// Refuses new calls, hangs up all others, takes our registrations back, waits until all that is done, but not
    /// longer than `grace`, and closes the sockets.
    pub async fn stop(&self, grace: Duration) {
        self.refuse_new(true);
        for inbox in self.inner.inboxes.all() {
            // A shard that is gone has no calls.
            let _ = inbox.control.send(Control::Stop).await;
        }
        let until = Instant::now() + grace;
        while (self.counts().dialogs > 0 || !self.inner.shared.registrations.are_left())
            && Instant::now() < until
        {
            sleep(STOP_EVERY).await;
        }
        let tasks = std::mem::take(&mut *self.inner.tasks.lock());
        tasks.iter().for_each(JoinHandle::abort);
        for task in tasks {
            // It was told to go; that it did not end by itself is no news.
            let _ = task.await;
        }
        self.inner.shared.transports.close_all();
    }

    /// What is alive.
    #[must_use]
    pub fn counts(&self) -> Counts {
        counts(&self.inner.shared)
    }
}

/// Whoever is to agree on keys by DTLS needs a certificate for it.
fn can_shake_hands(settings: &Settings, guard: &Guard, media: &Media) -> Result<(), Error> {
    if media.fingerprint().is_some() {
        return Ok(());
    }
    if settings.srtp_keys == KeyManagement::Dtls {
        return Err(Error::Setting {
            setting: "sip.srtp_keys",
            mend: "\"sdes\", or media.dtls has to be true",
        });
    }
    let unable = |name: &str| Error::Trunk {
        name: name.to_owned(),
        mend: "its srtp_keys are \"dtls\", for which media.dtls has to be true",
    };
    guard.by_handshake().map_or(Ok(()), |name| Err(unable(name)))
}

/// Registers by every trunk that is to.
fn register(shared: &Shared, inboxes: &Inboxes) {
    for (trunk, account) in shared.guard.accounts().enumerate() {
        let Some(account) = account.filter(|account| account.register) else { continue };
        let call_id = new_call_id();
        let Some(inbox) = inboxes.of(call_id.as_bytes()) else { continue };
        let register = Register { trunk, account: account.clone(), call_id: call_id.clone() };
        if inbox.control.try_send(Control::Register(Box::new(register))).is_err() {
            let why = "the node is too busy to register".to_owned();
            shared.registrations.set(trunk, Registration::Failed { why });
        }
    }
}

fn counts(shared: &Shared) -> Counts {
    let mut counts = Counts { tcp_connections: shared.transports.connections(), ..Counts::default() };
    shared.gauges.iter().for_each(|gauges| gauges.add_to(&mut counts));
    counts
}

async fn publish(shared: Arc<Shared>) {
    loop {
        metrics::publish(&counts(&shared));
        sleep(PUBLISH_EVERY).await;
    }
}

/// What a shard reads from, and what it tells itself by.
type Ends = (mpsc::Sender<Control>, mpsc::Receiver<Control>, mpsc::Receiver<Inbound>);

/// An inbox for each shard, and the shards' ends of them.
fn inboxes(settings: &Settings) -> (Inboxes, Vec<Ends>) {
    let (mut inboxes, mut ends) = (Vec::new(), Vec::new());
    for _ in 0..settings.shard_count() {
        let (messages, messages_end) = mpsc::channel(settings.messages_waiting_max);
        let (control, control_end) = mpsc::channel(settings.events_waiting_max);
        inboxes.push(Inbox { messages, control: control.clone() });
        ends.push((control, control_end, messages_end));
    }
    (Inboxes::new(inboxes), ends)
}

struct Bound {
    udp: Option<Arc<tokio::net::UdpSocket>>,
    tcp: Option<TcpListener>,
    tls: Option<TcpListener>,
    websockets: Vec<(TcpListener, Transport)>,
    listening: Vec<Listening>,
}

fn bind(settings: &Settings) -> Result<Bound, Error> {
    let refused = |address, transport| move |source| Error::Listen { address, transport, source };
    let mut listening = Vec::new();
    let mut datagrams = None;
    if let Some(address) = settings.udp {
        let bound = udp::bind(address, settings.receive_buffer_bytes).map_err(refused(address, "udp"))?;
        let taken = bound.local_addr().map_err(refused(address, "udp"))?;
        listening.push(Listening { transport: Transport::Udp, address: taken });
        datagrams = Some(Arc::new(bound));
    }
    let mut plain = None;
    if let Some(address) = settings.tcp {
        let same = listening.first().map(|one| SocketAddr::new(address.ip(), one.address.port()));
        let bound = match same.filter(|_| address.port() == 0).map(tcp::bind) {
            Some(Ok(bound)) => bound,
            _ => tcp::bind(address).map_err(refused(address, "tcp"))?,
        };
        let taken = bound.local_addr().map_err(refused(address, "tcp"))?;
        listening.push(Listening { transport: Transport::Tcp, address: taken });
        plain = Some(bound);
    }
    let mut secure = None;
    if let Some(address) = settings.tls {
        let bound = tcp::bind(address).map_err(refused(address, "tls"))?;
        let taken = bound.local_addr().map_err(refused(address, "tls"))?;
        listening.push(Listening { transport: Transport::Tls, address: taken });
        secure = Some(bound);
    }
    let mut websockets = Vec::new();
    for (address, transport, name) in
        [(settings.ws, Transport::Ws, "ws"), (settings.wss, Transport::Wss, "wss")]
    {
        let Some(address) = address else { continue };
        let bound = tcp::bind(address).map_err(refused(address, name))?;
        let taken = bound.local_addr().map_err(refused(address, name))?;
        listening.push(Listening { transport, address: taken });
        websockets.push((bound, transport));
    }
    Ok(Bound { udp: datagrams, tcp: plain, tls: secure, websockets, listening })
}
