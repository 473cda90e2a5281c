//! Ways to peers: one socket for datagrams, a table of connections.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::{Settings, metrics};
use crate::sip::destination::Transport;

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
    connections: Mutex<Connections>,
    next: AtomicU64,
    most: usize,
    waiting_max: usize,
}

#[derive(Debug, Default)]
struct Connections {
    by_id: HashMap<ConnectionId, Connection>,
    by_peer: HashMap<SocketAddr, ConnectionId>,
}

#[derive(Debug)]
struct Connection {
    peer: SocketAddr,
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
        settings: &Settings,
    ) -> Self {
        Self {
            udp,
            udp_address,
            tcp_address,
            connections: Mutex::default(),
            next: AtomicU64::new(1),
            most: settings.connections_max,
            waiting_max: settings.connection_waiting_max,
        }
    }

    /// Where we listen by this transport.
    pub(super) const fn listening(&self, transport: Transport) -> Option<SocketAddr> {
        match transport {
            Transport::Udp => self.udp_address,
            Transport::Tcp => self.tcp_address,
        }
    }

    /// Enters a connection with this peer. `None` where there are as many as there may be.
    pub(super) fn open(&self, peer: SocketAddr) -> Option<Opened> {
        let mut connections = self.connections.lock();
        if connections.by_id.len() >= self.most {
            return None;
        }
        let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, queue) = mpsc::channel(self.waiting_max);
        connections.by_id.insert(id, Connection { peer, queue: sender });
        connections.by_peer.insert(peer, id);
        Some(Opened { id, queue })
    }

    /// Forgets a connection.
    pub(super) fn close(&self, id: ConnectionId) {
        let mut connections = self.connections.lock();
        if let Some(connection) = connections.by_id.remove(&id)
            && connections.by_peer.get(&connection.peer) == Some(&id)
        {
            connections.by_peer.remove(&connection.peer);
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
            .or_else(|| connections.by_peer.get(&flow.address).copied())
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
