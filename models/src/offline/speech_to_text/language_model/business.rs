//! The language models and the dictionary of one business, built when they are first needed and shared by all its
//! calls.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::super::dictionary::Dictionary;
use super::arpa::arpa;
use super::corpus::{Corpus, Draw, GROUPS, Token};
use super::counts::{Counts, FIRST_WORD};
use crate::engine::Expectation;

/// Sentences drawn for each kind.
const SENTENCES: u32 = 4_000;
/// Sentences that a whole model weighs: fewer leave more to words that were never drawn together.
const WEIGHT: f32 = 6_000.0;
/// Words of a phrase that may fill a template's slot; a longer one is a sentence of its own.
const SLOT_WORDS: usize = 4;
/// Words of a phrase that are used.
const PHRASE_WORDS: usize = 20;

/// Expectations, in the order of [`SHARES`].
const EXPECTATIONS: [Expectation; 5] = [
    Expectation::Open,
    Expectation::Confirmation,
    Expectation::DateTime,
    Expectation::Digits,
    Expectation::Name,
];

/// How much of each kind of sentence ([`GROUPS`], then the business's own phrases) a model holds. A caller may always
/// say something else than what is expected, so nothing is ever zero.
const SHARES: [[f32; GROUPS.len() + 1]; EXPECTATIONS.len()] = [
    [0.25, 0.13, 0.12, 0.11, 0.11, 0.12, 0.03, 0.06, 0.07],
    [0.03, 0.02, 0.02, 0.06, 0.66, 0.14, 0.01, 0.03, 0.03],
    [0.05, 0.02, 0.01, 0.04, 0.12, 0.70, 0.01, 0.02, 0.03],
    [0.005, 0.005, 0.005, 0.04, 0.10, 0.03, 0.81, 0.002, 0.003],
    [0.01, 0.01, 0.01, 0.05, 0.11, 0.01, 0.03, 0.73, 0.04],
];

/// One business.
pub(in super::super) struct Business {
    phrases: Arc<[String]>,
    /// Words that are not in the templates, numbered after them.
    words: Vec<String>,
    dictionary: OnceLock<String>,
    counts: OnceLock<Vec<Counts>>,
    models: [OnceLock<String>; EXPECTATIONS.len()],
}

impl Business {
    fn new(phrases: Arc<[String]>) -> Self {
        Self {
            words: words(&phrases),
            phrases,
            dictionary: OnceLock::new(),
            counts: OnceLock::new(),
            models: Default::default(),
        }
    }

    /// The words that its callers say and how they sound, in the decoder's format. Words without a sound are left
    /// out.
    pub(in super::super) fn dictionary(&self, known: &Dictionary) -> &str {
        self.dictionary.get_or_init(|| {
            let mut text = String::new();
            for word in &self.words {
                for (number, phones) in known.pronounce(word).iter().enumerate() {
                    // Writing to a string can't fail.
                    let _ = match number {
                        0 => writeln!(text, "{word} {phones}"),
                        number => writeln!(text, "{word}({}) {phones}", number + 1),
                    };
                }
            }
            text
        })
    }

    /// The language model for what is expected, in the ARPA format.
    pub(in super::super) fn model(&self, expectation: Expectation) -> &str {
        let at = EXPECTATIONS.iter().position(|known| *known == expectation).unwrap_or(0);
        let shares = SHARES.get(at).copied().unwrap_or_default();
        let build = || {
            let mut mixed = Counts::default();
            let counts = self.counts.get_or_init(|| count(&self.phrases, &self.words));
            for (counts, share) in counts.iter().zip(shares) {
                mixed.mix(counts, share * WEIGHT);
            }
            arpa(&mixed, &self.words)
        };
        self.models.get(at).map_or("", |model| model.get_or_init(build))
    }
}

/// The words of a phrase as they are said: lower case, no punctuation, figures as digits' names.
fn spoken(phrase: &str) -> Vec<String> {
    const DIGITS: [&str; 10] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let mut words = Vec::new();
    for piece in phrase.to_lowercase().replace('&', " and ").replace('’', "'").split_whitespace() {
        let mut word = String::new();
        for letter in piece.chars() {
            match letter.to_digit(10).and_then(|digit| DIGITS.get(digit as usize)) {
                Some(name) => {
                    words.extend([std::mem::take(&mut word), (*name).to_owned()]);
                }
                None if letter.is_ascii_alphabetic() || letter == '\'' => word.push(letter),
                None if "-/.,".contains(letter) => words.push(std::mem::take(&mut word)),
                None => {}
            }
        }
        words.push(word);
    }
    words.retain(|word| word.chars().any(|letter| letter.is_ascii_alphabetic()));
    words.truncate(PHRASE_WORDS);
    words
}

/// The templates' words, then those of `phrases`.
fn words(phrases: &[String]) -> Vec<String> {
    let mut words = Corpus::get().words().to_vec();
    let mut known: std::collections::HashSet<String> = words.iter().cloned().collect();
    for word in phrases.iter().flat_map(|phrase| spoken(phrase)) {
        if known.insert(word.clone()) {
            words.push(word);
        }
    }
    words
}

/// Counts of every group with the phrases in their slots, and of the phrases by themselves.
fn count(phrases: &[String], words: &[String]) -> Vec<Counts> {
    let numbers: HashMap<&str, u32> =
        (FIRST_WORD..).zip(words).map(|(number, word)| (word.as_str(), number)).collect();
    let phrases: Vec<Vec<u32>> = phrases
        .iter()
        .map(|phrase| spoken(phrase).iter().filter_map(|word| numbers.get(word.as_str()).copied()).collect())
        .filter(|phrase: &Vec<u32>| !phrase.is_empty())
        .collect();
    let short: Vec<&Vec<u32>> = phrases.iter().filter(|phrase| phrase.len() <= SLOT_WORDS).collect();
    let number = |word: &str| numbers.get(word).copied().unwrap_or(u32::MAX);
    let articles = Articles { a: number("a"), an: number("an") };
    let corpus = Corpus::get();
    let mut draw = Draw::new(1);
    let mut next_phrase = 0;
    let mut all: Vec<Counts> = Vec::new();
    for group in 0..GROUPS.len() {
        let mut counts = Counts::default();
        for _ in 0..SENTENCES {
            let mut sentence = Vec::new();
            for token in corpus.sentence(group, &mut draw) {
                match token {
                    Token::Word(number) => sentence.push(number + FIRST_WORD),
                    Token::Phrase => {
                        next_phrase += 1;
                        if let Some(phrase) = short.get(next_phrase % short.len().max(1)) {
                            articles.agree(sentence.last_mut(), phrase, words);
                            sentence.extend(phrase.iter());
                        }
                    }
                }
            }
            counts.add(&sentence);
        }
        all.push(counts);
    }
    let mut own = Counts::default();
    for phrase in &phrases {
        own.add(phrase);
    }
    all.push(own);
    all
}

/// "A haircut", but "an oil change": a decoder that may choose will choose wrong.
struct Articles {
    a: u32,
    an: u32,
}

impl Articles {
    /// Changes the article `before` a phrase to the one that its first letter asks for.
    fn agree(&self, before: Option<&mut u32>, phrase: &[u32], words: &[String]) {
        let first = phrase.first().and_then(|number| words.get((number - FIRST_WORD) as usize));
        let vowel = first.is_some_and(|word| word.starts_with(['a', 'e', 'i', 'o', 'u']));
        if let Some(article) = before.filter(|word| [self.a, self.an].contains(word)) {
            *article = if vowel { self.an } else { self.a };
        }
    }
}

/// The businesses called lately.
pub(in super::super) struct Businesses {
    limit: usize,
    phrases: usize,
    /// Most recently called last.
    known: Mutex<Vec<Arc<Business>>>,
}

impl Businesses {
    pub(in super::super) fn new(limit: usize, phrases: usize) -> Self {
        Self { limit: limit.max(1), phrases, known: Mutex::new(Vec::new()) }
    }

    /// The business with these phrases. Cheap: nothing is built yet.
    pub(in super::super) fn get(&self, phrases: &Arc<[String]>) -> Arc<Business> {
        let wanted = match phrases.get(..self.phrases) {
            Some(first) => first.into(),
            None => Arc::clone(phrases),
        };
        let mut known = self.known.lock();
        let found = known
            .iter()
            .position(|business| Arc::ptr_eq(&business.phrases, &wanted) || business.phrases == wanted);
        let business = match found {
            Some(at) => known.remove(at),
            None => Arc::new(Business::new(wanted)),
        };
        if known.len() >= self.limit {
            known.remove(0);
        }
        known.push(Arc::clone(&business));
        business
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(phrases: &[&str]) -> Arc<[String]> {
        phrases.iter().map(|phrase| (*phrase).to_owned()).collect()
    }

    #[test]
    fn phrases_are_taken_as_they_are_said() {
        assert_eq!(spoken("Cut & Colour, 2-hour"), ["cut", "and", "colour", "two", "hour"]);
        assert_eq!(spoken("Dr. O’Brien (MD)"), ["dr", "o'brien", "md"]);
        assert_eq!(spoken("…"), Vec::<String>::new());
    }

    #[test]
    fn a_business_is_known_by_its_phrases_and_the_oldest_is_forgotten() {
        let businesses = Businesses::new(2, 10);
        let salon = businesses.get(&phrases(&["haircut"]));
        let garage = businesses.get(&phrases(&["oil change"]));
        assert!(Arc::ptr_eq(&salon, &businesses.get(&phrases(&["haircut"]))));
        businesses.get(&phrases(&["root canal"]));
        assert!(Arc::ptr_eq(&salon, &businesses.get(&phrases(&["haircut"]))));
        assert!(!Arc::ptr_eq(&garage, &businesses.get(&phrases(&["oil change"]))));
    }

    #[test]
    fn its_own_words_are_in_the_model_and_what_is_expected_is_likelier() {
        let business = Businesses::new(2, 10).get(&phrases(&["balayage", "Jürgen Xyz"]));
        let open = business.model(Expectation::Open);
        assert!(open.contains(" a balayage "), "in a slot");
        assert!(!open.contains(" an balayage "), "with its own article");
        let likely = |model: &str, word: &str| -> f32 {
            let line = model.lines().find(|line| line.contains(&format!(" {word} "))).expect("known");
            line.split(' ').next().and_then(|log| log.parse().ok()).expect("a number")
        };
        let digits = business.model(Expectation::Digits);
        assert!(likely(digits, "seven") > likely(open, "seven") + 0.5);
        assert!(likely(business.model(Expectation::Confirmation), "yes") > likely(open, "yes") + 0.3);
    }
}
