//! Rows out of the cluster and into it. A part's rows are read by whole tables, so that a cursor is the cluster's
//! own place in one.

use scylla::deserialize::row::DeserializeRow;
use scylla::response::PagingState;

use super::Scylla;
use super::businesses::FACT;
use super::calendar::{self, kind_of};
use super::cql::Statement;
use super::events::EVENT;
use super::keys::SEALED_KEY;
use super::listing::{for_each, limit_of, wrong_cursor};
use super::outcomes::OUTCOME;
use super::recordings::{RECORDING, REMOVAL};
use super::states::CHECKPOINT;
use super::{audit, calls, messages, users};
use crate::storage::ordered::portable::same;
use crate::storage::ordered::{self, Table, bookings, decode, encode, to_hex};
use crate::storage::{Cursor, IdempotencyKey, Listing, Page, Part, Result, StoredRow};
use crate::types::{Booking, CallId, TenantId};

/// The longest cursor, in hexadecimal digits: a place names whole keys.
const CURSOR_DIGITS_MAX: usize = 64 << 10;

type Value = Option<Vec<u8>>;

/// A row of a whole table, where it is one of the part.
type Maybe = Result<Option<StoredRow>>;

impl Scylla {
    pub(super) async fn export_rows(&self, part: Part, page: &Page) -> Result<Listing<StoredRow>> {
        match part {
            Part::Businesses | Part::Keys => {
                self.scan(Statement::AllFacts, page, |row: (String, String, Value)| fact(part, row)).await
            }
            Part::Users => self.export_users(page).await,
            Part::Calls => {
                self.scan(Statement::AllCalls, page, |(value,): (Value,)| {
                    value.map(|value| decode(calls::WHAT, &value).map(StoredRow::Call)).transpose()
                })
                .await
            }
            Part::Events => {
                self.scan(Statement::AllEvents, page, |(call, value): (uuid::Uuid, Vec<u8>)| {
                    let event = decode(EVENT, &value)?;
                    Ok(Some(StoredRow::Event { call: CallId::new(call), event }))
                })
                .await
            }
            Part::Checkpoints => {
                self.scan(Statement::AllCheckpoints, page, |(call, state): (uuid::Uuid, Value)| {
                    Ok(state.map(|state| StoredRow::Checkpoint { call: CallId::new(call), state }))
                })
                .await
            }
            Part::Bookings => self.export_calendars(part, Table::Bookings, page).await,
            Part::Written => self.export_calendars(part, Table::Written, page).await,
            Part::Messages => {
                self.scan(Statement::AllMessages, page, |(key, value): (String, Vec<u8>)| {
                    let message = decode(messages::WHAT, &value)?;
                    Ok(Some(StoredRow::Message { key: IdempotencyKey(key), message }))
                })
                .await
            }
            Part::Outcomes => {
                self.scan(Statement::AllOutcomes, page, |(key, value): (String, Vec<u8>)| {
                    let outcome = decode(OUTCOME, &value)?;
                    Ok(Some(StoredRow::Outcome { key: IdempotencyKey(key), outcome }))
                })
                .await
            }
            Part::Recordings => {
                self.scan(Statement::AllRecordings, page, |(value,): (Value,)| {
                    value.map(|value| decode(RECORDING, &value).map(StoredRow::Recording)).transpose()
                })
                .await
            }
            Part::Removals => {
                let Listing { rows, next } = self.list_removals(page).await?;
                Ok(Listing { rows: rows.into_iter().map(StoredRow::Removal).collect(), next })
            }
            Part::Audit => {
                self.scan(Statement::AllAudit, page, |(of, value): (String, Vec<u8>)| {
                    Ok(Some(StoredRow::Audit { of, row: decode(audit::WHAT, &value)? }))
                })
                .await
            }
        }
    }

    /// A page of a whole table. Where rows are left out the page is shorter; it has a cursor all the same.
    pub(super) async fn scan<R, T>(
        &self,
        statement: Statement,
        page: &Page,
        row: impl FnMut(R) -> Result<Option<T>>,
    ) -> Result<Listing<T>>
    where
        R: for<'frame, 'meta> DeserializeRow<'frame, 'meta> + Send,
    {
        let (found, next) = self.table_page(statement, page).await?;
        let rows: Vec<Option<T>> = found.into_iter().map(row).collect::<Result<_>>()?;
        Ok(Listing { rows: rows.into_iter().flatten().collect(), next })
    }

    async fn table_page<R>(&self, statement: Statement, page: &Page) -> Result<(Vec<R>, Option<Cursor>)>
    where
        R: for<'frame, 'meta> DeserializeRow<'frame, 'meta> + Send,
    {
        let state = match &page.after {
            None => PagingState::start(),
            Some(cursor) => PagingState::new_from_raw_bytes(place(&cursor.0)?),
        };
        let size = Some(i32::try_from(limit_of(page)).unwrap_or(i32::MAX));
        let look = || self.cluster.page(statement, &(), state.clone(), size);
        let (rows, next) = self.cluster.patiently(statement.usage(), look).await?;
        let next = next.and_then(|next| next.as_bytes_slice().map(|bytes| Cursor(to_hex(bytes))));
        Ok((rows, next))
    }

    async fn export_users(&self, page: &Page) -> Result<Listing<StoredRow>> {
        self.scan(Statement::AllUsers, page, |(value,): (Value,)| {
            value.map(|value| decode(users::WHAT, &value).map(StoredRow::User)).transpose()
        })
        .await
    }

    async fn export_calendars(&self, part: Part, table: Table, page: &Page) -> Result<Listing<StoredRow>> {
        type Row = (String, Option<i8>, Value, Value);
        let (found, next): (Vec<Row>, _) = self.table_page(Statement::AllCalendars, page).await?;
        let own = found.into_iter().filter_map(|(tenant, kind, place, value)| {
            (kind == kind_of(table)).then_some((TenantId::new(tenant), place?, value?))
        });
        let rows = for_each(own, self.cluster.settings.fan_out, |(tenant, place, value)| async move {
            self.look(&tenant, |rows| ordered::portable::row(rows, part, &place, &value)).await
        });
        Ok(Listing { rows: rows.await?, next })
    }

    pub(super) async fn import_row(&self, row: &StoredRow) -> Result<()> {
        match row {
            StoredRow::Business(business) => match self.business_row(&business.id).await? {
                Some(stored) => same("business", stored == *business),
                None => self.put_business_row(business, None).await,
            },
            StoredRow::User(user) => self.put_user_row(user, None).await,
            StoredRow::Key { tenant, sealed } => {
                same("business's key", self.keep_sealed_key(tenant, sealed).await? == *sealed)
            }
            StoredRow::Call(record) => match self.call_row(record.id).await? {
                Some(stored) => same(calls::WHAT, stored == *record),
                None => self.import_call_row(record).await,
            },
            StoredRow::Event { call, event } => {
                let key = (call.as_uuid(), i64::from(event.seq));
                let stored: Option<(Vec<u8>,)> = self.cluster.row(Statement::Event, key).await?;
                match stored {
                    Some((value,)) => {
                        same(EVENT, decode::<crate::types::CallEvent>(EVENT, &value)? == *event)
                    }
                    None => self.append_event_rows(*call, std::slice::from_ref(event)).await,
                }
            }
            StoredRow::Checkpoint { call, state } => match self.state(*call).await? {
                Some(stored) => same(CHECKPOINT, stored == *state),
                None => self.import_state(*call, state).await,
            },
            StoredRow::Booking { booking, occupied } => {
                self.decide(&booking.tenant, Vec::new(), |rows| {
                    bookings::import(rows, booking, occupied.as_ref())
                })
                .await
            }
            StoredRow::Written { key, booking } => self.import_written(key, booking).await,
            StoredRow::Message { key, message } => {
                same(messages::WHAT, self.put_message_row(message, key).await? == *message)
            }
            StoredRow::Outcome { key, outcome } => {
                same(OUTCOME, self.remember(key, outcome).await? == *outcome)
            }
            StoredRow::Recording(recording) => match self.recording_row(recording.id).await? {
                Some(stored) => same(RECORDING, stored == *recording),
                None => self.put_recording_row(recording).await,
            },
            StoredRow::Removal(removal) => same(REMOVAL, self.import_removal(removal).await?),
            StoredRow::Audit { of, row } => same(audit::WHAT, self.import_audit(of, row).await?),
        }
    }

    async fn import_written(&self, key: &IdempotencyKey, booking: &Booking) -> Result<()> {
        let value = encode(calendar::WHAT, booking)?;
        self.decide(&booking.tenant, Vec::new(), |rows| {
            match bookings::written(rows, &booking.tenant, key)? {
                Some(stored) => same("written appointment", stored == *booking),
                None => bookings::put_written(rows, booking, key, &value),
            }
        })
        .await
    }
}

fn fact(part: Part, (tenant, fact, value): (String, String, Value)) -> Maybe {
    let Some(value) = value else { return Ok(None) };
    match part {
        Part::Businesses if fact == FACT => {
            decode("business", &value).map(|row| Some(StoredRow::Business(row)))
        }
        Part::Keys if fact == SEALED_KEY => {
            Ok(Some(StoredRow::Key { tenant: TenantId::new(tenant), sealed: value }))
        }
        _ => Ok(None),
    }
}

/// A cursor's bytes; longer ones than [`ordered::from_hex`] reads.
fn place(text: &str) -> Result<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > CURSOR_DIGITS_MAX {
        return Err(wrong_cursor());
    }
    let byte = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(|at| byte(at).ok_or_else(wrong_cursor)).collect()
}
