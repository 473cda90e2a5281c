//! Retrieval by words: stems, synonyms and character trigrams, weighted by rarity. Forgives what recognisers get
//! wrong, and gives a score that can say "nothing here".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::normalise::Words;

/// Words that say little by themselves.
const LIGHT: &[&str] = &[
    "a", "an", "the", "i", "you", "we", "me", "my", "your", "is", "are", "am", "be", "do", "does", "did",
    "to", "of", "on", "in", "at", "for", "it", "that", "this", "and", "or", "so", "would", "like", "can",
    "could", "please", "will", "have", "has", "with", "just", "there", "if", "um", "uh", "hi", "hello",
    "any", "some", "want", "was", "were", "get", "tell", "know", "wonder", "may", "by", "from", "er", "well",
    "yes", "ok", "okay", "might", "shall", "need", "take", "accept",
];

/// Different words for one thing, by stem.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("book", &["schedul", "reserv", "arrang"]),
    ("appointment", &["appt", "slot", "visit", "booking", "reservation"]),
    ("move", &["reschedul", "chang", "shift", "postpon", "rearrang", "switch", "mov"]),
    ("cancel", &["cancellat", "cancellation"]),
    ("price", &["cost", "charg", "fee", "rat", "pric", "expensiv", "pay"]),
    ("speak", &["talk", "spok", "chat"]),
    (
        "person",
        &["human", "someon", "somebody", "agent", "operator", "representativ", "receptionist", "peopl"],
    ),
    ("where", &["locat", "situat", "bas", "locatio"]),
    ("address", &["postcod", "zip", "street"]),
    ("offer", &["provid", "sel"]),
    ("long", &["durat", "last"]),
    ("bye", &["goodby", "cheerio", "farewel"]),
    ("thank", &["thanks", "cheer"]),
    ("park", &["car", "vehicl"]),
];

/// The stem of a word: plural, -ing and -ed go, doubled endings are made single.
pub(crate) fn stem(word: &str) -> String {
    if word.starts_with('_') || !word.is_ascii() {
        return word.to_owned();
    }
    let mut stem = word.replace('\'', "");
    for ending in ["ings", "ing", "ies", "ed", "es", "s"] {
        let keep = stem.len().saturating_sub(ending.len());
        if stem.ends_with(ending) && keep >= 3 && !(ending == "s" && stem.ends_with("ss")) {
            stem.truncate(keep);
            if ending == "ies" {
                stem.push('y');
            }
            break;
        }
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    let mut ends = stem.chars().rev();
    if let (Some(last), Some(before)) = (ends.next(), ends.next())
        && last == before
        && stem.len() > 3
    {
        stem.pop();
    }
    stem
}

/// The stem under its common name.
pub(crate) fn canonical(word: &str) -> String {
    let stem = stem(word);
    SYNONYMS
        .iter()
        .find(|(name, others)| *name == stem || others.contains(&stem.as_str()))
        .map_or(stem, |(name, _)| (*name).to_owned())
}

pub(crate) fn is_light(word: &str) -> bool {
    LIGHT.contains(&word)
}

/// How alike two words look, from 0 to 1.
pub(crate) fn likeness(one: &str, other: &str) -> f32 {
    Spelling::of(one.to_owned()).likeness(&Spelling::of(other.to_owned()))
}

/// A word as it looks.
#[derive(Debug)]
struct Spelling {
    word: String,
    /// Its character trigrams, each once, in order.
    trigrams: Vec<[char; 3]>,
}

impl Spelling {
    fn of(word: String) -> Self {
        let padded: Vec<char> =
            std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
        let mut trigrams: Vec<[char; 3]> =
            padded.windows(3).filter_map(|window| window.try_into().ok()).collect();
        trigrams.sort_unstable();
        trigrams.dedup();
        Self { word, trigrams }
    }

    /// How alike two words look, from 0 to 1: the Dice coefficient of their character trigrams.
    fn likeness(&self, other: &Self) -> f32 {
        let (one, two) = (self.word.as_str(), other.word.as_str());
        if one == two {
            return 1.0;
        }
        if one.len().min(two.len()) < 4 {
            return 0.0;
        }
        // "access" and "accessible".
        const SAME_ROOT: f32 = 0.75;
        if one.len().min(two.len()) >= 5 && (one.starts_with(two) || two.starts_with(one)) {
            return SAME_ROOT;
        }
        let shared = self.trigrams.iter().filter(|gram| other.trigrams.binary_search(gram).is_ok()).count();
        let shared = u16::try_from(shared).unwrap_or(u16::MAX);
        let all = u16::try_from(self.trigrams.len() + other.trigrams.len()).unwrap_or(u16::MAX);
        2.0 * f32::from(shared) / f32::from(all.max(1))
    }
}

/// What a word is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// "I need a …" is more than "a …".
    Wish,
    /// A word that says little by itself.
    Light,
    /// What stands for a kind of words: "_time".
    Kind,
    /// Any other.
    Plain,
}

impl Part {
    fn of(term: &str) -> Self {
        match term {
            "need" | "want" | "get" => Self::Wish,
            _ if is_light(term) => Self::Light,
            _ if term.starts_with('_') => Self::Kind,
            _ => Self::Plain,
        }
    }

    /// What such a word weighs, where that does not depend on how rare it is.
    const fn weight(self) -> Option<f32> {
        match self {
            Self::Wish => Some(0.4),
            Self::Light => Some(0.12),
            Self::Kind => Some(0.3),
            Self::Plain => None,
        }
    }
}

/// A word of the examples.
#[derive(Debug)]
struct Term {
    spelling: Spelling,
    part: Part,
    /// The keys in whose examples it occurs.
    keys: BTreeSet<usize>,
}

#[derive(Debug)]
struct Document {
    key: usize,
    /// Places in the vocabulary.
    terms: Vec<usize>,
}

/// Examples with keys, to be searched by an utterance.
#[derive(Debug, Default)]
pub(crate) struct Index {
    documents: Vec<Document>,
    vocabulary: Vec<Term>,
    places: BTreeMap<String, usize>,
    keys: BTreeSet<usize>,
    /// What each word of the vocabulary weighs, from the first search after an example was added.
    weights: OnceLock<Vec<f32>>,
}

/// A word of an utterance.
struct Asked {
    word: String,
    weight: f32,
    /// How alike it is to each word of the vocabulary.
    likeness: Vec<f32>,
}

/// What an unmatched word of the utterance costs, next to one of the example.
const EXTRA_COST: f32 = 0.35;
const MISSING_COST: f32 = 0.65;
/// Below this, two words are different words.
const LIKENESS_MIN: f32 = 0.6;

fn terms(words: impl Iterator<Item = impl AsRef<str>>) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    for word in words {
        let word = word.as_ref();
        // Light words stay as they are: "would" has no stem.
        let term = if is_light(word) { word.to_owned() } else { canonical(word) };
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
    terms
}

impl Index {
    /// Adds an example.
    pub(crate) fn add(&mut self, key: usize, example: &str) {
        let words: Vec<String> = if example.contains('_') {
            example.split_whitespace().map(str::to_owned).collect()
        } else {
            Words::of(example).iter().map(str::to_owned).collect()
        };
        let terms = terms(words.iter()).into_iter().map(|term| self.place(term, key)).collect();
        self.keys.insert(key);
        self.weights.take();
        self.documents.push(Document { key, terms });
    }

    /// Where a word of an example with this key stands in the vocabulary.
    fn place(&mut self, term: String, key: usize) -> usize {
        let next = self.vocabulary.len();
        let place = *self.places.entry(term.clone()).or_insert(next);
        if place == next {
            let part = Part::of(&term);
            self.vocabulary.push(Term { spelling: Spelling::of(term), part, keys: BTreeSet::new() });
        }
        if let Some(term) = self.vocabulary.get_mut(place) {
            term.keys.insert(key);
        }
        place
    }

    fn weights(&self) -> &[f32] {
        self.weights.get_or_init(|| self.vocabulary.iter().map(|term| self.weight(term)).collect())
    }

    fn weight(&self, term: &Term) -> f32 {
        term.part.weight().unwrap_or_else(|| {
            let keys = f32::from(u16::try_from(self.keys.len()).unwrap_or(u16::MAX));
            let with = f32::from(u16::try_from(term.keys.len()).unwrap_or(u16::MAX));
            0.4 + 0.6 * (1.0 + keys / with).ln() / (1.0 + keys).ln()
        })
    }

    /// What a word that was asked for weighs, whether the examples have it or not.
    fn weight_asked(&self, word: &str) -> f32 {
        let known = self.places.get(word).and_then(|place| self.weights().get(*place)).copied();
        known.unwrap_or_else(|| Part::of(word).weight().unwrap_or(0.7))
    }

    /// The keys by their best example's score, best first; scores from 0 to 1.
    pub(crate) fn search<'a>(&self, words: impl Iterator<Item = &'a str>) -> Vec<(usize, f32)> {
        let query: Vec<Asked> =
            terms(self.joined(words).iter()).into_iter().map(|word| self.asked(word)).collect();
        let mut best: BTreeMap<usize, f32> = BTreeMap::new();
        let mut covered = Vec::new();
        for document in &self.documents {
            let score = self.score(&query, document, &mut covered);
            let entry = best.entry(document.key).or_default();
            *entry = entry.max(score);
        }
        let mut ranked: Vec<(usize, f32)> = best.into_iter().collect();
        ranked.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        ranked
    }

    fn asked(&self, word: String) -> Asked {
        let weight = self.weight_asked(&word);
        let spelling = Spelling::of(word);
        let likeness = self.vocabulary.iter().map(|term| spelling.likeness(&term.spelling)).collect();
        Asked { word: spelling.word, weight, likeness }
    }

    /// Compounds that a recogniser split are joined where an example has them: "wheel chair".
    fn joined<'a>(&self, words: impl Iterator<Item = &'a str>) -> Vec<String> {
        let words: Vec<&str> = words.collect();
        let mut joined = Vec::with_capacity(words.len());
        let mut place = 0;
        while let Some(word) = words.get(place) {
            let both = words.get(place + 1).map(|next| format!("{word}{next}"));
            match both.filter(|both| both.len() > 6 && self.places.contains_key(&canonical(both))) {
                Some(both) => {
                    joined.push(both);
                    place += 2;
                }
                None => {
                    joined.push((*word).to_owned());
                    place += 1;
                }
            }
        }
        joined
    }

    /// `covered` is room for how well each word of the example was matched.
    fn score(&self, query: &[Asked], document: &Document, covered: &mut Vec<f32>) -> f32 {
        let (mut matched, mut extra) = (0.0, 0.0);
        covered.clear();
        covered.resize(document.terms.len(), 0.0);
        for asked in query {
            let mut best = (0, 0.0);
            for (place, term) in document.terms.iter().enumerate() {
                let alike = asked.likeness.get(*term).copied().unwrap_or_default();
                if alike > best.1 {
                    best = (place, alike);
                }
            }
            if best.1 >= LIKENESS_MIN {
                if let Some(covered) = covered.get_mut(best.0) {
                    *covered = covered.max(best.1);
                }
                extra += asked.weight * (1.0 - best.1);
            } else if !asked.word.starts_with('_') {
                extra += asked.weight;
            }
        }
        let weights = self.weights();
        // Of each word of the example: what it is for, what it weighs, and how well it was matched.
        let said = || {
            document.terms.iter().zip(covered.iter()).filter_map(|(place, covered)| {
                Some((self.vocabulary.get(*place)?.part, *weights.get(*place)?, *covered))
            })
        };
        let mut missing = 0.0;
        for (_, weight, covered) in said() {
            matched += weight * covered;
            missing += weight * (1.0 - covered);
        }
        // Small words alone mean something only where they are all there: "can I have a …".
        if said().all(|(part, _, covered)| covered <= 0.0 || part != Part::Plain) {
            let (mut all, mut some) = (0.0, 0.0);
            for (_, weight, covered) in said().filter(|(part, ..)| matches!(part, Part::Wish | Part::Light)) {
                all += weight;
                some += weight * covered;
            }
            if all > 0.0 {
                matched *= some / all;
            }
        }
        if matched <= 0.0 { 0.0 } else { matched / (matched + EXTRA_COST * extra + MISSING_COST * missing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_bring_forms_together() {
        for (one, other) in [
            ("booking", "booked"),
            ("cancelling", "cancelled"),
            ("appointments", "appointment"),
            ("opening", "open"),
            ("prices", "cost"),
            ("rescheduling", "move"),
            ("calling", "call"),
        ] {
            assert_eq!(canonical(one), canonical(other), "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_example_wins_and_nothing_is_possible() {
        let mut index = Index::default();
        index.add(0, "do you have parking");
        index.add(0, "where can i park");
        index.add(1, "do you take cards");
        index.add(2, "is there wheelchair access");
        let best = |text: &str| {
            index.search(Words::of(text).iter()).first().copied().filter(|(_, score)| *score > 0.5)
        };
        assert_eq!(best("is there somewhere to park").map(|found| found.0), Some(0));
        assert_eq!(best("can i pay by card").map(|found| found.0), Some(1));
        assert_eq!(best("is it wheel chair accessible").map(|found| found.0), Some(2));
        assert_eq!(best("what is the meaning of life"), None);
    }
}
