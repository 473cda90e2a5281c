//! What a caller wants, by the likeness of meanings: for words that are nobody's example. The vectors come from a
//! model outside; here they are only compared.
//!
//! Each business has its own threshold, found from its own examples and from sentences that no business is asked:
//! the lowest score at which nearly nothing foreign gets in and nearly no example is taken for another's.

use super::intent::{Intent, Scored, examples};
use crate::types::Business;

/// The threshold is looked for between these, in steps.
const SCORE_MIN: f32 = 0.40;
const SCORE_MAX: f32 = 0.85;
const SCORE_STEP: f32 = 0.01;
/// Of foreign sentences at most this part may be let in.
const FOREIGN_MAX: f32 = 0.05;
/// Of the examples that are let in at most this part may go to another intent, each compared without itself. Some
/// always do: "can I book a cut" is like "do you do cuts".
const MISTAKEN_MAX: f32 = 0.20;
/// The best intent must be so much nearer than the next.
const MARGIN: f32 = 0.12;

/// What people say on a telephone, or to it, that no business answers.
const FOREIGN: &[&str] = &[
    "what is the capital of france",
    "who won the football last night",
    "what is the weather like today",
    "tell me a joke",
    "how tall is mount everest",
    "can you recommend a good book",
    "what is two plus two",
    "my aunt lives in a green house",
    "the train was delayed again this morning",
    "i saw a film about penguins",
    "do you believe in ghosts",
    "how do i change a tyre",
    "what is the meaning of life",
    "my computer does not start any more",
    "can you order me a pizza",
    "who is the president of america",
    "what time is it in tokyo",
    "how many calories are in a banana",
    "do you like music",
    "sing me a song",
    "my neighbour is painting his fence",
    "is the earth flat",
    "what is your favourite colour",
    "i lost my keys somewhere in the park",
    "when does the next bus to the airport leave",
    "how do i bake bread",
    "which phone should i buy",
    "what is the exchange rate of the euro",
    "can you book me a flight to rome",
    "did you see the news",
    "my cat will not eat its food",
    "what does photosynthesis mean",
    "how old are you",
    "is there life on mars",
    "play the radio",
    "what is the speed limit on the motorway",
    "i need a recipe for apple pie",
    "who wrote hamlet",
    "can you help me with my homework",
    "how far is it to the moon",
];

/// A business's examples as vectors of length 1, with its threshold.
#[derive(Debug, Clone)]
pub struct Meanings {
    examples: Vec<(Intent, Vec<f32>)>,
    score_min: f32,
}

/// What one utterance means, as far as that is certain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meaning {
    /// The intent it is near enough to, and how near.
    found: Option<Scored>,
}

impl Meanings {
    /// The texts whose vectors [`Self::of`] takes, in its order.
    #[must_use]
    pub fn texts(business: &Business) -> Vec<String> {
        let examples = examples(business).into_iter().map(|(_, text)| text);
        examples.chain(FOREIGN.iter().map(|text| (*text).to_owned())).collect()
    }

    /// The business's examples with their vectors, and the threshold that fits them; none where vectors are
    /// missing.
    #[must_use]
    pub fn of(business: &Business, vectors: &[impl AsRef<[f32]>]) -> Option<Self> {
        let intents: Vec<Intent> = examples(business).into_iter().map(|(intent, _)| intent).collect();
        let (own, foreign) = vectors.split_at_checked(vectors.len().checked_sub(FOREIGN.len())?)?;
        if intents.len() != own.len() {
            return None;
        }
        let own = own.iter().map(|vector| vector.as_ref().to_vec());
        let examples: Vec<(Intent, Vec<f32>)> = intents.into_iter().zip(own).collect();
        let mut meanings = Self { examples, score_min: SCORE_MAX };
        meanings.score_min = meanings.calibrate(foreign);
        Some(meanings)
    }

    /// From this score on an utterance means something.
    #[must_use]
    pub fn score_min(&self) -> f32 {
        self.score_min
    }

    /// What was found out about the business's examples, for a person to read.
    #[must_use]
    pub fn calibration(&self) -> String {
        format!("{} examples, threshold {:.2}", self.examples.len(), self.score_min)
    }

    /// What the utterance with this vector means.
    #[must_use]
    pub fn read(&self, utterance: &[f32]) -> Meaning {
        let best = self.nearest(utterance, None);
        let found = best.filter(|(_, score)| *score >= self.score_min);
        Meaning { found: found.filter(|found| self.is_clear(utterance, *found, None)) }
    }

    /// The lowest threshold that keeps both promises; the highest there is where none does.
    fn calibrate(&self, foreign: &[impl AsRef<[f32]>]) -> f32 {
        let clear = |vector: &[f32], without: Option<usize>| {
            self.nearest(vector, without).filter(|found| self.is_clear(vector, *found, without))
        };
        let known = foreign.len();
        let foreign: Vec<f32> =
            foreign.iter().filter_map(|vector| Some(clear(vector.as_ref(), None)?.1)).collect();
        let own: Vec<(bool, f32)> = self
            .examples
            .iter()
            .enumerate()
            .filter_map(|(place, (intent, vector))| {
                let (found, score) = clear(vector, Some(place))?;
                Some((found == *intent, score))
            })
            .collect();
        let share = |part: usize, of: usize| part as f32 / of.max(1) as f32;
        let mut least = SCORE_MIN;
        while least < SCORE_MAX {
            let let_in = foreign.iter().filter(|score| **score >= least).count();
            let accepted = own.iter().filter(|(_, score)| *score >= least).count();
            let mistaken = own.iter().filter(|(right, score)| !right && *score >= least).count();
            let keeps = share(let_in, known) <= FOREIGN_MAX && share(mistaken, accepted) <= MISTAKEN_MAX;
            if keeps && accepted > 0 {
                return least;
            }
            least += SCORE_STEP;
        }
        SCORE_MAX
    }

    /// The intent of the nearest example but the one at `without`.
    fn nearest(&self, vector: &[f32], without: Option<usize>) -> Option<Scored> {
        let others = self.examples.iter().enumerate().filter(|(place, _)| Some(*place) != without);
        others
            .map(|(_, (intent, example))| (*intent, likeness(vector, example)))
            .max_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// Whether no other intent is about as near.
    fn is_clear(&self, vector: &[f32], (intent, score): Scored, without: Option<usize>) -> bool {
        let others = self.examples.iter().enumerate();
        let others = others.filter(|(place, (other, _))| *other != intent && Some(*place) != without);
        let next = others.map(|(_, (_, example))| likeness(vector, example)).fold(0.0, f32::max);
        score - next >= MARGIN
    }
}

impl Meaning {
    /// A question or a wish that it certainly is. Other intents are left to words: nobody is hung up on by
    /// likeness.
    pub(crate) fn wanted(self) -> Option<Scored> {
        self.found.filter(|(intent, _)| intent.is_question() || intent.is_task())
    }
}

/// The cosine of two vectors of length 1.
fn likeness(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::world::salon;
    use super::*;

    /// A vector for each text: examples of an intent lie together, foreign ones by themselves.
    fn vectors(business: &Business) -> Vec<Vec<f32>> {
        let intents = examples(business);
        let mut known: Vec<Intent> = intents.iter().map(|(intent, _)| *intent).collect();
        known.dedup();
        let axis = |place: usize, off: usize| {
            let mut vector = vec![0.0; known.len() + FOREIGN.len() + 7];
            vector[place] = 0.9;
            vector[known.len() + FOREIGN.len() + off % 7] = 0.436;
            vector
        };
        let own = intents.iter().enumerate().map(|(number, (intent, _))| {
            axis(known.iter().position(|other| other == intent).expect("known"), number)
        });
        own.chain((0..FOREIGN.len()).map(|number| axis(known.len() + number, number))).collect()
    }

    #[test]
    fn a_threshold_lets_examples_in_and_foreign_sentences_not() {
        let business = salon();
        assert_eq!(Meanings::texts(&business).len(), vectors(&business).len());
        let vectors = vectors(&business);
        let meanings = Meanings::of(&business, &vectors).expect("enough vectors");
        assert!(meanings.score_min() < 0.5, "{}", meanings.score_min());
        let (parking, _) = examples(&business)
            .into_iter()
            .enumerate()
            .find_map(|(place, (intent, _))| (intent == Intent::Faq(0)).then_some((place, intent)))
            .expect("there");
        let wanted = meanings.read(&vectors[parking]).wanted();
        assert_eq!(wanted.map(|(intent, _)| intent), Some(Intent::Faq(0)));
        let foreign = meanings.read(vectors.last().expect("there"));
        assert_eq!(foreign.wanted(), None);
    }

    #[test]
    fn where_foreign_sentences_look_like_examples_nothing_is_certain() {
        let business = salon();
        let same = vec![vec![1.0, 0.0]; Meanings::texts(&business).len()];
        let meanings = Meanings::of(&business, &same).expect("enough vectors");
        assert!((meanings.score_min() - SCORE_MAX).abs() < 1e-6);
        assert_eq!(meanings.read(&[1.0, 0.0]).wanted(), None, "no intent is nearer than the others");
        assert!(Meanings::of(&business, &same[..50]).is_none());
    }

    #[test]
    fn nothing_is_started_or_ended_by_likeness_alone() {
        let bye = Meaning { found: Some((Intent::Goodbye, 0.9)) };
        assert_eq!(bye.wanted(), None);
        let rude = Meaning { found: Some((Intent::Rude, 0.9)) };
        assert_eq!(rude.wanted(), None);
    }
}
