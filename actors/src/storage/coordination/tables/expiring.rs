//! A bounded map whose entries expire.

use std::collections::BTreeMap;

/// The map is full of entries that live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage::coordination) struct Full;

/// A map of at most `max` entries, each until a moment that is not included.
#[derive(Debug)]
pub(super) struct Expiring<K, V> {
    entries: BTreeMap<K, (V, u64)>,
    max: usize,
}

impl<K: Ord, V> Expiring<K, V> {
    pub(super) const fn new(max: usize) -> Self {
        Self { entries: BTreeMap::new(), max }
    }

    /// Puts an entry, for `ttl_ms` from now; expired ones make room.
    pub(super) fn put(&mut self, now_ms: u64, key: K, value: V, ttl_ms: u64) -> Result<(), Full> {
        if self.entries.len() >= self.max && !self.entries.contains_key(&key) {
            self.entries.retain(|_, (_, until)| now_ms < *until);
            if self.entries.len() >= self.max {
                return Err(Full);
            }
        }
        self.entries.insert(key, (value, now_ms.saturating_add(ttl_ms.max(1))));
        Ok(())
    }

    pub(super) fn get(&self, now_ms: u64, key: &K) -> Option<&V> {
        self.entries.get(key).filter(|(_, until)| now_ms < *until).map(|(value, _)| value)
    }

    /// How long an entry has left, in milliseconds.
    pub(super) fn left_ms(&self, now_ms: u64, key: &K) -> Option<u64> {
        self.entries.get(key).filter(|(_, until)| now_ms < *until).map(|(_, until)| until - now_ms)
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    /// The entries that live.
    pub(super) fn iter(&self, now_ms: u64) -> impl Iterator<Item = (&K, &V)> {
        self.entries
            .iter()
            .filter(move |(_, (_, until))| now_ms < *until)
            .map(|(key, (value, _))| (key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_entries_make_room_and_living_ones_do_not() {
        let mut map = Expiring::new(2);
        assert_eq!(map.put(0, "a", 1, 10), Ok(()));
        assert_eq!(map.put(0, "b", 2, 20), Ok(()));
        assert_eq!(map.put(5, "c", 3, 10), Err(Full));
        assert_eq!(map.put(5, "b", 4, 20), Ok(()), "it has its room");
        assert_eq!((map.get(9, &"a"), map.get(10, &"a")), (Some(&1), None));
        assert_eq!(map.put(10, "c", 3, 10), Ok(()));
        assert_eq!(map.left_ms(12, &"b"), Some(13));
        assert_eq!(map.iter(12).count(), 2);
    }
}
