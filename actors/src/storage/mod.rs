//! What is remembered, behind one interface shaped on what CQL can do: append, range with an opaque cursor,
//! get, insert if absent, compare and set on one partition. No joins and no counters.
//!
//! Backends: `memory` (tests), `embedded` (redb, the default). `conformance` is one suite that each passes.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::types::{
    Booking, BookingId, Business, CallEvent, CallId, CallRecord, Message, PhoneNumber, Private, ResourceId,
    TenantId, ToolOutcome,
};

/// What can go wrong in a store.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Another writer was first; read again and decide anew. Nothing was changed.
    #[error("{what} was changed by somebody else")]
    Conflict {
        /// What kind of thing.
        what: &'static str,
    },
    /// The store can't be reached or is full; nothing was changed.
    #[error("the store is unavailable: {why}")]
    Unavailable {
        /// Why.
        why: String,
    },
    /// The change may or may not have been made: ask again, with the same key.
    #[error("the store did not confirm: {why}")]
    Unknown {
        /// Why.
        why: String,
    },
    /// What is stored can't be read; nothing was changed.
    #[error("{what} can't be read: {why}")]
    Corrupt {
        /// What kind of thing.
        what: &'static str,
        /// Why.
        why: String,
    },
}

/// A store's answer.
pub type Result<T> = std::result::Result<T, Error>;

/// Which part of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Where the last page ended; absent for the first.
    pub after: Option<Cursor>,
    /// At most so many rows.
    pub limit: usize,
}

impl Page {
    /// The first `limit` rows.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }
}

/// A place in a listing; opaque, and stable while rows are added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// One page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// The rows, in the listing's order.
    pub rows: Vec<T>,
    /// Where the next page starts; absent after the last.
    pub next: Option<Cursor>,
}

/// `call_id/step`: the same key twice means the same act, done once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(pub String);

/// A span of a resource's time that an appointment takes, its buffer included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupied {
    /// Whose time.
    pub resource: ResourceId,
    /// From here.
    pub from: Timestamp,
    /// To here, not included.
    pub until: Timestamp,
    /// By which appointment.
    pub booking: BookingId,
}

/// What became of a change to the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one lives at a time, on the stack")]
pub enum BookingWrite {
    /// It is written; where the key was used before, this is what was written then.
    Written(Booking),
    /// The time was taken; nothing was written.
    Taken,
    /// There is no such appointment in that version; nothing was written.
    Stale,
}

/// A store of everything that outlives a call. Every write is durable when it returns.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Writes a business, where its stored version is `expected` (`None`: where it does not exist yet). A number
    /// that another business holds is a [`Error::Conflict`] of "number".
    async fn put_business(&self, business: &Business, expected: Option<u64>) -> Result<()>;
    /// Reads a business.
    async fn business(&self, tenant: &TenantId) -> Result<Option<Business>>;
    /// All businesses, by id.
    async fn businesses(&self, page: Page) -> Result<Listing<Business>>;
    /// Who has this number.
    async fn tenant_of(&self, number: &PhoneNumber) -> Result<Option<TenantId>>;

    /// Writes a call's summary row; the last write wins, and there is one writer: the call.
    async fn put_call(&self, record: &CallRecord) -> Result<()>;
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
    /// Calls without an end, of all businesses: what a node that starts again must close.
    async fn open_calls(&self, page: Page) -> Result<Listing<CallRecord>>;
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

    /// Keeps a live call's state, its bytes versioned by their writer; replaces the one before.
    async fn put_checkpoint(&self, call: CallId, state: &[u8]) -> Result<()>;
    /// A live call's last kept state.
    async fn checkpoint(&self, call: CallId) -> Result<Option<Vec<u8>>>;
    /// Forgets a call's state: it is over.
    async fn drop_checkpoint(&self, call: CallId) -> Result<()>;

    /// Writes and reads a probe: whether the store works now.
    async fn check(&self) -> Result<()>;
}
