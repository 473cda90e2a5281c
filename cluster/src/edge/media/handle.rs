//! The media of a node.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::types::CallId;
use parking_lot::Mutex;

use super::handshake::Identity;
use super::live::Live;
use super::ports::{Pair, Ports};
use super::session::Commands;
use super::thread::{Thread, Totals};
use super::{Error, Line, LineEnd, MediaEvents, Session, Settings, metrics};
use crate::clock;

/// The address of a session without a port.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// All media of a node. A cheap handle; every clone is the same media.
#[derive(Debug, Clone)]
pub struct Media {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: Arc<Settings>,
    ports: Arc<Ports>,
    threads: Mutex<Vec<Thread>>,
    totals: Arc<Totals>,
    identity: Option<Arc<Identity>>,
    stopped: AtomicBool,
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Sessions open.
    pub sessions: usize,
    /// Ports (pairs) in use.
    pub ports_in_use: usize,
    /// Ports (pairs) that rest after use.
    pub ports_resting: usize,
    /// Turns of the wheel that began more than 5 ms late, since the start.
    pub ticks_late: u64,
    /// RTP packets received, since the start.
    pub packets_received: u64,
    /// RTP packets sent, since the start.
    pub packets_sent: u64,
    /// Sessions that failed within and were ended for it, since the start.
    pub sessions_failed: u64,
}

impl Shared {
    fn tell_counts(&self) {
        let (in_use, resting) = self.ports.counts();
        ::metrics::gauge!(metrics::PORTS, "state" => "in_use").set(in_use as f64);
        ::metrics::gauge!(metrics::PORTS, "state" => "resting").set(resting as f64);
    }
}

impl Media {
    /// Starts the threads. No port is bound yet.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that can't be used, [`Error::System`] if a thread can't be started.
    pub fn start(settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let totals = Arc::new(Totals::default());
        let threads = (0..settings.thread_count())
            .map(|index| Thread::start(index, Arc::clone(&totals)))
            .collect::<Result<_, _>>()
            .map_err(|source| Error::System { what: "start a media thread", source })?;
        let ports = Arc::new(Ports::new(&settings));
        let patience = Duration::from_millis(settings.handshake_ms);
        let identity = if settings.dtls { Some(Arc::new(Identity::new(patience)?)) } else { None };
        let settings = Arc::new(settings);
        let stopped = AtomicBool::new(false);
        let threads = Mutex::new(threads);
        Ok(Self { shared: Arc::new(Shared { settings, ports, threads, totals, identity, stopped }) })
    }

    /// Opens a session: its port is bound and answers from the first [`super::Control::Configure`] on.
    ///
    /// # Errors
    /// [`Error::NoPort`], [`Error::System`] or [`Error::Stopped`].
    pub fn open(&self, call: CallId, events: MediaEvents) -> Result<Session, Error> {
        let shared = &self.shared;
        if shared.stopped.load(Ordering::Acquire) {
            return Err(Error::Stopped);
        }
        let pair = shared.ports.open(clock::monotonic())?;
        let address = shared.settings.public_address.unwrap_or(shared.settings.address);
        let local = SocketAddr::new(address, pair.port);
        self.begin(call, Some(pair), local, events)
    }

    /// Opens a session whose audio a connection carries: it needs no port, and begins with
    /// [`super::Control::Attach`].
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn open_line(&self, call: CallId, events: MediaEvents) -> Result<Session, Error> {
        if self.shared.stopped.load(Ordering::Acquire) {
            return Err(Error::Stopped);
        }
        self.begin(call, None, NOWHERE, events)
    }

    /// The SHA-256 fingerprint of the certificate that keys are agreed on by; none where they are not.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Vec<u8>> {
        self.shared.identity.as_ref().map(|identity| identity.fingerprint())
    }

    /// Whether our silence may be sent as comfort noise, so that it is worth agreeing on.
    #[must_use]
    pub fn sends_comfort_noise(&self) -> bool {
        self.shared.settings.comfort_noise
    }

    /// A line for such a session.
    #[must_use]
    pub fn line(&self) -> (Line, LineEnd) {
        Line::new(&self.shared.settings)
    }

    fn begin(
        &self,
        call: CallId,
        pair: Option<Pair>,
        local: SocketAddr,
        events: MediaEvents,
    ) -> Result<Session, Error> {
        let shared = &self.shared;
        let commands = Arc::new(Commands::new(shared.settings.commands));
        let (ports, identity) = (Arc::clone(&shared.ports), shared.identity.clone());
        let live = Live::new(call, (pair, ports), identity, events, Arc::clone(&commands), &shared.settings);
        let threads = shared.threads.lock();
        let Some(thread) = threads.iter().min_by_key(|thread| thread.sessions()) else {
            return Err(Error::Stopped);
        };
        thread.give(Box::new(live));
        drop(threads);
        self.shared.tell_counts();
        Ok(Session { local, commands })
    }

    /// What is going on.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (ports_in_use, ports_resting) = self.shared.ports.counts();
        let sessions = self.shared.threads.lock().iter().map(Thread::sessions).sum();
        let totals = &self.shared.totals;
        Counts {
            sessions,
            ports_in_use,
            ports_resting,
            ticks_late: totals.ticks_late.load(Ordering::Relaxed),
            packets_received: totals.packets_received.load(Ordering::Relaxed),
            packets_sent: totals.packets_sent.load(Ordering::Relaxed),
            sessions_failed: totals.sessions_failed.load(Ordering::Relaxed),
        }
    }

    /// Closes every session, tells each one's end, and waits for the threads.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Release);
        let threads = std::mem::take(&mut *self.shared.threads.lock());
        for thread in &threads {
            thread.stop();
        }
        for thread in threads {
            thread.join();
        }
    }
}
