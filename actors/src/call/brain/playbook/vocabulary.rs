//! The business's own words in an utterance: its services, staff and departments.

use std::ops::Range;

use super::lexical::{likeness, stem};
use super::normalise::Words;
use crate::types::Business;

/// Words that name nothing by themselves.
const GENERIC: [&str; 38] = [
    "a",
    "an",
    "the",
    "and",
    "with",
    "for",
    "of",
    "to",
    "in",
    "appointment",
    "service",
    "session",
    "treatment",
    "department",
    "team",
    "desk",
    "office",
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "doctor",
    "nurse",
    "room",
    "chair",
    "table",
    "bay",
    "desk",
    "our",
    "my",
    "new",
    "one",
    "two",
    "three",
    "on",
    "at",
    "or",
];

/// Something of the business's that was named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mention {
    /// Its place in the business's own list.
    pub(crate) index: usize,
    /// The words that named it.
    pub(crate) span: Range<usize>,
}

struct Match {
    index: usize,
    /// The part of its name's weight that was said.
    score: f32,
    /// How many words of its name were said.
    matched: usize,
    places: Vec<usize>,
}

fn same(said: &str, name: &str) -> bool {
    const ALIKE_MIN: f32 = 0.7;
    if said.is_empty() || said == name {
        return !said.is_empty();
    }
    let (said, name) = (stem(said), stem(name));
    said == name || (said.len() >= 5 && name.len() >= 5 && likeness(&said, &name) >= ALIKE_MIN)
}

/// For people: their names are not inflected, and "book" is not "bookings".
fn same_name(said: &str, name: &str) -> bool {
    const ALIKE_MIN: f32 = 0.75;
    let alike = said.len() >= 5 && name.len() >= 5 && likeness(said, name) >= ALIKE_MIN;
    !said.is_empty() && (said == name || alike && stem(said) != "book")
}

/// "cut" in "haircut": a caller's short form of a compound.
fn is_head_of(said: &str, name: &str) -> bool {
    said.len() >= 3 && name.len() >= said.len() + 3 && name.ends_with(said)
}

fn measure(words: &Words, index: usize, variant: &str, short_forms: bool) -> Option<Match> {
    let name = Words::of(variant);
    let (mut total, mut said, mut matched) = (0.0, 0.0, 0);
    let mut places = Vec::new();
    for part in name.iter() {
        let weight = if GENERIC.contains(&part) { 0.2 } else { 1.0 };
        total += weight;
        let place = (0..words.len())
            .filter(|place| !places.contains(place))
            .find(|place| {
                let said = words.at(*place);
                if short_forms { same(said, part) } else { same_name(said, part) }
            })
            .or_else(|| (0..words.len()).find(|place| short_forms && is_head_of(words.at(*place), part)));
        if let Some(place) = place {
            said += weight;
            if weight >= 1.0 {
                matched += 1;
            }
            places.push(place);
        }
    }
    let all_generic = name.iter().all(|part| GENERIC.contains(&part));
    let score = if total > 0.0 { said / total } else { 0.0 };
    let enough = if all_generic { score > 0.99 } else { matched > 0 };
    enough.then_some(Match { index, score, matched, places })
}

/// The best of several names for each thing, best thing first; those that can't be told apart together.
fn find(words: &Words, names: &[Vec<&str>], least: f32, short_forms: bool) -> Vec<Mention> {
    let mut found: Vec<Match> = names
        .iter()
        .enumerate()
        .filter_map(|(index, variants)| {
            variants
                .iter()
                .filter_map(|variant| measure(words, index, variant, short_forms))
                .max_by(|one, other| one.score.total_cmp(&other.score).then(one.matched.cmp(&other.matched)))
        })
        .filter(|found| found.score >= least)
        .collect();
    found.sort_by(|one, other| {
        let whole = |each: &Match| each.score > 0.85;
        whole(other)
            .cmp(&whole(one))
            .then(other.matched.cmp(&one.matched))
            .then(other.score.total_cmp(&one.score))
            .then(one.index.cmp(&other.index))
    });
    let best = found.first().map(|first| (first.score > 0.85, first.matched, first.score));
    found
        .into_iter()
        .take_while(|each| {
            best.is_some_and(|(whole, matched, score)| {
                (each.score > 0.85) == whole && each.matched == matched && (whole || score - each.score < 0.2)
            })
        })
        .map(|each| {
            let from = each.places.iter().min().copied().unwrap_or_default();
            let until = each.places.iter().max().map_or(0, |last| last + 1);
            Mention { index: each.index, span: from..until }
        })
        .collect()
}

/// The services named: one where it is plain, several where it is not, none where none was.
pub(crate) fn services(words: &Words, business: &Business) -> Vec<Mention> {
    let names: Vec<Vec<&str>> = business
        .services
        .iter()
        .map(|service| {
            std::iter::once(service.name.as_str())
                .chain(service.also_called.iter().map(String::as_str))
                .collect()
        })
        .collect();
    find(words, &names, 0.3, true)
}

/// The member of staff or the room named.
pub(crate) fn staff(words: &Words, business: &Business) -> Option<Mention> {
    let names: Vec<Vec<&str>> =
        business.resources.iter().map(|resource| vec![resource.name.as_str()]).collect();
    let found = find(words, &names, 0.3, false);
    match found.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// The department named.
pub(crate) fn department(words: &Words, business: &Business) -> Option<Mention> {
    let names: Vec<Vec<&str>> = business
        .departments
        .iter()
        .map(|department| {
            std::iter::once(department.name.as_str())
                .chain(department.also_called.iter().map(String::as_str))
                .collect()
        })
        .collect();
    find(words, &names, 0.6, false).into_iter().next()
}
