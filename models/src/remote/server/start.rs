//! The listener, and its orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport;

use super::connections::incoming;
use super::desk::Desk;
use super::handshakes::Handshakes;
use super::service::Inference;
use super::{super::security, Served};
use crate::Error;
use crate::remote::wire::Room;
use crate::remote::{NAME, Settings};

/// A node's engines at work for others. Stop it with [`Server::stop`].
pub struct Server {
    address: SocketAddr,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Takes streams from when this returns.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the address can't be had or the certificates can't be used, or where callers'
    /// words would go over the network in plain text and nobody has allowed it.
    pub async fn start(settings: &Settings, engines: Served) -> Result<Self, Error> {
        let unusable = |why: String| Error::Unavailable {
            engine: NAME,
            why,
            mend: "change inference.listen or inference.certificates".into(),
        };
        let at = settings.listen;
        let handshakes = Handshakes::start(settings)?;
        let listener =
            TcpListener::bind(at).await.map_err(|why| unusable(format!("{at} can't be had: {why}")))?;
        let address = listener.local_addr().map_err(|why| unusable(why.to_string()))?;
        let bounds = &settings.server;
        let streams = bounds.hearing_max + bounds.speaking_max + bounds.comparing_max + bounds.pausing_max;
        let server = transport::Server::builder()
            .max_concurrent_streams(u32::try_from(streams).unwrap_or(u32::MAX))
            .http2_keepalive_interval(Some(Duration::from_millis(bounds.ping_ms)))
            .http2_keepalive_timeout(Some(Duration::from_millis(bounds.pong_ms)));
        let desk = Arc::new(Desk::new(bounds.clone(), engines));
        let (service, mut ends) = (Inference::new(Arc::clone(&desk)), desk.ends());
        let connections = Box::pin(incoming(listener, bounds.connections_max, handshakes));
        let serving = tokio::spawn(async move {
            let end = async move { drop(ends.wait_for(|over| *over).await) };
            if let Err(error) = server.serve_with_incoming_shutdown(service, connections, end).await {
                tracing::error!(error = %security::deepest(&error), "the engines work for nobody any more");
            }
        });
        Ok(Self { address, desk, serving })
    }

    /// Where streams are taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Streams that other nodes have open here: callers heard, utterances spoken, requests for embeddings.
    #[must_use]
    pub fn open(&self) -> (u32, u32, u32) {
        let rooms = self.desk.rooms();
        let open = |room: Option<Room>| room.map_or(0, |room| room.open);
        (open(rooms.hearing), open(rooms.speaking), open(rooms.comparing))
    }

    /// Takes nothing new; what is under way goes on.
    pub fn rest(&self) {
        self.desk.rest();
    }

    /// Ends all streams, so that they go on elsewhere, and waits up to `grace` until they have.
    pub async fn stop(mut self, grace: Duration) {
        self.desk.end();
        if tokio::time::timeout(grace, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}
