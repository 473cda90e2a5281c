//! A queue of utterances, the threads that speak them, and the cache in front of both.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex};

use super::Settings;
use super::cache::Cache;
use crate::audio::{Clip, Speech};
use crate::engine::{SpeakRequest, Speaking, SpeechReady, TextToSpeech};
use crate::{Error, clock, metrics as measured};

/// Speaks one utterance at a time, on a thread of its own.
pub(crate) trait Synthesiser: Send + 'static {
    /// The whole utterance, at the rate that was asked for.
    fn synthesise(&mut self, request: &SpeakRequest) -> Result<Clip, Error>;
}

/// A voice made of one thread per [`Synthesiser`]. Requests for the same words share one synthesis.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    settings: Settings,
    state: Mutex<State>,
    work: Condvar,
}

struct State {
    queue: VecDeque<SpeakRequest>,
    waiting: HashMap<SpeakRequest, Vec<Waiter>>,
    waiters: usize,
    cache: Cache,
    closed: bool,
}

struct Waiter {
    cancelled: Arc<AtomicBool>,
    ready: SpeechReady,
}

/// Cancels when dropped.
struct Handle {
    cancelled: Arc<AtomicBool>,
}

impl Speaking for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

impl Pool {
    /// Starts one thread per synthesiser.
    pub(crate) fn start<S: Synthesiser>(
        name: &'static str,
        settings: Settings,
        synthesisers: Vec<S>,
    ) -> Result<Self, Error> {
        let cache = Cache::new(settings.cache_bytes);
        let shared = Arc::new(Shared {
            name,
            settings,
            state: Mutex::new(State {
                queue: VecDeque::new(),
                waiting: HashMap::new(),
                waiters: 0,
                cache,
                closed: false,
            }),
            work: Condvar::new(),
        });
        for synthesiser in synthesisers {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("speak-{name}"))
                .spawn(move || work(&shared, synthesiser))
                .map_err(|error| Error::Failed { engine: name, why: format!("no thread: {error}") })?;
        }
        Ok(Self { shared })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_all();
    }
}

impl TextToSpeech for Pool {
    fn name(&self) -> &'static str {
        self.shared.name
    }

    fn has_room(&self) -> bool {
        self.shared.state.lock().waiters < self.shared.settings.queued_requests
    }

    fn speak(&self, mut request: SpeakRequest, ready: SpeechReady) -> Result<Box<dyn Speaking>, Error> {
        let shared = &self.shared;
        if request.voice.is_empty() {
            request.voice.clone_from(&shared.settings.voice);
        }
        check(shared, &request)?;
        let cancelled = Arc::new(AtomicBool::new(false));
        let handle = Box::new(Handle { cancelled: Arc::clone(&cancelled) });
        let mut state = shared.state.lock();
        if let Some(clip) = state.cache.get(&request) {
            drop(state);
            measured::count_clip(shared.name, true);
            ready(Ok(Speech::clip(clip)));
            return Ok(handle);
        }
        let limit = shared.settings.queued_requests;
        if state.waiters >= limit {
            return Err(Error::Full { engine: shared.name, limit });
        }
        state.waiters += 1;
        let waiter = Waiter { cancelled, ready };
        if let Some(others) = state.waiting.get_mut(&request) {
            others.push(waiter);
        } else {
            state.waiting.insert(request.clone(), vec![waiter]);
            state.queue.push_back(request);
            shared.work.notify_one();
        }
        measured::set_speaking_queue(shared.name, state.waiters);
        drop(state);
        measured::count_clip(shared.name, false);
        Ok(handle)
    }
}

fn check(shared: &Shared, request: &SpeakRequest) -> Result<(), Error> {
    let why = if !(4_000..=48_000).contains(&request.rate_hz) {
        format!("{} Hz is not between 4,000 and 48,000", request.rate_hz)
    } else if request.text.chars().count() > shared.settings.text_characters {
        format!("a text is longer than {} characters", shared.settings.text_characters)
    } else {
        return Ok(());
    };
    Err(Error::Failed { engine: shared.name, why })
}

fn work<S: Synthesiser>(shared: &Shared, mut synthesiser: S) {
    while let Some(request) = next(shared) {
        let started = clock::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| synthesiser.synthesise(&request)))
            .unwrap_or_else(|_| Err(Error::Failed { engine: shared.name, why: "it panicked".into() }));
        match &outcome {
            Ok(clip) => measured::record_synthesis(shared.name, clip.duration_ms(), started.elapsed()),
            Err(_) => measured::count_failure(shared.name),
        }
        let mut state = shared.state.lock();
        let waiters = state.waiting.remove(&request).unwrap_or_default();
        state.waiters -= waiters.len();
        if let Ok(clip) = &outcome {
            state.cache.insert(&request, clip.clone());
        }
        measured::set_speaking_queue(shared.name, state.waiters);
        measured::set_clip_bytes(shared.name, state.cache.bytes());
        drop(state);
        for waiter in waiters {
            if !waiter.cancelled.load(Ordering::Acquire) {
                (waiter.ready)(outcome.clone().map(Speech::clip));
            }
        }
    }
}

/// The next utterance that somebody still waits for; none when the voice is gone.
fn next(shared: &Shared) -> Option<SpeakRequest> {
    let mut state = shared.state.lock();
    loop {
        if state.closed {
            return None;
        }
        let Some(request) = state.queue.pop_front() else {
            shared.work.wait(&mut state);
            continue;
        };
        let wanted = state
            .waiting
            .get(&request)
            .is_some_and(|waiters| waiters.iter().any(|waiter| !waiter.cancelled.load(Ordering::Acquire)));
        if wanted {
            return Some(request);
        }
        let gone = state.waiting.remove(&request).map_or(0, |waiters| waiters.len());
        state.waiters -= gone;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Speaks when it is told to, and counts.
    struct Gate {
        go: mpsc::Receiver<bool>,
        spoken: Arc<Mutex<Vec<String>>>,
    }

    impl Synthesiser for Gate {
        fn synthesise(&mut self, request: &SpeakRequest) -> Result<Clip, Error> {
            let go = self.go.recv().expect("the test says when");
            self.spoken.lock().push(request.text.clone());
            assert!(go, "told to break");
            Ok(Clip::with_estimated_words(request.rate_hz, vec![1; 160].into(), &request.text))
        }
    }

    type Heard = mpsc::Receiver<Result<Speech, Error>>;

    fn pool(queued_requests: usize) -> (Pool, mpsc::SyncSender<bool>, Arc<Mutex<Vec<String>>>) {
        let (go, wait) = mpsc::sync_channel(100);
        let spoken = Arc::new(Mutex::new(Vec::new()));
        let gate = Gate { go: wait, spoken: Arc::clone(&spoken) };
        let settings = Settings { queued_requests, ..Settings::default() };
        (Pool::start("test", settings, vec![gate]).expect("starts"), go, spoken)
    }

    fn speak(pool: &Pool, text: &str) -> (Result<Box<dyn Speaking>, Error>, Heard) {
        let (sender, receiver) = mpsc::sync_channel(1);
        let request = SpeakRequest { text: text.into(), voice: String::new(), rate_hz: 8_000 };
        (pool.speak(request, Box::new(move |speech| drop(sender.send(speech)))), receiver)
    }

    fn wait(heard: &Heard) -> Result<Speech, Error> {
        heard.recv_timeout(Duration::from_secs(10)).expect("an answer")
    }

    #[test]
    fn the_same_words_are_spoken_once_and_shared() {
        let (pool, go, spoken) = pool(10);
        let (first, second) = (speak(&pool, "hello"), speak(&pool, "hello"));
        go.send(true).unwrap();
        assert!(wait(&first.1).is_ok() && wait(&second.1).is_ok());
        let third = speak(&pool, "hello");
        assert!(third.1.try_recv().expect("at once").is_ok());
        assert_eq!(*spoken.lock(), ["hello"]);
    }

    #[test]
    fn the_queue_is_bounded_and_what_is_cancelled_is_not_spoken() {
        let (pool, go, spoken) = pool(2);
        let first = speak(&pool, "one");
        let (second, second_heard) = speak(&pool, "two");
        assert_eq!(speak(&pool, "three").0.err(), Some(Error::Full { engine: "test", limit: 2 }));
        drop(second);
        go.send(true).unwrap();
        assert!(wait(&first.1).is_ok());
        let last = speak(&pool, "four");
        go.send(true).unwrap();
        assert!(wait(&last.1).is_ok());
        assert!(second_heard.try_recv().is_err());
        assert_eq!(*spoken.lock(), ["one", "four"]);
    }

    #[test]
    fn a_synthesis_that_panics_fails_alone() {
        let (pool, go, _) = pool(10);
        let first = speak(&pool, "one");
        go.send(false).unwrap();
        assert!(matches!(wait(&first.1), Err(Error::Failed { engine: "test", .. })));
        let second = speak(&pool, "two");
        go.send(true).unwrap();
        assert!(wait(&second.1).is_ok());
    }

    #[test]
    fn a_text_out_of_bounds_is_refused() {
        let (pool, ..) = pool(10);
        assert!(matches!(speak(&pool, &"word ".repeat(500)).0, Err(Error::Failed { .. })));
    }
}
