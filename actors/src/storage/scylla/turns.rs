//! Turns: what this node changes in one place it changes one after the other, so that it never contends with
//! itself. Other nodes are kept apart by comparison.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use crate::storage::{Error, Result};

/// How many turns there are; two places may share one.
const TURNS: usize = 256;

/// Turns by name.
#[derive(Debug)]
pub(super) struct Turns(Vec<Mutex<()>>);

impl Turns {
    pub(super) fn new() -> Self {
        Self((0..TURNS).map(|_| Mutex::new(())).collect())
    }

    /// Waits for the turn of this name, for so long at most.
    pub(super) async fn of(&self, name: &str, most: Duration) -> Result<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or(0);
        let late = || Error::Unavailable { why: "too many changes wait for the cluster".to_owned() };
        let turn = self.0.get(index).ok_or_else(late)?;
        tokio::time::timeout(most, turn.lock()).await.map_err(|_| late())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_waited_for_and_not_for_ever() {
        let turns = Turns::new();
        let most = Duration::from_secs(1);
        let held = turns.of("barbers", most).await.expect("free");
        assert!(matches!(turns.of("barbers", most).await, Err(Error::Unavailable { .. })));
        drop(held);
        assert!(turns.of("barbers", most).await.is_ok());
    }
}
