//! What is wrong with a row, if something is: whether what belongs together is there.

use scylla::value::{CqlValue, Row};
use uuid::Uuid;

use super::Scylla;
use super::ask::Values;
use super::businesses::PART;
use super::calendar::kind_of;
use super::calls::{CALLS, caller, day_of, id_in, month_of, place, place_of};
use super::cql::{Statement, Use};
use super::messages::MESSAGES;
use super::open_calls::{bytes, shard_of};
use super::outcomes::scope;
use super::overlay::Overlay;
use super::recordings::RECORDINGS;
use super::users::Who;
use crate::storage::ordered::examine::{Found, fault};
use crate::storage::ordered::{Read as _, Table};
use crate::storage::{IdempotencyKey, Result, StoredRow, Users as _};
use crate::types::{Business, CallId, CallRecord, Message, RecordingId, TenantId, User, UserId};

/// Whose, its kind, its place and its value; a version has its business alone.
pub(super) type CalendarRow = (String, Option<i8>, Option<Vec<u8>>, Option<Vec<u8>>);

/// The tables of a calendar.
const CALENDAR: [Table; 4] = [Table::Bookings, Table::BookingsByStart, Table::Occupied, Table::Written];

fn text(text: &str) -> Option<CqlValue> {
    Some(CqlValue::Text(text.to_owned()))
}

fn blob(bytes: &[u8]) -> Option<CqlValue> {
    Some(CqlValue::Blob(bytes.to_vec()))
}

fn int(number: i32) -> Option<CqlValue> {
    Some(CqlValue::Int(number))
}

fn small(number: i16) -> Option<CqlValue> {
    Some(CqlValue::SmallInt(number))
}

fn tiny(number: i8) -> Option<CqlValue> {
    Some(CqlValue::TinyInt(number))
}

impl Scylla {
    /// Whether there is such a row.
    async fn is_there(&self, statement: Statement, key: Values) -> Result<bool> {
        let rows: Vec<Row> = self.cluster.rows(statement, key, 1).await?;
        Ok(!rows.is_empty())
    }

    /// What is wrong with a row that is exported.
    pub(super) async fn stored(&self, row: StoredRow) -> Found {
        match row {
            StoredRow::Business(business) => self.stored_business(&business).await,
            StoredRow::User(user) => self.stored_user(&user).await,
            StoredRow::Call(record) => self.stored_call(&record).await,
            StoredRow::Message { key, message } => self.stored_message(&key.0, &message).await,
            StoredRow::Recording(recording) => self.stored_recording(recording.id).await,
            StoredRow::Removal(removal) => {
                let is_there = self.recording_row(removal.recording).await?.is_some();
                Ok(is_there.then_some("its recording is still there"))
            }
            _ => Ok(None),
        }
    }

    async fn stored_business(&self, row: &Business) -> Found {
        let Some(business) = self.business_row(&row.id).await? else { return Ok(None) };
        if !self.is_there(Statement::Tenant, vec![tiny(PART), text(business.id.as_str())]).await? {
            return Ok(Some("it is not listed"));
        }
        for number in &business.numbers {
            if self.holder_of(number).await?.as_ref() != Some(&business.id) {
                return Ok(Some("one of its numbers does not lead to it"));
            }
        }
        Ok(None)
    }

    async fn stored_user(&self, row: &User) -> Found {
        let Some(user) = self.user(&row.tenant, row.id).await? else { return Ok(None) };
        let found = self.user_by_email(&user.email).await?;
        Ok((found != Some(user)).then_some("their e-mail address does not lead to them"))
    }

    async fn stored_call(&self, row: &CallRecord) -> Found {
        let Some(record) = self.call_row(row.id).await? else { return Ok(None) };
        let (tenant, day, place) = (record.tenant.as_str(), day_of(record.started_at), place(&record));
        let id = record.id.as_uuid();
        if !self.is_there(Statement::CallByDay, vec![text(tenant), int(day), blob(&place)]).await?
            || !self.is_there(Statement::Bucket, vec![text(tenant), tiny(CALLS), int(day)]).await?
        {
            return Ok(Some("its business does not list it"));
        }
        if let Some(caller) = caller(&record)
            && !self.is_there(Statement::CallByCaller, vec![text(tenant), text(caller), blob(&place)]).await?
        {
            return Ok(Some("it can't be found by its caller"));
        }
        let open = vec![int(day), small(shard_of(id)), blob(&bytes(id))];
        let is_open = record.ended_at.is_none();
        Ok((is_open && !self.is_there(Statement::OpenCall, open).await?)
            .then_some("it goes on and is not among the open calls"))
    }

    async fn stored_message(&self, key: &str, row: &Message) -> Found {
        let (tenant, month) = (row.tenant.as_str(), month_of(row.taken_at));
        let place = place_of(row.taken_at, row.id.as_uuid());
        if self.is_there(Statement::Message, vec![text(tenant), int(month), blob(&place)]).await?
            && self.is_there(Statement::Bucket, vec![text(tenant), tiny(MESSAGES), int(month)]).await?
        {
            return Ok(None);
        }
        let is_there = self.message_key(tenant, key).await?;
        Ok(is_there.then_some("its business does not list it"))
    }

    async fn message_key(&self, tenant: &str, key: &str) -> Result<bool> {
        let scope = scope(&IdempotencyKey(key.to_owned())).to_owned();
        self.is_there(Statement::MessageDecided, vec![text(tenant), text(&scope), text(key)]).await
    }

    async fn stored_recording(&self, id: RecordingId) -> Found {
        let Some(row) = self.recording_row(id).await? else { return Ok(None) };
        let (tenant, month, id) = (row.tenant.as_str(), month_of(row.started_at), row.id.as_uuid());
        let listed = vec![text(tenant), int(month), blob(&bytes(id))];
        if !self.is_there(Statement::RecordingOfMonth, listed).await?
            || !self.is_there(Statement::Bucket, vec![text(tenant), tiny(RECORDINGS), int(month)]).await?
        {
            return Ok(Some("its business does not list it"));
        }
        let noted = self.is_there(Statement::MergeNoted, vec![small(shard_of(id)), blob(&bytes(id))]).await?;
        Ok((noted != row.to_merge()).then_some("whether it is to be merged is noted wrongly"))
    }

    pub(super) async fn by_day(&self, (tenant, day, listed): (String, i32, Vec<u8>)) -> Found {
        let Some(id) = id_in(&listed) else { return Ok(Some("it names no call")) };
        let wrong = match self.call_row(CallId::new(id)).await? {
            None => "it leads to no call",
            Some(record) if record.tenant.as_str() == tenant && place(&record) == listed => return Ok(None),
            Some(_) => "it leads to another call",
        };
        let own = vec![text(&tenant), int(day), blob(&listed)];
        Ok(self.is_there(Statement::CallByDay, own).await?.then_some(wrong))
    }

    pub(super) async fn by_caller(&self, (tenant, number, listed): (String, String, Vec<u8>)) -> Found {
        let Some(id) = id_in(&listed) else { return Ok(Some("it names no call")) };
        let is_theirs = |record: &CallRecord| {
            record.tenant.as_str() == tenant
                && place(record) == listed
                && caller(record) == Some(number.as_str())
        };
        let wrong = match self.call_row(CallId::new(id)).await? {
            None => "it leads to no call",
            Some(record) if is_theirs(&record) => return Ok(None),
            Some(_) => "it leads to another call",
        };
        let own = vec![text(&tenant), text(&number), blob(&listed)];
        Ok(self.is_there(Statement::CallByCaller, own).await?.then_some(wrong))
    }

    /// By what decides of a calendar in every store.
    pub(super) async fn in_calendar(&self, (tenant, kind, place, _): CalendarRow) -> Found {
        let (Some(kind), Some(place)) = (kind, place) else { return Ok(None) };
        let Some(table) = CALENDAR.into_iter().find(|table| kind_of(*table) == Some(kind)) else {
            return Ok(Some("it is of no kind that is known"));
        };
        let look = |rows: &mut Overlay| match rows.get(table, &place)? {
            Some(value) => fault(&*rows, table, &place, &value),
            None => Ok(None),
        };
        self.look(&TenantId::new(tenant.as_str()), look).await
    }

    pub(super) async fn listed_message(
        &self,
        (tenant, month, place, key): (String, i32, Vec<u8>, String),
    ) -> Found {
        if self.message_key(&tenant, &key).await? {
            return Ok(None);
        }
        let own = vec![text(&tenant), int(month), blob(&place)];
        Ok(self.is_there(Statement::Message, own).await?.then_some("it leads to no message"))
    }

    pub(super) async fn by_month(&self, (tenant, month, recording): (String, i32, Vec<u8>)) -> Found {
        let id = Uuid::from_slice(&recording).unwrap_or_default();
        if self.recording_row(RecordingId::new(id)).await?.is_some_and(|row| row.tenant.as_str() == tenant) {
            return Ok(None);
        }
        let own = vec![text(&tenant), int(month), blob(&recording)];
        Ok(self.is_there(Statement::RecordingOfMonth, own).await?.then_some("it leads to no recording"))
    }

    pub(super) async fn email(&self, (email, tenant, id, claim): (String, String, Vec<u8>, Uuid)) -> Found {
        let id = UserId::new(Uuid::from_slice(&id).unwrap_or_default());
        let who = Who { tenant: TenantId::new(tenant.as_str()), id };
        let usage = Use::Decided;
        if self.cluster.patiently(usage, || self.standing(&who)).await?.has(&email) {
            return Ok(None);
        }
        let held = self.cluster.patiently(usage, || self.claimed(&email)).await?;
        let is_so = held.is_some_and(|held| held.claim == claim);
        Ok(is_so.then_some("it is claimed for somebody who does not have it; whoever wants it gets it"))
    }
}
