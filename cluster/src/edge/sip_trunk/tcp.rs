//! Connections: accepted, made, read and written.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until, timeout};

use super::shard::Inboxes;
use super::sources::Sources;
use super::transports::{ConnectionId, Flow, Opened, Transports};
use super::{Settings, metrics};
use crate::clock;
use crate::sip::destination::Transport;
use crate::sip::wire::{Limits, StreamParser};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;
/// How long the listener rests when the system has no more descriptors.
const ERROR_PAUSE: Duration = Duration::from_millis(50);
/// Read at once from a connection.
const READ_BYTES: usize = 16 * 1_024;
/// The largest message that is framed at all; what is larger closes the connection.
const MESSAGE_BYTES_MAX: usize = 256 * 1_024;

pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// What a connection's task needs.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) settings: Arc<Settings>,
    pub(super) transports: Arc<Transports>,
    pub(super) inboxes: Inboxes,
    pub(super) tasks: tokio::runtime::Handle,
}

/// Accepts connections for ever.
pub(super) async fn accept(listener: TcpListener, context: Context) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match context.transports.open(peer) {
                Some(opened) => {
                    let context = context.clone();
                    context.tasks.clone().spawn(async move {
                        serve(stream, peer, opened, &context).await;
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

/// Makes a connection and serves it; what waits in its queue is sent once it is up.
pub(super) fn connect(peer: SocketAddr, context: &Context) -> Option<ConnectionId> {
    let opened = context.transports.open(peer)?;
    let id = opened.id;
    let context = context.clone();
    context.tasks.clone().spawn(async move {
        let stall = Duration::from_millis(context.settings.connection_stall_ms);
        match timeout(stall, TcpStream::connect(peer)).await {
            Ok(Ok(stream)) => serve(stream, peer, opened, &context).await,
            _ => {
                context.transports.close(id);
                context.inboxes.closed(id).await;
            }
        }
    });
    Some(id)
}

async fn serve(stream: TcpStream, peer: SocketAddr, opened: Opened, context: &Context) {
    let id = opened.id;
    if let Err(why) = exchange(stream, peer, opened, context).await {
        tracing::debug!(why, "a sip connection was closed");
    }
    context.transports.close(id);
    context.inboxes.closed(id).await;
}

async fn exchange(
    stream: TcpStream,
    peer: SocketAddr,
    Opened { id, mut queue }: Opened,
    context: &Context,
) -> Result<(), &'static str> {
    let settings = &context.settings;
    let idle = Duration::from_millis(settings.connection_idle_ms);
    let stall = Duration::from_millis(settings.connection_stall_ms);
    let _ = stream.set_nodelay(true);
    let (mut reading, mut writing) = stream.into_split();
    let mut reader =
        Reader::new(settings, Flow { address: peer, transport: Transport::Tcp, connection: Some(id) });
    let mut buffer = vec![0_u8; READ_BYTES];
    let mut deadline = Instant::now() + idle;
    loop {
        tokio::select! {
            read = reading.read(&mut buffer) => {
                let bytes = read.ok().and_then(|length| buffer.get(..length)).unwrap_or_default();
                if bytes.is_empty() {
                    return Ok(());
                }
                let pong = reader.take(bytes, &context.inboxes).await?;
                if pong {
                    write(&mut writing, &Bytes::from_static(b"\r\n"), stall).await?;
                }
                // Half a message may not take as long as silence: its sender may be starving us.
                if reader.waits_for_rest() {
                    deadline = deadline.min(Instant::now() + stall);
                } else {
                    deadline = Instant::now() + idle;
                }
            }
            message = queue.recv() => {
                // The table holds the other end; it lets go when the trunk stops.
                let Some(message) = message else { return Ok(()) };
                write(&mut writing, &message, stall).await?;
                if !reader.waits_for_rest() {
                    deadline = Instant::now() + idle;
                }
            }
            () = sleep_until(deadline) => return Err("it was silent for too long"),
        }
    }
}

async fn write(
    writing: &mut tokio::net::tcp::OwnedWriteHalf,
    message: &Bytes,
    stall: Duration,
) -> Result<(), &'static str> {
    match timeout(stall, writing.write_all(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("writing failed"),
        Err(_) => Err("the peer does not read"),
    }
}

struct Reader {
    parser: StreamParser,
    sources: Sources,
    flow: Flow,
}

impl Reader {
    fn new(settings: &Settings, flow: Flow) -> Self {
        let limits = Limits {
            max_message_bytes: MESSAGE_BYTES_MAX,
            max_body_bytes: MESSAGE_BYTES_MAX,
            ..Limits::stream()
        };
        Self {
            parser: StreamParser::new(limits),
            sources: Sources::new(
                settings.messages_per_second_per_source,
                settings.messages_burst_per_source,
                1,
            ),
            flow,
        }
    }

    fn waits_for_rest(&self) -> bool {
        self.parser.pending() > 0
    }

    /// Takes bytes; whole messages go to their shards. True where a keep-alive wants its answer.
    async fn take(&mut self, bytes: &[u8], inboxes: &Inboxes) -> Result<bool, &'static str> {
        let Ok(messages) = self.parser.push(bytes) else {
            metrics::dropped("unparseable");
            return Err("what it sent can't be framed");
        };
        for message in messages {
            if self.sources.admit(self.flow.address.ip(), clock::monotonic()) {
                inboxes.message(message, self.flow).await;
            } else {
                metrics::dropped("source_limit");
            }
        }
        Ok(self.parser.take_keepalives() >= 2)
    }
}
