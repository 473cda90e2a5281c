//! Utterances as requests of a loop, the threads that speak them, and the cache in front of both.

use std::sync::Arc;

use parking_lot::Mutex;

use super::cache::Cache;
use super::{Settings, Words};
use crate::audio::{Clip, Speech};
use crate::batching::{Ask, RequestSettings};
use crate::engine::{SpeakRequest, Speaking, SpeechReady, TextToSpeech};
use crate::request_loop::{Asker, Canceller, Pass, RequestLoop, Workers};
use crate::{Error, clock, metrics as measured};

/// Speaks one utterance at a time, on a thread of its own.
pub(crate) trait Synthesiser: Send + 'static {
    /// The whole utterance, at the rate that was asked for.
    fn synthesise(&mut self, words: &Words) -> Result<Clip, Error>;
}

/// A voice made of one thread per [`Synthesiser`]. Requests for the same words share one synthesis, whoever asks.
pub(crate) struct Pool {
    name: &'static str,
    settings: Settings,
    cache: Arc<Mutex<Cache>>,
    requests: RequestLoop<Words, Clip>,
}

/// Cancels when dropped, where there is something to cancel.
struct Handle(Option<(Canceller<Words, Clip>, Ask)>);

impl Speaking for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some((canceller, ask)) = &self.0 {
            canceller.cancel(*ask);
        }
    }
}

impl Pool {
    /// Starts one thread per synthesiser. `anew` opens another in the stead of one that hangs.
    pub(crate) fn start<S: Synthesiser>(
        name: &'static str,
        settings: Settings,
        synthesisers: Vec<S>,
        anew: impl Fn() -> Result<S, Error> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let cache = Arc::new(Mutex::new(Cache::new(settings.cache_bytes)));
        let (known, kept) = (Arc::clone(&cache), Arc::clone(&cache));
        let pass = move |synthesiser: S| pass(name, synthesiser, Arc::clone(&known));
        let keep = move |words: &Words, clip: &Clip| {
            let mut cache = kept.lock();
            cache.insert(words, clip.clone());
            measured::set_clip_bytes(name, cache.bytes());
        };
        let bounds = RequestSettings {
            unanswered_max: settings.queued_requests,
            quantum: settings.quantum,
            watchdog: settings.watchdog,
            ..RequestSettings::default()
        };
        let workers = Workers {
            passes: synthesisers.into_iter().map(&pass).collect(),
            anew: Box::new(move || anew().map(&pass)),
            // Before anybody is told, so that who asks next finds it.
            keep: Some(Box::new(keep)),
        };
        let requests = RequestLoop::start(name, bounds, workers)?;
        Ok(Self { name, settings, cache, requests })
    }
}

/// Speaks what nobody has spoken before.
fn pass<S: Synthesiser>(
    name: &'static str,
    mut synthesiser: S,
    known: Arc<Mutex<Cache>>,
) -> Pass<Words, Clip> {
    let mut speak = move |words: &Arc<Words>| {
        if let Some(clip) = known.lock().get(words) {
            return Ok(clip);
        }
        let started = clock::now();
        let clip = synthesiser.synthesise(words)?;
        measured::record_synthesis(name, clip.duration_ms(), started.elapsed());
        Ok(clip)
    };
    Box::new(move |works| works.iter().map(&mut speak).collect())
}

impl TextToSpeech for Pool {
    fn name(&self) -> &'static str {
        self.name
    }

    fn has_room(&self) -> bool {
        self.requests.is_ready() && self.requests.unanswered() < self.settings.queued_requests
    }

    fn trouble(&self) -> Option<String> {
        self.requests.trouble()
    }

    fn speak(&self, request: SpeakRequest, ready: SpeechReady) -> Result<Box<dyn Speaking>, Error> {
        let SpeakRequest { text, mut voice, rate_hz, tenant, within } = request;
        if voice.is_empty() {
            voice.clone_from(&self.settings.voice);
        }
        let words = Words { text, voice, rate_hz };
        let characters = words.text.chars().count();
        self.check(&words, characters)?;
        if let Some(clip) = self.cache.lock().get(&words) {
            measured::count_clip(self.name, true);
            ready(Ok(Speech::clip(clip)));
            return Ok(Box::new(Handle(None)));
        }
        let cost = u32::try_from(characters).unwrap_or(u32::MAX);
        let answer = Box::new(move |clip: Result<Clip, Error>| ready(clip.map(Speech::clip)));
        let asks = self.requests.ask(Asker { tenant, within, cost }, vec![(words, answer)])?;
        measured::count_clip(self.name, false);
        Ok(Box::new(Handle(asks.first().map(|ask| (self.requests.canceller(), *ask)))))
    }
}

impl Pool {
    fn check(&self, words: &Words, characters: usize) -> Result<(), Error> {
        let why = if !(4_000..=48_000).contains(&words.rate_hz) {
            format!("{} Hz is not between 4,000 and 48,000", words.rate_hz)
        } else if characters > self.settings.text_characters {
            format!("a text is longer than {} characters", self.settings.text_characters)
        } else {
            return Ok(());
        };
        Err(Error::Failed { engine: self.name, why })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::batching::Tenant;

    /// Speaks when it is told to, and counts.
    struct Gate {
        go: mpsc::Receiver<bool>,
        spoken: Arc<Mutex<Vec<String>>>,
    }

    impl Synthesiser for Gate {
        fn synthesise(&mut self, words: &Words) -> Result<Clip, Error> {
            let go = self.go.recv().expect("the test says when");
            self.spoken.lock().push(words.text.clone());
            assert!(go, "told to break");
            Ok(Clip::with_estimated_words(words.rate_hz, vec![1; 160].into(), &words.text))
        }
    }

    type Heard = mpsc::Receiver<Result<Speech, Error>>;

    fn pool(queued_requests: usize) -> (Pool, mpsc::SyncSender<bool>, Arc<Mutex<Vec<String>>>) {
        let (go, wait) = mpsc::sync_channel(100);
        let spoken = Arc::new(Mutex::new(Vec::new()));
        let gate = Gate { go: wait, spoken: Arc::clone(&spoken) };
        let settings = Settings { queued_requests, ..Settings::default() };
        let gone = || Err(Error::Failed { engine: "test", why: "there is one gate".into() });
        (Pool::start("test", settings, vec![gate], gone).expect("starts"), go, spoken)
    }

    fn speak(pool: &Pool, text: &str) -> (Result<Box<dyn Speaking>, Error>, Heard) {
        speak_for(pool, text, 0, Duration::from_mins(1))
    }

    fn speak_for(
        pool: &Pool,
        text: &str,
        tenant: u64,
        within: Duration,
    ) -> (Result<Box<dyn Speaking>, Error>, Heard) {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (voice, tenant) = (String::new(), Tenant(tenant));
        let request = SpeakRequest { text: text.into(), voice, rate_hz: 8_000, tenant, within };
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
    fn one_tenant_s_many_utterances_delay_another_s_by_one_turn_and_its_own_words_are_shared() {
        let (pool, go, spoken) = pool(100);
        let long = |number: u32| format!("{number} {}", "word ".repeat(30));
        let patience = Duration::from_mins(1);
        let flood: Vec<_> = (0..20).map(|number| speak_for(&pool, &long(number), 1, patience)).collect();
        let other = speak_for(&pool, "good morning", 2, patience);
        let shared = speak_for(&pool, &long(19), 2, patience);
        for _ in 0..20 {
            go.send(true).unwrap();
        }
        go.send(true).unwrap();
        flood.iter().chain([&other, &shared]).for_each(|(_, heard)| assert!(wait(heard).is_ok()));
        let spoken = spoken.lock();
        assert_eq!(spoken.len(), 21, "the words that both said are spoken once");
        let at = |text: &str| spoken.iter().position(|one| one == text).expect("spoken");
        assert!(at("good morning") <= 3 && at(&long(19)) <= 5, "{spoken:?}");
    }

    #[test]
    fn what_is_too_late_is_not_spoken() {
        let (pool, go, spoken) = pool(10);
        let first = speak(&pool, "one");
        // Until it is in hand.
        while pool.requests.waiting() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let late = speak_for(&pool, "two", 0, Duration::ZERO);
        go.send(true).unwrap();
        assert!(wait(&first.1).is_ok());
        assert!(matches!(wait(&late.1), Err(Error::Late { engine: "test", .. })));
        assert_eq!(*spoken.lock(), ["one"]);
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
