//! Datagrams, many per system call.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrLike, SockaddrStorage, recvmmsg, sendmmsg,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::shard::Inboxes;
use super::sources::Sources;
use super::{Settings, metrics};
use crate::clock;

/// The largest datagram that IP carries.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// How long a reader rests when its socket reports an error again and again.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

pub(super) fn bind(address: SocketAddr, receive_buffer_bytes: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // The kernel grants what it may; less is no reason not to start.
    let _ = socket.set_recv_buffer_size(receive_buffer_bytes);
    let _ = socket.set_send_buffer_size(receive_buffer_bytes);
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Reads datagrams for ever and hands each to the shard of its call.
pub(super) async fn read(socket: Arc<UdpSocket>, settings: Arc<Settings>, inboxes: Inboxes) {
    let mut buffers = vec![vec![0_u8; DATAGRAM_BYTES_MAX]; settings.datagrams_per_read];
    let mut sources = Sources::new(
        settings.messages_per_second_per_source,
        settings.messages_burst_per_source,
        settings.sources_max,
    );
    loop {
        let received =
            socket.async_io(Interest::READABLE, || receive(socket.as_raw_fd(), &mut buffers)).await;
        let received = match received {
            Ok(received) => received,
            // An ICMP answer to something that we sent, most likely. The socket is as good as before.
            Err(error) => {
                metrics::dropped("socket_error");
                tracing::debug!(error = %error, "reading sip datagrams failed");
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        let now = clock::monotonic();
        for ((length, source), buffer) in received.into_iter().zip(&buffers) {
            let (Some(source), Some(datagram)) = (source, buffer.get(..length)) else { continue };
            // Keep-alives (RFC 5626 section 4.4.1) and the empty datagrams of scanners.
            if datagram.len() < 16 {
                continue;
            }
            if sources.admit(source.ip(), now) {
                inboxes.datagram(Bytes::copy_from_slice(datagram), source);
            } else {
                metrics::dropped("source_limit");
            }
        }
    }
}

fn receive(fd: i32, buffers: &mut [Vec<u8>]) -> io::Result<Vec<(usize, Option<SocketAddr>)>> {
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(buffers.len(), None);
    let mut slices: Vec<[IoSliceMut<'_>; 1]> =
        buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
    let results = recvmmsg(fd, &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
    Ok(results.map(|message| (message.bytes, message.address.as_ref().and_then(address_of))).collect())
}

fn address_of(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(address) = storage.as_sockaddr_in() {
        return Some(SocketAddr::from(*address));
    }
    storage.as_sockaddr_in6().map(|address| SocketAddr::from(*address))
}

/// Sends what has gathered, in as few system calls as it takes. What the kernel has no room for is dropped
/// and counted: whoever waits for it asks again.
pub(super) fn send(socket: &UdpSocket, messages: &mut Vec<(Bytes, SocketAddr)>) {
    let mut from = 0;
    while let Some(batch) = messages.get(from..).filter(|batch| !batch.is_empty()) {
        match socket.try_io(Interest::WRITABLE, || send_batch(socket.as_raw_fd(), batch)) {
            Ok(sent) => from += sent.max(1),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                metrics::dropped("send_buffer_full");
                break;
            }
            // The first message is the one that was refused; the others go on.
            Err(_) => {
                metrics::dropped("send_error");
                from += 1;
            }
        }
    }
    messages.clear();
}

fn send_batch(fd: i32, messages: &[(Bytes, SocketAddr)]) -> io::Result<usize> {
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(messages.len(), None);
    let slices: Vec<[IoSlice<'_>; 1]> = messages.iter().map(|(bytes, _)| [IoSlice::new(bytes)]).collect();
    let addresses: Vec<Option<SockaddrStorage>> =
        messages.iter().map(|(_, address)| Some(SockaddrStorage::from(*address))).collect();
    let none: [ControlMessage<'_>; 0] = [];
    let sent = sendmmsg(fd, &mut headers, slices.iter(), addresses, none, MsgFlags::MSG_DONTWAIT)?;
    Ok(sent.count())
}

// The trait gives `SockaddrStorage` its length; nothing else here names it.
const _: fn(&SockaddrStorage) -> u32 = SockaddrLike::len;
