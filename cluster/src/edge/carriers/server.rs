//! The edge: its listener, its calls, its handle.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::call::leg::Reception;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::rest::Rest;
use super::table::Table;
use super::told::Told;
use super::{Error, Settings, metrics, webhooks};
use crate::edge::media::Media;

/// How long to wait after an accept that failed, such as at the limit of open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// How often a stopping edge looks whether its calls are gone.
const STOP_EVERY: Duration = Duration::from_millis(20);

/// Tasks that are counted while they run.
#[derive(Debug, Clone, Default)]
pub(super) struct Tasks(Arc<()>);

impl Tasks {
    /// Runs something.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let counted = Arc::clone(&self.0);
        tokio::spawn(async move {
            work.await;
            drop(counted);
        });
    }

    /// How many run.
    fn running(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// What all calls have in common.
pub(super) struct Shared {
    pub(super) settings: Arc<Settings>,
    pub(super) reception: Arc<dyn Reception>,
    pub(super) media: Media,
    pub(super) rest: Rest,
    pub(super) table: Arc<Table>,
    /// The tasks of calls.
    pub(super) calls: Tasks,
    /// Requests to carriers that outlive their calls.
    pub(super) asking: Tasks,
    refusing: AtomicBool,
}

impl Shared {
    pub(super) fn is_refusing(&self) -> bool {
        self.refusing.load(Ordering::Acquire)
    }
}

/// All carriers' calls of a node. Stop it with [`Carriers::stop`].
pub struct Carriers {
    address: Option<SocketAddr>,
    shared: Arc<Shared>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Carriers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Carriers").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Calls that carriers have a name for.
    pub calls: usize,
    /// Tokens that open something.
    pub tokens: usize,
    /// Tasks of calls, and requests under way.
    pub tasks: usize,
}

impl Carriers {
    /// Starts to listen, unless the settings say "off". Calls are offered to `reception`.
    ///
    /// # Errors
    /// [`Error`], for settings that can't be used and an address that can't be had.
    pub async fn start(
        settings: Settings,
        reception: Arc<dyn Reception>,
        media: Media,
    ) -> Result<Self, Error> {
        settings.check()?;
        let settings = Arc::new(settings);
        let shared = Arc::new(Shared {
            rest: Rest::new(&settings)?,
            settings: Arc::clone(&settings),
            reception,
            media,
            table: Arc::default(),
            calls: Tasks::default(),
            asking: Tasks::default(),
            refusing: AtomicBool::new(false),
        });
        let mut bound = None;
        let mut task = None;
        if let Some(address) = settings.address {
            let refused = |source| Error::Listen { address, source };
            let listener = TcpListener::bind(address).await.map_err(refused)?;
            bound = Some(listener.local_addr().map_err(refused)?);
            task = Some(tokio::spawn(accept(listener, Arc::clone(&shared))));
        }
        Ok(Self { address: bound, shared, task: Mutex::new(task) })
    }

    /// Where it listens, if it does.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Refuses new calls from now on, or takes them again. Calls that are up go on.
    pub fn refuse_new(&self, refuse: bool) {
        self.shared.refusing.store(refuse, Ordering::Release);
    }

    /// What is alive.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let shared = &self.shared;
        let tasks = shared.calls.running() + shared.asking.running();
        Counts { calls: shared.table.len(), tokens: shared.table.tokens(), tasks }
    }

    /// Refuses new calls, ends all others, waits until they and what they ask of carriers are over, but not longer
    /// than `grace`, and closes the listener.
    pub async fn stop(&self, grace: Duration) {
        self.refuse_new(true);
        for way in self.shared.table.all() {
            // One whose queue is full is cut off with the process.
            let _ = way.try_send(Told::Stop);
        }
        let until = Instant::now() + grace;
        while self.counts().tasks > 0 && Instant::now() < until {
            sleep(STOP_EVERY).await;
        }
        let task = self.task.lock().take();
        if let Some(task) = task {
            task.abort();
            // It was told to go; that it did not end by itself is no news.
            let _ = task.await;
        }
    }
}

impl Drop for Carriers {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(shared.settings.connections_max));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a carrier's connection could not be accepted");
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        // One too many is closed at once: those who wait would keep others waiting.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            metrics::refused("connections");
            continue;
        };
        tokio::spawn(serve(stream, place, Arc::clone(&shared)));
    }
}

/// One request per connection, as each answer says: carriers ask seldom, and a stream keeps its connection anyway.
async fn serve(stream: TcpStream, place: OwnedSemaphorePermit, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let head = Duration::from_millis(shared.settings.request_ms);
    let place = Mutex::new(Some(place));
    let service = service_fn(move |request| {
        let (shared, place) = (Arc::clone(&shared), place.lock().take());
        async move {
            let reply = match place {
                Some(place) => webhooks::serve(shared, place, request).await,
                None => webhooks::bare(hyper::StatusCode::BAD_REQUEST),
            };
            Ok::<_, Infallible>(reply)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        metrics::refused("connection");
        tracing::debug!(%error, "a carrier's connection broke");
    }
}
