//! A store that fails when it is told to.

use std::sync::atomic::{AtomicU8, Ordering};

use actors::storage::{
    AuditEntry, AuditRow, BookingWrite, Claim, Cursor, Erasure, Error, Extent, Fence, IdempotencyKey,
    Listing, Occupied, Owner, Page, Part, Recording, Removal, Result, SealedKey, Storage, StoredRow, Users,
};
use actors::types::{
    Booking, BookingId, Business, CallEvent, CallId, CallRecord, EmailAddress, Life, Message, PhoneNumber,
    Private, RecordingId, ResourceId, TenantId, ToolOutcome, User, UserId,
};
use async_trait::async_trait;
use jiff::Timestamp;

const WORKS: u8 = 0;
const FAILS_BEFORE: u8 = 1;
const FAILS_AFTER: u8 = 2;

/// Another store, with failures put before its writes or after them. Reads always work.
pub(crate) struct Failing<S> {
    inner: S,
    mode: AtomicU8,
}

impl<S> Failing<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, mode: AtomicU8::new(WORKS) }
    }

    /// From now on everything works.
    pub(crate) fn work(&self) {
        self.mode.store(WORKS, Ordering::SeqCst);
    }

    /// From now on nothing is written, and the writer is told so.
    pub(crate) fn fail_before(&self) {
        self.mode.store(FAILS_BEFORE, Ordering::SeqCst);
    }

    /// From now on everything is written, and the writer is told that nobody knows.
    pub(crate) fn fail_after(&self) {
        self.mode.store(FAILS_AFTER, Ordering::SeqCst);
    }

    fn before(&self) -> Result<()> {
        let fails = self.mode.load(Ordering::SeqCst) == FAILS_BEFORE;
        if fails { Err(Error::Unavailable { why: "told to fail".to_owned() }) } else { Ok(()) }
    }

    fn after<T>(&self, result: Result<T>) -> Result<T> {
        let fails = self.mode.load(Ordering::SeqCst) == FAILS_AFTER;
        if fails { Err(Error::Unknown { why: "told to fail".to_owned() }) } else { result }
    }
}

#[async_trait]
impl<S: Storage> Users for Failing<S> {
    async fn create_user(&self, user: &User) -> Result<()> {
        self.before()?;
        self.after(self.inner.create_user(user).await)
    }

    async fn change_user(&self, user: &User, expected: u64) -> Result<()> {
        self.before()?;
        self.after(self.inner.change_user(user, expected).await)
    }

    async fn user(&self, tenant: &TenantId, user: UserId) -> Result<Option<User>> {
        self.inner.user(tenant, user).await
    }

    async fn user_by_email(&self, email: &Private<EmailAddress>) -> Result<Option<User>> {
        self.inner.user_by_email(email).await
    }

    async fn users(&self, tenant: &TenantId, page: Page) -> Result<Listing<User>> {
        self.inner.users(tenant, page).await
    }

    async fn delete_user(&self, tenant: &TenantId, user: UserId) -> Result<bool> {
        self.before()?;
        self.after(self.inner.delete_user(tenant, user).await)
    }
}

#[async_trait]
impl<S: Storage> Storage for Failing<S> {
    async fn put_business(&self, business: &Business, expected: Option<u64>) -> Result<()> {
        self.before()?;
        self.after(self.inner.put_business(business, expected).await)
    }

    async fn business(&self, tenant: &TenantId) -> Result<Option<Business>> {
        self.inner.business(tenant).await
    }

    async fn businesses(&self, page: Page) -> Result<Listing<Business>> {
        self.inner.businesses(page).await
    }

    async fn tenant_of(&self, number: &PhoneNumber) -> Result<Option<TenantId>> {
        self.inner.tenant_of(number).await
    }

    async fn put_call(&self, record: &CallRecord) -> Result<()> {
        self.before()?;
        self.after(self.inner.put_call(record).await)
    }

    async fn call(&self, call: CallId) -> Result<Option<CallRecord>> {
        self.inner.call(call).await
    }

    async fn calls(&self, tenant: &TenantId, page: Page) -> Result<Listing<CallRecord>> {
        self.inner.calls(tenant, page).await
    }

    async fn calls_by_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        self.inner.calls_by_caller(tenant, caller, page).await
    }

    async fn open_calls(&self, page: Page) -> Result<Listing<CallRecord>> {
        self.inner.open_calls(page).await
    }

    async fn claim_call(&self, call: CallId, from: Option<&Life>, to: &Life) -> Result<Claim> {
        self.before()?;
        self.after(self.inner.claim_call(call, from, to).await)
    }

    async fn append_events(&self, call: CallId, events: &[CallEvent]) -> Result<()> {
        self.before()?;
        self.after(self.inner.append_events(call, events).await)
    }

    async fn events(&self, call: CallId) -> Result<Vec<CallEvent>> {
        self.inner.events(call).await
    }

    async fn book(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        self.before()?;
        self.after(self.inner.book(booking, occupied, key).await)
    }

    async fn rebook(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        self.before()?;
        self.after(self.inner.rebook(booking, occupied, key).await)
    }

    async fn cancel(&self, booking: &Booking, key: &IdempotencyKey) -> Result<BookingWrite> {
        self.before()?;
        self.after(self.inner.cancel(booking, key).await)
    }

    async fn written(&self, tenant: &TenantId, key: &IdempotencyKey) -> Result<Option<Booking>> {
        self.inner.written(tenant, key).await
    }

    async fn booking(&self, tenant: &TenantId, booking: BookingId) -> Result<Option<Booking>> {
        self.inner.booking(tenant, booking).await
    }

    async fn bookings(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        until: Timestamp,
        page: Page,
    ) -> Result<Listing<Booking>> {
        self.inner.bookings(tenant, from, until, page).await
    }

    async fn occupied(
        &self,
        tenant: &TenantId,
        resource: &ResourceId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Occupied>> {
        self.inner.occupied(tenant, resource, from, until).await
    }

    async fn put_message(&self, message: &Message, key: &IdempotencyKey) -> Result<Message> {
        self.before()?;
        self.after(self.inner.put_message(message, key).await)
    }

    async fn messages(&self, tenant: &TenantId, page: Page) -> Result<Listing<Message>> {
        self.inner.messages(tenant, page).await
    }

    async fn remember_outcome(&self, key: &IdempotencyKey, outcome: &ToolOutcome) -> Result<ToolOutcome> {
        self.before()?;
        self.after(self.inner.remember_outcome(key, outcome).await)
    }

    async fn outcome(&self, key: &IdempotencyKey) -> Result<Option<ToolOutcome>> {
        self.inner.outcome(key).await
    }

    async fn put_checkpoint(&self, call: CallId, fence: Fence, state: &[u8]) -> Result<()> {
        self.before()?;
        self.after(self.inner.put_checkpoint(call, fence, state).await)
    }

    async fn checkpoint(&self, call: CallId) -> Result<Option<Vec<u8>>> {
        self.inner.checkpoint(call).await
    }

    async fn drop_checkpoint(&self, call: CallId, fence: Fence) -> Result<()> {
        self.before()?;
        self.after(self.inner.drop_checkpoint(call, fence).await)
    }

    async fn put_recording(&self, recording: &Recording) -> Result<()> {
        self.before()?;
        self.after(self.inner.put_recording(recording).await)
    }

    async fn recording(&self, recording: RecordingId) -> Result<Option<Recording>> {
        self.inner.recording(recording).await
    }

    async fn keep_key(&self, tenant: &TenantId, sealed: &[u8]) -> Result<Vec<u8>> {
        self.before()?;
        self.after(self.inner.keep_key(tenant, sealed).await)
    }

    async fn key(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>> {
        self.inner.key(tenant).await
    }

    async fn take_ownership(&self, kind: &str, id: &str, who: &str) -> Result<Owner> {
        self.before()?;
        self.after(self.inner.take_ownership(kind, id, who).await)
    }

    async fn owner(&self, kind: &str, id: &str) -> Result<Option<Owner>> {
        self.inner.owner(kind, id).await
    }

    async fn export(&self, part: Part, page: Page) -> Result<Listing<StoredRow>> {
        self.inner.export(part, page).await
    }

    async fn import(&self, rows: &[StoredRow]) -> Result<()> {
        self.before()?;
        self.after(self.inner.import(rows).await)
    }

    async fn update_recording(&self, recording: &Recording) -> Result<bool> {
        self.before()?;
        self.after(self.inner.update_recording(recording).await)
    }

    async fn recordings_to_merge(&self, page: Page) -> Result<Listing<Recording>> {
        self.inner.recordings_to_merge(page).await
    }

    async fn keys(&self, page: Page) -> Result<Listing<SealedKey>> {
        self.inner.keys(page).await
    }

    async fn replace_key(&self, tenant: &TenantId, expected: &[u8], sealed: &[u8]) -> Result<()> {
        self.before()?;
        self.after(self.inner.replace_key(tenant, expected, sealed).await)
    }

    async fn drop_key(&self, tenant: &TenantId) -> Result<bool> {
        self.before()?;
        self.after(self.inner.drop_key(tenant).await)
    }

    async fn erase_call(&self, call: CallId, extent: Extent) -> Result<Erasure> {
        self.before()?;
        self.after(self.inner.erase_call(call, extent).await)
    }

    async fn erase_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        after: Option<Cursor>,
    ) -> Result<Erasure> {
        self.before()?;
        self.after(self.inner.erase_caller(tenant, caller, after).await)
    }

    async fn erase_tenant(&self, tenant: &TenantId, after: Option<Cursor>) -> Result<Erasure> {
        self.before()?;
        self.after(self.inner.erase_tenant(tenant, after).await)
    }

    async fn old_calls(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        self.inner.old_calls(tenant, before, page).await
    }

    async fn removals(&self, page: Page) -> Result<Listing<Removal>> {
        self.inner.removals(page).await
    }

    async fn forget_removal(&self, recording: RecordingId) -> Result<()> {
        self.before()?;
        self.after(self.inner.forget_removal(recording).await)
    }

    async fn append_audit(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<AuditRow> {
        self.before()?;
        self.after(self.inner.append_audit(tenant, entry).await)
    }

    async fn audit(&self, tenant: &TenantId, page: Page) -> Result<Listing<AuditRow>> {
        self.inner.audit(tenant, page).await
    }

    async fn check(&self) -> Result<()> {
        self.before()?;
        self.after(self.inner.check().await)
    }
}
