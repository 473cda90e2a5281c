//! What can be told from words alone: where sentences start, whether somebody has more to say, and whether they
//! only show that they listen.

use super::ExpectationKind;

/// Words that show that somebody listens, or a start of them.
const BACK_CHANNEL: [&str; 26] = [
    "mm-hm", "mm", "hm", "hmm", "mhm", "mmhmm", "mm-hmm", "uh-huh", "uh", "huh", "um", "ah", "oh", "yeah",
    "yep", "yes", "okay", "ok", "right", "sure", "i", "see", "alright", "great", "good", "fine",
];
/// Words with which people close a call.
const FAREWELL: [&str; 16] = [
    "bye", "goodbye", "bye-bye", "thanks", "thank", "you", "cheers", "very", "much", "too", "have", "a",
    "nice", "day", "lovely", "so",
];
/// Words that only greet.
const HELLO: [&str; 9] = ["hello", "hi", "hey", "hiya", "good", "morning", "afternoon", "evening", "there"];
/// Words after which more must come.
const UNFINISHED: [&str; 58] = [
    "a", "an", "the", "and", "or", "but", "so", "because", "if", "that", "which", "at", "on", "in", "to",
    "for", "from", "of", "with", "by", "about", "around", "between", "before", "after", "until", "my",
    "your", "our", "his", "her", "their", "is", "it's", "i'm", "i'd", "i'll", "we're", "we'd", "are", "was",
    "have", "want", "need", "like", "would", "could", "can", "um", "uh", "er", "erm", "well", "next", "this",
    "half", "quarter", "double",
];
/// Digits and letters as they are dictated.
const DICTATED: [&str; 16] = [
    "zero", "oh", "nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double",
    "triple", "plus", "dash",
];
/// Words that end in a full stop and end no sentence.
const ABBREVIATIONS: [&str; 9] = ["mr.", "mrs.", "ms.", "dr.", "st.", "no.", "a.m.", "p.m.", "e.g."];
/// So many dictated digits are a whole telephone number.
const DIGITS_OF_A_NUMBER: usize = 11;
/// More words than this are never a back-channel.
const BACK_CHANNEL_WORDS_MAX: usize = 4;

/// Whether these words only show that the caller listens. Not so for no words at all.
pub(super) fn is_back_channel(text: &str) -> bool {
    is_made_of(text, &BACK_CHANNEL) && text.split_whitespace().count() <= BACK_CHANNEL_WORDS_MAX
}

/// Whether these words only close the call: "okay thank you bye".
pub(super) fn is_farewell(text: &str) -> bool {
    !text.trim().is_empty()
        && text.split_whitespace().all(|word| FAREWELL.contains(&word) || BACK_CHANNEL.contains(&word))
}

/// Whether these words only greet: said into the telephone before anybody has answered.
pub(super) fn is_hello(text: &str) -> bool {
    is_made_of(text, &HELLO)
}

fn is_made_of(text: &str, words: &[&str]) -> bool {
    !text.trim().is_empty() && text.split_whitespace().all(|word| words.contains(&word))
}

/// Whether words are a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Completeness {
    /// They could be all there is to say.
    Complete,
    /// There are none yet.
    Unknown,
    /// They break off: "my name is".
    Open,
    /// Digits or letters, and not as many as there will be.
    Dictated,
}

/// Whether these words, an answer to what is expected, are a whole.
pub(super) fn completeness(expect: ExpectationKind, text: &str) -> Completeness {
    let words: Vec<&str> = text.split_whitespace().collect();
    let Some(last) = words.last() else {
        return Completeness::Unknown;
    };
    let dictated = words.iter().rev().take_while(|word| is_dictated(word)).count();
    let dictating = dictated >= 3 || (dictated >= 1 && expect == ExpectationKind::Digits);
    let spelling = expect == ExpectationKind::Name && last.chars().count() == 1;
    if (dictating && dictated < DIGITS_OF_A_NUMBER) || spelling {
        Completeness::Dictated
    } else if UNFINISHED.contains(last) {
        Completeness::Open
    } else {
        Completeness::Complete
    }
}

fn is_dictated(word: &str) -> bool {
    DICTATED.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The first `count` whitespace-separated words, joined by single spaces.
pub(super) fn first_words(text: &str, count: u32) -> String {
    text.split_whitespace().take(count as usize).collect::<Vec<_>>().join(" ")
}

/// What is left of a text of which `heard` words had begun to be heard: from the start of the sentence in which
/// it was cut off. Empty where all had begun.
pub(super) fn unheard(text: &str, heard: u32) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let heard = heard as usize;
    if heard >= words.len() {
        return String::new();
    }
    let start = words
        .iter()
        .take(heard)
        .rposition(|word| ends_sentence(word))
        .map_or(0, |last_of_sentence| last_of_sentence + 1);
    words.get(start..).unwrap_or_default().join(" ")
}

/// How many words it takes until the last question of a text has been put.
pub(super) fn words_until_question(text: &str) -> Option<u32> {
    let position = text.split_whitespace().rev().position(|word| word.ends_with('?'))?;
    u32::try_from(text.split_whitespace().count() - position).ok()
}

fn ends_sentence(word: &str) -> bool {
    word.ends_with(['.', '?', '!']) && !ABBREVIATIONS.contains(&word.to_ascii_lowercase().as_str())
}

/// Cuts a text to at most so many bytes, between characters.
pub(super) fn bounded(text: &str, length_max: usize) -> &str {
    let mut end = text.len().min(length_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Two texts with a space between, where both have words.
pub(super) fn joined(one: &str, other: &str) -> String {
    [one.trim(), other.trim()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_back_channel_is_short_and_says_nothing() {
        assert!(is_back_channel("mm-hm"));
        assert!(is_back_channel("yeah okay"));
        assert!(!is_back_channel(""));
        assert!(!is_back_channel("yeah but not tomorrow"));
        assert!(!is_back_channel("okay okay okay okay okay"));
        assert!(is_farewell("okay thank you bye"));
        assert!(!is_farewell("thank you one more thing"));
    }

    #[test]
    fn cut_off_words_and_dictation_are_no_whole() {
        use ExpectationKind::{Digits, Name, Open};
        for (expect, text, completeness) in [
            (Open, "i'd like a haircut tomorrow", Completeness::Complete),
            (Open, "my name is", Completeness::Open),
            (Open, "tomorrow at", Completeness::Open),
            (Open, "", Completeness::Unknown),
            (Digits, "oh seven", Completeness::Dictated),
            (Open, "it's oh seven nine", Completeness::Dictated),
            (Digits, "oh seven nine four six oh one two three four five", Completeness::Complete),
            (Name, "b l o g", Completeness::Dictated),
        ] {
            assert_eq!(super::completeness(expect, text), completeness, "{text}");
        }
    }

    #[test]
    fn what_is_left_starts_with_the_sentence_that_was_cut() {
        let text = "We open at nine. Dr. Patel is in on Mondays. Anything else?";
        assert_eq!(unheard(text, 0), text);
        assert_eq!(unheard(text, 4), "Dr. Patel is in on Mondays. Anything else?");
        assert_eq!(unheard(text, 7), "Dr. Patel is in on Mondays. Anything else?");
        assert_eq!(unheard(text, 11), "Anything else?");
        assert_eq!(unheard(text, 12), "");
        assert_eq!(words_until_question(text), Some(12));
        assert_eq!(words_until_question("No."), None);
        assert_eq!(first_words(text, 2), "We open");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(bounded("aé", 2), "a");
        assert_eq!(joined(" one ", "two"), "one two");
        assert_eq!(joined("", "two"), "two");
    }
}
