//! One way to one server: messages out, messages in, and all of them remembered.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::certificate::fault;
use crate::sip::destination::Transport;
use crate::sip::diagnosis::Happened;
use crate::sip::location::Target;
use crate::sip::wire::{Limits, Message, StreamParser, parse_datagram};

/// Messages that are remembered of one step.
const REMEMBERED_MAX: usize = 24;
/// Messages of a stream that wait to be read.
const WAITING_MAX: usize = 64;
/// So long before the end a handshake is given up.
const HANDSHAKE_SPARE: Duration = Duration::from_millis(200);
/// The largest datagram that IP carries.
const DATAGRAM_BYTES_MAX: usize = 65_535;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

enum Line {
    Datagrams(UdpSocket),
    Stream { stream: Box<dyn Stream>, parser: StreamParser, waiting: Vec<Message> },
}

/// An open way to a server.
pub(super) struct Wire {
    line: Line,
    pub(super) own: SocketAddr,
    pub(super) target: Target,
    seen: Vec<(&'static str, Bytes)>,
}

impl Wire {
    /// Connects. A datagram socket only learns who its peer is.
    pub(super) async fn open(
        target: &Target,
        believed: Option<Arc<ClientConfig>>,
        until: Instant,
    ) -> Result<Self, Happened> {
        match timeout_at(until, connect(target, believed, until)).await {
            Ok(Ok((line, own))) => Ok(Self { line, own, target: target.clone(), seen: Vec::new() }),
            Ok(Err(happened)) => Err(happened),
            Err(_) => Err(Happened::Silent),
        }
    }

    pub(super) const fn is_reliable(&self) -> bool {
        matches!(self.line, Line::Stream { .. })
    }

    /// Sends a message. One that is repeated is remembered once.
    pub(super) async fn send(&mut self, message: &Bytes, is_repeat: bool) -> Result<(), Happened> {
        if !is_repeat {
            self.remember(">", message.clone());
        }
        match &mut self.line {
            Line::Datagrams(socket) => {
                socket.send(message).await.map(|_| ()).map_err(|error| happened(&error))
            }
            Line::Stream { stream, .. } => {
                let written = async {
                    stream.write_all(message).await?;
                    stream.flush().await
                };
                written.await.map_err(|error| happened(&error))
            }
        }
    }

    /// The next message; none when the time is over.
    pub(super) async fn next(&mut self, until: Instant) -> Result<Option<Message>, Happened> {
        loop {
            let read = match &mut self.line {
                Line::Datagrams(socket) => {
                    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
                    match timeout_at(until, socket.recv(&mut buffer)).await {
                        Err(_) => return Ok(None),
                        Ok(Err(error)) => return Err(happened(&error)),
                        Ok(Ok(length)) => {
                            buffer.truncate(length);
                            parse_datagram(Bytes::from(buffer), &Limits::datagram()).ok()
                        }
                    }
                }
                Line::Stream { stream, parser, waiting } => {
                    if waiting.is_empty() {
                        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
                        match timeout_at(until, stream.read(&mut buffer)).await {
                            Err(_) => return Ok(None),
                            Ok(Err(error)) => return Err(happened(&error)),
                            Ok(Ok(0)) => return Err(Happened::Closed),
                            Ok(Ok(length)) => {
                                let bytes = buffer.get(..length).unwrap_or_default();
                                let messages = parser.push(bytes).map_err(|_| Happened::Closed)?;
                                waiting.extend(messages.into_iter().take(WAITING_MAX));
                            }
                        }
                    }
                    if waiting.is_empty() { None } else { Some(waiting.remove(0)) }
                }
            };
            if let Some(message) = read {
                self.remember("<", message.to_bytes());
                return Ok(Some(message));
            }
        }
    }

    fn remember(&mut self, direction: &'static str, message: Bytes) {
        if self.seen.len() < REMEMBERED_MAX {
            self.seen.push((direction, message));
        }
    }

    /// What was sent and came since this was asked last.
    pub(super) fn seen(&mut self, all: bool) -> Vec<Vec<String>> {
        let seen = std::mem::take(&mut self.seen);
        seen.iter().map(|(direction, message)| super::shown(direction, message, all)).collect()
    }
}

async fn connect(
    target: &Target,
    believed: Option<Arc<ClientConfig>>,
    until: Instant,
) -> Result<(Line, SocketAddr), Happened> {
    let failed = |error: io::Error| happened(&error);
    if target.transport == Transport::Udp {
        let any: SocketAddr = if target.address.is_ipv4() {
            (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let socket = UdpSocket::bind(any).await.map_err(failed)?;
        socket.connect(target.address).await.map_err(failed)?;
        let own = socket.local_addr().map_err(failed)?;
        return Ok((Line::Datagrams(socket), own));
    }
    let stream = TcpStream::connect(target.address).await.map_err(failed)?;
    let own = stream.local_addr().map_err(failed)?;
    let stream: Box<dyn Stream> = match believed.filter(|_| target.transport == Transport::Tls) {
        None => Box::new(stream),
        Some(believed) => {
            let name = ServerName::try_from(target.name.clone())
                .unwrap_or_else(|_| ServerName::IpAddress(target.address.ip().into()));
            // A little before all time is over: that it was the handshake is worth knowing.
            let until = until.checked_sub(HANDSHAKE_SPARE).unwrap_or(until);
            match timeout_at(until, TlsConnector::from(believed).connect(name, stream)).await {
                Ok(made) => Box::new(made.map_err(|error| fault(&error, &target.name))?),
                Err(_) => {
                    let why = "the handshake has no answer".to_owned();
                    return Err(Happened::NoTls { why });
                }
            }
        }
    };
    Ok((Line::Stream { stream, parser: StreamParser::new(Limits::stream()), waiting: Vec::new() }, own))
}

fn happened(error: &io::Error) -> Happened {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Happened::Refused,
        io::ErrorKind::TimedOut => Happened::Silent,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            Happened::Closed
        }
        _ => Happened::NoWay { why: error.to_string() },
    }
}
