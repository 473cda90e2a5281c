//! The playbook with a model of meanings beside it: the caller's words as a vector, where one comes in time.
//!
//! The brain stays pure: it is given what the utterance means as a value. A business's examples are embedded once,
//! when its first call begins; until then, and whenever the model is late, the playbook goes by words alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use models::batching::Tenant;
use models::engine::{EmbedRequest, Embedding, Embeddings};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::brain::playbook::{Meaning, Meanings, Playbook};
use super::brain::{Brain, Context, Question, Thought};
use super::dialogue::Mind;
use crate::types::{Business, TenantId};

/// The bounds of understanding by meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long the model may take for an utterance, in milliseconds; then the playbook goes by words alone.
    pub answer_ms: u64,
    /// How long it may take for all examples of a business, in milliseconds; then the next call tries again.
    pub load_ms: u64,
    /// Businesses whose examples are kept, about 700 KB each. When there are more, all are forgotten and made anew.
    pub businesses_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { answer_ms: 120, load_ms: 120_000, businesses_max: 256 }
    }
}

/// Understands callers of all businesses. Cheap to clone.
#[derive(Clone)]
pub struct Understanding {
    engine: Arc<dyn Embeddings>,
    settings: Settings,
    businesses: Arc<Mutex<HashMap<TenantId, Entry>>>,
}

/// One version of a business's examples; none while they are being embedded.
struct Entry {
    version: u64,
    meanings: Option<Arc<Meanings>>,
}

impl Understanding {
    /// By this model.
    #[must_use]
    pub fn new(engine: Arc<dyn Embeddings>, settings: Settings) -> Self {
        Self { engine, settings, businesses: Arc::default() }
    }

    /// A playbook for a call to `business` that understands by meaning as well.
    #[must_use]
    pub fn mind(&self, playbook: Playbook, business: &Arc<Business>) -> Box<dyn Mind> {
        self.meanings(business);
        Box::new(Understood { playbook, understanding: self.clone(), business: Arc::clone(business) })
    }

    /// The business's examples, if they are there; else they will be soon.
    pub fn meanings(&self, business: &Arc<Business>) -> Option<Arc<Meanings>> {
        let mut businesses = self.businesses.lock();
        if let Some(entry) = businesses.get(&business.id).filter(|entry| entry.version == business.version) {
            return entry.meanings.clone();
        }
        if businesses.len() >= self.settings.businesses_max {
            businesses.clear();
        }
        businesses.insert(business.id.clone(), Entry { version: business.version, meanings: None });
        drop(businesses);
        self.load(business);
        None
    }

    fn load(&self, business: &Arc<Business>) {
        let request = EmbedRequest {
            texts: Meanings::texts(business),
            tenant: tenant(business),
            within: Duration::from_millis(self.settings.load_ms),
        };
        let (businesses, loaded) = (Arc::clone(&self.businesses), Arc::clone(business));
        let ready = move |vectors: Result<Vec<Embedding>, models::Error>| {
            let vectors =
                vectors.map(|vectors| vectors.into_iter().map(|vector| vector.0).collect::<Vec<_>>());
            // Comparing every example with every other takes a while, and the model has other things to do.
            let calibrate = move || keep(&businesses, &loaded, vectors);
            if let Err(why) = std::thread::Builder::new().name("calibrate".into()).spawn(calibrate) {
                tracing::warn!(%why, "no thread to compare a business's examples");
            }
        };
        if let Err(why) = self.engine.embed(request, Box::new(ready)) {
            tracing::warn!(%why, "a business's examples can't be embedded; its calls are understood by words");
            self.businesses.lock().remove(&business.id);
        }
    }

    /// What the words mean, if the model says so in time.
    fn read(&self, business: &Arc<Business>, words: &str) -> Option<Meaning> {
        let meanings = self.meanings(business)?;
        let request = EmbedRequest {
            texts: vec![words.to_owned()],
            tenant: tenant(business),
            within: Duration::from_millis(self.settings.answer_ms),
        };
        let vectors = self.engine.embed_blocking(request).ok()?;
        vectors.first().map(|vector| meanings.read(&vector.0))
    }
}

/// Keeps a business's examples, or forgets that they were asked for, so that the next call asks again.
fn keep(
    businesses: &Mutex<HashMap<TenantId, Entry>>,
    business: &Business,
    vectors: Result<Vec<Arc<[f32]>>, models::Error>,
) {
    let meanings = match vectors {
        Ok(vectors) => Meanings::of(business, &vectors).map(Arc::new),
        Err(why) => {
            tracing::warn!(%why, "a business's examples were not embedded; its calls are understood by words");
            None
        }
    };
    let mut businesses = businesses.lock();
    let Some(entry) = businesses.get_mut(&business.id).filter(|entry| entry.version == business.version)
    else {
        return;
    };
    match meanings {
        Some(meanings) => {
            tracing::info!(tenant = %business.id, score_min = meanings.score_min(), "understands by meaning");
            entry.meanings = Some(meanings);
        }
        None => drop(businesses.remove(&business.id)),
    }
}

/// By which the models share themselves fairly.
pub(crate) fn tenant(business: &Business) -> Tenant {
    Tenant::named(business.id.as_str())
}

/// A playbook that is told what the caller's words mean.
struct Understood {
    playbook: Playbook,
    understanding: Understanding,
    business: Arc<Business>,
}

impl Brain for Understood {
    fn think(&mut self, context: &Context<'_>, question: Question) -> Vec<Thought> {
        let meaning = match &question {
            Question::Heard { text, .. } => self.understanding.read(&self.business, text.reveal()),
            _ => None,
        };
        self.playbook.think_with(context, question, meaning)
    }

    fn summary(&self, context: &Context<'_>) -> String {
        self.playbook.summary(context)
    }
}

impl Mind for Understood {
    fn to_bytes(&self) -> Vec<u8> {
        self.playbook.to_bytes()
    }

    fn fork(&self) -> Box<dyn Mind> {
        Box::new(Self {
            playbook: self.playbook.clone(),
            understanding: self.understanding.clone(),
            business: Arc::clone(&self.business),
        })
    }
}

impl std::fmt::Debug for Understanding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Understanding").field("engine", &self.engine.name()).finish_non_exhaustive()
    }
}
