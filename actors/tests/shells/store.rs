//! A store that can go away, come back and fall silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actors::storage::{
    AuditEntry, AuditRow, BookingWrite, Claim, Cursor, Erasure, Error, Extent, Fence, IdempotencyKey,
    Listing, Memory, Occupied, Owner, Page, Part, Recording, Removal, Result, SealedKey, Storage, StoredRow,
    Users,
};
use actors::types::{
    Booking, BookingId, Business, CallEvent, CallId, CallRecord, EmailAddress, Life, Message, PhoneNumber,
    Private, RecordingId, ResourceId, TenantId, ToolOutcome, User, UserId,
};
use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;

/// How the store is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mood {
    #[default]
    Up,
    Down,
    Silent,
    /// Messages panic, all else works.
    PanicsOnMessages,
}

/// A memory store with moods.
#[derive(Clone, Default)]
pub(super) struct Store {
    pub(super) memory: Arc<Memory>,
    mood: Arc<Mutex<Mood>>,
    refused: Arc<AtomicUsize>,
}

impl Store {
    pub(super) fn be(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    /// How many requests it did not serve.
    pub(super) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    async fn serve(&self) -> Result<()> {
        let mood = *self.mood.lock();
        if mood != Mood::Up && mood != Mood::PanicsOnMessages {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        match mood {
            Mood::Up | Mood::PanicsOnMessages => Ok(()),
            Mood::Down => Err(Error::Unavailable { why: "told to be".into() }),
            Mood::Silent => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Users for Store {
    async fn create_user(&self, user: &User) -> Result<()> {
        self.serve().await?;
        self.memory.create_user(user).await
    }

    async fn change_user(&self, user: &User, expected: u64) -> Result<()> {
        self.serve().await?;
        self.memory.change_user(user, expected).await
    }

    async fn user(&self, tenant: &TenantId, user: UserId) -> Result<Option<User>> {
        self.serve().await?;
        self.memory.user(tenant, user).await
    }

    async fn user_by_email(&self, email: &Private<EmailAddress>) -> Result<Option<User>> {
        self.serve().await?;
        self.memory.user_by_email(email).await
    }

    async fn users(&self, tenant: &TenantId, page: Page) -> Result<Listing<User>> {
        self.serve().await?;
        self.memory.users(tenant, page).await
    }

    async fn delete_user(&self, tenant: &TenantId, user: UserId) -> Result<bool> {
        self.serve().await?;
        self.memory.delete_user(tenant, user).await
    }
}

#[async_trait]
impl Storage for Store {
    async fn put_business(&self, business: &Business, expected: Option<u64>) -> Result<()> {
        self.serve().await?;
        self.memory.put_business(business, expected).await
    }

    async fn business(&self, tenant: &TenantId) -> Result<Option<Business>> {
        self.serve().await?;
        self.memory.business(tenant).await
    }

    async fn businesses(&self, page: Page) -> Result<Listing<Business>> {
        self.serve().await?;
        self.memory.businesses(page).await
    }

    async fn tenant_of(&self, number: &PhoneNumber) -> Result<Option<TenantId>> {
        self.serve().await?;
        self.memory.tenant_of(number).await
    }

    async fn put_call(&self, record: &CallRecord) -> Result<()> {
        self.serve().await?;
        self.memory.put_call(record).await
    }

    async fn call(&self, call: CallId) -> Result<Option<CallRecord>> {
        self.serve().await?;
        self.memory.call(call).await
    }

    async fn calls(&self, tenant: &TenantId, page: Page) -> Result<Listing<CallRecord>> {
        self.serve().await?;
        self.memory.calls(tenant, page).await
    }

    async fn calls_by_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        self.serve().await?;
        self.memory.calls_by_caller(tenant, caller, page).await
    }

    async fn open_calls(&self, page: Page) -> Result<Listing<CallRecord>> {
        self.serve().await?;
        self.memory.open_calls(page).await
    }

    async fn claim_call(&self, call: CallId, from: Option<&Life>, to: &Life) -> Result<Claim> {
        self.serve().await?;
        self.memory.claim_call(call, from, to).await
    }

    async fn append_events(&self, call: CallId, events: &[CallEvent]) -> Result<()> {
        self.serve().await?;
        self.memory.append_events(call, events).await
    }

    async fn events(&self, call: CallId) -> Result<Vec<CallEvent>> {
        self.serve().await?;
        self.memory.events(call).await
    }

    async fn book(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        self.serve().await?;
        self.memory.book(booking, occupied, key).await
    }

    async fn rebook(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        self.serve().await?;
        self.memory.rebook(booking, occupied, key).await
    }

    async fn cancel(&self, booking: &Booking, key: &IdempotencyKey) -> Result<BookingWrite> {
        self.serve().await?;
        self.memory.cancel(booking, key).await
    }

    async fn written(&self, tenant: &TenantId, key: &IdempotencyKey) -> Result<Option<Booking>> {
        self.serve().await?;
        self.memory.written(tenant, key).await
    }

    async fn booking(&self, tenant: &TenantId, booking: BookingId) -> Result<Option<Booking>> {
        self.serve().await?;
        self.memory.booking(tenant, booking).await
    }

    async fn bookings(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        until: Timestamp,
        page: Page,
    ) -> Result<Listing<Booking>> {
        self.serve().await?;
        self.memory.bookings(tenant, from, until, page).await
    }

    async fn occupied(
        &self,
        tenant: &TenantId,
        resource: &ResourceId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Occupied>> {
        self.serve().await?;
        self.memory.occupied(tenant, resource, from, until).await
    }

    async fn put_message(&self, message: &Message, key: &IdempotencyKey) -> Result<Message> {
        self.serve().await?;
        assert!(*self.mood.lock() != Mood::PanicsOnMessages, "told to");
        self.memory.put_message(message, key).await
    }

    async fn messages(&self, tenant: &TenantId, page: Page) -> Result<Listing<Message>> {
        self.serve().await?;
        self.memory.messages(tenant, page).await
    }

    async fn remember_outcome(&self, key: &IdempotencyKey, outcome: &ToolOutcome) -> Result<ToolOutcome> {
        self.serve().await?;
        self.memory.remember_outcome(key, outcome).await
    }

    async fn outcome(&self, key: &IdempotencyKey) -> Result<Option<ToolOutcome>> {
        self.serve().await?;
        self.memory.outcome(key).await
    }

    async fn put_checkpoint(&self, call: CallId, fence: Fence, state: &[u8]) -> Result<()> {
        self.serve().await?;
        self.memory.put_checkpoint(call, fence, state).await
    }

    async fn checkpoint(&self, call: CallId) -> Result<Option<Vec<u8>>> {
        self.serve().await?;
        self.memory.checkpoint(call).await
    }

    async fn drop_checkpoint(&self, call: CallId, fence: Fence) -> Result<()> {
        self.serve().await?;
        self.memory.drop_checkpoint(call, fence).await
    }

    async fn put_recording(&self, recording: &Recording) -> Result<()> {
        self.serve().await?;
        self.memory.put_recording(recording).await
    }

    async fn recording(&self, recording: RecordingId) -> Result<Option<Recording>> {
        self.serve().await?;
        self.memory.recording(recording).await
    }

    async fn keep_key(&self, tenant: &TenantId, sealed: &[u8]) -> Result<Vec<u8>> {
        self.serve().await?;
        self.memory.keep_key(tenant, sealed).await
    }

    async fn key(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>> {
        self.serve().await?;
        self.memory.key(tenant).await
    }

    async fn take_ownership(&self, kind: &str, id: &str, who: &str) -> Result<Owner> {
        self.serve().await?;
        self.memory.take_ownership(kind, id, who).await
    }

    async fn owner(&self, kind: &str, id: &str) -> Result<Option<Owner>> {
        self.serve().await?;
        self.memory.owner(kind, id).await
    }

    async fn export(&self, part: Part, page: Page) -> Result<Listing<StoredRow>> {
        self.serve().await?;
        self.memory.export(part, page).await
    }

    async fn import(&self, rows: &[StoredRow]) -> Result<()> {
        self.serve().await?;
        self.memory.import(rows).await
    }

    async fn update_recording(&self, recording: &Recording) -> Result<bool> {
        self.serve().await?;
        self.memory.update_recording(recording).await
    }

    async fn recordings_to_merge(&self, page: Page) -> Result<Listing<Recording>> {
        self.serve().await?;
        self.memory.recordings_to_merge(page).await
    }

    async fn keys(&self, page: Page) -> Result<Listing<SealedKey>> {
        self.serve().await?;
        self.memory.keys(page).await
    }

    async fn replace_key(&self, tenant: &TenantId, expected: &[u8], sealed: &[u8]) -> Result<()> {
        self.serve().await?;
        self.memory.replace_key(tenant, expected, sealed).await
    }

    async fn drop_key(&self, tenant: &TenantId) -> Result<bool> {
        self.serve().await?;
        self.memory.drop_key(tenant).await
    }

    async fn erase_call(&self, call: CallId, extent: Extent) -> Result<Erasure> {
        self.serve().await?;
        self.memory.erase_call(call, extent).await
    }

    async fn erase_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        after: Option<Cursor>,
    ) -> Result<Erasure> {
        self.serve().await?;
        self.memory.erase_caller(tenant, caller, after).await
    }

    async fn erase_tenant(&self, tenant: &TenantId, after: Option<Cursor>) -> Result<Erasure> {
        self.serve().await?;
        self.memory.erase_tenant(tenant, after).await
    }

    async fn old_calls(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        self.serve().await?;
        self.memory.old_calls(tenant, before, page).await
    }

    async fn removals(&self, page: Page) -> Result<Listing<Removal>> {
        self.serve().await?;
        self.memory.removals(page).await
    }

    async fn forget_removal(&self, recording: RecordingId) -> Result<()> {
        self.serve().await?;
        self.memory.forget_removal(recording).await
    }

    async fn append_audit(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<AuditRow> {
        self.serve().await?;
        self.memory.append_audit(tenant, entry).await
    }

    async fn audit(&self, tenant: &TenantId, page: Page) -> Result<Listing<AuditRow>> {
        self.serve().await?;
        self.memory.audit(tenant, page).await
    }

    async fn check(&self) -> Result<()> {
        self.serve().await?;
        self.memory.check().await
    }
}
