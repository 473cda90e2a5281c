//! What waits for the indexer: calls that have ended, and orders.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use metrics::{counter, gauge};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::metrics::{MISSED, QUEUE_DEPTH};
use super::{Error, Forget, Result};
use crate::types::CallId;

/// Orders that may wait; a further one is refused.
const ORDERS_MAX: usize = 64;

/// A call that is over and whose record is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) call: CallId,
    pub(super) began: Timestamp,
}

/// What the indexer is told to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Remove calls, and their bytes.
    Forget(Forget, oneshot::Sender<Result<()>>),
    /// Throw the index away and build it anew; answered when that has begun.
    Rebuild(oneshot::Sender<Result<()>>),
    /// Look for missed calls now; answered when all that ended before is committed.
    Settle(oneshot::Sender<()>),
}

/// A bounded queue that never makes a call wait.
#[derive(Debug)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    bell: Condvar,
    queue_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    ended: VecDeque<Ended>,
    /// When the earliest call began that did not fit in.
    missed: Option<Timestamp>,
    orders: VecDeque<Order>,
    closed: bool,
    killed: bool,
}

/// What the indexer has taken out.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) orders: Vec<Order>,
    pub(super) ended: Vec<Ended>,
    pub(super) missed: Option<Timestamp>,
    /// No more comes after this, once it is empty.
    pub(super) closed: bool,
    /// Stop as a process that dies does.
    pub(super) killed: bool,
}

impl Inbox {
    pub(super) fn new(queue_max: usize) -> Self {
        Self { waiting: Mutex::default(), bell: Condvar::new(), queue_max: queue_max.max(1) }
    }

    /// Takes note of a call that is over. Where too many wait, only of when it began: a sweep will find it.
    pub(super) fn ended(&self, ended: Ended) {
        let mut waiting = self.waiting.lock();
        if waiting.ended.len() < self.queue_max && !waiting.closed {
            waiting.ended.push_back(ended);
            gauge!(QUEUE_DEPTH).set(waiting.ended.len() as f64);
        } else {
            waiting.missed = Some(waiting.missed.map_or(ended.began, |missed| missed.min(ended.began)));
            counter!(MISSED).increment(1);
        }
        drop(waiting);
        self.bell.notify_one();
    }

    pub(super) fn order(&self, order: Order) -> Result<()> {
        let mut waiting = self.waiting.lock();
        let why = if waiting.closed {
            "it has stopped"
        } else if waiting.orders.len() >= ORDERS_MAX {
            "too many orders wait; try again later"
        } else {
            waiting.orders.push_back(order);
            drop(waiting);
            self.bell.notify_one();
            return Ok(());
        };
        Err(Error::Unavailable { why: why.to_owned() })
    }

    /// Calls that wait.
    pub(super) fn depth(&self) -> usize {
        self.waiting.lock().ended.len()
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        self.waiting.lock().closed = true;
        self.bell.notify_one();
    }

    /// Has the indexer stop where it is.
    #[cfg(test)]
    pub(super) fn kill(&self) {
        let mut waiting = self.waiting.lock();
        (waiting.closed, waiting.killed) = (true, true);
        drop(waiting);
        self.bell.notify_one();
    }

    /// All orders and at most `max` calls; waits at most `wait` for something to come.
    pub(super) fn take(&self, wait: Duration, max: usize) -> Taken {
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() && !waiting.closed && !wait.is_zero() {
            self.bell.wait_for(&mut waiting, wait);
        }
        let count = waiting.ended.len().min(max);
        let taken = Taken {
            orders: waiting.orders.drain(..).collect(),
            ended: waiting.ended.drain(..count).collect(),
            missed: waiting.missed.take(),
            closed: waiting.closed,
            killed: waiting.killed,
        };
        gauge!(QUEUE_DEPTH).set(waiting.ended.len() as f64);
        taken
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.orders.is_empty() && self.missed.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_remembered_by_its_beginning() {
        let inbox = Inbox::new(2);
        let at = |second| Timestamp::from_second(second).expect("in range");
        for second in [5, 4, 9, 3, 7] {
            inbox.ended(Ended { call: CallId::default(), began: at(second) });
        }
        let taken = inbox.take(Duration::ZERO, 10);
        assert_eq!(taken.ended.iter().map(|ended| ended.began).collect::<Vec<_>>(), [at(5), at(4)]);
        assert_eq!(taken.missed, Some(at(3)));
        assert_eq!(inbox.take(Duration::ZERO, 10).missed, None);
        inbox.close();
        assert!(inbox.order(Order::Settle(oneshot::channel().0)).is_err());
        assert!(inbox.take(Duration::from_secs(60), 10).closed, "nobody waits for a closed inbox");
    }
}
