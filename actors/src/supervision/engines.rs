//! What a call needs of the engines before it is answered: an ear that is kept for it until it is over, and a voice that
//! has room. What its words mean is found out without a promise: where that engine is full, words are compared.

use std::time::Duration;

use metrics::counter;
use models::Error;
use models::engine::Place;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::call::{Services, tenant};
use crate::metrics::ENGINES_FULL;
use crate::types::Business;

/// Why nobody would hear a caller, or speak to them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unheard {
    /// The engine that speaks has as much to do as it may.
    #[error("the queue of {engine}, which speaks, is full")]
    Mute {
        /// Its name.
        engine: &'static str,
    },
    /// The engine that hears keeps no place.
    #[error("the engine that hears keeps no place: {0}")]
    Deaf(Error),
    /// It did not say in time whether it does.
    #[error("{engine}, which hears, did not answer in time")]
    Late {
        /// Its name.
        engine: &'static str,
    },
}

/// Keeps the caller's place where they are heard; empty where nobody hears on this node.
pub(super) async fn keep(
    services: &Services,
    business: &Business,
    patience: Duration,
) -> Result<Place, Unheard> {
    let kept = ask(services, business, patience).await;
    if let Err(why) = &kept {
        let (sense, why) = match why {
            Unheard::Mute { .. } => ("speaking", "full"),
            Unheard::Deaf(Error::Full { .. }) => ("hearing", "full"),
            Unheard::Deaf(_) => ("hearing", "failed"),
            Unheard::Late { .. } => ("hearing", "late"),
        };
        counter!(ENGINES_FULL, "sense" => sense, "why" => why).increment(1);
    }
    kept
}

async fn ask(services: &Services, business: &Business, patience: Duration) -> Result<Place, Unheard> {
    if let Some(voice) = services.text_to_speech.as_ref().filter(|voice| !voice.has_room()) {
        return Err(Unheard::Mute { engine: voice.name() });
    }
    let Some(ear) = &services.speech_to_text else { return Ok(Place::default()) };
    let (sender, kept) = oneshot::channel();
    // A place that comes too late goes back at once, for nobody takes it.
    ear.reserve(tenant(business), Box::new(move |place| drop(sender.send(place))));
    match timeout(patience, kept).await {
        Ok(Ok(kept)) => kept.map_err(Unheard::Deaf),
        Ok(Err(_)) | Err(_) => Err(Unheard::Late { engine: ear.name() }),
    }
}
