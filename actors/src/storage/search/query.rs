//! A question as tantivy's queries.

use std::collections::BTreeSet;
use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    BooleanQuery, ConstScoreQuery, EmptyQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::tokenizer::TextAnalyzer;

use super::callers::Callers;
use super::document::{Fields, micros};
use super::question::name_of;
use super::words::Wanted;
use super::{Error, Question, Result};

/// A call's place in the order of an answer: when it began, then its id.
pub(super) type Place = (i64, u64, u64);

/// A query, and the words to mark in what it finds.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) query: Box<dyn Query>,
    pub(super) words: BTreeSet<String>,
}

/// Makes the query of a question. Whatever its words are, the tenant is a condition beside them, not one of them.
///
/// # Errors
/// [`Error::Question`] where nothing is left to look for.
pub(super) fn compile(
    fields: &Fields,
    callers: &Callers,
    analyser: &mut TextAnalyzer,
    question: &Question,
    wanted: &Wanted,
    before: Option<Place>,
) -> Result<Compiled> {
    let mut compiler = Compiler { fields, analyser, words: BTreeSet::new() };
    let said = compiler.said(wanted);
    let asked = !wanted.all.is_empty() || !wanted.none.is_empty();
    if said.is_empty() && question.filters.is_empty() {
        let why = if asked {
            "these words are in nearly every call; add one that tells the call from others"
        } else {
            "there are no words in it; give some, or a filter"
        };
        return Err(Error::Question { why: why.to_owned() });
    }
    let mut clauses = vec![(Occur::Must, unscored(term(fields.tenant, question.tenant.as_str())))];
    clauses.extend(filters(fields, callers, question));
    clauses.extend(before.map(|place| (Occur::Must, unscored(older(fields, place)))));
    clauses.extend(said);
    Ok(Compiled { query: Box::new(BooleanQuery::new(clauses)), words: compiler.words })
}

type Clause = (Occur, Box<dyn Query>);

struct Compiler<'a> {
    fields: &'a Fields,
    analyser: &'a mut TextAnalyzer,
    words: BTreeSet<String>,
}

impl Compiler<'_> {
    fn said(&mut self, wanted: &Wanted) -> Vec<Clause> {
        let mut clauses: Vec<Clause> = Vec::new();
        for group in &wanted.all {
            let mut any: Vec<Box<dyn Query>> = Vec::new();
            for text in group {
                let words = self.analyse(text);
                self.words.extend(words.iter().map(|(_, word)| word.clone()));
                any.extend(self.phrase(words));
            }
            match any.pop() {
                Some(only) if any.is_empty() => clauses.push((Occur::Must, only)),
                Some(last) => {
                    any.push(last);
                    clauses.push((Occur::Must, Box::new(BooleanQuery::union(any))));
                }
                // Only words that are in nearly every call: no condition.
                None => {}
            }
        }
        for text in &wanted.none {
            let words = self.analyse(text);
            clauses.extend(self.phrase(words).map(|query| (Occur::MustNot, query)));
        }
        clauses
    }

    /// A text's words with their distances from each other.
    fn analyse(&mut self, text: &str) -> Vec<(usize, String)> {
        let mut words = Vec::new();
        self.analyser
            .token_stream(text)
            .process(&mut |token| words.push((token.position, token.text.clone())));
        words
    }

    fn phrase(&self, mut words: Vec<(usize, String)>) -> Option<Box<dyn Query>> {
        let field = self.fields.words;
        if words.len() < 2 {
            let (_, word) = words.pop()?;
            let term = Term::from_field_text(field, &word);
            return Some(Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)));
        }
        let terms = words.into_iter().map(|(at, word)| (at, Term::from_field_text(field, &word))).collect();
        Some(Box::new(PhraseQuery::new_with_offset(terms)))
    }
}

fn filters(fields: &Fields, callers: &Callers, question: &Question) -> Vec<Clause> {
    let filters = &question.filters;
    let mut found: Vec<Box<dyn Query>> = Vec::new();
    if filters.from.is_some() || filters.until.is_some() {
        let bound = |at| Term::from_field_i64(fields.started, micros(at));
        found.push(Box::new(RangeQuery::new(
            filters.from.map_or(Bound::Unbounded, |from| Bound::Included(bound(from))),
            filters.until.map_or(Bound::Unbounded, |until| Bound::Excluded(bound(until))),
        )));
    }
    if let Some(caller) = &filters.caller {
        found.push(term(fields.caller, &callers.hash(&question.tenant, caller)));
    }
    if let Some(outcome) = &filters.outcome {
        found.push(term(fields.outcome, &name_of(outcome)));
    }
    if let Some(tag) = &filters.tag {
        found.push(term(fields.tag, &name_of(tag)));
    }
    found.into_iter().map(|query| (Occur::Must, unscored(query))).collect()
}

/// Calls that stand after this place in the order.
fn older(fields: &Fields, (started, high, low): Place) -> Box<dyn Query> {
    let both = |one, other| Box::new(BooleanQuery::intersection(vec![one, other])) as Box<dyn Query>;
    let below = |least: Term, value: u64, at: Term| -> Box<dyn Query> {
        // No number is below nought, and a range that ends before it begins is refused.
        if value == 0 { Box::new(EmptyQuery) } else { range(Bound::Included(least), Bound::Excluded(at)) }
    };
    let number = Term::from_field_u64;
    let began = Term::from_field_i64(fields.started, started);
    let same = |term: &Term| range(Bound::Included(term.clone()), Bound::Included(term.clone()));
    let (same_time, same_high) = (same(&began), same(&number(fields.id_high, high)));
    let lower_id = BooleanQuery::union(vec![
        below(number(fields.id_high, 0), high, number(fields.id_high, high)),
        both(same_high, below(number(fields.id_low, 0), low, number(fields.id_low, low))),
    ]);
    Box::new(BooleanQuery::union(vec![
        range(Bound::Unbounded, Bound::Excluded(began)),
        both(same_time, Box::new(lower_id)),
    ]))
}

fn range(from: Bound<Term>, until: Bound<Term>) -> Box<dyn Query> {
    Box::new(RangeQuery::new(from, until))
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic))
}

/// A condition that says nothing about relevance.
fn unscored(query: Box<dyn Query>) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(query, 0.0))
}
