//! Connections once they are up: read and written, whatever carries them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::shard::Inboxes;
use super::sources::Sources;
use super::tls::Tls;
use super::transports::{ConnectionId, Flow, Opened, Transports};
use super::{Settings, metrics, tcp, tls};
use crate::clock;
use crate::sip::destination::Transport;
use crate::sip::wire::{Limits, StreamParser};

/// How long a connection whose framing is lost stays open for the answers to what it sent before.
const LINGER: Duration = Duration::from_millis(100);
/// Read at once from a connection.
const READ_BYTES: usize = 16 * 1_024;
/// The largest message that is framed at all; what is larger closes the connection.
const MESSAGE_BYTES_MAX: usize = 256 * 1_024;

/// What a connection's task needs.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) settings: Arc<Settings>,
    pub(super) transports: Arc<Transports>,
    pub(super) inboxes: Inboxes,
    pub(super) tls: Arc<Tls>,
    pub(super) tasks: tokio::runtime::Handle,
}

/// Makes a connection for a flow; what waits in its queue is sent once it is up.
pub(super) fn connect(flow: &Flow, context: &Context) -> Option<ConnectionId> {
    match flow.transport {
        // Who speaks SIP by websocket has connected to us, or can't be reached (RFC 7118 section 5).
        Transport::Udp | Transport::Ws | Transport::Wss => None,
        Transport::Tcp => tcp::connect(flow.address, context),
        Transport::Tls => tls::connect(flow.address, context),
    }
}

/// Serves a connection until it ends, and lets everybody who waits on it know.
pub(super) async fn serve<S>(stream: S, flow: Flow, opened: Opened, accepted: bool, context: &Context)
where
    S: AsyncRead + AsyncWrite + Send,
{
    let id = opened.id;
    if let Err(why) = exchange(stream, flow, opened, accepted, context).await {
        tracing::debug!(why, "a sip connection was closed");
    }
    abandon(id, context).await;
}

/// Forgets a connection that is gone or was never made.
pub(super) async fn abandon(id: ConnectionId, context: &Context) {
    context.transports.close(id);
    context.inboxes.closed(id).await;
}

async fn exchange<S>(
    stream: S,
    flow: Flow,
    Opened { id, mut queue }: Opened,
    accepted: bool,
    context: &Context,
) -> Result<(), &'static str>
where
    S: AsyncRead + AsyncWrite + Send,
{
    let settings = &context.settings;
    let idle = Duration::from_millis(settings.connection_idle_ms);
    let stall = Duration::from_millis(settings.connection_stall_ms);
    let (mut reading, mut writing) = tokio::io::split(stream);
    let mut reader = Reader::new(settings, Flow { connection: Some(id), ..flow });
    let mut buffer = vec![0_u8; READ_BYTES];
    // Who connects wants something: a connection that says nothing at first is not kept as one that idles.
    let mut deadline = Instant::now() + if accepted { stall } else { idle };
    loop {
        tokio::select! {
            read = reading.read(&mut buffer) => {
                let bytes = read.ok().and_then(|length| buffer.get(..length)).unwrap_or_default();
                if bytes.is_empty() {
                    return Ok(());
                }
                let pong = match reader.take(bytes, &context.inboxes).await {
                    Ok(pong) => pong,
                    Err(why) => {
                        linger(&mut queue, &mut writing, stall).await;
                        return Err(why);
                    }
                };
                if pong {
                    write(&mut writing, &Bytes::from_static(b"\r\n"), stall).await?;
                }
                // Half a message may not take as long as silence: its sender may be starving us.
                if reader.waits_for_rest() || (accepted && !reader.has_spoken) {
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
            () = sleep_until(deadline) => {
                metrics::dropped("connection_silent");
                return Err("it was silent for too long");
            }
        }
    }
}

/// Sends the answers to what came before the connection broke.
async fn linger<W: AsyncWrite + Unpin>(queue: &mut mpsc::Receiver<Bytes>, writing: &mut W, stall: Duration) {
    let until = Instant::now() + LINGER;
    while let Ok(Some(message)) = tokio::time::timeout_at(until, queue.recv()).await {
        if write(writing, &message, stall).await.is_err() {
            return;
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(
    writing: &mut W,
    message: &Bytes,
    stall: Duration,
) -> Result<(), &'static str> {
    let written = async {
        writing.write_all(message).await?;
        writing.flush().await
    };
    match timeout(stall, written).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("writing failed"),
        Err(_) => Err("the peer does not read"),
    }
}

struct Reader {
    parser: StreamParser,
    sources: Sources,
    flow: Flow,
    /// A whole message has come.
    has_spoken: bool,
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
            has_spoken: false,
        }
    }

    fn waits_for_rest(&self) -> bool {
        self.parser.pending() > 0
    }

    /// Takes bytes; whole messages go to their shards. True where a keep-alive wants its answer.
    async fn take(&mut self, bytes: &[u8], inboxes: &Inboxes) -> Result<bool, &'static str> {
        // Line by line, so that what is whole is taken before what follows it breaks the connection.
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Ok(messages) = self.parser.push(piece) else {
                metrics::dropped("unparseable");
                return Err("what it sent can't be framed");
            };
            for message in messages {
                self.has_spoken = true;
                if self.sources.admit(self.flow.address.ip(), clock::monotonic()) {
                    inboxes.message(message, self.flow).await;
                } else {
                    metrics::dropped("source_limit");
                }
            }
        }
        Ok(self.parser.take_keepalives() >= 2)
    }
}

/// The flow of a peer by a stream.
pub(super) const fn flow(address: SocketAddr, transport: Transport) -> Flow {
    Flow { address, transport, connection: None }
}
