//! Listings of the store with what waits among their rows, where it belongs.
//!
//! A cursor of such a listing is the place of the last row that was shown and where the store is read on from; what
//! the store gives up to that place was shown before. So a row that leaves the journal for the store in between is
//! shown once.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::storage::{Cursor, Error, Listing, Page, Result};

/// What begins a cursor of rows of both.
const MIXED: &str = "journal:";

/// Where a row stands in its listing: a time, and an identity where times are the same.
type Place = (i128, u128);

/// What a listing has to know of its rows.
pub(super) struct Order<T> {
    /// When a row is, and its identity.
    pub(super) place: fn(&T) -> (jiff::Timestamp, uuid::Uuid),
    /// Latest first, and of the same time the lowest identity; or the other way round.
    pub(super) latest_first: bool,
}

impl<T> Order<T> {
    /// Sorts as the listing does.
    fn key(&self, row: &T) -> Place {
        let (time, id) = (self.place)(row);
        (time.as_nanosecond(), id.as_u128())
    }

    fn compare(&self, one: Place, other: Place) -> Ordering {
        let latest_first = other.0.cmp(&one.0).then(one.1.cmp(&other.1));
        if self.latest_first { latest_first } else { latest_first.reverse() }
    }
}

/// What of a listing waits in the journal.
pub(super) struct Own<T> {
    /// The rows.
    pub(super) rows: Vec<T>,
    /// Those that the store's listing must not show as it has them: they wait, or were erased.
    pub(super) hidden: HashSet<uuid::Uuid>,
}

/// A page of both. `look` reads the store's listing.
pub(super) async fn page<T, F>(
    page: Page,
    order: Order<T>,
    own: Own<T>,
    mut look: impl FnMut(Page) -> F,
) -> Result<Listing<T>>
where
    F: Future<Output = Result<Listing<T>>>,
{
    let Page { after, limit } = page;
    let (shown, mut from) = read(after)?;
    if own.rows.is_empty() && own.hidden.is_empty() && shown.is_none() {
        return look(Page { after: from, limit }).await;
    }
    let limit = limit.max(1);
    let is_new = |row: &T| shown.is_none_or(|shown| order.compare(order.key(row), shown).is_gt());
    let mut waiting: Vec<T> = own.rows.into_iter().filter(is_new).collect();
    waiting.sort_by(|one, other| order.compare(order.key(one), order.key(other)));
    let (mut waiting, mut rows) = (waiting.into_iter().peekable(), Vec::new());
    let cursor = |rows: &[T], from: &Option<Cursor>| {
        let (time, id) = rows.last().map_or((0, 0), |last| order.key(last));
        let from = from.as_ref().map_or("", |Cursor(text)| text.as_str());
        Some(Cursor(format!("{MIXED}{time}:{id:x}:{from}")))
    };
    loop {
        let listing = look(Page { after: from.clone(), limit }).await?;
        for row in listing.rows {
            if !is_new(&row) || own.hidden.contains(&(order.place)(&row).1) {
                continue;
            }
            let place = order.key(&row);
            let before = |own: &T| order.compare(order.key(own), place).is_lt();
            while rows.len() < limit
                && let Some(own) = waiting.next_if(before)
            {
                rows.push(own);
            }
            if rows.len() >= limit {
                return Ok(Listing { next: cursor(&rows, &from), rows });
            }
            rows.push(row);
        }
        if listing.next.is_none() {
            break;
        }
        from = listing.next;
        if rows.len() >= limit {
            return Ok(Listing { next: cursor(&rows, &from), rows });
        }
    }
    rows.extend(waiting.by_ref().take(limit.saturating_sub(rows.len())));
    let next = waiting.peek().and_then(|_| cursor(&rows, &from));
    Ok(Listing { rows, next })
}

/// The place that was shown last, and where the store is read on from.
fn read(after: Option<Cursor>) -> Result<(Option<Place>, Option<Cursor>)> {
    let Some(Cursor(text)) = after else { return Ok((None, None)) };
    let Some(mixed) = text.strip_prefix(MIXED) else { return Ok((None, Some(Cursor(text)))) };
    let wrong = || Error::Corrupt { what: "cursor", why: "it is not one that a listing gave".to_owned() };
    let mut parts = mixed.splitn(3, ':');
    let mut part = || parts.next().ok_or_else(wrong);
    let time = part()?.parse().map_err(|_| wrong())?;
    let id = u128::from_str_radix(part()?, 16).map_err(|_| wrong())?;
    let from = Some(part()?).filter(|text| !text.is_empty());
    Ok((Some((time, id)), from.map(|text| Cursor(text.to_owned()))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Row = (i64, u128);

    fn order(latest_first: bool) -> Order<Row> {
        let place = |row: &Row| {
            (jiff::Timestamp::from_second(row.0).expect("in range"), uuid::Uuid::from_u128(row.1))
        };
        Order { place, latest_first }
    }

    /// A store's listing of these rows; its cursor is how many were shown.
    fn listed(rows: &[Row], page: Page) -> Listing<Row> {
        let from = page.after.map_or(0, |Cursor(text)| text.parse().expect("its own"));
        let shown: Vec<Row> = rows.iter().skip(from).take(page.limit).copied().collect();
        let next = from + shown.len();
        Listing { rows: shown, next: (next < rows.len()).then(|| Cursor(next.to_string())) }
    }

    proptest! {
        #[test]
        fn every_row_is_shown_once_and_in_order(
            times in proptest::collection::vec(0..9_i64, 0..24), kept in any::<u32>(), both in any::<u32>(),
            limit in 1..7_usize, latest_first in any::<bool>(), drains_after in 0..9_usize,
        ) {
            let all: Vec<Row> = times.iter().enumerate().map(|(id, time)| (*time, id as u128)).collect();
            let order_of = order(latest_first);
            let sorted = |rows: &mut Vec<Row>| rows.sort_by(|one, other| {
                order_of.compare(order_of.key(one), order_of.key(other))
            });
            let is = |bits: u32, row: &Row| bits & (1 << row.1) != 0;
            // Some wait, some of them are in the store as well.
            let mut stored: Vec<Row> =
                all.iter().filter(|row| !is(kept, row) || is(both, row)).copied().collect();
            sorted(&mut stored);
            let mut waiting: Vec<Row> = all.iter().filter(|row| is(kept, row)).copied().collect();
            let (mut shown, mut next, mut round) = (Vec::new(), Page::first(limit), 0);
            loop {
                let own = Own {
                    rows: waiting.clone(),
                    hidden: waiting.iter().map(|row| uuid::Uuid::from_u128(row.1)).collect(),
                };
                let look = |page| std::future::ready(Ok(listed(&stored, page)));
                let found = futures_util::FutureExt::now_or_never(page(next, order(latest_first), own, look));
                let found = found.expect("it waits for nothing").expect("a page");
                prop_assert!(found.rows.len() <= limit);
                shown.extend(found.rows);
                let Some(cursor) = found.next else { break };
                next = Page { after: Some(cursor), limit };
                round += 1;
                // The store of this test has cursors that count rows: what comes in may only come in behind them.
                if round == drains_after && stored.is_empty() {
                    stored = std::mem::take(&mut waiting);
                    sorted(&mut stored);
                }
            }
            let mut expected = all;
            sorted(&mut expected);
            prop_assert_eq!(shown, expected);
        }

        #[test]
        fn any_text_is_a_cursor_or_an_error(text in ".{0,30}") {
            let _ = read(Some(Cursor(text.clone())));
            let _ = read(Some(Cursor(format!("{MIXED}{text}"))));
        }
    }
}
