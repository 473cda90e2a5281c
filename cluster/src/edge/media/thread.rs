//! One media thread and its wheel.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ::metrics::{counter, gauge};
use parking_lot::Mutex;

use super::live::{Live, Scratch, Turn};
use super::metrics;
use crate::clock;

/// How long a slot of the wheel is. Each takes a wake of its own, which on a thread that has slept costs as much as a
/// datagram, and who shares one is heard and spoken to at the same pace as alone.
const SLOT_MS: u64 = 5;
/// Slots of the wheel: together one frame.
const SLOTS: usize = 20 / SLOT_MS as usize;
/// A turn that begins later than this is counted.
const LATE: Duration = Duration::from_millis(5);
/// A thread that is further behind than this drops the turns it missed instead of doing them at once.
const HOPELESS: Duration = Duration::from_millis(200);

/// Slots between tellings of what was counted: a second.
const TELL_EVERY: u64 = 1_000 / SLOT_MS;

/// Sums over all threads.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) sessions: AtomicUsize,
    pub(super) ticks_late: AtomicU64,
    pub(super) packets_received: AtomicU64,
    pub(super) packets_sent: AtomicU64,
    pub(super) sessions_failed: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Thread {
    inbox: Arc<Inbox>,
    totals: Arc<Totals>,
    join: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Inbox {
    opened: Mutex<Vec<Box<Live>>>,
    waiting: AtomicBool,
    sessions: AtomicUsize,
    stopping: AtomicBool,
}

impl Thread {
    pub(super) fn start(index: usize, totals: Arc<Totals>) -> std::io::Result<Self> {
        let inbox = Arc::new(Inbox::default());
        let theirs = (Arc::clone(&inbox), Arc::clone(&totals));
        let join = std::thread::Builder::new()
            .name(format!("media-{index}"))
            .spawn(move || Wheel::new(theirs.0, theirs.1).run())?;
        Ok(Self { inbox, totals, join })
    }

    pub(super) fn sessions(&self) -> usize {
        self.inbox.sessions.load(Ordering::Relaxed)
    }

    pub(super) fn give(&self, live: Box<Live>) {
        self.inbox.sessions.fetch_add(1, Ordering::Relaxed);
        self.totals.sessions.fetch_add(1, Ordering::Relaxed);
        self.inbox.opened.lock().push(live);
        self.inbox.waiting.store(true, Ordering::Release);
        self.join.thread().unpark();
    }

    pub(super) fn stop(&self) {
        self.inbox.stopping.store(true, Ordering::Release);
        self.join.thread().unpark();
    }

    pub(super) fn join(self) {
        if self.join.join().is_err() {
            tracing::error!("media thread ended by a panic");
        }
    }
}

struct Wheel {
    inbox: Arc<Inbox>,
    totals: Arc<Totals>,
    slots: [Vec<Box<Live>>; SLOTS],
    scratch: Scratch,
    origin: Instant,
    /// Slots turned since the origin.
    turned: u64,
    /// What the recorder has not been told yet.
    untold: Untold,
}

/// Counted by a thread, told to the recorder once a second.
#[derive(Debug, Default)]
struct Untold {
    received: u64,
    sent: u64,
    late: u64,
    since: u64,
}

impl Untold {
    fn tell(&mut self, sessions: f64) {
        counter!(metrics::PACKETS, "direction" => "received").increment(self.received);
        counter!(metrics::PACKETS, "direction" => "sent").increment(self.sent);
        counter!(metrics::TURNS_LATE).increment(self.late);
        gauge!(metrics::SESSIONS).set(sessions);
        *self = Self { since: self.since, ..Self::default() };
    }
}

impl Wheel {
    fn new(inbox: Arc<Inbox>, totals: Arc<Totals>) -> Self {
        let slots = std::array::from_fn(|_| Vec::new());
        Self {
            inbox,
            totals,
            slots,
            scratch: Scratch::default(),
            origin: clock::monotonic(),
            turned: 0,
            untold: Untold::default(),
        }
    }

    fn run(mut self) {
        while !self.inbox.stopping.load(Ordering::Acquire) {
            self.take_opened();
            let Some(wait) = self.slots_until_occupied() else {
                // No turn comes that would tell it: what the last sessions left is told now, and again while the
                // thread is idle, should another thread have told an older sum in between.
                self.tell();
                std::thread::park_timeout(Duration::from_secs(1));
                self.catch_up();
                continue;
            };
            let due = self.origin + Duration::from_millis((self.turned + wait) * SLOT_MS);
            let now = clock::monotonic();
            if now < due {
                std::thread::park_timeout(due - now);
                // Woken early by a new session: place it, then wait again.
                continue;
            }
            self.turned += wait;
            self.turn(now, now - due);
            self.turned += 1;
            if now - due > HOPELESS {
                self.catch_up();
            }
        }
        self.take_opened();
        for slot in &mut self.slots {
            for mut live in slot.drain(..) {
                let _ = catch_unwind(AssertUnwindSafe(|| live.close()));
                self.inbox.sessions.fetch_sub(1, Ordering::Relaxed);
                self.totals.sessions.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.tell();
    }

    fn tell(&mut self) {
        self.untold.tell(self.totals.sessions.load(Ordering::Relaxed) as f64);
    }

    fn take_opened(&mut self) {
        if !self.inbox.waiting.swap(false, Ordering::AcqRel) {
            return;
        }
        for live in std::mem::take(&mut *self.inbox.opened.lock()) {
            if let Some(slot) = self.slots.iter_mut().min_by_key(|slot| slot.len()) {
                slot.push(live);
            }
        }
    }

    fn slots_until_occupied(&self) -> Option<u64> {
        (0..SLOTS as u64).find(|ahead| {
            self.slots.get((self.turned + ahead) as usize % SLOTS).is_some_and(|slot| !slot.is_empty())
        })
    }

    /// Sets the wheel to the present, passing over what was missed.
    fn catch_up(&mut self) {
        let elapsed = clock::since(self.origin).as_millis();
        self.turned = self.turned.max(u64::try_from(elapsed).unwrap_or(u64::MAX).div_ceil(SLOT_MS));
    }

    fn turn(&mut self, now: Instant, late: Duration) {
        if late > LATE {
            self.totals.ticks_late.fetch_add(1, Ordering::Relaxed);
            self.untold.late += 1;
        }
        let since_origin = now.saturating_duration_since(self.origin);
        self.scratch.begin(now, u64::try_from(since_origin.as_micros()).unwrap_or(u64::MAX));
        let index = self.turned as usize % SLOTS;
        let Some(slot) = self.slots.get_mut(index) else { return };
        let mut at = 0;
        while let Some(live) = slot.get_mut(at) {
            let scratch = &mut self.scratch;
            let ended = match catch_unwind(AssertUnwindSafe(|| live.turn(scratch))) {
                Ok(Turn::Goes) => false,
                Ok(Turn::Over) => true,
                Err(_) => {
                    self.totals.sessions_failed.fetch_add(1, Ordering::Relaxed);
                    counter!(metrics::SESSIONS_FAILED).increment(1);
                    tracing::error!(call_id = %live.call(), "media session failed within and is ended");
                    true
                }
            };
            if ended {
                let mut live = slot.swap_remove(at);
                let _ = catch_unwind(AssertUnwindSafe(|| live.close()));
                self.inbox.sessions.fetch_sub(1, Ordering::Relaxed);
                self.totals.sessions.fetch_sub(1, Ordering::Relaxed);
            } else {
                at += 1;
            }
        }
        self.totals.packets_received.fetch_add(self.scratch.received, Ordering::Relaxed);
        self.totals.packets_sent.fetch_add(self.scratch.sent, Ordering::Relaxed);
        self.untold.received += self.scratch.received;
        self.untold.sent += self.scratch.sent;
        if self.turned.saturating_sub(self.untold.since) >= TELL_EVERY {
            self.untold.since = self.turned;
            self.tell();
        }
    }
}
