//! Making one whole of rows that were read while they changed.
//!
//! A cluster is not held still while it is read, part by part. So a backup of one may have an appointment as it was
//! before it was moved, and another that has its time since. It is read twice: a first look notes who has what, then
//! each row is given on as it fits the others. What was read later is the later news:
//!
//! - an appointment is as its latest change was written under a key, where that is newer than itself; one that was
//!   made after the appointments were read is there, too;
//! - of two appointments at the same time the one that was read later has it; the other is kept as cancelled, and
//!   told, since somebody may come at that time;
//! - of two businesses with one number, or two users with one address, the one that was read later has it;
//! - what belongs to a call that is not there (its events, its state) is left out, as is the row of a recording that
//!   was erased.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Result;
use super::item::Item;
use super::key::KeySource;
use super::read::Reader;
use crate::storage::{Occupied, StoredRow};
use crate::types::{
    Booking, BookingId, BookingState, CallId, EmailAddress, PhoneNumber, RecordingId, ResourceId, TenantId,
    UserId,
};

/// The version of an appointment that was just made.
const FIRST_VERSION: u64 = 1;
/// Rows given on at once.
const PAGE: usize = 500;

/// What was mended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mended {
    /// Appointments that had been changed by the time that the backup was done.
    pub appointments_renewed: u64,
    /// Appointments that were made meanwhile.
    pub appointments_added: u64,
    /// Appointments whose time another has: they are kept as cancelled. Whoever they are for should be asked.
    pub appointments_without_time: Vec<(TenantId, BookingId)>,
    /// Numbers that another business has by now.
    pub numbers: u64,
    /// Users whose e-mail address another has by now: they are left out.
    pub users: u64,
    /// Events and states of calls that are not there.
    pub of_other_calls: u64,
    /// Recordings that were erased meanwhile.
    pub recordings: u64,
}

impl Mended {
    /// Whether there was nothing to mend.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What is known of an appointment.
struct Stand {
    resource: ResourceId,
    start: Timestamp,
    end: Timestamp,
    is_confirmed: bool,
    version: u64,
    /// The time that is taken before it and after it.
    around: (SignedDuration, SignedDuration),
    /// When it was read, by the count of rows.
    read: u64,
    /// As it was written under a key, where that is newer than its own row or it has none.
    newer: Option<Box<Booking>>,
    has_row: bool,
    /// Its very first version was written under a key.
    is_first_known: bool,
    /// Another has its time.
    is_without_time: bool,
    is_given: bool,
}

impl Stand {
    fn of(booking: &Booking, read: u64) -> Self {
        Self {
            resource: booking.slot.resource.clone(),
            start: booking.slot.start,
            end: booking.slot.end,
            is_confirmed: booking.state == BookingState::Confirmed,
            version: booking.version,
            around: (SignedDuration::ZERO, SignedDuration::ZERO),
            read,
            newer: None,
            has_row: false,
            is_first_known: false,
            is_without_time: false,
            is_given: false,
        }
    }

    /// Whether it is an appointment: a copy of one that was erased is none.
    const fn is_there(&self) -> bool {
        self.has_row || self.is_first_known
    }

    fn from(&self) -> Timestamp {
        self.start.checked_sub(self.around.0).unwrap_or(self.start)
    }

    fn until(&self) -> Timestamp {
        self.end.checked_add(self.around.1).unwrap_or(self.end)
    }
}

/// What the first look noted, and what the second makes of it.
#[derive(Default)]
pub struct Mending {
    read: u64,
    numbers: HashMap<PhoneNumber, TenantId>,
    emails: HashMap<EmailAddress, (TenantId, UserId)>,
    /// With whether each goes on.
    calls: HashMap<CallId, bool>,
    removals: HashSet<RecordingId>,
    stands: HashMap<(TenantId, BookingId), Stand>,
    mended: Mended,
}

impl std::fmt::Debug for Mending {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mending").field("mended", &self.mended).finish_non_exhaustive()
    }
}

impl Mending {
    /// Reads a backup for the first time. None where its rows are of one moment. Blocks; not for an async worker
    /// thread.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn of(backup: &Path, key: &KeySource) -> Result<Option<Self>> {
        let mut reader = Reader::open(backup, key)?;
        if reader.head().one_moment {
            return Ok(None);
        }
        let mut mending = Self::default();
        while let Some(item) = reader.next_item()? {
            if let Item::Rows(rows) = item {
                mending.look(&rows);
            }
        }
        mending.settle();
        Ok(Some(mending))
    }

    /// Notes rows, in the order in which they were read.
    pub fn look(&mut self, rows: &[StoredRow]) {
        for row in rows {
            self.read += 1;
            match row {
                StoredRow::Business(business) => {
                    for number in &business.numbers {
                        self.numbers.insert(number.clone(), business.id.clone());
                    }
                }
                StoredRow::User(user) => {
                    self.emails.insert(user.email.reveal().clone(), (user.tenant.clone(), user.id));
                }
                StoredRow::Call(record) => {
                    self.calls.insert(record.id, record.ended_at.is_none());
                }
                StoredRow::Removal(removal) => {
                    self.removals.insert(removal.recording);
                }
                StoredRow::Booking { booking, occupied } => self.look_at(booking, occupied.as_ref()),
                StoredRow::Written { booking, .. } => self.look_at_copy(booking),
                _ => {}
            }
        }
    }

    fn look_at(&mut self, booking: &Booking, occupied: Option<&Occupied>) {
        let mut stand = Stand::of(booking, self.read);
        stand.has_row = true;
        // Time that does not hold it is that of another version.
        if let Some(span) = occupied.filter(|span| holds(span, booking)) {
            let before = booking.slot.start.duration_since(span.from);
            stand.around = (before, span.until.duration_since(booking.slot.end));
        }
        self.stands.insert((booking.tenant.clone(), booking.id), stand);
    }

    fn look_at_copy(&mut self, booking: &Booking) {
        let read = self.read;
        let new = || Stand { newer: Some(Box::new(booking.clone())), ..Stand::of(booking, read) };
        let stand = self.stands.entry((booking.tenant.clone(), booking.id)).or_insert_with(new);
        stand.is_first_known |= booking.version == FIRST_VERSION;
        if booking.version > stand.version {
            let known = (stand.around, stand.has_row, stand.is_first_known);
            *stand = new();
            (stand.around, stand.has_row, stand.is_first_known) = known;
        }
    }

    /// Decides who has which time: whoever was read later.
    pub fn settle(&mut self) {
        let mut stands: Vec<(&TenantId, &mut Stand)> = self
            .stands
            .iter_mut()
            .filter(|(_, stand)| stand.is_confirmed && stand.is_there())
            .map(|((tenant, _), stand)| (tenant, stand))
            .collect();
        stands.sort_by_key(|(_, stand)| std::cmp::Reverse(stand.read));
        let mut taken: HashMap<(&TenantId, ResourceId), BTreeMap<Timestamp, Timestamp>> = HashMap::new();
        for (tenant, stand) in stands {
            let spans = taken.entry((tenant, stand.resource.clone())).or_default();
            let (from, until) = (stand.from(), stand.until());
            let last = spans.range(..until).next_back();
            if last.is_some_and(|(_, end)| *end > from) {
                stand.is_without_time = true;
            } else {
                spans.insert(from, until);
            }
        }
    }

    /// The rows as they fit each other.
    pub fn mend(&mut self, rows: Vec<StoredRow>) -> Vec<StoredRow> {
        rows.into_iter().filter_map(|row| self.mend_one(row)).collect()
    }

    fn mend_one(&mut self, row: StoredRow) -> Option<StoredRow> {
        match row {
            StoredRow::Business(mut business) => {
                let before = business.numbers.len();
                business.numbers.retain(|number| self.numbers.get(number) == Some(&business.id));
                self.mended.numbers += (before - business.numbers.len()) as u64;
                Some(StoredRow::Business(business))
            }
            StoredRow::User(user) => {
                let holder = self.emails.get(user.email.reveal());
                let is_theirs = holder.is_none_or(|holder| *holder == (user.tenant.clone(), user.id));
                self.mended.users += u64::from(!is_theirs);
                is_theirs.then_some(StoredRow::User(user))
            }
            StoredRow::Event { call, .. } if !self.calls.contains_key(&call) => {
                self.mended.of_other_calls += 1;
                None
            }
            StoredRow::Checkpoint { call, .. } if self.calls.get(&call) != Some(&true) => {
                self.mended.of_other_calls += 1;
                None
            }
            StoredRow::Recording(recording) if self.removals.contains(&recording.id) => {
                self.mended.recordings += 1;
                None
            }
            StoredRow::Booking { booking, occupied } => self.mend_booking(booking, occupied),
            row => Some(row),
        }
    }

    fn mend_booking(&mut self, booking: Booking, occupied: Option<Occupied>) -> Option<StoredRow> {
        let key = (booking.tenant.clone(), booking.id);
        let Some(stand) = self.stands.get_mut(&key) else {
            return Some(StoredRow::Booking { booking, occupied });
        };
        if std::mem::replace(&mut stand.is_given, true) {
            return None;
        }
        let is_newer = stand.newer.is_some();
        self.mended.appointments_renewed += u64::from(is_newer);
        let booking = stand.newer.take().map_or(booking, |newer| *newer);
        let row = self.placed(booking);
        Some(row)
    }

    /// An appointment with the time that it has.
    fn placed(&mut self, mut booking: Booking) -> StoredRow {
        let key = (booking.tenant.clone(), booking.id);
        let stand = self.stands.get(&key);
        if stand.is_some_and(|stand| stand.is_without_time) {
            self.mended.appointments_without_time.push(key);
            booking.state = BookingState::Cancelled;
            return StoredRow::Booking { booking, occupied: None };
        }
        let occupied = stand.filter(|stand| stand.is_confirmed).map(|stand| Occupied {
            resource: stand.resource.clone(),
            from: stand.from(),
            until: stand.until(),
            booking: booking.id,
        });
        StoredRow::Booking { booking, occupied }
    }

    /// Rows that were none of the backup's own, in pages: to be given on after all others.
    pub fn added(&mut self) -> Vec<Vec<StoredRow>> {
        let mut bookings: Vec<Booking> = Vec::new();
        for stand in self.stands.values_mut().filter(|stand| stand.is_there() && !stand.is_given) {
            stand.is_given = true;
            bookings.extend(stand.newer.take().map(|newer| *newer));
        }
        bookings.sort_by_key(|booking| booking.id);
        self.mended.appointments_added += bookings.len() as u64;
        let rows: Vec<StoredRow> = bookings.into_iter().map(|booking| self.placed(booking)).collect();
        rows.chunks(PAGE).map(<[StoredRow]>::to_vec).collect()
    }

    /// What was mended so far.
    #[must_use]
    pub const fn mended(&self) -> &Mended {
        &self.mended
    }
}

fn holds(span: &Occupied, booking: &Booking) -> bool {
    span.booking == booking.id
        && span.resource == booking.slot.resource
        && span.from <= booking.slot.start
        && booking.slot.end <= span.until
}
