//! The engine: texts as requests of a loop with one thread and one model.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{MiniLm, NAME, Settings};
use crate::Error;
use crate::batching::{Ask, RequestSettings};
use crate::engine::{EmbedRequest, Embedding, Embeddings, EmbeddingsReady};
use crate::request_loop::{Answer, Asker, Canceller, Pass, RequestLoop, Workers};

/// What a model embeds before it is used.
const TRIED: &str = "is anybody there";

/// Embeds on a thread of its own. Dropping it stops the thread; what waits is then dropped unanswered.
pub struct Embedder {
    texts: RequestLoop<String, Embedding>,
}

/// A request that is answered when its last text is, or the first that can't be.
struct Request {
    vectors: Vec<Option<Embedding>>,
    missing: usize,
    /// None once it is answered.
    ready: Option<EmbeddingsReady>,
    /// Its texts, to take back those that nobody needs any more.
    asks: Vec<Ask>,
}

impl Embedder {
    /// Reads the model from `folder` and starts the thread.
    ///
    /// # Errors
    /// As [`MiniLm::load`], and [`Error::Failed`] where the machine gives no thread.
    pub fn start(folder: &Path, settings: Settings) -> Result<Self, Error> {
        let (from, read) = (folder.to_owned(), settings.clone());
        let workers = Workers {
            passes: vec![load(folder, &settings)?],
            anew: Box::new(move || load(&from, &read)),
            keep: None,
        };
        let bounds = RequestSettings {
            unanswered_max: settings.waiting_max,
            batch_max: settings.batch_max,
            gather_ms: settings.gather_ms,
            quantum: settings.quantum,
            watchdog: settings.watchdog,
            ..RequestSettings::default()
        };
        Ok(Self { texts: RequestLoop::start(NAME, bounds, workers)? })
    }
}

/// The model, tried on a sentence.
fn load(folder: &Path, settings: &Settings) -> Result<Pass<String, Embedding>, Error> {
    let model = MiniLm::load(folder, settings)?;
    model.embed(&[TRIED.to_owned()])?;
    Ok(Box::new(move |texts| {
        let texts: Vec<String> = texts.iter().map(|text| String::clone(text)).collect();
        match model.embed(&texts) {
            Ok(vectors) => vectors.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); texts.len()],
        }
    }))
}

impl Embeddings for Embedder {
    fn name(&self) -> &'static str {
        NAME
    }

    fn trouble(&self) -> Option<String> {
        self.texts.trouble()
    }

    fn embed(&self, request: EmbedRequest, ready: EmbeddingsReady) -> Result<(), Error> {
        let EmbedRequest { texts, tenant, within } = request;
        if texts.is_empty() {
            ready(Ok(Vec::new()));
            return Ok(());
        }
        let count = texts.len();
        let asks = Vec::new();
        let waiting = Request { vectors: vec![None; count], missing: count, ready: Some(ready), asks };
        let waiting = Arc::new(Mutex::new(waiting));
        let works = texts.into_iter().enumerate().map(|(place, text)| {
            let (waiting, canceller) = (Arc::clone(&waiting), self.texts.canceller());
            let answer: Answer<Embedding> = Box::new(move |made| match made {
                Ok(vector) => answer(&waiting, place, vector),
                Err(error) => fail(&waiting, &canceller, error),
            });
            (text, answer)
        });
        let asks = self.texts.ask(Asker { tenant, within, cost: 1 }, works.collect())?;
        let mut waiting = waiting.lock();
        waiting.asks = asks;
        if waiting.ready.is_none() {
            // It was answered meanwhile.
            let asks = std::mem::take(&mut waiting.asks);
            drop(waiting);
            asks.into_iter().for_each(|ask| self.texts.canceller().cancel(ask));
        }
        Ok(())
    }
}

fn answer(waiting: &Mutex<Request>, place: usize, vector: Embedding) {
    let mut request = waiting.lock();
    if let Some(place) = request.vectors.get_mut(place)
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

fn fail(waiting: &Mutex<Request>, texts: &Canceller<String, Embedding>, error: Error) {
    let mut request = waiting.lock();
    let (ready, asks) = (request.ready.take(), std::mem::take(&mut request.asks));
    drop(request);
    asks.into_iter().for_each(|ask| texts.cancel(ask));
    if let Some(ready) = ready {
        ready(Err(error));
    }
}
