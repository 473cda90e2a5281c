//! Whatever keeps ordered tables is a store.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Frozen, Ordered, audit, bookings, businesses, calls, erase_call, erase_caller, erase_tenant, outcomes,
    owners, portable, recordings,
};
use crate::storage::{
    AuditEntry, AuditRow, BookingWrite, Claim, Cursor, Erasure, Extent, Fence, IdempotencyKey, Listing,
    Occupied, Owner, Page, Part, Recording, Removal, Result, SealedKey, Storage, StoredRow,
};
use crate::types::{
    Booking, BookingId, Business, CallEvent, CallId, CallRecord, Life, Message, PhoneNumber, Private,
    RecordingId, ResourceId, TenantId, ToolOutcome,
};

#[async_trait]
impl<O: Ordered> Storage for O {
    async fn put_business(&self, business: &Business, expected: Option<u64>) -> Result<()> {
        let business = business.clone();
        self.write(move |rows| businesses::put(rows, &business, expected)).await
    }

    async fn business(&self, tenant: &TenantId) -> Result<Option<Business>> {
        self.read(|rows| businesses::get(rows, tenant))
    }

    async fn businesses(&self, page: Page) -> Result<Listing<Business>> {
        self.read(|rows| businesses::list(rows, &page))
    }

    async fn tenant_of(&self, number: &PhoneNumber) -> Result<Option<TenantId>> {
        self.read(|rows| businesses::owner(rows, number))
    }

    async fn put_call(&self, record: &CallRecord) -> Result<()> {
        let record = record.clone();
        self.write(move |rows| calls::put(rows, &record)).await
    }

    async fn call(&self, call: CallId) -> Result<Option<CallRecord>> {
        self.read(|rows| calls::get(rows, call))
    }

    async fn calls(&self, tenant: &TenantId, page: Page) -> Result<Listing<CallRecord>> {
        self.read(|rows| calls::list(rows, tenant, &page))
    }

    async fn calls_by_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        self.read(|rows| calls::list_by_caller(rows, tenant, caller.reveal(), &page))
    }

    async fn open_calls(&self, page: Page) -> Result<Listing<CallRecord>> {
        self.read(|rows| calls::list_open(rows, &page))
    }

    async fn claim_call(&self, call: CallId, from: Option<&Life>, to: &Life) -> Result<Claim> {
        let (from, to) = (from.cloned(), to.clone());
        self.write(move |rows| calls::claim(rows, call, from.as_ref(), &to)).await
    }

    async fn append_events(&self, call: CallId, events: &[CallEvent]) -> Result<()> {
        let events = events.to_vec();
        self.write_soon(move |rows| calls::append(rows, call, &events)).await
    }

    async fn events(&self, call: CallId) -> Result<Vec<CallEvent>> {
        self.read(|rows| calls::events(rows, call))
    }

    async fn book(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        let (booking, occupied, key) = (booking.clone(), occupied.clone(), key.clone());
        self.write(move |rows| bookings::book(rows, &booking, &occupied, &key)).await
    }

    async fn rebook(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        let (booking, occupied, key) = (booking.clone(), occupied.clone(), key.clone());
        self.write(move |rows| bookings::rebook(rows, &booking, &occupied, &key)).await
    }

    async fn cancel(&self, booking: &Booking, key: &IdempotencyKey) -> Result<BookingWrite> {
        let (booking, key) = (booking.clone(), key.clone());
        self.write(move |rows| bookings::cancel(rows, &booking, &key)).await
    }

    async fn written(&self, tenant: &TenantId, key: &IdempotencyKey) -> Result<Option<Booking>> {
        self.read(|rows| bookings::written(rows, tenant, key))
    }

    async fn booking(&self, tenant: &TenantId, booking: BookingId) -> Result<Option<Booking>> {
        self.read(|rows| bookings::get(rows, tenant, booking))
    }

    async fn bookings(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        until: Timestamp,
        page: Page,
    ) -> Result<Listing<Booking>> {
        self.read(|rows| bookings::list(rows, tenant, from, until, &page))
    }

    async fn occupied(
        &self,
        tenant: &TenantId,
        resource: &ResourceId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Occupied>> {
        self.read(|rows| bookings::occupied(rows, tenant, resource, from, until))
    }

    async fn put_message(&self, message: &Message, key: &IdempotencyKey) -> Result<Message> {
        let (message, key) = (message.clone(), key.clone());
        self.write(move |rows| outcomes::put_message(rows, &message, &key)).await
    }

    async fn messages(&self, tenant: &TenantId, page: Page) -> Result<Listing<Message>> {
        self.read(|rows| outcomes::messages(rows, tenant, &page))
    }

    async fn remember_outcome(&self, key: &IdempotencyKey, outcome: &ToolOutcome) -> Result<ToolOutcome> {
        let (key, outcome) = (key.clone(), outcome.clone());
        self.write(move |rows| outcomes::remember(rows, &key, &outcome)).await
    }

    async fn outcome(&self, key: &IdempotencyKey) -> Result<Option<ToolOutcome>> {
        self.read(|rows| outcomes::recall(rows, key))
    }

    async fn put_checkpoint(&self, call: CallId, fence: Fence, state: &[u8]) -> Result<()> {
        let state = state.to_vec();
        self.write_soon(move |rows| calls::put_checkpoint(rows, call, fence, state)).await
    }

    async fn checkpoint(&self, call: CallId) -> Result<Option<Vec<u8>>> {
        self.read(|rows| calls::checkpoint(rows, call))
    }

    async fn drop_checkpoint(&self, call: CallId, fence: Fence) -> Result<()> {
        self.write_soon(move |rows| calls::drop_checkpoint(rows, call, fence)).await
    }

    async fn put_recording(&self, recording: &Recording) -> Result<()> {
        let recording = recording.clone();
        self.write(move |rows| recordings::put(rows, &recording)).await
    }

    async fn update_recording(&self, recording: &Recording) -> Result<bool> {
        let recording = recording.clone();
        self.write(move |rows| recordings::update(rows, &recording)).await
    }

    async fn recordings_to_merge(&self, page: Page) -> Result<Listing<Recording>> {
        self.read(|rows| recordings::list_to_merge(rows, &page))
    }

    async fn recording(&self, recording: RecordingId) -> Result<Option<Recording>> {
        self.read(|rows| recordings::get(rows, recording))
    }

    async fn keep_key(&self, tenant: &TenantId, sealed: &[u8]) -> Result<Vec<u8>> {
        let (tenant, sealed) = (tenant.clone(), sealed.to_vec());
        self.write(move |rows| recordings::keep_key(rows, &tenant, sealed)).await
    }

    async fn key(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>> {
        self.read(|rows| recordings::key(rows, tenant))
    }

    async fn take_ownership(&self, kind: &str, id: &str, who: &str) -> Result<Owner> {
        let (kind, id, who) = (kind.to_owned(), id.to_owned(), who.to_owned());
        self.write(move |rows| owners::take(rows, &kind, &id, &who)).await
    }

    async fn owner(&self, kind: &str, id: &str) -> Result<Option<Owner>> {
        self.read(|rows| owners::get(rows, kind, id))
    }

    async fn export(&self, part: Part, page: Page) -> Result<Listing<StoredRow>> {
        self.read(|rows| portable::export(rows, part, &page))
    }

    async fn import(&self, rows: &[StoredRow]) -> Result<()> {
        let new = rows.to_vec();
        self.write(move |rows| portable::import(rows, &new)).await
    }

    fn freeze(&self) -> Result<Option<Frozen>> {
        self.hold().map(|rows| rows.map(Frozen::of))
    }

    async fn keys(&self, page: Page) -> Result<Listing<SealedKey>> {
        self.read(|rows| recordings::keys(rows, &page))
    }

    async fn replace_key(&self, tenant: &TenantId, expected: &[u8], sealed: &[u8]) -> Result<()> {
        let (tenant, expected, sealed) = (tenant.clone(), expected.to_vec(), sealed.to_vec());
        self.write(move |rows| recordings::replace_key(rows, &tenant, &expected, &sealed)).await
    }

    async fn drop_key(&self, tenant: &TenantId) -> Result<bool> {
        let tenant = tenant.clone();
        self.write(move |rows| recordings::drop_key(rows, &tenant)).await
    }

    async fn erase_call(&self, call: CallId, extent: Extent) -> Result<Erasure> {
        erase_call::erase(self, call, extent).await
    }

    async fn erase_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        after: Option<Cursor>,
    ) -> Result<Erasure> {
        erase_caller::step(self, tenant, caller.reveal(), after).await
    }

    async fn erase_tenant(&self, tenant: &TenantId, after: Option<Cursor>) -> Result<Erasure> {
        erase_tenant::step(self, tenant, after).await
    }

    async fn old_calls(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        self.read(|rows| calls::list_old(rows, tenant, before, &page))
    }

    async fn removals(&self, page: Page) -> Result<Listing<Removal>> {
        self.read(|rows| recordings::removals(rows, &page))
    }

    async fn forget_removal(&self, recording: RecordingId) -> Result<()> {
        self.write(move |rows| recordings::forget_removal(rows, recording)).await
    }

    async fn append_audit(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<AuditRow> {
        let (tenant, entry) = (tenant.clone(), entry.clone());
        self.write(move |rows| audit::append(rows, &tenant, &entry)).await
    }

    async fn audit(&self, tenant: &TenantId, page: Page) -> Result<Listing<AuditRow>> {
        self.read(|rows| audit::list(rows, tenant, &page))
    }

    async fn check(&self) -> Result<()> {
        let probe = self.write(|rows| outcomes::probe(rows)).await?;
        self.read(|rows| outcomes::check_probe(rows, probe))
    }

    #[cfg(test)]
    async fn everything(&self) -> Result<crate::storage::Everything> {
        self.read(super::table::everything)
    }
}
