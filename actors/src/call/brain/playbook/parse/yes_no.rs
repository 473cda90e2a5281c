//! Agreement and refusal.

use crate::call::brain::playbook::normalise::Words;

const YES: [&str; 40] = [
    "yes",
    "yeah",
    "yep",
    "yup",
    "yah",
    "ya",
    "aye",
    "sure",
    "ok",
    "okay",
    "correct",
    "absolutely",
    "definitely",
    "certainly",
    "perfect",
    "exactly",
    "fine",
    "great",
    "lovely",
    "please do",
    "please",
    "go ahead",
    "of course",
    "that is right",
    "that is correct",
    "that is fine",
    "that is it",
    "that is the one",
    "that works",
    "that will do",
    "that would be great",
    "sounds good",
    "sounds great",
    "sounds fine",
    "right",
    "i do",
    "it is",
    "why not",
    "mm hm",
    "uh huh",
];
const NO: [&str; 24] = [
    "no",
    "nope",
    "nah",
    "no thanks",
    "no thank you",
    "not really",
    "not quite",
    "that is wrong",
    "wrong",
    "incorrect",
    "that is not right",
    "that is not correct",
    "that is incorrect",
    "it is not",
    "do not",
    "neither",
    "none",
    "none of those",
    "not that",
    "that does not work",
    "i can not",
    "i would rather not",
    "never",
    "negative",
];
/// Begins with "no" and still agrees.
const NO_THAT_AGREES: [&str; 10] = [
    "no problem",
    "no worries",
    "no that is fine",
    "no that is right",
    "no that is great",
    "no that is correct",
    "no that is good",
    "no i am happy with that",
    "no it is fine",
    "no that is perfect",
];
/// May stand before the answer.
const LEAD_IN: [&str; 12] =
    ["um", "uh", "er", "erm", "well", "oh", "hmm", "so", "and", "ah", "i think", "actually"];

/// The answer to a yes-or-no question, where the utterance begins with one.
pub(crate) fn answer(words: &Words) -> Option<bool> {
    let mut start = 0;
    while let Some(length) = LEAD_IN.iter().find_map(|lead| words.starts(start, lead)) {
        start += length;
    }
    if NO_THAT_AGREES.iter().any(|phrase| words.starts(start, phrase).is_some()) {
        return Some(true);
    }
    let longest =
        |phrases: &[&str]| phrases.iter().filter_map(|each| words.starts(start, each)).max().unwrap_or(0);
    let (yes, no) = (longest(&YES), longest(&NO));
    if words.starts(start, "i do not").is_some() {
        return words.has_any(&["do not think so", "do not want"]).then_some(false);
    }
    match (yes, no) {
        (0, 0) => None,
        // "it is not", "that is not right"
        _ if no >= yes => Some(false),
        _ if words.at(start + yes) == "not" => Some(false),
        _ => Some(true),
    }
}

/// Whether the utterance is an answer and nothing more ("yes please that is fine").
pub(crate) fn is_bare(words: &Words) -> bool {
    const MORE: [&str; 22] = [
        "please", "thanks", "thank", "you", "that", "is", "it", "good", "the", "very", "much", "all",
        "would", "be", "i", "am", "happy", "with", "will", "do", "one", "think",
    ];
    let known = |word: &str| {
        MORE.contains(&word)
            || YES.iter().chain(&NO).chain(&LEAD_IN).any(|phrase| phrase.split(' ').any(|each| each == word))
    };
    words.iter().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        for (text, expected) in [
            ("yes please", Some(true)),
            ("um yeah that's fine", Some(true)),
            ("no problem", Some(true)),
            ("no that's right", Some(true)),
            ("that's right", Some(true)),
            ("that's not right", Some(false)),
            ("it's not", Some(false)),
            ("no it's tuesday", Some(false)),
            ("nope", Some(false)),
            ("i don't know", None),
            ("tuesday", None),
            ("", None),
        ] {
            assert_eq!(answer(&Words::of(text)), expected, "{text}");
        }
        assert!(is_bare(&Words::of("yes please that's fine")));
        assert!(!is_bare(&Words::of("yes but make it four")));
    }
}
