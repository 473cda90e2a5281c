//! Counts as a back-off trigram model in the ARPA format.
//!
//! Smoothing is Witten and Bell's, interpolated: after a history that was followed by `t` different words in `c`
//! occurrences, the share `t / (t + c)` goes to words that did not follow it, by the shorter history's model. Every
//! word of the vocabulary keeps some probability anywhere, so that a decoder can always hear it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::counts::{Counts, END, FIRST_WORD, START};

/// The share of the unigrams that is spread evenly over the vocabulary.
const UNIFORM: f32 = 0.05;
/// What the decoder takes for "never".
const NEVER: f32 = -99.0;

/// What followed one history.
#[derive(Debug, Clone, Copy, Default)]
struct Followers {
    kinds: f32,
    count: f32,
}

impl Followers {
    fn see(&mut self, count: f32) {
        self.kinds += 1.0;
        self.count += count;
    }

    /// The share of words that did not follow.
    fn rest(&self) -> f32 {
        self.kinds / (self.kinds + self.count)
    }

    fn seen(&self, count: f32) -> f32 {
        count / (self.kinds + self.count)
    }
}

/// The model of `counts` over `words`, numbered from [`FIRST_WORD`].
pub(super) fn arpa(counts: &Counts, words: &[String]) -> String {
    let unigrams = unigrams(counts, words.len());
    let mut after_one: HashMap<u32, Followers> = HashMap::new();
    for ((first, _), count) in &counts.two {
        after_one.entry(*first).or_default().see(*count);
    }
    let mut after_two: HashMap<(u32, u32), Followers> = HashMap::new();
    for ((first, second, _), count) in &counts.three {
        after_two.entry((*first, *second)).or_default().see(*count);
    }
    let unigram = |word: u32| unigrams.get(&word).copied().unwrap_or(0.0);
    let mut bigrams: BTreeMap<(u32, u32), f32> = BTreeMap::new();
    for ((first, second), count) in &counts.two {
        let after = after_one.get(first).copied().unwrap_or_default();
        bigrams.insert((*first, *second), after.seen(*count) + after.rest() * unigram(*second));
    }
    let mut trigrams: BTreeMap<(u32, u32, u32), f32> = BTreeMap::new();
    for ((first, second, third), count) in &counts.three {
        let after = after_two.get(&(*first, *second)).copied().unwrap_or_default();
        let lower = bigrams.get(&(*second, *third)).copied().unwrap_or(0.0);
        trigrams.insert((*first, *second, *third), after.seen(*count) + after.rest() * lower);
    }
    let name = |word: u32| match word {
        START => "<s>",
        END => "</s>",
        word => words.get((word - FIRST_WORD) as usize).map_or("<unk>", String::as_str),
    };
    let mut text = String::with_capacity(40 * (unigrams.len() + bigrams.len() + trigrams.len()));
    let _ = write!(
        text,
        "\\data\\\nngram 1={}\nngram 2={}\nngram 3={}\n\n\\1-grams:\n",
        unigrams.len(),
        bigrams.len(),
        trigrams.len()
    );
    // Writing to a string can't fail.
    for (word, probability) in &unigrams {
        let log = if *word == START { NEVER } else { probability.log10() };
        let rest = after_one.get(word).map_or(0.0, |after| after.rest().log10());
        let _ = writeln!(text, "{log:.4} {} {rest:.4}", name(*word));
    }
    text.push_str("\n\\2-grams:\n");
    for ((first, second), probability) in &bigrams {
        let rest = after_two.get(&(*first, *second)).map_or(0.0, |after| after.rest().log10());
        let _ = writeln!(text, "{:.4} {} {} {rest:.4}", probability.log10(), name(*first), name(*second));
    }
    text.push_str("\n\\3-grams:\n");
    for ((first, second, third), probability) in &trigrams {
        let _ =
            writeln!(text, "{:.4} {} {} {}", probability.log10(), name(*first), name(*second), name(*third));
    }
    text.push_str("\n\\end\\\n");
    text
}

/// Every word's probability by itself, with the sentence's start, which has none.
fn unigrams(counts: &Counts, words: usize) -> BTreeMap<u32, f32> {
    let all: f32 = counts.one.values().sum::<f32>().max(1.0);
    let vocabulary = u32::try_from(words).unwrap_or(u32::MAX).saturating_add(FIRST_WORD);
    // The start is no word that could follow another.
    let even = UNIFORM / (vocabulary - 1) as f32;
    (0..vocabulary)
        .map(|word| {
            let counted = counts.one.get(&word).copied().unwrap_or(0.0);
            (word, if word == START { 0.0 } else { (1.0 - UNIFORM) * counted / all + even })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability that the model gives `third` after the other two, read back from its text.
    fn probability(model: &str, first: &str, second: &str, third: &str) -> f64 {
        let line = |gram: &str| -> Option<(f64, f64)> {
            model.lines().find_map(|line| {
                let fields: Vec<&str> = line.split(' ').collect();
                let size = gram.split(' ').count();
                let log = fields.first()?.parse().ok()?;
                if fields.get(1..=size)?.join(" ") != gram || fields.len() > size + 2 {
                    return None;
                }
                Some((log, fields.get(size + 1).map_or(0.0, |rest| rest.parse().unwrap_or(0.0))))
            })
        };
        let log = match line(&format!("{first} {second} {third}")) {
            Some((log, _)) => log,
            None => {
                let rest = line(&format!("{first} {second}")).map_or(0.0, |(_, rest)| rest);
                rest + match line(&format!("{second} {third}")) {
                    Some((log, _)) => log,
                    None => line(second).expect("a word").1 + line(third).expect("a word").0,
                }
            }
        };
        10_f64.powf(log)
    }

    #[test]
    fn after_any_history_the_probabilities_sum_to_one() {
        let words: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let mut counts = Counts::default();
        for sentence in [&[2, 3, 4][..], &[2, 3], &[3, 4, 4], &[2, 4]] {
            counts.add(sentence);
        }
        let model = arpa(&counts, &words);
        for (first, second) in [("a", "b"), ("b", "c"), ("<s>", "a"), ("d", "a"), ("d", "d")] {
            let all: f64 = ["a", "b", "c", "d", "</s>"]
                .iter()
                .map(|third| probability(&model, first, second, third))
                .sum();
            assert!((all - 1.0).abs() < 0.005, "{first} {second}: {all}");
        }
        assert!(probability(&model, "a", "b", "c") > probability(&model, "a", "b", "d") * 3.0);
    }
}
