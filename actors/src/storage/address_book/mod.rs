//! Whose numbers are whose, for when the store is away: the businesses that a node knows, on its own disk.
//!
//! ```text
//! a call's look-up ─┐
//!                   ├─▶ AddressBook ─▶ file, written anew after changes
//! a reading of all ─┘        └─▶ reception, where the store does not answer
//! ```
//! A store that answers is always right: what it says is noted, and a business that it has no more is forgotten.
//! Otherwise what is known serves on, however old it is; whoever uses it says how old. A number that was never
//! seen is not known to be nobody's.
//!
//! With each business goes the key that its recordings' keys are sealed with, as the store keeps it: sealed by the
//! master key. So its calls are recorded, too.

mod book;
mod file;
mod settings;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::metrics::{ADDRESS_BOOK_AGE, ADDRESS_BOOK_BUSINESSES, ADDRESS_BOOK_USED};
use super::{Page, Result, Storage};
use crate::clock::{Clock, ms};
use crate::types::{Business, PhoneNumber, TenantId};

use book::Book;

pub use settings::Settings;

/// Businesses read at once.
const PAGE: usize = 256;

/// A business as it was when the store last told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The business.
    pub business: Arc<Business>,
    /// When the store told of it.
    pub seen_at: Timestamp,
    /// Its sealed key, where it has one.
    pub key: Option<Arc<[u8]>>,
}

/// The businesses that a node knows. Needs a tokio runtime.
#[derive(Debug)]
pub struct AddressBook {
    path: PathBuf,
    settings: Settings,
    clock: Clock,
    book: Mutex<Book>,
    again: Notify,
}

impl AddressBook {
    /// Reads what an earlier process knew; one that can't be read is begun anew. Blocks while it reads.
    #[must_use]
    pub fn open(path: &Path, settings: Settings, clock: Clock) -> Self {
        let mut book = Book::new(settings.businesses_max, settings.bytes_max);
        match file::read(path) {
            Ok(entries) => entries.into_iter().for_each(|known| book.restore(known)),
            Err(why) => tracing::warn!(path = %path.display(), why, "the address book is begun anew"),
        }
        Self { path: path.to_owned(), settings, clock, book: Mutex::new(book), again: Notify::new() }
    }

    /// Notes a business that the store told of, because it was called.
    pub fn note(&self, business: &Arc<Business>) {
        let known = Known { business: Arc::clone(business), seen_at: self.clock.now(), key: None };
        self.book.lock().note(known, true);
    }

    /// The store says that nobody has this number.
    pub fn is_nobodys(&self, number: &PhoneNumber) {
        self.book.lock().forget_number(number);
    }

    /// Whose number it is as far as is known, and how old that is; counted as used.
    #[must_use]
    pub fn find(&self, number: &PhoneNumber) -> Option<(Arc<Business>, SignedDuration)> {
        let known = self.book.lock().find(number)?;
        counter!(ADDRESS_BOOK_USED).increment(1);
        let age = self.clock.now().duration_since(known.seen_at);
        Some((known.business, age.max(SignedDuration::ZERO)))
    }

    /// Notes what the store said of a business's sealed key; none where it has none.
    pub fn note_key(&self, tenant: &TenantId, sealed: Option<&[u8]>) {
        self.book.lock().note_key(tenant, sealed);
    }

    /// A business's sealed key, as far as is known.
    #[must_use]
    pub fn key(&self, tenant: &TenantId) -> Option<Arc<[u8]>> {
        self.book.lock().key(tenant)
    }

    /// A number that is known, for whoever names none.
    #[must_use]
    pub fn any_number(&self) -> Option<PhoneNumber> {
        self.book.lock().all().find_map(|known| known.business.numbers.first().cloned())
    }

    /// A business has changed in the store: all are read again soon.
    pub fn look_again(&self) {
        self.again.notify_one();
    }

    /// Reads all businesses again and again, and writes the file after changes, for ever.
    pub async fn keep(self: Arc<Self>, storage: Arc<dyn Storage>) {
        let mut next = self.clock.monotonic();
        loop {
            if self.clock.monotonic() >= next {
                let wait_s = match self.refresh(&*storage).await {
                    Ok(()) => self.settings.refresh_s,
                    Err(error) => {
                        tracing::debug!(%error, "the address book could not be read anew");
                        self.settings.retry_s
                    }
                };
                next = self.clock.monotonic() + ms(wait_s.max(1).saturating_mul(1_000));
            }
            self.measure();
            self.write_if_changed().await;
            if timeout(ms(self.settings.write_ms.max(100)), self.again.notified()).await.is_ok() {
                next = Instant::min(next, self.clock.monotonic());
                // Of many changes at once all are seen by one reading.
                sleep(ms(100)).await;
            }
        }
    }

    /// Reads as many businesses as may be known, and asks for each that is known and was not among them.
    ///
    /// # Errors
    /// Those of the store; what was read by then is noted.
    pub async fn refresh(&self, storage: &dyn Storage) -> Result<()> {
        let (mut seen, mut page) = (HashSet::new(), Page::first(PAGE));
        loop {
            let listing = storage.businesses(page).await?;
            for business in listing.rows {
                seen.insert(business.id.clone());
                self.look(business);
            }
            match listing.next {
                Some(next) if seen.len() < self.settings.businesses_max => {
                    page = Page { after: Some(next), limit: PAGE };
                }
                _ => break,
            }
        }
        let known: Vec<TenantId> = self.book.lock().all().map(|known| known.business.id.clone()).collect();
        for tenant in known.into_iter().filter(|tenant| !seen.contains(tenant)) {
            match storage.business(&tenant).await? {
                Some(business) => self.look(business),
                None => self.book.lock().forget(&tenant),
            }
        }
        self.refresh_keys(storage).await
    }

    /// Reads the sealed keys of those that are known.
    async fn refresh_keys(&self, storage: &dyn Storage) -> Result<()> {
        let (mut keys, mut page) = (HashMap::new(), Page::first(PAGE));
        loop {
            let listing = storage.keys(page).await?;
            let book = self.book.lock();
            keys.extend(
                listing
                    .rows
                    .into_iter()
                    .filter(|row| book.has(&row.tenant))
                    .map(|row| (row.tenant, row.sealed)),
            );
            drop(book);
            let Some(next) = listing.next else { break };
            page = Page { after: Some(next), limit: PAGE };
        }
        let mut book = self.book.lock();
        let known: Vec<TenantId> = book.all().map(|known| known.business.id.clone()).collect();
        for tenant in known {
            book.note_key(&tenant, keys.get(&tenant).map(Vec::as_slice));
        }
        Ok(())
    }

    fn look(&self, business: Business) {
        let known = Known { business: Arc::new(business), seen_at: self.clock.now(), key: None };
        self.book.lock().note(known, false);
    }

    async fn write_if_changed(&self) {
        let (number, entries) = {
            let book = self.book.lock();
            let Some(number) = book.unwritten() else { return };
            (number, book.all().cloned().collect::<Vec<_>>())
        };
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || file::write(&path, &entries)).await;
        match written {
            Ok(Ok(())) => self.book.lock().written(number),
            Ok(Err(error)) => tracing::warn!(%error, "the address book could not be written"),
            Err(error) => tracing::error!(%error, "the address book was not written"),
        }
    }

    fn measure(&self) {
        let (count, oldest) = {
            let book = self.book.lock();
            (book.all().count(), book.all().map(|known| known.seen_at).min())
        };
        #[allow(clippy::cast_precision_loss, reason = "a gauge is shown with few digits")]
        gauge!(ADDRESS_BOOK_BUSINESSES).set(count as f64);
        let age = oldest.map_or(0.0, |oldest| self.clock.now().duration_since(oldest).as_secs_f64());
        gauge!(ADDRESS_BOOK_AGE).set(age.max(0.0));
    }
}

#[cfg(test)]
mod tests;
