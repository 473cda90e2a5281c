//! A bounded queue that says what happens when it is full.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// What a full ring does with one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overload {
    /// The newest is given back to whoever pushed it; nothing that was taken is lost.
    #[default]
    Refuse,
    /// The oldest makes room: for what is stale when it is late.
    DropOldest,
}

/// At most so many values, first in, first out.
#[derive(Debug, Clone)]
pub struct Ring<T> {
    values: VecDeque<T>,
    capacity: usize,
    overload: Overload,
}

impl<T> Ring<T> {
    /// An empty ring for `capacity` values, at least one.
    #[must_use]
    pub fn new(capacity: usize, overload: Overload) -> Self {
        Self { values: VecDeque::new(), capacity: capacity.max(1), overload }
    }

    /// Appends a value, and gives back the oldest where that had to make room.
    ///
    /// # Errors
    /// The value itself, where the ring is full and refuses.
    pub fn push(&mut self, value: T) -> Result<Option<T>, T> {
        let mut displaced = None;
        if self.values.len() >= self.capacity {
            match self.overload {
                Overload::Refuse => return Err(value),
                Overload::DropOldest => displaced = self.values.pop_front(),
            }
        }
        self.values.push_back(value);
        Ok(displaced)
    }

    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<T> {
        self.values.pop_front()
    }

    /// The oldest.
    #[must_use]
    pub fn first(&self) -> Option<&T> {
        self.values.front()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.values.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_does_what_it_was_told() {
        let mut refusing = Ring::new(2, Overload::Refuse);
        assert_eq!((refusing.push(1), refusing.push(2), refusing.push(3)), (Ok(None), Ok(None), Err(3)));
        let mut dropping = Ring::new(2, Overload::DropOldest);
        assert_eq!((dropping.push(1), dropping.push(2), dropping.push(3)), (Ok(None), Ok(None), Ok(Some(1))));
        assert_eq!((dropping.pop(), dropping.pop(), dropping.pop()), (Some(2), Some(3), None));
    }
}
