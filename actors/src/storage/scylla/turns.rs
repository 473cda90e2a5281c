//! Turns: what this node changes in one place it changes one after the other, so that it never contends with
//! itself. Other nodes are kept apart by comparison.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

/// How many turns there are; two places may share one.
const TURNS: usize = 256;

/// Turns by name.
#[derive(Debug)]
pub(super) struct Turns(Vec<Mutex<()>>);

impl Turns {
    pub(super) fn new() -> Self {
        Self((0..TURNS).map(|_| Mutex::new(())).collect())
    }

    /// Waits for the turn of this name.
    pub(super) async fn of(&self, name: &str) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or(0);
        match self.0.get(index) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        }
    }
}
