//! How our registrations stand, for everybody who wants to know.

use parking_lot::RwLock;

use crate::sip::registration::Binding;

/// How a registration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It was not answered yet.
    Trying,
    /// The provider knows where we are.
    Registered(Binding),
    /// It does not; it is tried again.
    Failed {
        /// Why.
        why: String,
    },
    /// It was taken back.
    Left,
}

/// One per trunk, by the trunk's number; none for those that don't register.
#[derive(Debug)]
pub(super) struct Registrations(RwLock<Vec<Option<State>>>);

impl Registrations {
    pub(super) fn new(registers: impl Iterator<Item = bool>) -> Self {
        Self(RwLock::new(registers.map(|registers| registers.then_some(State::Trying)).collect()))
    }

    pub(super) fn set(&self, trunk: usize, state: State) {
        if let Some(slot) = self.0.write().get_mut(trunk) {
            *slot = Some(state);
        }
    }

    pub(super) fn get(&self, trunk: usize) -> Option<State> {
        self.0.read().get(trunk).cloned().flatten()
    }

    pub(super) fn is_registered(&self, trunk: usize) -> bool {
        matches!(self.0.read().get(trunk), Some(Some(State::Registered(_))))
    }

    /// Whether every binding was taken back.
    pub(super) fn are_left(&self) -> bool {
        let settled =
            |state: &Option<State>| matches!(state, None | Some(State::Left | State::Failed { .. }));
        self.0.read().iter().all(settled)
    }

    /// The proxies that calls by this trunk go by, and where it registered.
    pub(super) fn binding(&self, trunk: usize) -> Option<Binding> {
        match self.0.read().get(trunk) {
            Some(Some(State::Registered(binding))) => Some(binding.clone()),
            _ => None,
        }
    }
}
