//! SIP over TLS (RFC 3261 section 26.2, RFC 5922): connections accepted and made, certificates that are
//! replaced while calls go on.

mod material;
mod reload;
mod settings;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub(super) use material::client as believed;
pub(super) use reload::watch;
pub use settings::Settings;

use super::connections::{Context, abandon, flow, serve};
use super::tcp::ERROR_PAUSE;
use super::transports::ConnectionId;
use super::{Error, metrics};
use crate::sip::destination::Transport;

/// What TLS needs beside sockets.
pub(super) struct Tls {
    settings: Settings,
    /// What we show to those who connect; none where we don't listen.
    server: RwLock<Option<Arc<ServerConfig>>>,
    /// Whom we believe when we connect; read when that is first needed.
    client: RwLock<Option<Arc<ClientConfig>>>,
    /// The files as they were just before they were read: whatever changes from then on is seen.
    first: reload::Seen,
    /// Handshakes under way.
    handshakes: Arc<Semaphore>,
}

impl Tls {
    /// Reads the certificates.
    pub(super) fn new(settings: &Settings, listens: bool) -> Result<Self, Error> {
        let first = reload::seen(settings);
        Ok(Self {
            first,
            server: RwLock::new(if listens { Some(material::server(settings)?) } else { None }),
            client: RwLock::new(match settings.trust_file {
                Some(_) => Some(material::client(settings)?),
                None => None,
            }),
            handshakes: Arc::new(Semaphore::new(settings.handshakes_max)),
            settings: settings.clone(),
        })
    }

    /// Whom we believe.
    async fn client(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(client) = self.client.read().clone() {
            return Ok(client);
        }
        let settings = self.settings.clone();
        let read = tokio::task::spawn_blocking(move || material::client(&settings)).await;
        let client = read.map_err(io::Error::other)?.map_err(io::Error::other)?;
        *self.client.write() = Some(Arc::clone(&client));
        Ok(client)
    }

    /// What we show, where we listen.
    pub(super) fn server(&self) -> Option<Arc<ServerConfig>> {
        self.server.read().clone()
    }

    /// A place for a handshake, if there is one left.
    pub(super) fn handshake(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.handshakes).try_acquire_owned().ok()
    }

    pub(super) fn deadline(&self) -> Duration {
        Duration::from_millis(self.settings.handshake_ms)
    }
}

/// Accepts connections for ever. A handshake has a deadline, and only so many are under way at once, so that
/// those who connect and say nothing keep nobody out for long.
pub(super) async fn accept(listener: TcpListener, context: Context) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %error, "accepting a sip connection failed");
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&context.tls.handshakes).try_acquire_owned() else {
            metrics::dropped("handshake_limit");
            continue;
        };
        let Some(opened) = context.transports.accept(peer, Transport::Tls) else {
            metrics::dropped("connection_limit");
            continue;
        };
        let context = context.clone();
        context.tasks.clone().spawn(async move {
            let id = opened.id;
            let server = context.tls.server.read().clone();
            let Some(server) = server else { return abandon(id, &context).await };
            let _ = stream.set_nodelay(true);
            let shaken = timeout(context.tls.deadline(), TlsAcceptor::from(server).accept(stream)).await;
            drop(permit);
            match shaken {
                Ok(Ok(stream)) => {
                    serve(stream, flow(peer, Transport::Tls), opened, true, &context).await;
                }
                Ok(Err(error)) => {
                    metrics::dropped("handshake_failed");
                    tracing::debug!(error = %error, "a TLS handshake failed");
                    abandon(id, &context).await;
                }
                Err(_) => {
                    metrics::dropped("handshake_timeout");
                    abandon(id, &context).await;
                }
            }
        });
    }
}

/// Makes a connection and serves it. The certificate has to be for the name by which the peer was found, or for
/// its address where there was none.
pub(super) fn connect(peer: SocketAddr, context: &Context) -> Option<ConnectionId> {
    let opened = context.transports.open(peer, Transport::Tls)?;
    let id = opened.id;
    let context = context.clone();
    context.tasks.clone().spawn(async move {
        match timeout(context.tls.deadline(), handshake(peer, &context)).await {
            Ok(Ok(stream)) => serve(stream, flow(peer, Transport::Tls), opened, false, &context).await,
            Ok(Err(why)) => {
                metrics::dropped("handshake_failed");
                tracing::warn!(error = %why, "a TLS connection could not be made");
                abandon(id, &context).await;
            }
            Err(_) => {
                metrics::dropped("handshake_timeout");
                tracing::warn!("a TLS connection was not made in time");
                abandon(id, &context).await;
            }
        }
    });
    Some(id)
}

async fn handshake(
    peer: SocketAddr,
    context: &Context,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = context.transports.name_of(peer);
    let name = name
        .and_then(|name| ServerName::try_from(name).ok())
        .unwrap_or_else(|| ServerName::IpAddress(peer.ip().into()));
    let client = context.tls.client().await?;
    let stream = TcpStream::connect(peer).await?;
    let _ = stream.set_nodelay(true);
    TlsConnector::from(client).connect(name, stream).await
}
