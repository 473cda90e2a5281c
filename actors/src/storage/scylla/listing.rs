//! Pages of listings whose rows lie in buckets (days, months), latest bucket first. A cursor names the bucket and
//! the last row's place in it.

use std::future::Future;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::storage::ordered::{PAGE_ROWS_MAX, from_hex, to_hex};
use crate::storage::{Cursor, Error, Listing, Page, Result};

/// Where a listing goes on: in this bucket, after this place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) bucket: i32,
    pub(super) place: Vec<u8>,
}

impl Start {
    /// Where the page starts. The first one starts at `first`, before all places.
    pub(super) fn of(page: &Page, first: i32) -> Result<Self> {
        let Some(cursor) = &page.after else { return Ok(Self { bucket: first, place: Vec::new() }) };
        let bytes = from_hex(&cursor.0)?;
        match bytes.split_first_chunk() {
            Some((bucket, place)) => Ok(Self { bucket: i32::from_be_bytes(*bucket), place: place.to_vec() }),
            None => Err(wrong_cursor()),
        }
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor(to_hex(&[&self.bucket.to_be_bytes(), self.place.as_slice()].concat()))
    }
}

pub(super) fn wrong_cursor() -> Error {
    Error::Corrupt { what: "cursor", why: "it is not one that a listing gave".to_owned() }
}

pub(super) fn limit_of(page: &Page) -> usize {
    page.limit.clamp(1, PAGE_ROWS_MAX)
}

/// What one look gave: rows with where each lies, and whether there may be more behind them.
pub(super) struct Looked<T> {
    pub(super) rows: Vec<(Start, T)>,
    /// Where to look next, if there is more.
    pub(super) next: Option<Start>,
}

/// Looks on and on until the page is full and one more row is known, or there are no more. A look may give less
/// than it was asked for, since what an index names may be gone.
pub(super) async fn fill<T, F>(
    page: &Page,
    first: Start,
    mut look: impl FnMut(Start, usize) -> F,
) -> Result<Listing<T>>
where
    F: Future<Output = Result<Looked<T>>>,
{
    let limit = limit_of(page);
    let (mut found, mut start) = (Vec::new(), Some(first));
    while let Some(from) = start.take().filter(|_| found.len() <= limit) {
        let looked = look(from, limit + 1 - found.len()).await?;
        found.extend(looked.rows);
        start = looked.next;
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(start, _)| start.cursor());
    Ok(Listing { rows: found.into_iter().map(|(_, row)| row).collect(), next })
}

/// Does something for each, `at_once` at a time, in their order.
pub(super) async fn for_each<I, T, F>(
    items: impl IntoIterator<Item = I>,
    at_once: usize,
    act: impl FnMut(I) -> F,
) -> Result<Vec<T>>
where
    F: Future<Output = Result<T>>,
{
    stream::iter(items).map(act).buffered(at_once.max(1)).try_collect().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_where_it_was_given() {
        let start = Start { bucket: -3, place: vec![0, 255, 7] };
        let page = Page { after: Some(start.cursor()), limit: 1 };
        assert_eq!(Start::of(&page, 9), Ok(start));
        assert_eq!(Start::of(&Page::first(1), 9), Ok(Start { bucket: 9, place: Vec::new() }));
        let short = Page { after: Some(Cursor("00ff".to_owned())), limit: 1 };
        assert_eq!(Start::of(&short, 9), Err(wrong_cursor()));
    }

    #[tokio::test]
    async fn a_page_is_filled_over_gaps_and_buckets() {
        // Rows 0 to 9, two in a bucket; those that three divides are gone.
        let list = |page: Page| async move {
            let first = Start::of(&page, 0).expect("a cursor");
            fill(&page, first, |from, most| {
                let at = from.place.first().map_or(0, |last| last + 1);
                let places: Vec<u8> = (at..10).take(most.min(2)).collect();
                let next = places
                    .last()
                    .filter(|last| **last < 9)
                    .map(|last| Start { bucket: 0, place: vec![*last] });
                let rows = places.into_iter().filter(|row| row % 3 != 0);
                let rows = rows.map(|row| (Start { bucket: 0, place: vec![row] }, row)).collect();
                async move { Ok(Looked { rows, next }) }
            })
            .await
            .expect("listed")
        };
        let first = list(Page::first(4)).await;
        assert_eq!(first.rows, [1, 2, 4, 5]);
        let rest = list(Page { after: first.next, limit: 4 }).await;
        assert_eq!((rest.rows, rest.next), (vec![7, 8], None));
    }
}
