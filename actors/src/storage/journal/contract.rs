//! The store's interface: calls are written through the journal and seen through it, all else as the store has it.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use jiff::Timestamp;

use super::Journalled;
use super::entry::{Entry, Lane, changed_nothing};
use super::erase::Which;
use super::keep::Outcome;
use super::listing::{self, Order, Own};
use crate::storage::{
    AuditEntry, AuditRow, BookingWrite, Claim, Cursor, Erasure, Error, Examination, Extent, Fence, Frozen,
    IdempotencyKey, Listing, Occupied, Owner, Page, Part, Recording, Removal, Result, SealedKey, Storage,
    StoredRow,
};
use crate::types::{
    Booking, BookingId, Business, CallEvent, CallId, CallRecord, Life, Message, PhoneNumber, Private,
    RecordingId, ResourceId, TenantId, ToolOutcome,
};

/// What begins a cursor among the open calls that are in the journal only.
const OWN_CURSOR: &str = "journal:";

/// How calls are listed.
const NEWEST: Order<CallRecord> =
    Order { place: |record| (record.started_at, record.id.as_uuid()), latest_first: true };

impl Journalled {
    async fn put(&self, entry: Entry, direct: impl Future<Output = Result<()>> + Send) -> Result<()> {
        self.shared.write(entry, direct).await.map(|_| ())
    }

    /// The last that is found in the journal among a call's writes.
    fn last<T>(&self, call: CallId, find: impl Fn(&Entry) -> Option<T>) -> Option<T> {
        self.shared.ledger.lock().of(&Lane::Call(call)).rev().find_map(find)
    }

    fn kept_record(&self, call: CallId) -> Option<CallRecord> {
        self.last(call, |entry| match entry {
            Entry::Call(record) => Some((**record).clone()),
            _ => None,
        })
    }

    fn is_erased(&self, call: CallId) -> bool {
        self.shared.ledger.lock().is_erased(call)
    }

    /// What of a listing of calls waits, of those that are of it, and what is not to be shown of the store.
    fn own_calls(&self, is_of: impl Fn(&CallRecord) -> bool) -> Own<CallRecord> {
        let ledger = self.shared.ledger.lock();
        let mut hidden: HashSet<uuid::Uuid> = ledger.erased().map(|call| call.as_uuid()).collect();
        let mut kept: BTreeMap<CallId, &CallRecord> = BTreeMap::new();
        for entry in ledger.all() {
            if let Entry::Call(record) = entry {
                kept.insert(record.id, record);
            }
        }
        kept.retain(|call, _| hidden.insert(call.as_uuid()));
        Own { rows: kept.into_values().filter(|record| is_of(record)).cloned().collect(), hidden }
    }

    fn own_messages(&self, tenant: &TenantId) -> Own<Message> {
        let ledger = self.shared.ledger.lock();
        let waiting = ledger.all().filter_map(|entry| match entry {
            Entry::Message { message, .. } if message.tenant == *tenant => Some((**message).clone()),
            _ => None,
        });
        let rows: Vec<Message> = waiting.collect();
        Own { hidden: rows.iter().map(|message| message.id.as_uuid()).collect(), rows }
    }

    /// The calls that have a record in the journal, as they were last written.
    fn kept_records(&self) -> BTreeMap<CallId, CallRecord> {
        self.own_calls(|_| true).rows.into_iter().map(|record| (record.id, record)).collect()
    }
}

#[async_trait]
impl Storage for Journalled {
    async fn put_business(&self, business: &Business, expected: Option<u64>) -> Result<()> {
        self.shared.store()?.put_business(business, expected).await
    }

    async fn business(&self, tenant: &TenantId) -> Result<Option<Business>> {
        self.shared.store()?.business(tenant).await
    }

    async fn businesses(&self, page: Page) -> Result<Listing<Business>> {
        self.shared.store()?.businesses(page).await
    }

    async fn tenant_of(&self, number: &PhoneNumber) -> Result<Option<TenantId>> {
        self.shared.store()?.tenant_of(number).await
    }

    async fn put_call(&self, record: &CallRecord) -> Result<()> {
        self.put(Entry::Call(Box::new(record.clone())), async { self.shared.store()?.put_call(record).await })
            .await
    }

    /// What waits is written as any other record: by then another process may have the call.
    async fn begin_call(&self, record: &CallRecord) -> Result<()> {
        let entry = Entry::Call(Box::new(record.clone()));
        self.put(entry, async { self.shared.store()?.begin_call(record).await }).await
    }

    async fn call(&self, call: CallId) -> Result<Option<CallRecord>> {
        match self.kept_record(call) {
            _ if self.is_erased(call) => Ok(None),
            Some(record) => Ok(Some(record)),
            None => self.shared.store()?.call(call).await,
        }
    }

    async fn calls(&self, tenant: &TenantId, page: Page) -> Result<Listing<CallRecord>> {
        let (store, own) = (self.shared.store()?, self.own_calls(|record| record.tenant == *tenant));
        listing::page(page, NEWEST, own, |page| store.calls(tenant, page)).await
    }

    async fn calls_by_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        let is_of = |record: &CallRecord| record.tenant == *tenant && record.caller.as_ref() == Some(caller);
        let (store, own) = (self.shared.store()?, self.own_calls(is_of));
        listing::page(page, NEWEST, own, |page| store.calls_by_caller(tenant, caller, page)).await
    }

    /// First those of the store that have nothing in the journal, then those of the journal.
    async fn open_calls(&self, page: Page) -> Result<Listing<CallRecord>> {
        let limit = page.limit.max(1);
        let own = page.after.as_ref().and_then(|cursor| cursor.0.strip_prefix(OWN_CURSOR)).map(str::to_owned);
        // Looked at before the store is: one that is written meanwhile is seen there, or here, or twice.
        let kept = self.kept_records();
        let mut rows = Vec::new();
        if own.is_none() {
            let listing = self.shared.store()?.open_calls(page).await?;
            let theirs = |row: &CallRecord| !kept.contains_key(&row.id) && !self.is_erased(row.id);
            rows.extend(listing.rows.into_iter().filter(theirs));
            if listing.next.is_some() {
                return Ok(Listing { rows, next: listing.next });
            }
        }
        let after: Option<CallId> = own.and_then(|id| id.parse().ok());
        let mut open = kept.into_values().filter(|record| record.ended_at.is_none());
        let mut last = after;
        while rows.len() < limit {
            let Some(record) = open.find(|record| after.is_none_or(|after| record.id > after)) else {
                return Ok(Listing { rows, next: None });
            };
            last = Some(record.id);
            rows.push(record);
        }
        let more = open.next().is_some();
        let cursor = last.map_or_else(String::new, |last| last.to_string());
        Ok(Listing { rows, next: more.then(|| Cursor(format!("{OWN_CURSOR}{cursor}"))) })
    }

    /// What waits of a call is written before anybody else may have it.
    async fn claim_call(&self, call: CallId, from: Option<&Life>, to: &Life) -> Result<Claim> {
        if !self.shared.ledger.lock().is_free(&Lane::Call(call)) {
            let why = "earlier writes of the call wait in the journal".to_owned();
            return Err(Error::Unavailable { why });
        }
        self.shared.store()?.claim_call(call, from, to).await
    }

    async fn append_events(&self, call: CallId, events: &[CallEvent]) -> Result<()> {
        let entry = Entry::Events { call, events: events.to_vec() };
        self.put(entry, async { self.shared.store()?.append_events(call, events).await }).await
    }

    async fn events(&self, call: CallId) -> Result<Vec<CallEvent>> {
        let kept: Vec<CallEvent> = {
            let ledger = self.shared.ledger.lock();
            let of_call = ledger.of(&Lane::Call(call)).filter_map(|entry| match entry {
                Entry::Events { events, .. } => Some(events),
                _ => None,
            });
            of_call.flatten().cloned().collect()
        };
        if self.is_erased(call) {
            return Ok(Vec::new());
        }
        let mut events = self.shared.store()?.events(call).await?;
        if kept.is_empty() {
            return Ok(events);
        }
        // One that is there already stays as it is.
        events.extend(kept);
        events.sort_by_key(|event| event.seq);
        events.dedup_by_key(|event| event.seq);
        Ok(events)
    }

    async fn book(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        self.shared.store()?.book(booking, occupied, key).await
    }

    async fn rebook(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        self.shared.store()?.rebook(booking, occupied, key).await
    }

    async fn cancel(&self, booking: &Booking, key: &IdempotencyKey) -> Result<BookingWrite> {
        self.shared.store()?.cancel(booking, key).await
    }

    async fn written(&self, tenant: &TenantId, key: &IdempotencyKey) -> Result<Option<Booking>> {
        self.shared.store()?.written(tenant, key).await
    }

    async fn booking(&self, tenant: &TenantId, booking: BookingId) -> Result<Option<Booking>> {
        self.shared.store()?.booking(tenant, booking).await
    }

    async fn bookings(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        until: Timestamp,
        page: Page,
    ) -> Result<Listing<Booking>> {
        self.shared.store()?.bookings(tenant, from, until, page).await
    }

    async fn occupied(
        &self,
        tenant: &TenantId,
        resource: &ResourceId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Occupied>> {
        self.shared.store()?.occupied(tenant, resource, from, until).await
    }

    async fn put_message(&self, message: &Message, key: &IdempotencyKey) -> Result<Message> {
        let first = self.last(message.call, |entry| match entry {
            Entry::Message { message: first, key: of } if of == key && first.tenant == message.tenant => {
                Some((**first).clone())
            }
            _ => None,
        });
        if let Some(first) = first {
            return Ok(first);
        }
        let entry = Entry::Message { message: Box::new(message.clone()), key: key.clone() };
        match self.shared.write(entry, async { self.shared.store()?.put_message(message, key).await }).await?
        {
            Outcome::Written(kept) => Ok(kept),
            Outcome::Kept => Ok(message.clone()),
        }
    }

    async fn messages(&self, tenant: &TenantId, page: Page) -> Result<Listing<Message>> {
        let (store, own) = (self.shared.store()?, self.own_messages(tenant));
        let place = |message: &Message| (message.taken_at, message.id.as_uuid());
        let order = Order { place, latest_first: true };
        listing::page(page, order, own, |page| store.messages(tenant, page)).await
    }

    async fn remember_outcome(&self, key: &IdempotencyKey, outcome: &ToolOutcome) -> Result<ToolOutcome> {
        if !changed_nothing(outcome) {
            return self.shared.store()?.remember_outcome(key, outcome).await;
        }
        if let Some(first) = kept_outcome(self, key) {
            return Ok(first);
        }
        let entry = Entry::Outcome { key: key.clone(), outcome: Box::new(outcome.clone()) };
        match self
            .shared
            .write(entry, async { self.shared.store()?.remember_outcome(key, outcome).await })
            .await?
        {
            Outcome::Written(first) => Ok(first),
            Outcome::Kept => Ok(outcome.clone()),
        }
    }

    async fn outcome(&self, key: &IdempotencyKey) -> Result<Option<ToolOutcome>> {
        match kept_outcome(self, key) {
            Some(outcome) => Ok(Some(outcome)),
            None => self.shared.store()?.outcome(key).await,
        }
    }

    async fn put_checkpoint(&self, call: CallId, fence: Fence, state: &[u8]) -> Result<()> {
        let entry = Entry::Checkpoint { call, fence: Some(fence), state: state.to_vec() };
        self.put(entry, async { self.shared.store()?.put_checkpoint(call, fence, state).await }).await
    }

    async fn checkpoint(&self, call: CallId) -> Result<Option<Vec<u8>>> {
        let kept = self.last(call, |entry| match entry {
            Entry::Checkpoint { state, .. } => Some(Some(state.clone())),
            Entry::DropCheckpoint { .. } => Some(None),
            _ => None,
        });
        match kept {
            _ if self.is_erased(call) => Ok(None),
            Some(state) => Ok(state),
            None => self.shared.store()?.checkpoint(call).await,
        }
    }

    async fn drop_checkpoint(&self, call: CallId, fence: Fence) -> Result<()> {
        let entry = Entry::DropCheckpoint { call, fence: Some(fence) };
        self.put(entry, async { self.shared.store()?.drop_checkpoint(call, fence).await }).await
    }

    async fn put_recording(&self, recording: &Recording) -> Result<()> {
        let entry = Entry::Recording(Box::new(recording.clone()));
        self.put(entry, async { self.shared.store()?.put_recording(recording).await }).await
    }

    async fn recording(&self, recording: RecordingId) -> Result<Option<Recording>> {
        let (kept, is_erased) = {
            let ledger = self.shared.ledger.lock();
            let rows = ledger.all().filter_map(|entry| match entry {
                Entry::Recording(row) | Entry::RecordingUpdate(row) if row.id == recording => {
                    Some((**row).clone())
                }
                _ => None,
            });
            let kept = rows.last();
            let is_erased = kept.as_ref().is_some_and(|row| ledger.is_erased(row.call));
            (kept, is_erased)
        };
        match kept {
            _ if is_erased => Ok(None),
            Some(row) => Ok(Some(row)),
            None => self.shared.store()?.recording(recording).await,
        }
    }

    async fn keep_key(&self, tenant: &TenantId, sealed: &[u8]) -> Result<Vec<u8>> {
        self.shared.store()?.keep_key(tenant, sealed).await
    }

    async fn key(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>> {
        self.shared.store()?.key(tenant).await
    }

    async fn update_recording(&self, recording: &Recording) -> Result<bool> {
        let entry = Entry::RecordingUpdate(Box::new(recording.clone()));
        match self
            .shared
            .write(entry, async { self.shared.store()?.update_recording(recording).await })
            .await?
        {
            Outcome::Written(was_there) => Ok(was_there),
            Outcome::Kept => Ok(!self.is_erased(recording.call)),
        }
    }

    async fn recordings_to_merge(&self, page: Page) -> Result<Listing<Recording>> {
        self.shared.store()?.recordings_to_merge(page).await
    }

    async fn keys(&self, page: Page) -> Result<Listing<SealedKey>> {
        self.shared.store()?.keys(page).await
    }

    async fn replace_key(&self, tenant: &TenantId, expected: &[u8], sealed: &[u8]) -> Result<()> {
        self.shared.store()?.replace_key(tenant, expected, sealed).await
    }

    async fn drop_key(&self, tenant: &TenantId) -> Result<bool> {
        self.shared.store()?.drop_key(tenant).await
    }

    async fn erase_call(&self, call: CallId, extent: Extent) -> Result<Erasure> {
        let kept = self.erase_waiting(Which::Call(call, extent)).await?;
        if kept.erased.calls > 0 || kept.live > 0 {
            return Ok(kept);
        }
        let mut erasure = self.shared.store()?.erase_call(call, extent).await?;
        erasure.erased += kept.erased;
        Ok(erasure)
    }

    /// First what waits: it would be written behind the store's back.
    async fn erase_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        after: Option<Cursor>,
    ) -> Result<Erasure> {
        let mut erasure = match after {
            None => self.erase_waiting(Which::Caller(tenant, caller.reveal())).await?,
            Some(_) => Erasure::default(),
        };
        erasure.add(self.shared.store()?.erase_caller(tenant, caller, after).await?);
        Ok(erasure)
    }

    /// First what waits, as for a caller, and last what came to wait while calls still came in.
    async fn erase_tenant(&self, tenant: &TenantId, after: Option<Cursor>) -> Result<Erasure> {
        let mut erasure = match after {
            None => self.erase_waiting(Which::Tenant(tenant)).await?,
            Some(_) => Erasure::default(),
        };
        erasure.add(self.shared.store()?.erase_tenant(tenant, after).await?);
        if erasure.next.is_none() {
            let came_in = self.erase_waiting(Which::Tenant(tenant)).await?;
            erasure.add(came_in);
        }
        Ok(erasure)
    }

    async fn old_calls(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        let is_of = |record: &CallRecord| record.tenant == *tenant && record.started_at < before;
        let (store, own) = (self.shared.store()?, self.own_calls(is_of));
        let order = Order { latest_first: false, ..NEWEST };
        listing::page(page, order, own, |page| store.old_calls(tenant, before, page)).await
    }

    async fn removals(&self, page: Page) -> Result<Listing<Removal>> {
        self.shared.store()?.removals(page).await
    }

    async fn forget_removal(&self, recording: RecordingId) -> Result<()> {
        self.shared.store()?.forget_removal(recording).await
    }

    async fn append_audit(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<AuditRow> {
        self.shared.store()?.append_audit(tenant, entry).await
    }

    async fn audit(&self, tenant: &TenantId, page: Page) -> Result<Listing<AuditRow>> {
        self.shared.store()?.audit(tenant, page).await
    }

    #[cfg(test)]
    async fn everything(&self) -> Result<crate::storage::Everything> {
        self.shared.store()?.everything().await
    }

    async fn take_ownership(&self, kind: &str, id: &str, who: &str) -> Result<Owner> {
        self.shared.store()?.take_ownership(kind, id, who).await
    }

    async fn owner(&self, kind: &str, id: &str) -> Result<Option<Owner>> {
        self.shared.store()?.owner(kind, id).await
    }

    async fn export(&self, part: Part, page: Page) -> Result<Listing<StoredRow>> {
        self.shared.store()?.export(part, page).await
    }

    async fn import(&self, rows: &[StoredRow]) -> Result<()> {
        self.shared.store()?.import(rows).await
    }

    async fn examine(&self) -> Result<Option<Examination>> {
        self.shared.store()?.examine().await
    }

    fn freeze(&self) -> Result<Option<Frozen>> {
        self.shared.store()?.freeze()
    }

    async fn check(&self) -> Result<()> {
        self.shared.store()?.check().await
    }
}

fn kept_outcome(journalled: &Journalled, key: &IdempotencyKey) -> Option<ToolOutcome> {
    let ledger = journalled.shared.ledger.lock();
    ledger.of(&Lane::Tool(key.clone())).find_map(|entry| match entry {
        Entry::Outcome { outcome, .. } => Some((**outcome).clone()),
        _ => None,
    })
}
