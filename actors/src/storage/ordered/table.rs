//! Tables of ordered bytes.

use std::future::Future;

use crate::storage::Result;

/// A table. The comment says its key, partition first, and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Table {
    /// tenant → business
    Businesses,
    /// number → tenant
    Numbers,
    /// tenant, start (latest first), call → record
    Calls,
    /// call → its key in `Calls`
    CallsById,
    /// tenant, caller, start (latest first), call → its key in `Calls`
    CallsByCaller,
    /// call → its key in `Calls`, while it has no end
    OpenCalls,
    /// call, seq → event
    Events,
    /// tenant, booking → booking
    Bookings,
    /// tenant, start, booking → nothing
    BookingsByStart,
    /// tenant, resource, from → span
    Occupied,
    /// tenant, idempotency key → booking as it was written
    Written,
    /// tenant, time (latest first), message → message
    Messages,
    /// tenant, idempotency key → message as it was written
    MessagesByKey,
    /// idempotency key → outcome
    Outcomes,
    /// call → state
    Checkpoints,
    /// recording → what is known of it
    Recordings,
    /// tenant → its sealed key
    Keys,
    /// tenant, recording → nothing
    RecordingsByTenant,
    /// recording → nothing, while it lies in segments and is finished
    RecordingsToMerge,
    /// recording → whose objects must go
    Removals,
    /// digest of a tenant, number (latest first) → audit row
    Audit,
    /// kind, thing → its owner
    Owners,
    /// tenant, user → user
    Users,
    /// e-mail address → whose it is
    UsersByEmail,
    /// nothing → the last probe
    Probe,
}

impl Table {
    /// All of them; a table's place here is its index.
    pub(crate) const ALL: [Self; 25] = [
        Self::Businesses,
        Self::Numbers,
        Self::Calls,
        Self::CallsById,
        Self::CallsByCaller,
        Self::OpenCalls,
        Self::Events,
        Self::Bookings,
        Self::BookingsByStart,
        Self::Occupied,
        Self::Written,
        Self::Messages,
        Self::MessagesByKey,
        Self::Outcomes,
        Self::Checkpoints,
        Self::Recordings,
        Self::Keys,
        Self::RecordingsByTenant,
        Self::RecordingsToMerge,
        Self::Removals,
        Self::Audit,
        Self::Owners,
        Self::Users,
        Self::UsersByEmail,
        Self::Probe,
    ];

    /// Its name in a store's file; never changes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Businesses => "businesses",
            Self::Numbers => "numbers",
            Self::Calls => "calls",
            Self::CallsById => "calls_by_id",
            Self::CallsByCaller => "calls_by_caller",
            Self::OpenCalls => "open_calls",
            Self::Events => "events",
            Self::Bookings => "bookings",
            Self::BookingsByStart => "bookings_by_start",
            Self::Occupied => "occupied",
            Self::Written => "written",
            Self::Messages => "messages",
            Self::MessagesByKey => "messages_by_key",
            Self::Outcomes => "outcomes",
            Self::Checkpoints => "checkpoints",
            Self::Recordings => "recordings",
            Self::Keys => "keys",
            Self::RecordingsByTenant => "recordings_by_tenant",
            Self::RecordingsToMerge => "recordings_to_merge",
            Self::Removals => "removals",
            Self::Audit => "audit",
            Self::Owners => "owners",
            Self::Users => "users",
            Self::UsersByEmail => "users_by_email",
            Self::Probe => "probe",
        }
    }
}

/// Which way a range is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Smallest key first.
    Forwards,
    /// Largest key first.
    Backwards,
}

/// A row: its key and its value.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// Tables as of one moment.
pub(crate) trait Read {
    /// The value under a key.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// At most `limit` rows with keys in `[from, until)`.
    fn range(
        &self,
        table: Table,
        from: &[u8],
        until: &[u8],
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>>;
}

/// Tables in the middle of a change that is made whole or not at all. Whoever changes rows has read and checked
/// everything before the first `put`, so that a refusal leaves nothing behind.
pub(crate) trait Write: Read {
    /// Puts a value under a key, over the one before.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<()>;

    /// Removes a key and its value, where it is there.
    fn remove(&mut self, table: Table, key: &[u8]) -> Result<()>;
}

/// A store of such tables.
pub(crate) trait Ordered: Send + Sync {
    /// Reads one moment's tables. Takes microseconds; does not wait for a write.
    fn read<T>(&self, read: impl FnOnce(&dyn Read) -> Result<T>) -> Result<T>;

    /// One moment's tables, to be read for as long as they are held while others write; none where there is no
    /// such thing.
    fn hold(&self) -> Result<Option<Box<dyn Read + Send + Sync>>> {
        Ok(None)
    }

    /// Makes a change; durable when it returns. Changes are made one after the other.
    fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send;

    /// Makes a change that nobody waits for: it may be held back a little, so that others share its commit.
    fn write_soon<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        self.write(write)
    }
}

/// All rows of all tables.
#[cfg(test)]
pub(super) fn everything(rows: &dyn Read) -> Result<crate::storage::Everything> {
    let mut everything = crate::storage::Everything::default();
    for table in Table::ALL {
        // These hold nothing of a call that is over and was not erased.
        if !matches!(table, Table::OpenCalls | Table::Removals | Table::Owners | Table::Probe) {
            everything.tables.push(table.name().to_owned());
        }
        for (mut row, value) in rows.range(table, &[], &[0xff; 256], Direction::Forwards, usize::MAX)? {
            row.push(b' ');
            row.extend(value);
            everything.rows.push((table.name().to_owned(), row));
        }
    }
    Ok(everything)
}
