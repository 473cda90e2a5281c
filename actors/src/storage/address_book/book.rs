//! What is known, and what is forgotten when it is too much. A value.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::Known;
use crate::types::{PhoneNumber, TenantId};

/// The businesses and their numbers.
#[derive(Debug)]
pub(super) struct Book {
    businesses_max: usize,
    bytes_max: usize,
    businesses: BTreeMap<TenantId, Entry>,
    numbers: HashMap<PhoneNumber, TenantId>,
    bytes: usize,
    /// Counts changes, and which of them are on the disk.
    changes: u64,
    on_disk: u64,
}

#[derive(Debug)]
struct Entry {
    known: Known,
    bytes: usize,
    called_at: Option<Timestamp>,
}

impl Book {
    pub(super) fn new(businesses_max: usize, bytes_max: usize) -> Self {
        Self {
            businesses_max,
            bytes_max,
            businesses: BTreeMap::new(),
            numbers: HashMap::new(),
            bytes: 0,
            changes: 0,
            on_disk: 0,
        }
    }

    /// Takes in what the file held.
    pub(super) fn restore(&mut self, known: Known) {
        self.note(known, false);
        self.on_disk = self.changes;
    }

    /// Notes a business. Where there is no room, one that was called drives out those that were called before it;
    /// one that was only read is left out.
    pub(super) fn note(&mut self, mut known: Known, is_called: bool) {
        let id = known.business.id.clone();
        if let Some(entry) = self.businesses.get_mut(&id) {
            if is_called {
                entry.called_at = Some(known.seen_at);
            }
            // One that was read before this and is told of late.
            if entry.known.business.version > known.business.version {
                return;
            }
            if entry.known.business == known.business {
                entry.known.seen_at = known.seen_at;
                return;
            }
        }
        let bytes = serde_json::to_vec(&*known.business).map_or(usize::MAX, |bytes| bytes.len());
        let called_at = match self.remove(&id) {
            Some(before) => {
                known.key = known.key.or(before.known.key);
                before.called_at
            }
            None => is_called.then_some(known.seen_at),
        };
        if bytes > self.bytes_max || self.businesses_max == 0 {
            return;
        }
        while self.businesses.len() >= self.businesses_max || self.bytes + bytes > self.bytes_max {
            match self.least_wanted() {
                Some(least) if called_at.is_some() => drop(self.remove(&least)),
                _ => return,
            }
        }
        for number in &known.business.numbers {
            self.numbers.insert(number.clone(), id.clone());
        }
        self.bytes += bytes;
        self.changes += 1;
        self.businesses.insert(id, Entry { known, bytes, called_at });
    }

    /// Notes a business's sealed key, where the business is known.
    pub(super) fn note_key(&mut self, tenant: &TenantId, sealed: Option<&[u8]>) {
        let Some(entry) = self.businesses.get_mut(tenant) else { return };
        if entry.known.key.as_deref() != sealed {
            entry.known.key = sealed.map(Arc::from);
            self.changes += 1;
        }
    }

    pub(super) fn key(&self, tenant: &TenantId) -> Option<Arc<[u8]>> {
        self.businesses.get(tenant)?.known.key.clone()
    }

    pub(super) fn has(&self, tenant: &TenantId) -> bool {
        self.businesses.contains_key(tenant)
    }

    fn least_wanted(&self) -> Option<TenantId> {
        let least = self.businesses.iter().min_by_key(|(_, entry)| (entry.called_at, entry.known.seen_at));
        least.map(|(tenant, _)| tenant.clone())
    }

    fn remove(&mut self, tenant: &TenantId) -> Option<Entry> {
        let gone = self.businesses.remove(tenant)?;
        self.bytes -= gone.bytes;
        self.numbers.retain(|_, of| of != tenant);
        self.changes += 1;
        Some(gone)
    }

    pub(super) fn forget(&mut self, tenant: &TenantId) {
        self.remove(tenant);
    }

    /// A number is nobody's: what is known of the business that had it is wrong.
    pub(super) fn forget_number(&mut self, number: &PhoneNumber) {
        if let Some(tenant) = self.numbers.get(number).cloned() {
            self.remove(&tenant);
        }
    }

    pub(super) fn find(&self, number: &PhoneNumber) -> Option<Known> {
        let entry = self.businesses.get(self.numbers.get(number)?)?;
        entry.known.business.numbers.contains(number).then(|| entry.known.clone())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Known> {
        self.businesses.values().map(|entry| &entry.known)
    }

    /// The number of the last change, where it is not on the disk.
    pub(super) fn unwritten(&self) -> Option<u64> {
        (self.changes != self.on_disk).then_some(self.changes)
    }

    pub(super) fn written(&mut self, number: u64) {
        self.on_disk = self.on_disk.max(number);
    }
}
