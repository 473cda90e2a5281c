//! SIP over websocket (RFC 7118): each message of the socket is one of SIP. Connections are made to us only; what
//! we send to who made one goes back on it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message as Frame};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use super::connections::{Context, abandon, flow};
use super::metrics;
use super::sources::Sources;
use super::tcp::ERROR_PAUSE;
use super::transports::{Flow, Opened};
use crate::clock;
use crate::sip::destination::Transport;
use crate::sip::wire::{Limits, parse_datagram};

/// The subprotocol that both sides have to name (RFC 7118 section 4.1).
const PROTOCOL: &str = "sip";
const PROTOCOL_HEADER: &str = "sec-websocket-protocol";
/// The largest message; a larger one closes the connection.
const MESSAGE_BYTES_MAX: usize = 256 * 1_024;
/// Messages that are no SIP before the connection is closed.
const UNREADABLE_MAX: u32 = 10;

/// Accepts connections for ever, by TLS where `transport` is that. As with TLS alone, a handshake has a deadline and
/// only so many are under way.
pub(super) async fn accept(listener: TcpListener, transport: Transport, context: Context) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %error, "accepting a sip connection failed");
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        let Some(permit) = context.tls.handshake() else {
            metrics::dropped("handshake_limit");
            continue;
        };
        let Some(opened) = context.transports.accept(peer, transport) else {
            metrics::dropped("connection_limit");
            continue;
        };
        let context = context.clone();
        context.tasks.clone().spawn(async move {
            let id = opened.id;
            let _ = stream.set_nodelay(true);
            if transport == Transport::Wss {
                let shaken = async {
                    let server = context.tls.server()?;
                    TlsAcceptor::from(server).accept(stream).await.ok()
                };
                match timeout(context.tls.deadline(), shaken).await {
                    Ok(Some(stream)) => serve(stream, peer, transport, opened, permit, &context).await,
                    _ => metrics::dropped("handshake_failed"),
                }
            } else {
                serve(stream, peer, transport, opened, permit, &context).await;
            }
            abandon(id, &context).await;
        });
    }
}

async fn serve<S, P>(
    stream: S,
    peer: SocketAddr,
    transport: Transport,
    opened: Opened,
    permit: P,
    context: &Context,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let shaken = accept_hdr_async_with_config(stream, agree, Some(config));
    let Ok(Ok(socket)) = timeout(context.tls.deadline(), shaken).await else {
        return metrics::dropped("handshake_failed");
    };
    drop(permit);
    if let Err(why) = exchange(socket, flow(peer, transport), opened, context).await {
        tracing::debug!(why, "a sip websocket was closed");
    }
}

/// Both sides have to speak SIP.
#[expect(clippy::result_large_err, reason = "the library's own type")]
fn agree(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offers = request.headers().get_all(PROTOCOL_HEADER).iter().any(|value| {
        let names = value.to_str().unwrap_or_default();
        names.split(',').any(|name| name.trim().eq_ignore_ascii_case(PROTOCOL))
    });
    if offers {
        response.headers_mut().insert(PROTOCOL_HEADER, HeaderValue::from_static(PROTOCOL));
        return Ok(response);
    }
    let mut refused = ErrorResponse::new(Some("the subprotocol has to be sip (RFC 7118)\n".to_owned()));
    *refused.status_mut() = StatusCode::BAD_REQUEST;
    Err(refused)
}

async fn exchange<S>(
    mut socket: WebSocketStream<S>,
    flow: Flow,
    Opened { id, mut queue }: Opened,
    context: &Context,
) -> Result<(), &'static str>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let settings = &context.settings;
    let idle = Duration::from_millis(settings.connection_idle_ms);
    let stall = Duration::from_millis(settings.connection_stall_ms);
    let mut reader = Reader::new(context, Flow { connection: Some(id), ..flow });
    // Who connects wants something.
    let mut deadline = Instant::now() + stall;
    loop {
        tokio::select! {
            frame = socket.next() => match reader.take(frame, context).await? {
                Taken::Message => deadline = Instant::now() + idle,
                Taken::Ping => send(&mut socket, Frame::text("\r\n"), stall).await?,
                Taken::Nothing => {}
                Taken::End => return Ok(()),
            },
            message = queue.recv() => {
                // The table holds the other end; it lets go when the trunk stops.
                let Some(message) = message else { return Ok(()) };
                send(&mut socket, framed(message), stall).await?;
                deadline = Instant::now() + idle;
            }
            () = sleep_until(deadline) => {
                metrics::dropped("connection_silent");
                return Err("it was silent for too long");
            }
        }
    }
}

/// As text where it is that, which browsers expect.
fn framed(message: Bytes) -> Frame {
    match String::from_utf8(message.to_vec()) {
        Ok(text) => Frame::text(text),
        Err(_) => Frame::binary(message),
    }
}

async fn send<S>(socket: &mut WebSocketStream<S>, frame: Frame, stall: Duration) -> Result<(), &'static str>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    match timeout(stall, socket.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("writing failed"),
        Err(_) => Err("the peer does not read"),
    }
}

struct Reader {
    limits: Limits,
    sources: Sources,
    flow: Flow,
    unreadable: u32,
}

/// What a frame was.
enum Taken {
    Message,
    /// A keep-alive that wants its answer (RFC 5626 section 4.4.1).
    Ping,
    Nothing,
    End,
}

impl Reader {
    fn new(context: &Context, flow: Flow) -> Self {
        let settings = &context.settings;
        Self {
            limits: Limits {
                max_message_bytes: MESSAGE_BYTES_MAX,
                max_body_bytes: MESSAGE_BYTES_MAX,
                ..Limits::datagram()
            },
            sources: Sources::new(
                settings.messages_per_second_per_source,
                settings.messages_burst_per_source,
                1,
            ),
            flow,
            unreadable: 0,
        }
    }

    async fn take(
        &mut self,
        frame: Option<Result<Frame, SocketError>>,
        context: &Context,
    ) -> Result<Taken, &'static str> {
        let bytes = match frame {
            Some(Ok(Frame::Text(text))) => Bytes::from(text),
            Some(Ok(Frame::Binary(bytes))) => bytes,
            Some(Ok(Frame::Close(_))) | None => return Ok(Taken::End),
            Some(Ok(_)) => return Ok(Taken::Nothing),
            Some(Err(_)) => return Err("its frames can't be read"),
        };
        if !self.sources.admit(self.flow.address.ip(), clock::monotonic()) {
            metrics::dropped("source_limit");
            return Ok(Taken::Nothing);
        }
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return Ok(if bytes.len() >= 4 { Taken::Ping } else { Taken::Nothing });
        }
        let Ok(message) = parse_datagram(bytes, &self.limits) else {
            metrics::dropped("unparseable");
            self.unreadable += 1;
            let ends = self.unreadable > UNREADABLE_MAX;
            return if ends { Err("what it sends is no SIP") } else { Ok(Taken::Nothing) };
        };
        context.inboxes.message(message, self.flow).await;
        Ok(Taken::Message)
    }
}
