//! Hints: said to whoever listens now, and lost to those who don't.

use std::collections::HashMap;
use std::sync::Arc;

use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::metrics::HINTS_LOST;

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A hint.
    Hint(Vec<u8>),
    /// Hints may have been missed: whatever they would have told must be looked up.
    Gap,
}

/// A listener on one channel. Hears [`Heard::Gap`] where its queue was full or the connection was lost.
#[derive(Debug)]
pub struct Hints {
    hints: mpsc::Receiver<Vec<u8>>,
    gaps: watch::Receiver<u64>,
}

impl Hints {
    /// The next thing heard, a gap before what came after it; `None` once nothing can come any more. Dropping the
    /// future loses nothing.
    pub async fn next(&mut self) -> Option<Heard> {
        tokio::select! {
            biased;
            Ok(()) = self.gaps.changed() => Some(Heard::Gap),
            hint = self.hints.recv() => hint.map(Heard::Hint),
        }
    }
}

/// The speaking side of a listener.
#[derive(Debug)]
struct Listener {
    hints: mpsc::Sender<Vec<u8>>,
    gaps: watch::Sender<u64>,
}

/// The listeners of one channel.
#[derive(Debug, Default)]
struct Channel {
    listeners: Vec<Listener>,
}

impl Channel {
    /// Adds a listener for whom at most `waiting_max` hints wait.
    fn listen(&mut self, waiting_max: usize) -> Hints {
        let (hints, heard) = mpsc::channel(waiting_max.max(1));
        let (gaps, gap) = watch::channel(0);
        self.listeners.push(Listener { hints, gaps });
        Hints { hints: heard, gaps: gap }
    }

    fn tell(&mut self, hint: &[u8]) {
        self.listeners.retain(|listener| match listener.hints.try_send(hint.to_vec()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                counter!(HINTS_LOST).increment(1);
                listener.gaps.send_modify(|gaps| *gaps += 1);
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        });
    }

    fn miss(&mut self) {
        self.listeners.retain(|listener| !listener.hints.is_closed());
        for listener in &self.listeners {
            listener.gaps.send_modify(|gaps| *gaps += 1);
        }
    }
}

/// All listeners, by channel.
#[derive(Debug, Clone, Default)]
pub(in crate::storage) struct Subscribers {
    channels: Arc<Mutex<HashMap<String, Channel>>>,
}

impl Subscribers {
    /// Adds a listener; whether it is the channel's first.
    pub(in crate::storage) fn listen(&self, channel: &str, waiting_max: usize) -> (Hints, bool) {
        let mut channels = self.channels.lock();
        // Whoever listens in turn on many channels leaves none behind.
        channels.retain(|_, channel| channel.listeners.iter().any(|listener| !listener.hints.is_closed()));
        let first = !channels.contains_key(channel);
        (channels.entry(channel.to_owned()).or_default().listen(waiting_max), first)
    }

    /// Hands a hint to the channel's listeners.
    pub(in crate::storage) fn tell(&self, channel: &str, hint: &[u8]) {
        let mut channels = self.channels.lock();
        if let Some(listeners) = channels.get_mut(channel) {
            listeners.tell(hint);
            if listeners.listeners.is_empty() {
                channels.remove(channel);
            }
        }
    }

    /// The channels that somebody listens on.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "without a server nobody asks"))]
    pub(in crate::storage) fn channels(&self) -> Vec<String> {
        self.channels.lock().keys().cloned().collect()
    }

    /// Tells everybody that hints may have been missed.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "without a server nothing is missed"))]
    pub(in crate::storage) fn miss(&self) {
        self.channels.lock().values_mut().for_each(Channel::miss);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gap_is_heard_before_what_came_after_it() {
        let subscribers = Subscribers::default();
        let (mut hints, first) = subscribers.listen("a", 2);
        assert!(first);
        for hint in [b"1", b"2", b"3"] {
            subscribers.tell("a", hint);
        }
        assert_eq!(hints.next().await, Some(Heard::Gap), "the third found two waiting");
        assert_eq!(hints.next().await, Some(Heard::Hint(b"1".to_vec())));
        assert_eq!(hints.next().await, Some(Heard::Hint(b"2".to_vec())));
        subscribers.miss();
        subscribers.tell("a", b"4");
        assert_eq!(hints.next().await, Some(Heard::Gap));
        assert_eq!(hints.next().await, Some(Heard::Hint(b"4".to_vec())));
    }

    #[test]
    fn listeners_that_are_gone_leave_nothing_behind() {
        let subscribers = Subscribers::default();
        drop(subscribers.listen("a", 1));
        drop(subscribers.listen("b", 1));
        let (_listens, first) = subscribers.listen("a", 1);
        assert!(first, "the first listener is gone");
        assert_eq!(subscribers.channels.lock().len(), 1);
        subscribers.tell("nobody", b"x");
    }
}
