//! ◇ Calling back: whether the caller of a call that is over is to be called, and when. A pure function of the call's
//! record, the business's rules and the time.

mod country;
mod settings;

pub use settings::Settings;

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::types::{
    Business, CallBack, CallBackResult, CallRecord, EndReason, NumberPattern, PhoneNumber, Private, Route,
};

/// How far ahead opening hours are looked for, in minutes.
const LOOK_AHEAD_MINUTES: i64 = 8 * 24 * 60;
/// Fewer digits are an extension, and nobody's number elsewhere.
const DIGITS_MIN: usize = 7;

/// Why nobody is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Never {
    /// The business does not want it.
    #[error("the business calls nobody back for this")]
    NotWanted,
    /// The call was dealt with, or was a call back itself.
    #[error("there is nothing to call back for")]
    DealtWith,
    /// No number was shown, or it is none that can be called.
    #[error("the caller showed no number that can be called")]
    NoNumber,
    /// The caller is blocked, or likely spam.
    #[error("the caller is not wanted")]
    Unwanted,
    /// The number is of another country.
    #[error("the caller's number is of another country")]
    Foreign,
    /// As often as may be.
    #[error("the caller was called as often as may be")]
    Exhausted,
    /// It is too long ago, or the business does not open in time.
    #[error("it is too long ago")]
    TooLate,
}

/// When the caller of this call is to be called, if at all.
///
/// # Errors
/// Why nobody is.
pub fn due(business: &Business, record: &CallRecord, settings: &Settings) -> Result<Timestamp, Never> {
    let rules = business.arrival.call_back.as_ref().ok_or(Never::NotWanted)?;
    let ended = record.ended_at.ok_or(Never::DealtWith)?;
    let arrived = record.arrived.as_ref();
    if arrived.is_some_and(|arrived| arrived.route == Route::CalledBack) {
        return Err(Never::DealtWith);
    }
    if !is_missed(record, rules)? {
        return Err(Never::NotWanted);
    }
    let caller = record.caller.as_ref().map(Private::reveal).ok_or(Never::NoNumber)?;
    may_call(business, caller)?;
    if arrived.is_some_and(|arrived| arrived.spam.is_some()) {
        return Err(Never::Unwanted);
    }
    let note = record.call_back.unwrap_or_default();
    if !matches!(note.result, CallBackResult::Waiting | CallBackResult::NotReached) {
        return Err(Never::DealtWith);
    }
    if note.attempts >= rules.attempts_max {
        return Err(Never::Exhausted);
    }
    let after = Duration::from_secs(u64::from(rules.after_minutes) * 60);
    let earliest = note.last_at.unwrap_or(ended).checked_add(after).map_err(|_| Never::TooLate)?;
    let due = opens(business, earliest).ok_or(Never::TooLate)?;
    let age = SignedDuration::from_millis(i64::try_from(settings.age_ms_max).unwrap_or(i64::MAX));
    if due.duration_since(ended) > age { Err(Never::TooLate) } else { Ok(due) }
}

/// Whether their call was cut off; else nobody answered it.
#[must_use]
pub fn was_cut_off(record: &CallRecord) -> bool {
    record.answered_at.is_some()
}

/// Whether a later call of the same caller leaves nothing to call back for: they are on the line, were dealt with, or
/// are to be called back for that one.
#[must_use]
pub fn supersedes(business: &Business, later: &CallRecord) -> bool {
    let Some(rules) = &business.arrival.call_back else { return true };
    later.outcome.is_none()
        || match is_missed(later, rules) {
            Ok(to_be_called) => to_be_called,
            Err(_) => later.answered_at.is_some(),
        }
}

/// Whether whom we called said that they do not want it (RFC 3261 section 21.6.2, RFC 8197).
#[must_use]
pub const fn is_declined(record: &CallRecord) -> bool {
    record.answered_at.is_none() && matches!(record.sip_status, 603 | 607)
}

/// Whether something failed that cut the call off.
#[must_use]
pub const fn is_failure(reason: EndReason) -> bool {
    matches!(
        reason,
        EndReason::MediaTimeout
            | EndReason::SignallingTimeout
            | EndReason::KeysNotAgreed
            | EndReason::EngineFailed
            | EndReason::Crashed
            | EndReason::NodeStopped
            | EndReason::NodeDied
    )
}

/// Whether this was a call that the business wants to call back for.
fn is_missed(record: &CallRecord, rules: &CallBack) -> Result<bool, Never> {
    let reason = record.outcome.ok_or(Never::DealtWith)?.reason;
    let failed = is_failure(reason);
    // Refused for want of room; what screening refused, and wrong numbers, are not missed.
    let no_room = reason == EndReason::Refused
        && matches!(record.sip_status, 486 | 500 | 503)
        && record.arrived.as_ref().is_none_or(|arrived| !arrived.route.is_turned_away());
    if failed && was_cut_off(record) {
        return Ok(rules.cut_off);
    }
    if failed || no_room || reason == EndReason::Cancelled {
        return Ok(rules.missed);
    }
    Err(Never::DealtWith)
}

fn may_call(business: &Business, caller: &PhoneNumber) -> Result<(), Never> {
    if caller.digits().len() < DIGITS_MIN {
        return Err(Never::NoNumber);
    }
    // Its own number would call the receptionist.
    if business.numbers.iter().any(|own| own.reaches_same_line(caller)) {
        return Err(Never::NoNumber);
    }
    let names = |patterns: &[Private<NumberPattern>]| {
        patterns.iter().any(|pattern| pattern.reveal().matches(caller).is_some())
    };
    if business.arrival.screening.as_ref().is_some_and(|screening| names(&screening.blocked)) {
        return Err(Never::Unwanted);
    }
    if country::is_domestic(caller, &business.numbers) { Ok(()) } else { Err(Never::Foreign) }
}

/// The first minute from `earliest` on at which the business is open.
fn opens(business: &Business, earliest: Timestamp) -> Option<Timestamp> {
    let zone = TimeZone::get(&business.time_zone).unwrap_or(TimeZone::UTC);
    let is_open = |at: Timestamp| {
        let local = zone.to_datetime(at);
        business.hours.is_open(local.date(), local.time())
    };
    if is_open(earliest) {
        return Some(earliest);
    }
    // By the quarter of an hour, and back to the minute: opening hours are written in minutes.
    let quarter = 15;
    let steps = LOOK_AHEAD_MINUTES / quarter;
    let found = (1..=steps)
        .filter_map(|step| earliest.checked_add((step * quarter).minutes()).ok())
        .find(|at| is_open(*at))?;
    let before = (1..=quarter).filter_map(|back| found.checked_sub(back.minutes()).ok());
    Some(before.take_while(|at| is_open(*at)).last().unwrap_or(found))
}

#[cfg(test)]
mod tests;
