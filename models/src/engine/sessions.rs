//! The sessions that a recogniser has open, the places that it keeps for calls, and the loop that looks after both.

use std::collections::HashMap;
use std::collections::hash_map::Values;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::{Error, metrics as measured};

/// Sessions of one recogniser, as many at once as it has places.
pub(crate) struct Sessions<S> {
    engine: &'static str,
    places: usize,
    state: Mutex<State<S>>,
    wake: Condvar,
}

struct State<S> {
    open: HashMap<u64, Arc<S>>,
    opened: u64,
    /// Places that are taken: by sessions, and for calls that have none just now.
    taken: usize,
    hurried: bool,
    closed: bool,
}

/// A place, given back when it is dropped. It is for one session at a time.
pub(crate) struct Seat<S> {
    sessions: Weak<Sessions<S>>,
}

/// A session that is open; dropped, it is over.
pub(crate) struct Opened<S> {
    pub(crate) session: Arc<S>,
    id: u64,
    sessions: Weak<Sessions<S>>,
    _seat: Option<Arc<Seat<S>>>,
}

impl<S> Sessions<S> {
    pub(crate) fn new(engine: &'static str, places: usize) -> Arc<Self> {
        let state = State { open: HashMap::new(), opened: 0, taken: 0, hurried: false, closed: false };
        Arc::new(Self { engine, places, state: Mutex::new(state), wake: Condvar::new() })
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`Error::Full`] where all are taken.
    pub(crate) fn take(self: &Arc<Self>) -> Result<Arc<Seat<S>>, Error> {
        let mut state = self.state.lock();
        if state.taken >= self.places {
            return Err(Error::Full { engine: self.engine, limit: self.places });
        }
        state.taken += 1;
        Ok(Arc::new(Seat { sessions: Arc::downgrade(self) }))
    }

    /// Looks after a session from now on. Without a place it is bounded by whoever opens it.
    pub(crate) fn open(self: &Arc<Self>, seat: Option<Arc<Seat<S>>>, session: Arc<S>) -> Opened<S> {
        let mut state = self.state.lock();
        let id = state.opened;
        state.opened += 1;
        state.open.insert(id, Arc::clone(&session));
        measured::set_sessions(self.engine, state.open.len());
        drop(state);
        self.wake.notify_all();
        Opened { session, id, sessions: Arc::downgrade(self), _seat: seat }
    }

    /// How many are open.
    #[cfg(any(test, feature = "candle"))]
    pub(crate) fn count(&self) -> usize {
        self.state.lock().open.len()
    }

    /// Looks at those that are open, which nobody opens or ends meanwhile.
    pub(crate) fn look<R>(&self, at: impl FnOnce(Values<'_, u64, Arc<S>>) -> R) -> R {
        at(self.state.lock().open.values())
    }

    /// They are looked after at once.
    pub(crate) fn hurry(&self) {
        self.state.lock().hurried = true;
        self.wake.notify_all();
    }

    /// Ends [`Self::attend`].
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_all();
    }

    /// Looks after the sessions every `tick` while there are any, until [`Self::close`].
    pub(crate) fn attend(&self, tick: Duration, mut look_after: impl FnMut(&[Arc<S>])) {
        let mut sessions: Vec<Arc<S>> = Vec::new();
        loop {
            sessions.clear();
            let mut state = self.state.lock();
            if state.open.is_empty() && !state.closed {
                self.wake.wait(&mut state);
            } else if !state.hurried && !state.closed {
                self.wake.wait_for(&mut state, tick);
            }
            if state.closed {
                return;
            }
            state.hurried = false;
            sessions.extend(state.open.values().cloned());
            drop(state);
            look_after(&sessions);
        }
    }
}

impl<S> Drop for Seat<S> {
    fn drop(&mut self) {
        if let Some(sessions) = self.sessions.upgrade() {
            let mut state = sessions.state.lock();
            state.taken = state.taken.saturating_sub(1);
        }
    }
}

impl<S> Opened<S> {
    /// Hurries whoever looks after it.
    pub(crate) fn hurry(&self) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions.hurry();
        }
    }
}

impl<S> Drop for Opened<S> {
    fn drop(&mut self) {
        if let Some(sessions) = self.sessions.upgrade() {
            let mut state = sessions.state.lock();
            state.open.remove(&self.id);
            measured::set_sessions(sessions.engine, state.open.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn a_place_is_taken_from_before_its_session_until_after() {
        let sessions = Sessions::new("test", 2);
        let kept = sessions.take().expect("a place");
        let session = sessions.open(Some(Arc::clone(&kept)), Arc::new(1));
        let other = sessions.take().expect("the last place");
        assert_eq!(sessions.take().err(), Some(Error::Full { engine: "test", limit: 2 }));
        drop(session);
        assert!(sessions.take().is_err(), "the call goes on, and may open another session");
        let again = sessions.open(Some(kept), Arc::new(2));
        assert_eq!((sessions.count(), sessions.look(|mut all| all.next().map(|one| **one))), (1, Some(2)));
        drop((again, other));
        assert_eq!(sessions.count(), 0);
        assert!([sessions.take(), sessions.take()].iter().all(Result::is_ok), "both places went back");
    }

    #[test]
    fn sessions_are_looked_after_until_the_end() {
        let sessions = Sessions::new("test", 1);
        let (seen, looked) = sync_channel(100);
        let attended = Arc::clone(&sessions);
        let attendant = std::thread::spawn(move || {
            attended.attend(Duration::from_mins(1), |open| {
                for session in open {
                    let _ = seen.try_send(**session);
                }
            });
        });
        let opened = sessions.open(None, Arc::new(7));
        opened.hurry();
        assert_eq!(looked.recv_timeout(Duration::from_secs(10)), Ok(7), "long before its tick");
        sessions.close();
        attendant.join().expect("no panic");
        drop(opened);
    }
}
