//! Sentences for embeddings.

use std::time::Duration;

use super::PATIENCE;
use crate::batching::Tenant;
use crate::engine::{EmbedRequest, Embeddings};
use crate::{Error, clock};

const QUESTION: &str = "is there somewhere to park";
const PARAPHRASE: &str = "do you have a place where I can leave my car";
const UNRELATED: &str = "I would like to cancel my haircut on Friday";
/// Sentences embedded at once to measure.
const TEXTS: usize = 64;

/// What lies close together, and how fast it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// Of a question and its paraphrase, from -1 to 1.
    pub paraphrase: f32,
    /// Of the question and something else.
    pub unrelated: f32,
    /// Sentences embedded per second.
    pub per_second: f64,
}

/// Embeds sentences.
///
/// # Errors
/// [`Error`] where the engine fails, or finds the paraphrase no closer than what is unrelated.
pub fn embeddings(engine: &dyn Embeddings) -> Result<Likeness, Error> {
    let embed = |texts: Vec<String>| {
        engine.embed_blocking(EmbedRequest { texts, tenant: Tenant(0), within: PATIENCE })
    };
    let vectors = embed([QUESTION, PARAPHRASE, UNRELATED].map(str::to_owned).to_vec())?;
    let [question, paraphrase, unrelated] = vectors.as_slice() else {
        return Err(Error::Failed { engine: engine.name(), why: "it did not answer each text".into() });
    };
    let (paraphrase, unrelated) = (question.likeness(paraphrase), question.likeness(unrelated));
    if paraphrase <= unrelated {
        let why = format!("a paraphrase is no closer ({paraphrase:.2}) than something else ({unrelated:.2})");
        return Err(Error::Failed { engine: engine.name(), why });
    }
    let started = clock::now();
    embed((0..TEXTS).map(|number| format!("{PARAPHRASE} for {number} minutes")).collect())?;
    let took = started.elapsed().max(Duration::from_nanos(1));
    Ok(Likeness { paraphrase, unrelated, per_second: TEXTS as f64 / took.as_secs_f64() })
}
