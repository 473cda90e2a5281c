//! What is remembered, behind one interface shaped on what CQL can do: append, range with an opaque cursor,
//! get, insert if absent, compare and set on one partition. No joins and no counters.
//!
//! Backends: `memory` (tests), `embedded` (redb, the default), `scylla` (a cluster; by feature). `conformance` is
//! one suite that each passes. The first two keep their rows by ordered keys; `ordered` says how, once. `journal`
//! stands before a backend on other machines and keeps what it can't take. What nodes share about live calls is no
//! store but `coordination`: one node's memory, or `redis`. `address_book` is what a node knows without its store.

pub mod address_book;
mod audit;
pub mod backup;
#[cfg(test)]
mod conformance;
pub mod coordination;
pub mod copy;
pub mod embedded;
mod erasure;
mod error;
mod examine;
pub mod journal;
mod memory;
mod mention;
pub mod metrics;
mod ordered;
mod portable;
pub mod recordings;
#[cfg(feature = "redis")]
mod redis;
pub mod retention;
mod rows;
#[cfg(feature = "scylla")]
pub mod scylla;
#[cfg(feature = "search")]
pub mod search;
#[cfg(any(feature = "scylla", feature = "redis"))]
mod trust;
mod users;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::types::{
    Booking, BookingId, Business, CallEvent, CallId, CallRecord, Life, Message, PhoneNumber, Private,
    RecordingId, ResourceId, TenantId, ToolOutcome,
};

#[cfg(test)]
pub use conformance::Everything;

pub use audit::{AuditAct, AuditActor, AuditEntry, AuditRow, audit_key, broken_link};
pub use embedded::Embedded;
pub use erasure::{Erased, Erasure, Extent, Removal};
pub use error::{Error, Result};
pub use examine::{Examination, Fault};
pub use memory::Memory;
pub use ordered::Frozen;
pub use portable::{Part, ROWS_VERSION, StoredRow};
use rows::HOLDER;
pub use rows::{
    BookingWrite, Claim, Cursor, Fence, FinishedRecording, IdempotencyKey, Listing, MergedChunk,
    MergedRecording, Occupied, Owner, Page, Recording, SealedKey,
};
pub use users::Users;

/// A store of everything that outlives a call. Every write is durable when it returns.
#[async_trait]
pub trait Storage: Users {
    /// Writes a business, where its stored version is `expected` (`None`: where it does not exist yet). A number
    /// that another business holds is a [`Error::Conflict`] of "number".
    async fn put_business(&self, business: &Business, expected: Option<u64>) -> Result<()>;
    /// Reads a business.
    async fn business(&self, tenant: &TenantId) -> Result<Option<Business>>;
    /// All businesses, by id.
    async fn businesses(&self, page: Page) -> Result<Listing<Business>>;
    /// Who has this number.
    async fn tenant_of(&self, number: &PhoneNumber) -> Result<Option<TenantId>>;

    /// Writes a call's summary row; the last write wins, and there is one writer at a time: the process that has
    /// the call. A write by one that the call was claimed from (see [`Self::claim_call`]) changes nothing, now or
    /// later, and is a [`Error::Conflict`] of "call's holder"; where it is made in the moment of the claim it may
    /// seem to be made.
    async fn put_call(&self, record: &CallRecord) -> Result<()>;
    /// Writes the first summary row of a call, by the process that the call came to, which has written none of it
    /// but by this same act. As [`Self::put_call`], only that nobody needs to look first what is there: where the
    /// call was claimed meanwhile it changes nothing all the same, and need not say so.
    async fn begin_call(&self, record: &CallRecord) -> Result<()> {
        self.put_call(record).await
    }
    /// Reads a call's summary row.
    async fn call(&self, call: CallId) -> Result<Option<CallRecord>>;
    /// A business's calls, newest first.
    async fn calls(&self, tenant: &TenantId, page: Page) -> Result<Listing<CallRecord>>;
    /// A caller's calls to a business, newest first.
    async fn calls_by_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        page: Page,
    ) -> Result<Listing<CallRecord>>;
    /// Calls without an end, of all businesses, whoever has them.
    async fn open_calls(&self, page: Page) -> Result<Listing<CallRecord>>;
    /// Takes a call that goes on from a process that is thought to be dead; of many that claim it one gets it, and
    /// has it when it asks again. `from`: who its record says has it.
    async fn claim_call(&self, call: CallId, from: Option<&Life>, to: &Life) -> Result<Claim>;
    /// Appends events; one that is there already (same call and `seq`) stays as it is.
    async fn append_events(&self, call: CallId, events: &[CallEvent]) -> Result<()>;
    /// A call's events, in order.
    async fn events(&self, call: CallId) -> Result<Vec<CallEvent>>;

    /// Makes an appointment for `occupied`, if all of that time is free.
    async fn book(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite>;
    /// Moves an appointment to `occupied`, if that time is free but for itself, and if the stored version is one
    /// less than `booking.version`. Its old time becomes free in the same act.
    async fn rebook(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite>;
    /// Cancels an appointment, if the stored version is one less than `booking.version`, and frees its time.
    async fn cancel(&self, booking: &Booking, key: &IdempotencyKey) -> Result<BookingWrite>;
    /// The appointment as it was written under this key, if one was.
    async fn written(&self, tenant: &TenantId, key: &IdempotencyKey) -> Result<Option<Booking>>;
    /// Reads an appointment.
    async fn booking(&self, tenant: &TenantId, booking: BookingId) -> Result<Option<Booking>>;
    /// A business's appointments that start in `[from, until)`, earliest first, cancelled ones included.
    async fn bookings(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        until: Timestamp,
        page: Page,
    ) -> Result<Listing<Booking>>;
    /// A resource's occupied spans that touch `[from, until)`, earliest first.
    async fn occupied(
        &self,
        tenant: &TenantId,
        resource: &ResourceId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Occupied>>;

    /// Keeps a message; one with the same key is kept once and the first one returned.
    async fn put_message(&self, message: &Message, key: &IdempotencyKey) -> Result<Message>;
    /// A business's messages, newest first.
    async fn messages(&self, tenant: &TenantId, page: Page) -> Result<Listing<Message>>;

    /// Remembers what a tool call came to, if nothing is remembered under the key yet; returns what is.
    async fn remember_outcome(&self, key: &IdempotencyKey, outcome: &ToolOutcome) -> Result<ToolOutcome>;
    /// What a tool call came to, if it is remembered.
    async fn outcome(&self, key: &IdempotencyKey) -> Result<Option<ToolOutcome>>;

    /// Keeps a live call's state, its bytes versioned by their writer; replaces the one before. Where the call was
    /// claimed (see [`Self::claim_call`]) by a later claim than `fence` says, and that one has kept or dropped a
    /// state, it changes nothing, now or later, and that is not told: whoever lost a call hears it of its record.
    async fn put_checkpoint(&self, call: CallId, fence: Fence, state: &[u8]) -> Result<()>;
    /// A live call's last kept state.
    async fn checkpoint(&self, call: CallId) -> Result<Option<Vec<u8>>>;
    /// Forgets a call's state: it is over. One that a later claim kept stays, as in [`Self::put_checkpoint`].
    async fn drop_checkpoint(&self, call: CallId, fence: Fence) -> Result<()>;

    /// Writes what is known of a recording; the last write wins. Called once, when it begins.
    async fn put_recording(&self, recording: &Recording) -> Result<()>;
    /// Writes what is known of a recording that is there; where it is not, it was erased, nothing is written, and
    /// the answer is no. The last write wins; the recorder writes first and then the merger.
    async fn update_recording(&self, recording: &Recording) -> Result<bool>;
    /// Recordings of all businesses that [`Recording::to_merge`] says have work left, by id.
    async fn recordings_to_merge(&self, page: Page) -> Result<Listing<Recording>>;
    /// What is known of a recording.
    async fn recording(&self, recording: RecordingId) -> Result<Option<Recording>>;
    /// Keeps a business's sealed key, if it has none yet; returns the one it has.
    async fn keep_key(&self, tenant: &TenantId, sealed: &[u8]) -> Result<Vec<u8>>;
    /// A business's sealed key.
    async fn key(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>>;
    /// All businesses' sealed keys, by business.
    async fn keys(&self, page: Page) -> Result<Listing<SealedKey>>;
    /// Puts another sealing of a business's key in the place of `expected`; where that is not what is there it is a
    /// [`Error::Conflict`] of "business's key".
    async fn replace_key(&self, tenant: &TenantId, expected: &[u8], sealed: &[u8]) -> Result<()>;
    /// Drops a business's key: what it sealed can never be opened again. Whether there was one.
    async fn drop_key(&self, tenant: &TenantId) -> Result<bool>;

    /// Erases a call and everything under its id: its record and index entries, events, state, messages, outcomes,
    /// what was written under its idempotency keys (`call_id/step`), its recording (see [`Removal`]), and with
    /// [`Extent::Everything`] the appointments it made. A call that goes on is left, and counted as live. The
    /// record goes last, so that an erasure that was cut short can be begun again.
    async fn erase_call(&self, call: CallId, extent: Extent) -> Result<Erasure>;
    /// Takes a bounded step of erasing a caller from a business; `after` is the `next` of the step before. Goes:
    /// every call from the caller's line ([`PhoneNumber::reaches_same_line`]) and every call in whose record or
    /// events the number is mentioned, with everything; and every other appointment, message and copy of one that
    /// mentions it. The time of erased appointments is free again. Users stay: they work there, and have no number.
    async fn erase_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        after: Option<Cursor>,
    ) -> Result<Erasure>;
    /// Takes a bounded step of erasing a business; `after` is the `next` of the step before. Its row and numbers go
    /// first, so that no call comes in, then its key, so that no recording can be heard, then all else, its users
    /// among it. Calls that go on are left, with what they have.
    async fn erase_tenant(&self, tenant: &TenantId, after: Option<Cursor>) -> Result<Erasure>;
    /// A business's calls that began before `before`, oldest first.
    async fn old_calls(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        page: Page,
    ) -> Result<Listing<CallRecord>>;
    /// Recordings of all businesses whose objects must go, by id.
    async fn removals(&self, page: Page) -> Result<Listing<Removal>>;
    /// Forgets a removal: its objects are gone.
    async fn forget_removal(&self, recording: RecordingId) -> Result<()>;
    /// Appends to a business's audit, after the row that is the last then (see [`AuditRow::after`]); of many at
    /// once each gets its own number. Kept by [`audit_key`], so that it stays when the business is erased.
    async fn append_audit(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<AuditRow>;
    /// A business's audit, latest first.
    async fn audit(&self, tenant: &TenantId, page: Page) -> Result<Listing<AuditRow>>;

    /// Makes `who` the owner of a thing of this kind, whoever owned it; who owns it already keeps its epoch. Doing
    /// it twice is the same as doing it once.
    async fn take_ownership(&self, kind: &str, id: &str, who: &str) -> Result<Owner>;
    /// Who owns a thing, after all that is under way.
    async fn owner(&self, kind: &str, id: &str) -> Result<Option<Owner>>;

    /// A page of a part's rows, each once, in an order of the store's own: for copies and backups. Rows that are
    /// written meanwhile may or may not be among them.
    async fn export(&self, part: Part, page: Page) -> Result<Listing<StoredRow>>;
    /// Writes rows that another store exported, at most 1,000 at once, one after the other. One that is there as
    /// it is changes nothing; where another of the same identity is there, or an appointment's time or a
    /// business's number is taken, it is an [`Error::Conflict`] that says of what. Where one is refused, those
    /// before it are written.
    async fn import(&self, rows: &[StoredRow]) -> Result<()>;

    /// The rows of this moment, for as long as they are held; none where the store has no such thing.
    fn freeze(&self) -> Result<Option<Frozen>> {
        Ok(None)
    }

    /// Reads every row and looks whether what belongs together is there, while others write: for stores that can't
    /// be held still; none for those that can, of which a [`Frozen`] does it. What is wrong only because a change
    /// is under way is not told.
    async fn examine(&self) -> Result<Option<Examination>> {
        Ok(None)
    }

    /// Writes and reads a probe: whether the store works now.
    async fn check(&self) -> Result<()>;

    /// Everything there is: of each row its table's name and its bytes or text, however they are kept. And the
    /// names of all tables, so that a test notices one that it did not fill.
    #[cfg(test)]
    async fn everything(&self) -> Result<Everything>;
}
