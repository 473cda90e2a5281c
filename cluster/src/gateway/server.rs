//! Accepts connections, within bounds, until it is stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tower_service::Service;

use super::{Parts, Settings, metrics, routes};
use crate::clock;

/// How long to wait after an accept that failed, such as at the limit of open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its address can't be had.
    #[error(
        "the HTTP address {address} can't be used: {why}; stop what uses it or choose another with --http"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        why: std::io::Error,
    },
}

/// A running gateway. Stop it with [`Gateway::stop`].
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    stopping: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Gateway {
    /// Starts to listen.
    ///
    /// # Errors
    /// [`Error::Listen`] where the address can't be had.
    pub async fn start(settings: &Settings, parts: Parts) -> Result<Self, Error> {
        let listen = |why| Error::Listen { address: settings.address, why };
        let listener = TcpListener::bind(settings.address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stopping, told) = watch::channel(false);
        let task = tokio::spawn(accept(listener, routes(parts, settings), settings.clone(), told));
        Ok(Self { address, stopping, task })
    }

    /// Where it listens; the port is the system's choice where the settings said 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more, lets open requests finish within the settings' bound, then closes them.
    pub async fn stop(self) {
        // Nobody listens any more where the task is over already, which is what is wanted.
        let _ = self.stopping.send(true);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the http gateway did not stop in order");
        }
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    settings: Settings,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(settings.connections_max));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = told(&mut stopping) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accept_one(&listener, &places) => accepted,
        };
        match accepted {
            Some((stream, peer, place)) => {
                let (router, settings, stopping) = (router.clone(), settings.clone(), stopping.clone());
                connections.spawn(async move {
                    serve(stream, peer, router, &settings, stopping).await;
                    drop(place);
                });
            }
            None => tokio::time::sleep(ACCEPT_AGAIN).await,
        }
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_millis(settings.stop_timeout_ms), all_done).await.is_err() {
        connections.shutdown().await;
    }
}

/// Waits until the gateway is told to stop, or is dropped.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // A closed channel says the same as a `true` in it.
    let _ = stopping.wait_for(|stop| *stop).await;
}

type Place = tokio::sync::OwnedSemaphorePermit;

async fn accept_one(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            None
        }
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    settings: &Settings,
    mut stopping: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut router = router.clone();
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        async move { router.call(request).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(settings.head_timeout_ms))
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an http connection broke");
    }
}

/// Bounds each answer's time and counts it.
pub(super) async fn bound_and_count(
    State(settings): State<Settings>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let began = clock::monotonic();
    let bound = Duration::from_millis(settings.answer_timeout_ms);
    let response = match tokio::time::timeout(bound, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::GATEWAY_TIMEOUT, "the answer took too long\n").into_response(),
    };
    metrics::count(
        path.as_ref().map_or("unknown", MatchedPath::as_str),
        response.status(),
        clock::since(began),
    );
    response
}
