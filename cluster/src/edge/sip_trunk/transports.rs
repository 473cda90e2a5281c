//! Ways to peers: one socket for datagrams, a table of connections.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::{Settings, metrics};
use crate::sip::destination::Transport;

/// Names of peers that are remembered before all are forgotten.
const NAMES_MAX: usize = 4_096;

/// A connection, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ConnectionId(pub(super) u64);

/// The way to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) address: SocketAddr,
    pub(super) transport: Transport,
    /// The connection that it is, while that is open.
    pub(super) connection: Option<ConnectionId>,
}

/// The sockets and connections of a trunk.
#[derive(Debug)]
pub(super) struct Transports {
    pub(super) udp: Option<Arc<UdpSocket>>,
    /// Where we listen, as far as we do.
    pub(super) udp_address: Option<SocketAddr>,
    pub(super) tcp_address: Option<SocketAddr>,
    pub(super) tls_address: Option<SocketAddr>,
    pub(super) ws_address: Option<SocketAddr>,
    pub(super) wss_address: Option<SocketAddr>,
    /// The names by which peers were found, for their certificates.
    names: Mutex<HashMap<SocketAddr, String>>,
    connections: Mutex<Connections>,
    next: AtomicU64,
    most: usize,
    most_per_source: usize,
    waiting_max: usize,
}

#[derive(Debug, Default)]
struct Connections {
    by_id: HashMap<ConnectionId, Connection>,
    by_peer: HashMap<(SocketAddr, Transport), ConnectionId>,
    /// How many connections each address has made to us.
    by_source: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Connection {
    peer: SocketAddr,
    transport: Transport,
    accepted: bool,
    queue: mpsc::Sender<Bytes>,
}

/// What is needed to serve a new connection.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) id: ConnectionId,
    pub(super) queue: mpsc::Receiver<Bytes>,
}

impl Transports {
    pub(super) fn new(
        udp: Option<Arc<UdpSocket>>,
        udp_address: Option<SocketAddr>,
        tcp_address: Option<SocketAddr>,
        tls_address: Option<SocketAddr>,
        (ws_address, wss_address): (Option<SocketAddr>, Option<SocketAddr>),
        settings: &Settings,
    ) -> Self {
        Self {
            udp,
            udp_address,
            tcp_address,
            tls_address,
            ws_address,
            wss_address,
            names: Mutex::default(),
            connections: Mutex::default(),
            next: AtomicU64::new(1),
            most: settings.connections_max,
            most_per_source: settings.connections_per_source_max,
            waiting_max: settings.connection_waiting_max,
        }
    }

    /// Where we listen by this transport.
    pub(super) const fn listening(&self, transport: Transport) -> Option<SocketAddr> {
        match transport {
            Transport::Udp => self.udp_address,
            Transport::Tcp => self.tcp_address,
            Transport::Tls => self.tls_address,
            Transport::Ws => self.ws_address,
            Transport::Wss => self.wss_address,
        }
    }

    /// Whether we can send by this transport, and to an address of this family.
    pub(super) fn reaches(&self, transport: Transport, address: Option<IpAddr>) -> bool {
        let bound = self.listening(transport);
        match transport {
            Transport::Udp => {
                bound.is_some_and(|own| address.is_none_or(|one| one.is_ipv4() == own.is_ipv4()))
            }
            // A connection needs no socket of ours to listen, and is made by whatever family it takes; but where we
            // listen by one, that is the one that the peer can come back by.
            Transport::Tcp | Transport::Tls => {
                bound.is_none_or(|own| address.is_none_or(|one| one.is_ipv4() == own.is_ipv4()))
            }
        }
    }

    /// Remembers by which name a peer was found.
    pub(super) fn name(&self, peer: SocketAddr, name: &str) {
        let mut names = self.names.lock();
        if names.len() >= NAMES_MAX && !names.contains_key(&peer) {
            names.clear();
        }
        names.insert(peer, name.to_owned());
    }

    /// The name by which a peer was found, where it was found by one.
    pub(super) fn name_of(&self, peer: SocketAddr) -> Option<String> {
        self.names.lock().get(&peer).cloned()
    }

    /// Enters a connection that we make. `None` where there are as many as there may be.
    pub(super) fn open(&self, peer: SocketAddr, transport: Transport) -> Option<Opened> {
        self.enter(peer, transport, false)
    }

    /// Enters a connection that was made to us. `None` where there are as many as there may be, in all or from
    /// its address.
    pub(super) fn accept(&self, peer: SocketAddr, transport: Transport) -> Option<Opened> {
        self.enter(peer, transport, true)
    }

    fn enter(&self, peer: SocketAddr, transport: Transport, accepted: bool) -> Option<Opened> {
        let mut connections = self.connections.lock();
        if connections.by_id.len() >= self.most {
            return None;
        }
        if accepted {
            let of_source = connections.by_source.entry(peer.ip()).or_default();
            if *of_source >= self.most_per_source {
                return None;
            }
            *of_source += 1;
        }
        let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, queue) = mpsc::channel(self.waiting_max);
        connections.by_id.insert(id, Connection { peer, transport, accepted, queue: sender });
        connections.by_peer.insert((peer, transport), id);
        Some(Opened { id, queue })
    }

    /// Forgets a connection.
    pub(super) fn close(&self, id: ConnectionId) {
        let mut connections = self.connections.lock();
        let Some(connection) = connections.by_id.remove(&id) else { return };
        let peer = (connection.peer, connection.transport);
        if connections.by_peer.get(&peer) == Some(&id) {
            connections.by_peer.remove(&peer);
        }
        let source = connection.peer.ip();
        if connection.accepted
            && let Some(of_source) = connections.by_source.get_mut(&source)
        {
            *of_source = of_source.saturating_sub(1);
            if *of_source == 0 {
                connections.by_source.remove(&source);
            }
        }
    }

    /// Ends every connection: each task sees its queue end.
    pub(super) fn close_all(&self) {
        *self.connections.lock() = Connections::default();
    }

    /// How many connections are open.
    pub(super) fn connections(&self) -> usize {
        self.connections.lock().by_id.len()
    }

    /// The open connection of a flow: its own, else one with the same peer.
    pub(super) fn connection(&self, flow: &Flow) -> Option<ConnectionId> {
        let connections = self.connections.lock();
        flow.connection
            .filter(|id| connections.by_id.contains_key(id))
            .or_else(|| connections.by_peer.get(&(flow.address, flow.transport)).copied())
    }

    /// Queues bytes on a connection. What does not fit is dropped and counted.
    pub(super) fn write(&self, id: ConnectionId, bytes: Bytes) {
        let connections = self.connections.lock();
        let Some(connection) = connections.by_id.get(&id) else {
            return metrics::dropped("connection_closed");
        };
        if connection.queue.try_send(bytes).is_err() {
            metrics::dropped("connection_full");
        }
    }
}
