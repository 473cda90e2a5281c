//! The engine: one queue, one thread, one model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{MiniLm, NAME, Settings, metrics as measured};
use crate::batching::FairQueue;
use crate::engine::{EmbedRequest, Embedding, Embeddings, EmbeddingsReady};
use crate::{Error, clock};

/// Embeds on a thread of its own. Dropping it stops the thread; what waits is then dropped unanswered.
pub struct Embedder {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    started: Instant,
    state: Mutex<State>,
    work: Condvar,
}

struct State {
    queue: FairQueue<Piece>,
    closed: bool,
}

/// One text of a request.
struct Piece {
    text: String,
    place: usize,
    request: Arc<Mutex<Request>>,
}

/// A request that is answered when its last text is.
struct Request {
    vectors: Vec<Option<Embedding>>,
    missing: usize,
    /// None once it is answered.
    ready: Option<EmbeddingsReady>,
}

impl Embedder {
    /// Reads the model from `folder` and starts the thread.
    ///
    /// # Errors
    /// As [`MiniLm::load`], and [`Error::Failed`] where the machine gives no thread.
    pub fn start(folder: &Path, settings: Settings) -> Result<Self, Error> {
        let model = MiniLm::load(folder, &settings)?;
        let queue = FairQueue::new(settings.quantum);
        let shared = Arc::new(Shared {
            settings,
            started: clock::now(),
            state: Mutex::new(State { queue, closed: false }),
            work: Condvar::new(),
        });
        let embedder = Self { shared: Arc::clone(&shared) };
        std::thread::Builder::new()
            .name("embed".into())
            .spawn(move || work(&shared, &model))
            .map_err(|error| Error::Failed { engine: NAME, why: format!("no thread: {error}") })?;
        Ok(embedder)
    }
}

impl Drop for Embedder {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_all();
    }
}

impl Embeddings for Embedder {
    fn name(&self) -> &'static str {
        NAME
    }

    fn embed(&self, request: EmbedRequest, ready: EmbeddingsReady) -> Result<(), Error> {
        let count = request.texts.len();
        if count == 0 {
            ready(Ok(Vec::new()));
            return Ok(());
        }
        let deadline = self.shared.now() + request.within;
        let mut state = self.shared.state.lock();
        let limit = self.shared.settings.waiting_max;
        if state.queue.len() + count > limit {
            return Err(Error::Full { engine: NAME, limit });
        }
        let waiting = Request { vectors: vec![None; count], missing: count, ready: Some(ready) };
        let waiting = Arc::new(Mutex::new(waiting));
        for (place, text) in request.texts.into_iter().enumerate() {
            let piece = Piece { text, place, request: Arc::clone(&waiting) };
            state.queue.push(request.tenant, 1, deadline, 1, piece);
        }
        measured::set_waiting(state.queue.len());
        drop(state);
        self.shared.work.notify_one();
        Ok(())
    }
}

impl Shared {
    fn now(&self) -> Duration {
        clock::now().saturating_duration_since(self.started)
    }
}

fn work(shared: &Shared, model: &MiniLm) {
    while let Some((pieces, late)) = next(shared) {
        measured::count_late(late.len());
        for piece in late {
            piece.request.lock().fail("its deadline passed before its turn");
        }
        if pieces.is_empty() {
            continue;
        }
        let texts: Vec<String> = pieces.iter().map(|piece| piece.text.clone()).collect();
        let started = clock::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| model.embed(&texts)))
            .unwrap_or_else(|_| Err(Error::Failed { engine: NAME, why: "it panicked".into() }));
        measured::record_pass(texts.len(), started.elapsed());
        match outcome {
            Ok(vectors) => pieces.iter().zip(vectors).for_each(|(piece, vector)| piece.answer(vector)),
            Err(error) => {
                crate::metrics::count_failure(NAME);
                pieces.iter().for_each(|piece| piece.request.lock().fail(&error.to_string()));
            }
        }
    }
}

/// What to embed next, and what is too late; none when the engine is gone.
fn next(shared: &Shared) -> Option<(Vec<Piece>, Vec<Piece>)> {
    let mut state = shared.state.lock();
    while !state.closed && state.queue.is_empty() {
        shared.work.wait(&mut state);
    }
    let until = clock::now() + Duration::from_millis(shared.settings.gather_ms);
    while !state.closed && state.queue.len() < shared.settings.batch_max {
        if shared.work.wait_until(&mut state, until).timed_out() {
            break;
        }
    }
    if state.closed {
        return None;
    }
    let late = state.queue.expire(shared.now());
    let taken = (0..shared.settings.batch_max).map_while(|_| state.queue.take()).collect();
    measured::set_waiting(state.queue.len());
    Some((taken, late))
}

impl Piece {
    fn answer(&self, vector: Embedding) {
        let mut request = self.request.lock();
        if let Some(place) = request.vectors.get_mut(self.place)
            && place.replace(vector).is_none()
        {
            request.missing -= 1;
        }
        if request.missing == 0
            && let Some(ready) = request.ready.take()
        {
            let vectors = request.vectors.drain(..).flatten().collect();
            drop(request);
            ready(Ok(vectors));
        }
    }
}

impl Request {
    fn fail(&mut self, why: &str) {
        if let Some(ready) = self.ready.take() {
            ready(Err(Error::Failed { engine: NAME, why: why.into() }));
        }
    }
}
