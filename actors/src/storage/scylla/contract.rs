//! The contract, in the cluster's words.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Scylla;
use crate::storage::{
    AuditEntry, AuditRow, BookingWrite, Claim, Cursor, Erasure, Examination, Extent, Fence, IdempotencyKey,
    Listing, Occupied, Owner, Page, Part, Recording, Removal, Result, SealedKey, Storage, StoredRow,
};
use crate::types::{
    Booking, BookingId, Business, CallEvent, CallId, CallRecord, Life, Message, PhoneNumber, Private,
    RecordingId, ResourceId, TenantId, ToolOutcome,
};

#[async_trait]
impl Storage for Scylla {
    async fn put_business(&self, business: &Business, expected: Option<u64>) -> Result<()> {
        self.put_business_row(business, expected).await
    }

    async fn business(&self, tenant: &TenantId) -> Result<Option<Business>> {
        self.business_row(tenant).await
    }

    async fn businesses(&self, page: Page) -> Result<Listing<Business>> {
        self.list_businesses(&page).await
    }

    async fn tenant_of(&self, number: &PhoneNumber) -> Result<Option<TenantId>> {
        self.holder_of(number).await
    }

    async fn put_call(&self, record: &CallRecord) -> Result<()> {
        self.put_call_row(record).await
    }

    async fn begin_call(&self, record: &CallRecord) -> Result<()> {
        self.begin_call_row(record).await
    }

    async fn call(&self, call: CallId) -> Result<Option<CallRecord>> {
        self.call_row(call).await
    }

    async fn calls(&self, tenant: &TenantId, page: Page) -> Result<Listing<CallRecord>> {
        self.list_calls(tenant, &page).await
    }

    async fn calls_by_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        self.list_calls_by_caller(tenant, caller.reveal(), &page).await
    }

    async fn open_calls(&self, page: Page) -> Result<Listing<CallRecord>> {
        self.list_open_calls(&page).await
    }

    async fn claim_call(&self, call: CallId, from: Option<&Life>, to: &Life) -> Result<Claim> {
        self.claim_call_row(call, from, to).await
    }

    async fn append_events(&self, call: CallId, events: &[CallEvent]) -> Result<()> {
        self.append_event_rows(call, events).await
    }

    async fn events(&self, call: CallId) -> Result<Vec<CallEvent>> {
        self.event_rows(call).await
    }

    async fn book(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        self.book_row(booking, occupied, key).await
    }

    async fn rebook(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        self.rebook_row(booking, occupied, key).await
    }

    async fn cancel(&self, booking: &Booking, key: &IdempotencyKey) -> Result<BookingWrite> {
        self.cancel_row(booking, key).await
    }

    async fn written(&self, tenant: &TenantId, key: &IdempotencyKey) -> Result<Option<Booking>> {
        self.written_row(tenant, key).await
    }

    async fn booking(&self, tenant: &TenantId, booking: BookingId) -> Result<Option<Booking>> {
        self.booking_row(tenant, booking).await
    }

    async fn bookings(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        until: Timestamp,
        page: Page,
    ) -> Result<Listing<Booking>> {
        self.list_bookings(tenant, from, until, &page).await
    }

    async fn occupied(
        &self,
        tenant: &TenantId,
        resource: &ResourceId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Occupied>> {
        self.occupied_rows(tenant, resource, from, until).await
    }

    async fn put_message(&self, message: &Message, key: &IdempotencyKey) -> Result<Message> {
        self.put_message_row(message, key).await
    }

    async fn messages(&self, tenant: &TenantId, page: Page) -> Result<Listing<Message>> {
        self.list_messages(tenant, &page).await
    }

    async fn remember_outcome(&self, key: &IdempotencyKey, outcome: &ToolOutcome) -> Result<ToolOutcome> {
        self.remember(key, outcome).await
    }

    async fn outcome(&self, key: &IdempotencyKey) -> Result<Option<ToolOutcome>> {
        self.recall(key).await
    }

    async fn put_checkpoint(&self, call: CallId, fence: Fence, state: &[u8]) -> Result<()> {
        self.put_state(call, fence, state).await
    }

    async fn checkpoint(&self, call: CallId) -> Result<Option<Vec<u8>>> {
        self.state(call).await
    }

    async fn drop_checkpoint(&self, call: CallId, fence: Fence) -> Result<()> {
        self.drop_state(call, fence).await
    }

    async fn put_recording(&self, recording: &Recording) -> Result<()> {
        self.put_recording_row(recording).await
    }

    async fn update_recording(&self, recording: &Recording) -> Result<bool> {
        self.update_recording_row(recording).await
    }

    async fn recordings_to_merge(&self, page: Page) -> Result<Listing<Recording>> {
        self.list_to_merge(&page).await
    }

    async fn recording(&self, recording: RecordingId) -> Result<Option<Recording>> {
        self.recording_row(recording).await
    }

    async fn keep_key(&self, tenant: &TenantId, sealed: &[u8]) -> Result<Vec<u8>> {
        self.keep_sealed_key(tenant, sealed).await
    }

    async fn key(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>> {
        self.sealed_key(tenant).await
    }

    async fn keys(&self, page: Page) -> Result<Listing<SealedKey>> {
        self.list_keys(&page).await
    }

    async fn replace_key(&self, tenant: &TenantId, expected: &[u8], sealed: &[u8]) -> Result<()> {
        self.replace_sealed_key(tenant, expected, sealed).await
    }

    async fn drop_key(&self, tenant: &TenantId) -> Result<bool> {
        self.drop_sealed_key(tenant).await
    }

    async fn erase_call(&self, call: CallId, extent: Extent) -> Result<Erasure> {
        self.erase_call_rows(call, extent).await
    }

    async fn erase_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        after: Option<Cursor>,
    ) -> Result<Erasure> {
        self.erase_caller_step(tenant, caller.reveal(), after).await
    }

    async fn erase_tenant(&self, tenant: &TenantId, after: Option<Cursor>) -> Result<Erasure> {
        self.erase_tenant_step(tenant, after).await
    }

    async fn old_calls(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        page: Page,
    ) -> Result<Listing<CallRecord>> {
        self.list_old_calls(tenant, before, &page).await
    }

    async fn removals(&self, page: Page) -> Result<Listing<Removal>> {
        self.list_removals(&page).await
    }

    async fn forget_removal(&self, recording: RecordingId) -> Result<()> {
        self.forget_removal_row(recording).await
    }

    async fn append_audit(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<AuditRow> {
        self.append_audit_row(tenant, entry).await
    }

    async fn audit(&self, tenant: &TenantId, page: Page) -> Result<Listing<AuditRow>> {
        self.list_audit(tenant, &page).await
    }

    async fn take_ownership(&self, kind: &str, id: &str, who: &str) -> Result<Owner> {
        self.take_over(kind, id, who).await
    }

    async fn owner(&self, kind: &str, id: &str) -> Result<Option<Owner>> {
        self.decided_owner(kind, id).await
    }

    async fn export(&self, part: Part, page: Page) -> Result<Listing<StoredRow>> {
        self.export_rows(part, &page).await
    }

    async fn import(&self, rows: &[StoredRow]) -> Result<()> {
        for row in rows {
            self.import_row(row).await?;
        }
        Ok(())
    }

    async fn examine(&self) -> Result<Option<Examination>> {
        self.examine_tables().await.map(Some)
    }

    async fn check(&self) -> Result<()> {
        self.probe().await
    }

    #[cfg(test)]
    async fn everything(&self) -> Result<crate::storage::Everything> {
        Ok(super::tests::everything(self).await)
    }
}
