//! TLS with those who connect: what we show and whom we believe, as it is just now.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Error;
use crate::remote::{Settings, renewal, security};

/// What a handshake needs.
pub(super) struct Handshakes {
    settings: Settings,
    listen: SocketAddr,
    shown: RwLock<Arc<ServerConfig>>,
}

impl Handshakes {
    /// Reads the certificates, and reads them again when they change; none for plain text. To be called on a runtime.
    pub(super) fn start(settings: &Settings) -> Result<Option<Arc<Self>>, Error> {
        let seen = renewal::seen(&settings.certificates);
        let listen = settings.listen;
        let Some(shown) = security::server(settings, listen)? else { return Ok(None) };
        let started = Arc::new(Self { settings: settings.clone(), listen, shown: RwLock::new(shown) });
        renewal::start(&settings.certificates, seen, &started, Self::renew);
        Ok(Some(started))
    }

    /// Takes the files as they are.
    fn renew(&self) -> Result<(), Error> {
        if let Some(shown) = security::server(&self.settings, self.listen)? {
            *self.shown.write() = shown;
        }
        Ok(())
    }

    /// Shakes hands, within the deadline.
    pub(super) async fn shake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let shown = Arc::clone(&self.shown.read());
        let patience = Duration::from_millis(self.settings.server.handshake_ms);
        timeout(patience, TlsAcceptor::from(shown).accept(stream)).await?
    }
}
