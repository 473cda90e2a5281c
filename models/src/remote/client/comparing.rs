//! Texts that are embedded elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::super::NAME;
use super::super::metrics::{self as measured, Sense};
use super::super::wire::{Embed, Embedded, floats_of};
use super::shared::Shared;
use super::trouble::{Trouble, nobody};
use crate::Error;
use crate::engine::{EmbedRequest, Embedding, Embeddings, EmbeddingsReady};

/// Texts of one message, and characters of one text; the rest of a longer one is left out, as by the model itself.
const TEXTS: usize = 64;
const CHARACTERS: usize = 4_000;

/// Embeddings on other nodes.
pub(super) struct Comparer {
    shared: Arc<Shared>,
    instead: Option<Arc<dyn Embeddings>>,
    under_way: Arc<AtomicUsize>,
}

impl Comparer {
    pub(super) fn new(shared: Arc<Shared>, instead: Option<Arc<dyn Embeddings>>) -> Self {
        Self { shared, instead, under_way: Arc::default() }
    }
}

impl Embeddings for Comparer {
    /// The model's name: directions are kept under it and compared with its own alone, wherever it runs.
    fn name(&self) -> &'static str {
        crate::embeddings::NAME
    }

    fn embed(&self, request: EmbedRequest, ready: EmbeddingsReady) -> Result<(), Error> {
        let limit = self.shared.settings.comparing_max;
        let taken = self
            .under_way
            .try_update(Ordering::AcqRel, Ordering::Acquire, |count| (count < limit).then_some(count + 1));
        if taken.is_err() {
            return Err(Error::Full { engine: NAME, limit });
        }
        let (shared, instead) = (Arc::clone(&self.shared), self.instead.clone());
        let under_way = Arc::clone(&self.under_way);
        self.shared.runtime.spawn(async move {
            embed(&shared, instead.as_deref(), request, ready).await;
            under_way.fetch_sub(1, Ordering::AcqRel);
        });
        Ok(())
    }
}

/// Asks one node after the other while there is time.
async fn embed(
    shared: &Arc<Shared>,
    instead: Option<&dyn Embeddings>,
    request: EmbedRequest,
    ready: EmbeddingsReady,
) {
    let until = Instant::now() + request.within;
    let left = || until.saturating_duration_since(Instant::now());
    let (mut tried, mut last) = (Vec::new(), None);
    while !left().is_zero()
        && let Some(node) = shared.pick(Sense::Comparing, &tried)
    {
        // Half of what is left, so that a node that stands still leaves time for another.
        let patience =
            if shared.links.len() > tried.len() + 1 || instead.is_some() { left() / 2 } else { left() };
        match ask(shared, node, &request, patience).await {
            Ok(directions) => return ready(Ok(directions)),
            Err(trouble) => {
                shared.note(Sense::Comparing, node, &trouble);
                if matches!(trouble, Trouble::Bad(_)) {
                    return ready(Err(nobody(shared.links.len(), Some(&trouble))));
                }
                tried.push(node);
                last = Some(trouble);
            }
        }
    }
    match instead {
        Some(engine) if !left().is_zero() => {
            measured::count_instead(Sense::Comparing);
            let ready = Arc::new(parking_lot::Mutex::new(Some(ready)));
            let answer = Arc::clone(&ready);
            let asked = EmbedRequest { within: left(), ..request };
            let told = move |answered| {
                if let Some(ready) = answer.lock().take() {
                    ready(answered);
                }
            };
            if let Err(error) = engine.embed(asked, Box::new(told))
                && let Some(ready) = ready.lock().take()
            {
                ready(Err(error));
            }
        }
        _ => {
            measured::count_nobody(Sense::Comparing);
            ready(Err(nobody(shared.links.len(), last.as_ref())));
        }
    }
}

async fn ask(
    shared: &Arc<Shared>,
    node: usize,
    request: &EmbedRequest,
    patience: Duration,
) -> Result<Vec<Embedding>, Trouble> {
    let link = shared.link(node).ok_or_else(|| Trouble::Unreachable("there is no such node".into()))?;
    let _counted = shared.opened(Sense::Comparing, node);
    let until = Instant::now() + patience;
    let mut all = Vec::with_capacity(request.texts.len());
    for texts in request.texts.chunks(TEXTS) {
        let left = until.saturating_duration_since(Instant::now());
        let asked = Embed {
            model: crate::embeddings::NAME.to_owned(),
            tenant: request.tenant.0,
            texts: texts.iter().map(|text| text.chars().take(CHARACTERS).collect()).collect(),
            within_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        };
        let answered = match timeout(left, link.embed(asked)).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(status)) => return Err(Trouble::of(&status)),
            Err(_) => return Err(Trouble::Late),
        };
        measured::count_bytes(Sense::Comparing, "received", answered.directions.iter().map(Vec::len).sum());
        all.extend(
            directions(&answered, texts.len())
                .ok_or_else(|| Trouble::Broken("its directions are none".into()))?,
        );
    }
    Ok(all)
}

/// The directions, if there is one per text, all of one length, and nothing but numbers in them.
fn directions(answered: &Embedded, texts: usize) -> Option<Vec<Embedding>> {
    let one = |bytes: &Vec<u8>| {
        let values = floats_of(bytes).ok()?;
        values.iter().all(|value| value.is_finite()).then(|| Embedding(values.into()))
    };
    let all: Vec<Embedding> = answered.directions.iter().map(one).collect::<Option<_>>()?;
    let length = all.first().map_or(0, |first| first.0.len());
    (all.len() == texts && all.iter().all(|one| one.0.len() == length)).then_some(all)
}
