//! Plain connections: accepted and made.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::connections::{Context, abandon, flow, serve};
use super::metrics;
use super::transports::ConnectionId;
use crate::sip::destination::Transport;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;
/// How long the listener rests when the system has no more descriptors.
pub(super) const ERROR_PAUSE: Duration = Duration::from_millis(50);

pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts connections for ever.
pub(super) async fn accept(listener: TcpListener, context: Context) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match context.transports.accept(peer, Transport::Tcp) {
                Some(opened) => {
                    let context = context.clone();
                    context.tasks.clone().spawn(async move {
                        let _ = stream.set_nodelay(true);
                        serve(stream, flow(peer, Transport::Tcp), opened, true, &context).await;
                    });
                }
                None => metrics::dropped("connection_limit"),
            },
            Err(error) => {
                tracing::warn!(error = %error, "accepting a sip connection failed");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
}

/// Makes a connection and serves it.
pub(super) fn connect(peer: SocketAddr, context: &Context) -> Option<ConnectionId> {
    let opened = context.transports.open(peer, Transport::Tcp)?;
    let id = opened.id;
    let context = context.clone();
    context.tasks.clone().spawn(async move {
        let stall = Duration::from_millis(context.settings.connection_stall_ms);
        match timeout(stall, TcpStream::connect(peer)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                serve(stream, flow(peer, Transport::Tcp), opened, false, &context).await;
            }
            _ => abandon(id, &context).await,
        }
    });
    Some(id)
}
