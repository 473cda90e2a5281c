//! Chooses by the address who coordinates.

use std::sync::Arc;

use super::{Coordination, Local, Settings};
use crate::chance::Chance;
use crate::clock::Clock;

/// Settings with which nobody can coordinate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("coordination.{key} can't be used: {why}")]
pub struct Misconfigured {
    /// Which setting.
    pub key: &'static str,
    /// What is wrong with it, and what to write instead. Never shows the value: an address may hold a password.
    pub why: String,
}

/// Opens what the settings name. A server that is away is no error: it is tried until it is there, and what needs
/// it goes without. Needs a tokio runtime.
///
/// # Errors
/// An address that can't be read.
pub fn open(
    settings: &Settings,
    clock: &Clock,
    chance: &Chance,
) -> Result<Arc<dyn Coordination>, Misconfigured> {
    if settings.url == Settings::LOCAL {
        return Ok(Arc::new(Local::new(settings, clock.clone())));
    }
    open_server(settings, chance)
}

#[cfg(feature = "redis")]
fn open_server(settings: &Settings, chance: &Chance) -> Result<Arc<dyn Coordination>, Misconfigured> {
    Ok(Arc::new(crate::storage::redis::Redis::open(settings, chance.clone())?))
}

#[cfg(not(feature = "redis"))]
fn open_server(_settings: &Settings, _chance: &Chance) -> Result<Arc<dyn Coordination>, Misconfigured> {
    let why = "this program was built without the feature \"redis\"; write \"local\"".to_owned();
    Err(Misconfigured { key: "url", why })
}
