//! Erasing a call: everything under its id, a bounded number of rows at a time, its record last.

use super::key::Key;
use super::{Direction, Ordered, Read, Table, Write, bookings, calls, outcomes, recordings};
use crate::storage::{Erased, Erasure, Extent, Result};
use crate::types::{CallEventKind, CallId, CallRecord, RecordingId};

/// The most events that one change removes. What else a call has is bounded by its tools.
const EVENTS_PER_STEP: usize = 1_000;

pub(super) async fn erase(store: &impl Ordered, call: CallId, extent: Extent) -> Result<Erasure> {
    let mut erasure = Erasure::default();
    loop {
        let (step, more) = store.write(move |rows| step(rows, call, extent)).await?;
        erasure.add(step);
        if !more {
            return Ok(erasure);
        }
    }
}

/// One change, and whether there is more to do. Where it fails midway it is done again: it looks for what is
/// there.
fn step(rows: &mut dyn Write, call: CallId, extent: Extent) -> Result<(Erasure, bool)> {
    let record = calls::get(rows, call)?;
    if record.as_ref().is_some_and(|record| record.ended_at.is_none()) {
        return Ok((Erasure { live: 1, ..Erasure::default() }, false));
    }
    let mut erased = Erased::default();
    for recording in recordings_of(rows, call, record.as_ref())? {
        erased.recordings += u64::from(recordings::erase(rows, recording)?);
    }
    if let Some(record) = &record {
        erase_written(rows, record, extent, &mut erased)?;
        let start = Key::new().text(record.tenant.as_str()).text_start(&keys_of(call));
        erased.messages += outcomes::erase_messages(rows, &start)?;
    }
    erased.outcomes += outcomes::erase_outcomes(rows, &keys_of(call))?;
    let events = calls::erase_events(rows, call, EVENTS_PER_STEP)?;
    erased.events += events as u64;
    if events == EVENTS_PER_STEP {
        return Ok((Erasure { erased, ..Erasure::default() }, true));
    }
    erased.checkpoints += u64::from(calls::checkpoint(rows, call)?.is_some());
    calls::erase_checkpoint(rows, call)?;
    if let Some(record) = &record {
        calls::erase(rows, record)?;
        erased.calls += 1;
    }
    let calls = record.map(|record| record.id).into_iter().collect();
    Ok((Erasure { erased, calls, ..Erasure::default() }, false))
}

/// How all idempotency keys of a call begin.
fn keys_of(call: CallId) -> String {
    format!("{call}/")
}

/// The call's recordings: a call that died knows its own only by an event. One event that can't be read must not
/// keep all others.
fn recordings_of(
    rows: &(impl Read + ?Sized),
    call: CallId,
    record: Option<&CallRecord>,
) -> Result<Vec<RecordingId>> {
    let mut found: Vec<RecordingId> = record.and_then(|record| record.recording).into_iter().collect();
    for (_, value) in calls::raw_events(rows, call)? {
        if let Ok(event) = calls::read_event(&value)
            && let CallEventKind::RecordingStarted { recording, .. } = event.kind
            && !found.contains(&recording)
        {
            found.push(recording);
        }
    }
    Ok(found)
}

/// Removes what was written under the call's keys, and where `extent` says so the appointments that it made.
pub(in crate::storage) fn erase_written(
    rows: &mut dyn Write,
    record: &CallRecord,
    extent: Extent,
    erased: &mut Erased,
) -> Result<()> {
    let mut made = record.bookings.clone();
    let start = Key::new().text(record.tenant.as_str()).text_start(&keys_of(record.id));
    let written =
        rows.range(Table::Written, start.as_bytes(), &start.end(), Direction::Forwards, usize::MAX)?;
    for (key, value) in &written {
        made.extend(bookings::read(value).ok().map(|booking| booking.id));
        rows.remove(Table::Written, key)?;
        erased.outcomes += 1;
    }
    if extent == Extent::Conversation {
        return Ok(());
    }
    for booking in made {
        // One that this call only moved belongs to the call that made it.
        let own = bookings::get(rows, &record.tenant, booking)?.is_some_and(|found| found.call == record.id);
        if own && bookings::erase(rows, &record.tenant, booking)? {
            erased.bookings += 1;
        }
    }
    Ok(())
}
