//! Datagrams read from a socket in one system call, with the moments at which the kernel got them.

use std::io::IoSliceMut;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use nix::sys::time::TimeSpec;

use crate::rtp::Micros;

/// Datagrams per call. A turn of the wheel usually finds one.
pub(super) const DATAGRAMS: usize = 8;
/// Bytes of a datagram that are kept: more than an Ethernet frame, so that none of a telephone's is cut.
const BYTES: usize = 1_536;
/// No datagram is believed to have waited longer than this: the wall clock may have jumped.
const OLDEST: Micros = 1_000_000;

/// Buffers for one thread's reading. All its sockets are of one address family.
#[derive(Debug)]
pub(super) struct Batch {
    headers: MultiHeaders<SockaddrStorage>,
    buffers: Box<[[u8; BYTES]; DATAGRAMS]>,
    came: [Came; DATAGRAMS],
    count: usize,
}

#[derive(Debug, Clone, Copy)]
struct Came {
    length: usize,
    source: SocketAddr,
    age: Micros,
}

/// A datagram that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) source: SocketAddr,
    /// How long it waited in the kernel.
    pub(super) age: Micros,
}

impl Default for Batch {
    fn default() -> Self {
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Self {
            headers: MultiHeaders::preallocate(DATAGRAMS, Some(nix::cmsg_space!(TimeSpec))),
            buffers: Box::new([[0; BYTES]; DATAGRAMS]),
            came: [Came { length: 0, source: nobody, age: 0 }; DATAGRAMS],
            count: 0,
        }
    }
}

impl Batch {
    /// Reads what waits, so many at most; whether more may wait. `wall_clock` is now, in microseconds since 1970.
    pub(super) fn read(&mut self, socket: &UdpSocket, wall_clock: Micros, most: usize) -> bool {
        self.count = 0;
        let mut slices = self.buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
        let slices = slices.iter_mut().take(most);
        let flags = MsgFlags::MSG_DONTWAIT;
        let Ok(messages) = recvmmsg(socket.as_raw_fd(), &mut self.headers, slices, flags, None) else {
            return false;
        };
        let mut read = 0;
        for (message, came) in messages.zip(self.came.iter_mut()) {
            read += 1;
            let Some(source) = message.address.as_ref().and_then(address) else { continue };
            let arrived =
                message.cmsgs().ok().and_then(|mut all| all.find_map(arrival)).unwrap_or(wall_clock);
            let age = wall_clock.saturating_sub(arrived).min(OLDEST);
            *came = Came { length: message.bytes, source, age };
        }
        self.count = read;
        read == most.min(DATAGRAMS)
    }

    pub(super) fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        self.came.iter().zip(self.buffers.iter()).take(self.count).filter_map(|(came, buffer)| {
            Some(Datagram { bytes: buffer.get(..came.length)?, source: came.source, age: came.age })
        })
    }
}

fn arrival(message: ControlMessageOwned) -> Option<Micros> {
    let ControlMessageOwned::ScmTimestampns(at) = message else { return None };
    let seconds = u64::try_from(at.tv_sec()).ok()?;
    Some(seconds * 1_000_000 + u64::try_from(at.tv_nsec()).ok()? / 1_000)
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let four = storage.as_sockaddr_in().map(|four| SocketAddr::from((four.ip(), four.port())));
    four.or_else(|| storage.as_sockaddr_in6().map(|six| SocketAddr::from((six.ip(), six.port()))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock;

    #[test]
    fn what_waits_is_read_with_its_source_and_age() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        nix::sys::socket::setsockopt(&receiver, nix::sys::socket::sockopt::ReceiveTimestampns, &true)
            .unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut batch = Batch::default();
        let wall_clock = || u64::try_from(clock::now().as_microsecond()).unwrap();
        assert!(!batch.read(&receiver, wall_clock(), DATAGRAMS));
        assert_eq!(batch.datagrams().count(), 0);
        // The kernel turns its time-stamping on some time after it is asked to.
        for _ in 0..100 {
            sender.send_to(&[0], receiver.local_addr().unwrap()).unwrap();
            std::thread::sleep(Duration::from_millis(30));
            batch.read(&receiver, wall_clock(), DATAGRAMS);
            if batch.datagrams().all(|datagram| datagram.age >= 25_000) {
                break;
            }
        }
        // More than once, because the kernel writes to the prepared headers.
        for round in 1..4u8 {
            for index in 0..10 {
                sender.send_to(&[round, index], receiver.local_addr().unwrap()).unwrap();
            }
            std::thread::sleep(Duration::from_millis(30));
            assert!(batch.read(&receiver, wall_clock(), DATAGRAMS));
            let first: Vec<_> = batch.datagrams().map(|datagram| datagram.bytes.to_vec()).collect();
            assert_eq!(first, (0..8).map(|index| vec![round, index]).collect::<Vec<_>>());
            assert!(batch.datagrams().all(|datagram| datagram.source == sender.local_addr().unwrap()));
            assert!(batch.datagrams().all(|datagram| (25_000..900_000).contains(&datagram.age)));
            assert!(!batch.read(&receiver, wall_clock(), DATAGRAMS));
            assert_eq!(batch.datagrams().count(), 2);
        }
    }
}
