//! What is alive, so that a leak shows.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What is alive in a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls, from the INVITE until nothing of them is left.
    pub dialogs: usize,
    /// Requests of others: being answered, or remembered for their retransmissions.
    pub server_transactions: usize,
    /// Requests of ours that are not done.
    pub client_transactions: usize,
    /// Connections open.
    pub tcp_connections: usize,
    /// Timers that wait, with those that nobody wants any more.
    pub timers: usize,
}

impl Counts {
    /// Whether nothing is alive but connections, which idle on purpose.
    #[must_use]
    pub const fn is_quiet(&self) -> bool {
        self.dialogs == 0 && self.server_transactions == 0 && self.client_transactions == 0
    }
}

/// One shard's counts, written by it and read by anybody.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) dialogs: AtomicUsize,
    pub(super) servers: AtomicUsize,
    pub(super) clients: AtomicUsize,
    pub(super) timers: AtomicUsize,
}

impl Gauges {
    pub(super) fn add_to(&self, counts: &mut Counts) {
        counts.dialogs += self.dialogs.load(Ordering::Acquire);
        counts.server_transactions += self.servers.load(Ordering::Acquire);
        counts.client_transactions += self.clients.load(Ordering::Acquire);
        counts.timers += self.timers.load(Ordering::Acquire);
    }
}
