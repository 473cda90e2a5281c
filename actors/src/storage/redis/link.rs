//! One connection to the server (in a cluster: one to each), kept: made anew where it is lost, and the client itself
//! made anew where it does not find back.
//!
//! Why the second: the client's task ends for good on some errors, and with a cluster it can keep dialling a master
//! that is gone.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use fred::clients::Client;
use fred::error::{Error as Failure, ErrorKind};
use fred::interfaces::{ClientLike, EventInterface, MetricsInterface};
use fred::types::config::{Config, Options};
use fred::types::{ConnectHandle, RespVersion};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::connect;
use super::error::remedy;
use crate::clock::ms;
use crate::storage::coordination::Settings;
use crate::storage::coordination::metrics::{CONNECTED, CONNECTIONS, QUEUED, REBUILDS};

/// How often a connection on which nothing is asked is tried.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A client that is kept connected. Dropped, it is closed.
pub(super) struct Link {
    shared: Arc<Shared>,
    keeping: JoinHandle<()>,
}

struct Shared {
    client: ArcSwap<Client>,
    /// How many connections were made. Changes with each.
    connections: watch::Sender<u64>,
    misled: Notify,
    /// Why there is no connection, and what to do about it; none while there is one.
    trouble: Mutex<Option<String>>,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Commands; its state is the one that metrics and logs tell.
    Commands,
    /// Hints: RESP3, so that a listening connection can be tried with a command.
    Hints,
}

impl Link {
    /// Starts connecting. Needs a tokio runtime.
    pub(super) fn open(config: Config, settings: &Settings, purpose: Purpose) -> Self {
        let version = match purpose {
            Purpose::Commands => RespVersion::RESP2,
            Purpose::Hints => RespVersion::RESP3,
        };
        let make = {
            let settings = settings.clone();
            move || connect::client(&config, &settings, version.clone())
        };
        let shared = Arc::new(Shared {
            client: ArcSwap::from_pointee(make()),
            connections: watch::Sender::new(0),
            misled: Notify::new(),
            trouble: Mutex::default(),
        });
        let keeping = tokio::spawn(keep(Arc::clone(&shared), make, settings.clone(), purpose));
        Self { shared, keeping }
    }

    /// The client as of now.
    pub(super) fn client(&self) -> Client {
        self.shared.client.load().as_ref().clone()
    }

    /// Changes whenever a connection was made.
    pub(super) fn connections(&self) -> watch::Receiver<u64> {
        self.shared.connections.subscribe()
    }

    /// Why there is no connection, and what to do about it.
    pub(super) fn trouble(&self) -> Option<String> {
        self.shared.trouble.lock().clone()
    }

    /// The server turned out to be the wrong one.
    pub(super) fn misled(&self) {
        self.shared.misled.notify_one();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// The task of one client; dropped, its connections close.
struct Running(ConnectHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep(shared: Arc<Shared>, make: impl Fn() -> Client, settings: Settings, purpose: Purpose) {
    let mut state = State { told: None, purpose };
    loop {
        let client = shared.client.load().as_ref().clone();
        run(&client, &shared, &settings, &mut state).await;
        counter!(REBUILDS).increment(1);
        sleep(ms(u64::from(settings.reconnect_ms.max(1)))).await;
        shared.client.store(Arc::new(make()));
    }
}

/// Runs one client until it has lost its way.
async fn run(client: &Client, shared: &Shared, settings: &Settings, state: &mut State) {
    let (mut made, mut failures) = (client.reconnect_rx(), client.error_rx());
    let mut running = Running(client.connect());
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connected_at = Instant::now();
    let mut why = None;
    let patience = ms(settings.unresponsive_ms.max(1));
    let mut trying = false;
    let mut stalled = pin!(None);
    loop {
        tokio::select! {
            _ = &mut running.0 => return,
            Ok(_) = made.recv() => {
                counter!(CONNECTIONS).increment(1);
                connected_at = Instant::now();
                shared.connections.send_modify(|count| *count += 1);
                *shared.trouble.lock() = None;
            }
            Ok((failure, _)) = failures.recv() => {
                if !client.is_connected() {
                    *shared.trouble.lock() = Some(remedy(&failure, settings));
                }
                why = Some(failure);
            }
            () = shared.misled.notified() => {
                // What is under way is answered as of unknown outcome, not sent again.
                let _ = timeout(ms(settings.connect_ms), client.force_reconnection()).await;
            }
            _ = looks.tick() => {
                let connected = client.is_connected();
                if connected {
                    connected_at = Instant::now();
                }
                state.tell(client, connected, why.as_ref().map(|why| remedy(why, settings)));
                if connected_at.elapsed() > ms(settings.rebuild_ms) {
                    return;
                }
                if connected && !trying {
                    trying = true;
                    stalled.set(Some(is_stalled(client, patience)));
                }
            }
            Some(is_so) = async { Some(stalled.as_mut().as_pin_mut()?.await) }, if trying => {
                trying = false;
                stalled.set(None);
                if is_so {
                    let silent = Failure::new(ErrorKind::Timeout, "a server does not answer");
                    state.tell(client, false, Some(silent.to_string()));
                    return;
                }
            }
        }
    }
}

/// Asks every server that is connected for a sign of life; whether one gave none in time. The client's own look at
/// this begins anew with each command that is sent, so that a server that stands still in full traffic passes it.
async fn is_stalled(client: &Client, patience: Duration) -> bool {
    let clustered = client.is_clustered();
    for server in client.active_connections() {
        let options = Options {
            max_attempts: Some(1),
            timeout: Some(patience),
            fail_fast: true,
            cluster_node: clustered.then_some(server),
            ..Options::default()
        };
        let answer: Result<(), Failure> = client.with_options(&options).ping(None).await;
        if answer.is_err_and(|failure| *failure.kind() == ErrorKind::Timeout) {
            return true;
        }
    }
    false
}

/// What was last told of the connection.
struct State {
    told: Option<bool>,
    purpose: Purpose,
}

impl State {
    fn tell(&mut self, client: &Client, connected: bool, why: Option<String>) {
        if self.purpose == Purpose::Hints {
            return;
        }
        gauge!(CONNECTED).set(if connected { 1.0 } else { 0.0 });
        gauge!(QUEUED).set(client.command_queue_len() as f64);
        if self.told == Some(connected) {
            return;
        }
        match (connected, self.told) {
            (true, _) => tracing::info!("connected to the coordination server"),
            (false, _) => {
                tracing::warn!(why, "the coordination server is away; calls go on without it");
            }
        }
        self.told = Some(connected);
    }
}
