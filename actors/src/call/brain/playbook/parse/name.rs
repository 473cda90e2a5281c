//! Names of people: "my name is sam taylor", "it's taylor t a y l o r", "for sam taylor".

use std::ops::Range;

use super::{number, spelling};
use crate::call::brain::playbook::normalise::Words;

/// How callers begin to say their name.
const OPENERS: [&str; 17] = [
    "my name is",
    "the name is",
    "my names",
    "name is",
    "this is",
    "it is",
    "i am",
    "under the name of",
    "under the name",
    "in the name of",
    "under",
    "name of",
    "call me",
    "for a",
    "for",
    "speaking to",
    "here is",
];
/// Openers after which a name is certain.
const SURE: [&str; 10] = [
    "my name is",
    "the name is",
    "my names",
    "name is",
    "under the name of",
    "under the name",
    "in the name of",
    "under",
    "name of",
    "call me",
];
/// Words that are no part of a name. Sorted by kind, not complete: what is known of the business is kept out, too.
#[rustfmt::skip]
const NOT_NAMES: &[&str] = &[
    "a", "an", "the", "my", "your", "his", "her", "our", "their", "this", "that", "it", "is", "am",
    "are", "was", "be", "i", "you", "he", "she", "we", "they", "me", "us", "him", "them", "and", "or",
    "but", "so", "if", "to", "of", "on", "in", "at", "for", "from", "with", "by", "about", "as", "not",
    "no", "yes", "yeah", "yep", "ok", "okay", "please", "thanks", "thank", "hi", "hello", "hey", "good",
    "morning", "afternoon", "evening", "night", "day", "week", "month", "year", "time", "today",
    "tomorrow", "yesterday", "tonight", "weekend", "monday", "tuesday", "wednesday", "thursday",
    "friday", "saturday", "sunday", "next", "last", "first", "second", "third", "looking", "calling",
    "ringing", "phoning", "wondering", "trying", "hoping", "going", "would", "could", "can", "will",
    "want", "like", "need", "have", "had", "has", "do", "does", "did", "get", "got", "make", "book",
    "booking", "appointment", "cancel", "move", "change", "reschedule", "speak", "talk", "message",
    "leave", "call", "callback", "phone", "number", "name", "what", "when", "where", "who", "how",
    "why", "which", "any", "some", "something", "anything", "nothing", "all", "there", "here", "just",
    "really", "very", "too", "also", "again", "still", "now", "then", "later", "soon", "sure", "right",
    "correct", "wrong", "sorry", "fine", "great", "perfect", "lovely", "happy", "late", "early",
    "running", "interested", "afraid", "new", "old", "back", "up", "out", "off", "over", "open",
    "closed", "urgent", "emergency", "problem", "question", "um", "uh", "er", "erm", "well", "oh",
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "half", "quarter",
    "noon", "midday", "pm", "oclock", "speaking", "person", "someone", "somebody", "anyone", "anybody",
    "everyone", "people", "human", "robot", "machine", "myself", "himself", "herself", "son",
    "daughter", "wife", "husband", "mum", "mom", "dad", "mother", "father", "friend", "partner",
    "child", "kid", "kids", "children", "dog", "cat", "price", "cost", "much", "many", "long", "only",
    "other", "another", "else", "instead", "earlier", "actually", "wait", "minute", "moment", "hour",
    "minutes", "hours", "far", "away", "moved", "moving", "cancelled", "cancelling", "changing",
    "possible", "available", "free", "than", "because", "afternoons", "mornings", "spelled", "spelt",
    "spell", "double", "surname", "see", "sounds", "works", "work", "say", "take", "takes", "cheaper",
    "goodbye", "bye", "cheers", "nope", "ready", "done", "waiting", "outside", "sick", "ill", "ago",
    "down", "don't",
];

/// A name and the words that said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// The name, lower case.
    pub(crate) name: String,
    /// The caller spelled it, wholly or in part.
    pub(crate) spelled: bool,
    /// The words.
    pub(crate) span: Range<usize>,
}

/// Whether a word can be part of a name.
pub(crate) fn may_be_name(word: &str) -> bool {
    word.len() > 1
        && word.chars().all(|c| c.is_alphabetic() || c == '\'')
        && !NOT_NAMES.contains(&word)
        && number::tens(word).is_none()
        && number::unit(word).is_none()
}

/// Up to four words from `index` on that may be a name, and a spelling that follows them.
fn read(words: &Words, index: usize, known: &dyn Fn(usize) -> bool) -> Option<Named> {
    let mut end = index;
    while end < words.len()
        && end < index + 4
        && may_be_name(words.at(end))
        && !known(end)
        && spelling::run(words, end).is_none_or(|(spelled, _)| spelled.len() < 3)
    {
        end += 1;
    }
    let mut parts: Vec<String> = (index..end).map(|place| words.at(place).to_owned()).collect();
    let mut after = end;
    while matches!(words.at(after), "that" | "is" | "spelled" | "spelt" | "and" | "it") && after < end + 3 {
        after += 1;
    }
    let spelled = spelling::run(words, after)
        .filter(|(spelled, _)| spelled.len() >= 3 || end > index && spelled.len() == 2);
    if let Some((spelled, length)) = spelled {
        respell(&mut parts, &spelled);
        return Some(Named { name: parts.join(" "), spelled: true, span: index..after + length });
    }
    (end > index).then(|| Named { name: parts.join(" "), spelled: false, span: index..end })
}

/// A spelling takes the place of the word it sounds like; of none, it is the surname.
pub(crate) fn respell(parts: &mut Vec<String>, spelled: &str) {
    let alike = |word: &str| {
        let shared = word.chars().zip(spelled.chars()).filter(|(one, other)| one == other).count();
        let first = word.chars().next() == spelled.chars().next();
        usize::from(first) + shared
    };
    let sum = |word: &str| word.chars().filter(|c| spelled.contains(*c)).count() * 2 >= word.chars().count();
    let best = (0..parts.len()).max_by_key(|place| parts.get(*place).map_or(0, |word| alike(word)));
    match best {
        Some(place) if parts.get(place).is_some_and(|word| alike(word) > 0 || sum(word)) => {
            if let Some(word) = parts.get_mut(place) {
                spelled.clone_into(word);
            }
        }
        _ => parts.push(spelled.to_owned()),
    }
}

/// A name in an utterance. `expected`: the caller was asked for it. `known` says of a word's place that it is
/// something else: a day, a service, a member of staff.
pub(crate) fn find(words: &Words, expected: bool, known: &dyn Fn(usize) -> bool) -> Option<Named> {
    for index in 0..words.len() {
        for opener in OPENERS {
            let Some(length) = words.starts(index, opener) else { continue };
            if known(index) {
                continue;
            }
            let sure = expected || SURE.contains(&opener);
            if !sure && opener == "for" && words.before(index, 1) == "looking" {
                continue;
            }
            let Some(named) = read(words, index + length, known) else { continue };
            let next = words.at(named.span.end);
            // "i am running late", "it is urgent": a name is followed by nothing, or by what a name may precede.
            let closed = named.span.end >= words.len()
                || matches!(
                    next,
                    "here"
                        | "speaking"
                        | "calling"
                        | "and"
                        | "please"
                        | "from"
                        | "i"
                        | "my"
                        | "at"
                        | "on"
                        | "with"
                )
                || known(named.span.end);
            if sure || closed || named.spelled {
                return Some(Named { span: index..named.span.end, ..named });
            }
        }
    }
    if words.at(words.len().saturating_sub(1)) == "speaking"
        || words.at(words.len().saturating_sub(1)) == "here"
    {
        let named = (0..words.len()).find_map(|index| read(words, index, known));
        if let Some(named) = named.filter(|named| named.span.end + 1 >= words.len()) {
            return Some(named);
        }
    }
    if !expected {
        return None;
    }
    const FILLERS: [&str; 24] = [
        "um", "uh", "er", "erm", "oh", "well", "yes", "yeah", "sure", "ok", "okay", "hi", "hello", "it",
        "is", "my", "name", "the", "please", "so", "just", "of", "course", "and",
    ];
    let start = (0..words.len()).find(|index| !FILLERS.contains(&words.at(*index)))?;
    let spelled = spelling::run(words, start).is_some_and(|(text, _)| text.len() > 2);
    if !spelled && (!may_be_name(words.at(start)) || known(start)) {
        return None;
    }
    read(words, start, known)
}

/// The name as it is written and spoken: "Sam O'Brien".
pub(crate) fn display(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect::<String>())
    };
    let word = |word: &str| match word.split_once('\'') {
        Some((before, after)) if before.len() == 1 => format!("{}'{}", capital(before), capital(after)),
        _ if word.len() > 4 && word.starts_with("mc") => {
            format!("Mc{}", capital(word.get(2..).unwrap_or_default()))
        }
        _ => capital(word),
    };
    name.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        for (text, expected, name) in [
            ("my name is sam taylor", false, Some("sam taylor")),
            ("it's taylor t a y l o r", true, Some("taylor")),
            ("sam tailor t a y l o r", true, Some("sam taylor")),
            ("sam taylor", true, Some("sam taylor")),
            ("yes it's sam taylor please", true, Some("sam taylor")),
            ("um sam taylor", true, Some("sam taylor")),
            ("hi this is sam taylor and i'd like to book", false, Some("sam taylor")),
            ("i am running late", false, None),
            ("i'm looking for an appointment", false, None),
            ("it's for my daughter", false, None),
            ("sam taylor", false, None),
            ("haircut tomorrow for sam taylor", false, Some("sam taylor")),
            ("sam taylor speaking", false, Some("sam taylor")),
            ("tango alpha yankee lima oscar romeo", true, Some("taylor")),
            ("mr o'brien", true, Some("mr o'brien")),
            ("the name is smith s m y t h e", true, Some("smythe")),
            ("i don't want to say", true, None),
        ] {
            let found = find(&Words::of(text), expected, &|_| false).map(|named| named.name);
            assert_eq!(found.as_deref(), name, "{text}");
        }
        assert_eq!(display("sam o'brien"), "Sam O'Brien");
    }
}
