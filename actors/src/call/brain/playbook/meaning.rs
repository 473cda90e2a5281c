//! What a caller wants, by the likeness of meanings: for words that are nobody's example. The vectors come from a
//! model outside; here they are only compared.
//!
//! A regression is fitted to the business's own examples and to sentences that no business is asked. Each business has
//! its own threshold, found from the same examples, each answered as if it had been left out: the lowest score at which
//! few of those that are let in go to another intent or are foreign.

use super::intent::{Intent, Scored, examples};
use super::regression::Regression;
use crate::types::Business;

/// The threshold is looked for between nought and 1, in steps.
const SCORE_STEP: f32 = 0.01;
/// Of the examples that are let in at most this part may be mistaken, each answered as if it had been left out. Some
/// always are: "can I book a cut" is like "do you do cuts".
const MISTAKEN_MAX: f32 = 0.15;
/// Examples that are compared, for the time of it grows with their cube. Of more, the last are left out: those
/// questions are understood by their words alone.
const EXAMPLES_MAX: usize = 1_500;

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

/// What a business's callers want, fitted to its examples, with its threshold.
#[derive(Debug, Clone)]
pub struct Meanings {
    regression: Regression,
    /// The classes; none is what no business is asked.
    classes: Vec<Option<Intent>>,
    examples: usize,
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
        known(business).into_iter().map(|(_, text)| text).collect()
    }

    /// The business's examples with their vectors, and the threshold that fits them; none where vectors are
    /// missing or no numbers.
    #[must_use]
    pub fn of(business: &Business, vectors: &[impl AsRef<[f32]>]) -> Option<Self> {
        let intents: Vec<Option<Intent>> = known(business).into_iter().map(|(intent, _)| intent).collect();
        if intents.len() != vectors.len() {
            return None;
        }
        let mut classes = intents.clone();
        classes.sort_unstable();
        classes.dedup();
        let class_of: Vec<usize> =
            intents.iter().filter_map(|intent| classes.binary_search(intent).ok()).collect();
        let vectors = vectors.iter().map(|vector| vector.as_ref().to_vec()).collect();
        let (regression, left_out) = Regression::fit(vectors, &class_of, classes.len())?;
        let mut meanings = Self { regression, classes, examples: intents.len(), score_min: f32::INFINITY };
        let answered: Vec<(bool, f32)> = left_out
            .iter()
            .zip(&intents)
            .filter_map(|(answers, intent)| {
                let (found, score) = meanings.best(answers)?;
                Some((Some(found) == *intent, score))
            })
            .collect();
        meanings.score_min = threshold(&answered);
        Some(meanings)
    }

    /// From this score on an utterance means something; infinity where nothing is ever certain.
    #[must_use]
    pub fn score_min(&self) -> f32 {
        self.score_min
    }

    /// What was found out about the business's examples, for a person to read.
    #[must_use]
    pub fn calibration(&self) -> String {
        format!("{} examples, threshold {:.2}", self.examples, self.score_min)
    }

    /// What the utterance with this vector means.
    #[must_use]
    pub fn read(&self, utterance: &[f32]) -> Meaning {
        let best = self.best(&self.regression.answers(utterance));
        Meaning { found: best.filter(|(_, score)| *score >= self.score_min) }
    }

    /// The intent with the highest answer, where it is one that likeness may tell.
    fn best(&self, answers: &[f32]) -> Option<Scored> {
        let scored = self.classes.iter().zip(answers);
        let (class, score) = scored.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
        class.filter(|intent| may_be_told(*intent)).map(|intent| (intent, *score))
    }
}

/// The examples of a business and what no business is asked, with what they are examples of.
fn known(business: &Business) -> Vec<(Option<Intent>, String)> {
    let own = examples(business).into_iter().map(|(intent, text)| (Some(intent), text));
    let foreign = FOREIGN.iter().map(|text| (None, (*text).to_owned()));
    foreign.chain(own).take(EXAMPLES_MAX).collect()
}

/// The lowest threshold at which few of those that are let in are mistaken, from whether each is right and its score.
fn threshold(answered: &[(bool, f32)]) -> f32 {
    let mut least = 0.0;
    while least <= 1.0 {
        let accepted = answered.iter().filter(|(_, score)| *score >= least).count();
        let mistaken = answered.iter().filter(|(right, score)| !right && *score >= least).count();
        if accepted > 0 && mistaken as f32 <= MISTAKEN_MAX * accepted as f32 {
            return least;
        }
        least += SCORE_STEP;
    }
    f32::INFINITY
}

/// A question or a wish. Other intents are left to words: nobody is hung up on by likeness.
pub(super) const fn may_be_told(intent: Intent) -> bool {
    intent.is_question() || intent.is_task()
}

impl Meaning {
    /// What a model would say.
    #[cfg(test)]
    pub(crate) const fn told(found: Option<Scored>) -> Self {
        Self { found }
    }

    /// A question or a wish that it certainly is.
    pub(crate) fn wanted(self) -> Option<Scored> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::world::salon;
    use super::*;

    /// A vector for each text: examples of an intent lie together, foreign ones by themselves.
    fn vectors(business: &Business) -> Vec<Vec<f32>> {
        let known = known(business);
        let mut classes: Vec<Option<Intent>> = known.iter().map(|(intent, _)| *intent).collect();
        classes.sort_unstable();
        classes.dedup();
        let axes = classes.len() + FOREIGN.len() + 7;
        let vector = |(number, (intent, _)): (usize, &(Option<Intent>, String))| {
            let place = match intent {
                Some(_) => classes.binary_search(intent).expect("known"),
                None => classes.len() + number,
            };
            let mut vector = vec![0.0; axes];
            vector[place] = 0.9;
            vector[axes - 7 + number % 7] = 0.436;
            vector
        };
        known.iter().enumerate().map(vector).collect()
    }

    fn place_of(business: &Business, intent: Option<Intent>) -> usize {
        known(business).iter().position(|(known, _)| *known == intent).expect("an example")
    }

    #[test]
    fn a_threshold_lets_examples_in_and_foreign_sentences_not() {
        let business = salon();
        let vectors = vectors(&business);
        assert_eq!(Meanings::texts(&business).len(), vectors.len());
        let meanings = Meanings::of(&business, &vectors).expect("enough vectors");
        assert!(meanings.score_min() < 0.5, "{}", meanings.score_min());
        let parking = meanings.read(&vectors[place_of(&business, Some(Intent::Faq(0)))]).wanted();
        assert_eq!(parking.map(|(intent, _)| intent), Some(Intent::Faq(0)));
        let foreign = meanings.read(&vectors[place_of(&business, None)]);
        assert_eq!(foreign.wanted(), None);
    }

    #[test]
    fn where_foreign_sentences_look_like_examples_nothing_is_certain() {
        let business = salon();
        let same = vec![vec![1.0, 0.0]; Meanings::texts(&business).len()];
        let meanings = Meanings::of(&business, &same).expect("enough vectors");
        assert_eq!(meanings.read(&[1.0, 0.0]).wanted(), None, "no intent is nearer than the others");
        assert!(Meanings::of(&business, &same[..50]).is_none());
        let nonsense = vec![vec![f32::NAN, 0.0]; same.len()];
        assert!(Meanings::of(&business, &nonsense).is_none());
    }

    #[test]
    fn nobody_is_hung_up_on_by_likeness() {
        let business = salon();
        let vectors = vectors(&business);
        let meanings = Meanings::of(&business, &vectors).expect("enough vectors");
        for intent in [Intent::Goodbye, Intent::Rude, Intent::WrongNumber] {
            assert_eq!(
                meanings.read(&vectors[place_of(&business, Some(intent))]).wanted(),
                None,
                "{intent:?}"
            );
        }
    }

    #[test]
    fn the_threshold_keeps_mistakes_few() {
        let mistaken_below_half: Vec<(bool, f32)> =
            (0..100).map(|number| (number >= 50, number as f32 / 100.0)).collect();
        let least = threshold(&mistaken_below_half);
        assert!((0.40..0.43).contains(&least), "{least}");
        assert!(threshold(&[(false, 0.9)]).is_infinite() && threshold(&[]).is_infinite());
    }
}
