//! Calls by the carrier's name for them and by the tokens in our URLs.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::metrics;
use super::provider::Provider;
use super::told::Told;

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    /// A stream; once.
    Stream,
    /// The questions of a transfer.
    Transfer,
}

type Way = mpsc::Sender<Told>;

/// All calls of the edge.
#[derive(Default)]
pub(super) struct Table {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: HashMap<(Provider, String), Way>,
    tokens: HashMap<String, (Provider, Opens, Way)>,
}

/// What came of entering a call.
pub(super) enum Entered {
    /// It is new: it leaves when this is dropped.
    New(Place),
    /// It is there already.
    Known(Way),
    /// There are as many as there may be.
    Full,
}

/// A call's place. Dropping it forgets the call and its tokens.
pub(super) struct Place {
    table: Arc<Table>,
    key: (Provider, String),
    tokens: Vec<String>,
    way: Way,
}

impl Table {
    /// Enters a call.
    pub(super) fn enter(self: &Arc<Self>, provider: Provider, call: &str, way: &Way, most: usize) -> Entered {
        let key = (provider, call.to_owned());
        let mut state = self.state.lock();
        if let Some(known) = state.calls.get(&key) {
            return Entered::Known(known.clone());
        }
        if state.calls.len() >= most {
            return Entered::Full;
        }
        state.calls.insert(key.clone(), way.clone());
        metrics::alive(state.calls.len());
        Entered::New(Place { table: Arc::clone(self), key, tokens: Vec::new(), way: way.clone() })
    }

    /// The call of this name.
    pub(super) fn call(&self, provider: Provider, call: &str) -> Option<Way> {
        self.state.lock().calls.get(&(provider, call.to_owned())).cloned()
    }

    /// The call that a token opens. A stream's token is used up by it.
    pub(super) fn open(&self, provider: Provider, opens: Opens, token: &str) -> Option<Way> {
        let mut state = self.state.lock();
        let (of, what, way) = state.tokens.get(token)?;
        if (*of, *what) != (provider, opens) {
            return None;
        }
        let way = way.clone();
        if opens == Opens::Stream {
            state.tokens.remove(token);
        }
        Some(way)
    }

    /// How many calls there are.
    pub(super) fn len(&self) -> usize {
        self.state.lock().calls.len()
    }

    /// Tokens that open something.
    pub(super) fn tokens(&self) -> usize {
        self.state.lock().tokens.len()
    }

    /// All calls.
    pub(super) fn all(&self) -> Vec<Way> {
        self.state.lock().calls.values().cloned().collect()
    }
}

impl Place {
    /// A new token, which nobody can guess.
    pub(super) fn token(&mut self, opens: Opens) -> String {
        let token: String = crate::chance::bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut state = self.table.state.lock();
        state.tokens.insert(token.clone(), (self.key.0, opens, self.way.clone()));
        drop(state);
        self.tokens.push(token.clone());
        token
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.table.state.lock();
        for token in &self.tokens {
            state.tokens.remove(token);
        }
        state.calls.remove(&self.key);
        metrics::alive(state.calls.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_opened_once_by_its_own_carrier_and_nothing_is_left_of_a_call() {
        let table = Arc::new(Table::default());
        let (way, _end) = mpsc::channel(16);
        let Entered::New(mut place) = table.enter(Provider::Twilio, "CA1", &way, 1) else { panic!("new") };
        assert!(matches!(table.enter(Provider::Twilio, "CA1", &way, 1), Entered::Known(_)));
        assert!(matches!(table.enter(Provider::Plivo, "CA1", &way, 1), Entered::Full));
        let (stream, transfer) = (place.token(Opens::Stream), place.token(Opens::Transfer));
        assert_ne!(stream, transfer);
        assert!(table.open(Provider::Plivo, Opens::Stream, &stream).is_none());
        assert!(table.open(Provider::Twilio, Opens::Stream, &transfer).is_none());
        assert!(table.open(Provider::Twilio, Opens::Stream, &stream).is_some());
        assert!(table.open(Provider::Twilio, Opens::Stream, &stream).is_none(), "once");
        assert!(table.open(Provider::Twilio, Opens::Transfer, &transfer).is_some());
        assert!(table.open(Provider::Twilio, Opens::Transfer, &transfer).is_some(), "as often as asked");
        drop(place);
        assert_eq!((table.len(), table.tokens()), (0, 0));
    }
}
