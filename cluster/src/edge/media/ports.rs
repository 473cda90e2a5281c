//! Which ports are free, in use, or rest after use.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReceiveTimestampns;
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};

use super::{Error, Settings};

/// Pairs tried before giving up, where other programs hold ports of the range.
const ATTEMPTS: usize = 32;

/// The even ports of the range. Free ones are taken in turn, so that a port rests as long as the range allows.
#[derive(Debug)]
pub(super) struct Ports {
    state: Mutex<State>,
    address: IpAddr,
    first: u16,
    last: u16,
    quarantine: Duration,
    receive_buffer_bytes: usize,
    code_point: u8,
}

#[derive(Debug)]
struct State {
    free: VecDeque<u16>,
    resting: VecDeque<(Instant, u16)>,
    in_use: usize,
}

/// A pair of bound sockets; the port goes to rest when it is dropped.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) port: u16,
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
}

impl Ports {
    pub(super) fn new(settings: &Settings) -> Self {
        let even = settings.first_port.next_multiple_of(2);
        let free = (even..settings.last_port).step_by(2).collect();
        Self {
            state: Mutex::new(State { free, resting: VecDeque::new(), in_use: 0 }),
            address: settings.address,
            first: settings.first_port,
            last: settings.last_port,
            quarantine: Duration::from_millis(settings.quarantine_ms),
            receive_buffer_bytes: settings.receive_buffer_bytes,
            code_point: settings.code_point,
        }
    }

    /// Binds a free pair. Ports that another program holds go to rest.
    pub(super) fn open(&self, now: Instant) -> Result<Pair, Error> {
        let mut refused = None;
        for _ in 0..ATTEMPTS {
            let Some(port) = self.take(now) else { break };
            match self.bind(port) {
                Ok((rtp, rtcp)) => return Ok(Pair { port, rtp, rtcp }),
                Err(source) => {
                    let in_use = source.kind() == std::io::ErrorKind::AddrInUse;
                    self.give_back(port, now);
                    refused = Some(Error::System { what: "bind a media port", source });
                    if !in_use {
                        break;
                    }
                }
            }
        }
        Err(refused.unwrap_or(Error::NoPort { first: self.first, last: self.last }))
    }

    fn take(&self, now: Instant) -> Option<u16> {
        let mut state = self.state.lock();
        while let Some((since, port)) = state.resting.front().copied() {
            if now.saturating_duration_since(since) < self.quarantine {
                break;
            }
            state.resting.pop_front();
            state.free.push_back(port);
        }
        let port = state.free.pop_front()?;
        state.in_use += 1;
        Some(port)
    }

    /// The port is no longer bound.
    pub(super) fn give_back(&self, port: u16, now: Instant) {
        let mut state = self.state.lock();
        state.in_use = state.in_use.saturating_sub(1);
        state.resting.push_back((now, port));
    }

    /// How many are in use, and how many rest.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.in_use, state.resting.len())
    }

    fn bind(&self, port: u16) -> std::io::Result<(UdpSocket, UdpSocket)> {
        let rtp = self.socket(port, self.receive_buffer_bytes)?;
        let rtcp = self.socket(port.saturating_add(1), 8 * 1_024)?;
        Ok((rtp, rtcp))
    }

    fn socket(&self, port: u16, receive_buffer_bytes: usize) -> std::io::Result<UdpSocket> {
        let address = SocketAddr::new(self.address, port);
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(receive_buffer_bytes)?;
        // So that a packet's jitter is the network's and not that of our wheel.
        let _ = setsockopt(&socket, ReceiveTimestampns, &true);
        let class = u32::from(self.code_point) << 2;
        // A mark that the system refuses costs priority in the network, not the call.
        let _ = if address.is_ipv4() { socket.set_tos_v4(class) } else { socket.set_tclass_v6(class) };
        socket.bind(&address.into())?;
        Ok(socket.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn ports(first_port: u16, last_port: u16) -> Ports {
        let address = IpAddr::from([127, 0, 0, 1]);
        Ports::new(&Settings { address, first_port, last_port, ..Settings::default() })
    }

    #[test]
    fn a_port_rests_before_it_is_used_again() {
        let ports = ports(29_000, 29_003);
        let now = clock::monotonic();
        let (one, two) = (ports.open(now).unwrap(), ports.open(now).unwrap());
        assert_eq!((one.port, two.port, ports.counts()), (29_000, 29_002, (2, 0)));
        assert!(matches!(ports.open(now), Err(Error::NoPort { .. })));
        drop(one);
        ports.give_back(29_000, now);
        assert!(matches!(ports.open(now + Duration::from_secs(29)), Err(Error::NoPort { .. })));
        assert_eq!(ports.open(now + Duration::from_secs(30)).unwrap().port, 29_000);
        assert_eq!(ports.counts(), (2, 0));
    }

    #[test]
    fn a_port_that_another_program_holds_is_passed_over() {
        let _held = UdpSocket::bind("127.0.0.1:29011").unwrap();
        let ports = ports(29_010, 29_013);
        assert_eq!(ports.open(clock::monotonic()).unwrap().port, 29_012);
        assert_eq!(ports.counts(), (1, 1));
    }
}
