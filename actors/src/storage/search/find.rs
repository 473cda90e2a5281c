//! Answers a question: the index gives the calls, the store what is shown of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tantivy::collector::TopDocs;
use tantivy::query::Query;
use tantivy::{DocAddress, DocId, Score, Searcher, SegmentReader};

use super::document::{ID_HIGH, ID_LOW, STARTED, analyser};
use super::files::Readable;
use super::query::{Compiled, Place, compile};
use super::{Error, Found, Hit, Order, Question, Result, Settings, highlight, words};
use crate::storage::{Cursor, Storage};
use crate::types::CallId;

/// What the index answers.
pub(super) struct Listed {
    pub(super) calls: Vec<CallId>,
    pub(super) next: Option<Cursor>,
    words: BTreeSet<String>,
}

/// Where a page begins.
enum From {
    Start,
    Before(Place),
    Offset(usize),
}

/// Looks into the index. Blocks.
pub(super) fn list(readable: &Readable, question: &Question, settings: &Settings) -> Result<Listed> {
    let wanted = words::read(question.words.reveal(), settings)?;
    let limit = question.page.limit.clamp(1, settings.hits_max.max(1));
    let from = from(question)?;
    let before = if let From::Before(place) = from { Some(place) } else { None };
    let (fields, callers) = (&readable.fields, &readable.callers);
    let Compiled { query, words } = compile(fields, callers, &mut analyser(), question, &wanted, before)?;
    let searcher = readable.reader.searcher();
    let (mut places, next) = match question.order {
        Order::Newest => {
            // One more shows whether there are more.
            let mut places = newest(&searcher, &*query, limit + 1)?;
            let more = places.len() > limit;
            places.truncate(limit);
            let next = places.last().filter(|_| more).map(newest_cursor);
            (places, next)
        }
        Order::Best => {
            let offset = if let From::Offset(offset) = from { offset } else { 0 };
            let limit = limit.min(settings.best_max.saturating_sub(offset));
            if limit == 0 {
                let why =
                    format!("a list by relevance ends after {} calls; ask more precisely", settings.best_max);
                return Err(Error::Question { why });
            }
            let places = best(&searcher, &*query, limit + 1, offset)?;
            let next = (places.len() > limit).then(|| Cursor(format!("b{}", offset + limit)));
            (places, next)
        }
    };
    places.truncate(limit);
    let calls =
        places.iter().map(|(_, high, low)| CallId::new(uuid::Uuid::from_u64_pair(*high, *low))).collect();
    Ok(Listed { calls, next, words })
}

fn newest(searcher: &Searcher, query: &dyn Query, limit: usize) -> Result<Vec<Place>> {
    let by_place = TopDocs::with_limit(limit).tweak_score(|segment: &SegmentReader| {
        let column = Columns::of(segment);
        move |doc: DocId, _: Score| column.place(doc)
    });
    Ok(searcher.search(query, &by_place)?.into_iter().map(|(place, _)| place).collect())
}

fn best(searcher: &Searcher, query: &dyn Query, limit: usize, offset: usize) -> Result<Vec<Place>> {
    let collector = TopDocs::with_limit(limit).and_offset(offset).order_by_score();
    let found: Vec<(Score, DocAddress)> = searcher.search(query, &collector)?;
    let place =
        |address: DocAddress| Columns::of(searcher.segment_reader(address.segment_ord)).place(address.doc_id);
    Ok(found.into_iter().map(|(_, address)| place(address)).collect())
}

/// A segment's columns; a column that is missing counts as nought, and the call it then names is not there.
struct Columns {
    started: Option<tantivy::columnar::Column<i64>>,
    high: Option<tantivy::columnar::Column<u64>>,
    low: Option<tantivy::columnar::Column<u64>>,
}

impl Columns {
    fn of(segment: &SegmentReader) -> Self {
        let columns = segment.fast_fields();
        Self {
            started: columns.i64(STARTED).ok(),
            high: columns.u64(ID_HIGH).ok(),
            low: columns.u64(ID_LOW).ok(),
        }
    }

    fn place(&self, doc: DocId) -> Place {
        let number = |column: &Option<tantivy::columnar::Column<u64>>| {
            column.as_ref().and_then(|column| column.first(doc)).unwrap_or_default()
        };
        let started = self.started.as_ref().and_then(|column| column.first(doc)).unwrap_or_default();
        (started, number(&self.high), number(&self.low))
    }
}

fn newest_cursor((started, high, low): &Place) -> Cursor {
    Cursor(format!("n{started}.{high:x}.{low:x}"))
}

fn from(question: &Question) -> Result<From> {
    let Some(Cursor(text)) = &question.page.after else { return Ok(From::Start) };
    let read = match question.order {
        Order::Newest => place(text).map(From::Before),
        Order::Best => text.strip_prefix('b').and_then(|offset| offset.parse().ok()).map(From::Offset),
    };
    read.ok_or_else(|| Error::Question { why: "the page before was not one of this question's".to_owned() })
}

fn place(text: &str) -> Option<Place> {
    let mut parts = text.strip_prefix('n')?.split('.');
    let started = parts.next()?.parse().ok()?;
    let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
    Some((started, number()?, number()?))
}

/// Reads from the store what is shown. A call that the store has not, or not for this business, is left out.
pub(super) async fn show(
    storage: &Arc<dyn Storage>,
    question: &Question,
    listed: Listed,
    complete: bool,
) -> Result<Found> {
    let mut hits = Vec::new();
    for call in listed.calls {
        let Some(record) = storage.call(call).await? else { continue };
        if record.tenant != question.tenant {
            continue;
        }
        let line = if listed.words.is_empty() {
            None
        } else {
            highlight::line(&storage.events(call).await?, &listed.words, &mut analyser())
        };
        hits.push(Hit { record, line });
    }
    Ok(Found { hits, next: listed.next, complete })
}
