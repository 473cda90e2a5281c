//! Which of our addresses a peer sees.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use parking_lot::Mutex;

/// Our address towards each peer, where we listen on all addresses at once.
#[derive(Debug)]
pub(super) struct Addresses {
    public: Option<IpAddr>,
    known: Mutex<HashMap<IpAddr, IpAddr>>,
}

/// Peers that are remembered before all are forgotten.
const PEERS_MAX: usize = 4_096;

impl Addresses {
    pub(super) fn new(public: Option<IpAddr>) -> Self {
        Self { public, known: Mutex::new(HashMap::new()) }
    }

    /// The address to show to `peer` for a socket bound to `bound`.
    pub(super) fn shown(&self, bound: IpAddr, peer: IpAddr) -> IpAddr {
        if let Some(public) = self.public {
            return public;
        }
        if !bound.is_unspecified() {
            return bound;
        }
        let mut known = self.known.lock();
        if known.len() >= PEERS_MAX {
            known.clear();
        }
        *known.entry(peer).or_insert_with(|| towards(peer).unwrap_or(bound))
    }
}

/// The address that the system would send from: it is asked by connecting a datagram socket, which sends
/// nothing.
fn towards(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(peer, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Whether an address is one that only its own network can reach.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unspecified() || (address.segments()[0] & 0xfe00) == 0xfc00
        }
    }
}

/// An address with brackets where a URI needs them.
pub(super) fn in_uri(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}
