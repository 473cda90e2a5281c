//! A call as the index holds it. Nothing is stored but what is searched by; the rest is the store's.

use tantivy::schema::{
    FAST, Field, IndexRecordOption, NumericOptions, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter,
    TextAnalyzer,
};
use tantivy::{TantivyDocument, Term};

use super::callers::Callers;
use super::question::{Happened, name_of};
use crate::types::{CallEvent, CallEventKind, CallId, CallRecord};

/// The analyser's name in the schema.
pub(super) const ANALYSER: &str = "words";
/// The longest word, in bytes; a longer one is noise.
const WORD_BYTES_MAX: usize = 40;

/// The names of the fields that are read as columns.
pub(super) const STARTED: &str = "started";
pub(super) const ID_HIGH: &str = "id_high";
pub(super) const ID_LOW: &str = "id_low";

/// The index's fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// The call, to find its document again.
    pub(super) call: Field,
    /// Whose it is.
    pub(super) tenant: Field,
    /// The hash of who called.
    pub(super) caller: Field,
    /// How and why it ended: two terms.
    pub(super) outcome: Field,
    /// What it is filed under.
    pub(super) tag: Field,
    /// What was said.
    pub(super) words: Field,
    /// When it began, in microseconds since the epoch.
    pub(super) started: Field,
    /// The call's id as two numbers: the order among calls that began together, and the answer.
    pub(super) id_high: Field,
    pub(super) id_low: Field,
}

/// The schema and its fields. A change of it, or of the analyser, takes a new `FORMAT` in `progress`.
pub(super) fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let words = TextFieldIndexing::default()
        .set_tokenizer(ANALYSER)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let column = NumericOptions::default() | FAST;
    let fields = Fields {
        call: schema.add_text_field("call", STRING),
        tenant: schema.add_text_field("tenant", STRING),
        caller: schema.add_text_field("caller", STRING),
        outcome: schema.add_text_field("outcome", STRING),
        tag: schema.add_text_field("tag", STRING),
        words: schema.add_text_field("words", TextOptions::default().set_indexing_options(words)),
        started: schema.add_i64_field(STARTED, column.clone()),
        id_high: schema.add_u64_field(ID_HIGH, column.clone()),
        id_low: schema.add_u64_field(ID_LOW, column),
    };
    (schema.build(), fields)
}

/// What makes words of texts and of questions alike: cut at what is no letter or digit, in small letters, without
/// accents, without English's commonest words, and without English endings (Porter's second stemmer).
pub(super) fn analyser() -> TextAnalyzer {
    let cut = TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter);
    match StopWordFilter::new(Language::English) {
        Some(common) => cut.filter(common).filter(Stemmer::new(Language::English)).build(),
        None => cut.filter(Stemmer::new(Language::English)).build(),
    }
}

/// The term that a call's document is found again by.
pub(super) fn call_term(fields: &Fields, call: CallId) -> Term {
    Term::from_field_text(fields.call, &call.to_string())
}

/// When a call began, as the index holds it.
pub(super) fn micros(at: jiff::Timestamp) -> i64 {
    at.as_microsecond()
}

/// Makes a call's document. Of its words, at most `bytes_max` bytes.
pub(super) fn document(
    fields: &Fields,
    callers: &Callers,
    record: &CallRecord,
    events: &[CallEvent],
    bytes_max: usize,
) -> TantivyDocument {
    let mut document = TantivyDocument::default();
    document.add_text(fields.call, record.id.to_string());
    document.add_text(fields.tenant, record.tenant.as_str());
    if let Some(caller) = &record.caller {
        document.add_text(fields.caller, callers.hash(&record.tenant, caller));
    }
    if let Some(outcome) = &record.outcome {
        document.add_text(fields.outcome, name_of(&outcome.result));
        document.add_text(fields.outcome, name_of(&outcome.reason));
    }
    document.add_text(fields.tag, name_of(&record.heading));
    if record.recording.is_some() {
        document.add_text(fields.tag, name_of(&Happened::Recorded));
    }
    let (mut left, mut trouble) = (bytes_max, false);
    for event in events {
        match &event.kind {
            // Each line is a value of its own: a phrase never reaches from one into the next.
            CallEventKind::Said { text, .. } if text.reveal().len() <= left => {
                left -= text.reveal().len();
                document.add_text(fields.words, text.reveal());
            }
            CallEventKind::Said { .. } => left = 0,
            CallEventKind::Trouble { .. } => trouble = true,
            _ => {}
        }
    }
    if trouble {
        document.add_text(fields.tag, name_of(&Happened::Trouble));
    }
    document.add_i64(fields.started, micros(record.started_at));
    let (high, low) = record.id.as_uuid().as_u64_pair();
    document.add_u64(fields.id_high, high);
    document.add_u64(fields.id_low, low);
    document
}
