//! What of a turn was told. Another node hears the turn again, or the end of it, and its words go on from there.

use crate::engine::{Heard, Word};

/// What was told of one turn.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    words: Vec<Word>,
    stable: usize,
    ending: Option<bool>,
    /// Another node hears the turn again.
    again: Option<Again>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Again {
    /// From its middle: what came before is no longer held.
    from_the_middle: bool,
    /// It has not come as far as what was told.
    behind: bool,
}

impl Told {
    /// Another node hears the turn again, without its start where that is `forgotten`.
    pub(super) fn moved(&mut self, forgotten: bool) {
        if forgotten {
            // Nobody hears these words again.
            self.stable = self.words.len();
        }
        self.again = Some(Again { from_the_middle: forgotten, behind: !self.words.is_empty() });
    }

    /// The node that hears it again, if one does, has not come to its start before that was forgotten.
    pub(super) fn starts_later(&mut self) {
        if let Some(again) = &mut self.again {
            again.from_the_middle = true;
            self.stable = self.words.len();
        }
    }

    /// What to tell of the words so far; none where that is less than what was told.
    pub(super) fn partial(&mut self, heard: Heard) -> Option<Heard> {
        let heard = self.join(heard);
        if let Some(again) = &mut self.again {
            if again.behind && heard.words.len() < self.words.len() {
                return None;
            }
            again.behind = false;
            if heard.words == self.words && heard.stable_words <= self.stable {
                return None;
            }
        }
        (self.words, self.stable) = (heard.words.clone(), self.stable.max(heard.stable_words));
        // Words after an end take it back.
        self.ending = None;
        Some(heard)
    }

    /// The words to tell as the turn's last.
    pub(super) fn last(&self, heard: Heard) -> Heard {
        self.join(heard)
    }

    /// Whether an end of turn is news.
    pub(super) fn ends(&mut self, back_channel: bool) -> bool {
        let behind = self.again.is_some_and(|again| again.behind);
        !behind && self.ending.replace(back_channel) != Some(back_channel)
    }

    /// The words that stay, then what was heard after them.
    fn join(&self, heard: Heard) -> Heard {
        let Some(again) = self.again else { return heard };
        let kept = self.words.get(..self.stable).unwrap_or_default();
        if kept.is_empty() {
            return heard;
        }
        let after = after(kept, &heard.words, again.from_the_middle);
        let mut words = kept.to_vec();
        words.extend_from_slice(heard.words.get(after..).unwrap_or_default());
        let stable_words = kept.len() + heard.stable_words.saturating_sub(after);
        Heard { words, stable_words }
    }
}

/// How many of the words `heard` are those that were `kept`. Where they were heard `from_the_middle`, the first of
/// them may be any of those kept; and as long as they have not come to the end of those, the last may be, too.
///
/// The best alignment counts 2 for equal words and takes 1 away for a word that has no equal, but for words kept that
/// were perhaps not heard again; of equally good ones the longest.
fn after(kept: &[Word], heard: &[Word], from_the_middle: bool) -> usize {
    // A row per word kept, a column per word heard: the best alignment of what came before both.
    let gap = |count: usize| -i64::try_from(count).unwrap_or(i64::MAX);
    let unheard = i64::from(!from_the_middle);
    let mut row: Vec<i64> = (0..=heard.len()).map(gap).collect();
    // The best of those in which all that was heard lies among the words kept.
    let mut inside = i64::MIN;
    for (place, word) in kept.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(gap(place + 1) * unheard);
        let pairs = row.iter().zip(row.iter().skip(1)).zip(heard);
        for ((diagonal, above), other) in pairs {
            let left = next.last().copied().unwrap_or_default();
            let paired = diagonal + if word.text == other.text { 2 } else { -1 };
            next.push(paired.max(above - unheard).max(left - 1));
        }
        row = next;
        inside = inside.max(row.last().copied().unwrap_or(i64::MIN));
    }
    let best = row.iter().enumerate().max_by_key(|(place, score)| (**score, *place));
    match best {
        Some((place, score)) if *score > inside => place,
        _ => heard.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        text.split_whitespace().map(|text| Word { text: text.into(), ..Word::default() }).collect()
    }

    fn heard(text: &str, stable_words: usize) -> Heard {
        Heard { words: words(text), stable_words }
    }

    fn told(text: &str, stable: usize) -> Told {
        let mut told = Told::default();
        assert!(told.partial(heard(text, stable)).is_some());
        told
    }

    #[test]
    fn where_nothing_moved_everything_is_told_as_it_comes() {
        let mut told = told("a b", 1);
        assert_eq!(told.partial(heard("a c", 1)), Some(heard("a c", 1)));
        assert_eq!(told.last(heard("x", 1)), heard("x", 1));
    }

    #[test]
    fn what_was_told_is_not_told_again_and_what_is_stable_stays() {
        let mut told = told("i would like a", 3);
        told.moved(false);
        assert_eq!(told.partial(heard("i", 1)), None);
        assert_eq!(told.partial(heard("i would like", 3)), None);
        assert_eq!(told.partial(heard("i would like a", 3)), None, "the same again is no news");
        assert_eq!(told.partial(heard("i wood like a hair", 4)), Some(heard("i would like a hair", 4)));
        assert_eq!(told.last(heard("i wood like a hair cut", 6)).text(), "i would like a hair cut");
    }

    #[test]
    fn a_turn_that_is_heard_from_its_middle_keeps_its_beginning() {
        let mut told = told("my number is five five", 0);
        told.moved(true);
        assert_eq!(told.partial(heard("is", 0)).map(|heard| heard.text()), None);
        let next = told.partial(heard("is five five one", 0)).expect("news");
        assert_eq!((next.text().as_str(), next.stable_words), ("my number is five five one", 5));
        assert_eq!(told.last(heard("is five five one two", 0)).text(), "my number is five five one two");
        // A part of nothing that was told: it all came after.
        assert_eq!(told.last(heard("three four", 0)).text(), "my number is five five three four");
    }

    #[test]
    fn an_end_is_told_once_and_again_after_more_words() {
        let mut told = told("yes", 1);
        assert!(told.ends(false));
        assert!(!told.ends(false));
        told.moved(false);
        assert!(!told.ends(false), "it has not heard as much as was told");
        assert!(told.partial(heard("yes please", 2)).is_some());
        assert!(told.ends(false));
    }
}
