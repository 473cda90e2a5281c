//! Sentences that callers say, drawn from templates. The same templates always give the same sentences.

use std::collections::HashMap;
use std::sync::OnceLock;

const TEMPLATES: &str = include_str!("corpus.txt");

/// Stands for one of the business's own phrases.
const PHRASE: &str = "PHRASE";
/// How deeply slots may lie within slots.
const DEPTH_MAX: usize = 8;

/// Kinds of sentences, in the order of their weights elsewhere.
pub(super) const GROUPS: [&str; 8] =
    ["booking", "change", "question", "talk", "confirm", "time", "digits", "name"];

/// A word of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Token {
    /// A word, by its number in [`Corpus::words`].
    Word(u32),
    /// Any phrase of the business.
    Phrase,
}

/// The templates, read.
#[derive(Debug)]
pub(super) struct Corpus {
    words: Vec<String>,
    groups: Vec<Vec<Line>>,
    slots: Vec<Vec<Line>>,
}

#[derive(Debug)]
struct Line {
    weight: u32,
    sequence: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Token(Token),
    Slot(usize),
    /// One of these; with `perhaps` none of them as often as one.
    Choice {
        perhaps: bool,
        choices: Vec<Vec<Part>>,
    },
}

struct Reader<'a> {
    numbers: HashMap<&'a str, u32>,
    words: Vec<String>,
    slots: HashMap<&'a str, usize>,
}

/// A generator whose draws only have to be spread evenly.
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * u64::from(bound)) >> 32) as u32
    }
}

impl Corpus {
    /// The templates of this file, read once.
    pub(super) fn get() -> &'static Self {
        static CORPUS: OnceLock<Corpus> = OnceLock::new();
        CORPUS.get_or_init(|| Self::read(TEMPLATES))
    }

    fn read(templates: &str) -> Self {
        let lines =
            || templates.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut reader = Reader { numbers: HashMap::new(), words: Vec::new(), slots: HashMap::new() };
        for line in lines() {
            if let Some(name) = line.strip_prefix("slot ").and_then(|rest| rest.split(' ').next()) {
                let next = reader.slots.len();
                reader.slots.entry(name).or_insert(next);
            }
        }
        let mut slots: Vec<Vec<Line>> = reader.slots.iter().map(|_| Vec::new()).collect();
        let mut groups: Vec<Vec<Line>> = GROUPS.iter().map(|_| Vec::new()).collect();
        for line in lines() {
            let (kind, name, rest) = match line.strip_prefix("slot ") {
                Some(rest) => (true, rest.split(' ').next().unwrap_or_default(), rest),
                None => (false, line.split(' ').next().unwrap_or_default(), line),
            };
            let mut fields = rest.splitn(3, ' ').skip(1);
            let weight = fields.next().and_then(|weight| weight.parse().ok()).unwrap_or(1);
            let sequence =
                reader.sequence(&mut split(fields.next().unwrap_or_default()).into_iter().peekable());
            let place = if kind {
                reader.slots.get(name).and_then(|at| slots.get_mut(*at))
            } else {
                GROUPS.iter().position(|group| *group == name).and_then(|at| groups.get_mut(at))
            };
            if let Some(place) = place {
                place.push(Line { weight, sequence });
            }
        }
        Self { words: reader.words, groups, slots }
    }

    /// All words of the templates; a [`Token::Word`] is an index into them.
    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    /// A sentence of the kind `group`.
    pub(super) fn sentence(&self, group: usize, draw: &mut Draw) -> Vec<Token> {
        let mut out = Vec::new();
        if let Some(lines) = self.groups.get(group) {
            self.draw_line(lines, draw, DEPTH_MAX, &mut out);
        }
        out
    }

    fn draw_line(&self, lines: &[Line], draw: &mut Draw, depth: usize, out: &mut Vec<Token>) {
        let mut left = draw.below(lines.iter().map(|line| line.weight).sum());
        for line in lines {
            if left < line.weight {
                return self.draw_sequence(&line.sequence, draw, depth, out);
            }
            left -= line.weight;
        }
    }

    fn draw_sequence(&self, sequence: &[Part], draw: &mut Draw, depth: usize, out: &mut Vec<Token>) {
        for part in sequence {
            match part {
                Part::Token(token) => out.push(*token),
                Part::Slot(slot) if depth > 0 => {
                    if let Some(lines) = self.slots.get(*slot) {
                        self.draw_line(lines, draw, depth - 1, out);
                    }
                }
                Part::Slot(_) => {}
                Part::Choice { perhaps, choices } => {
                    if *perhaps && draw.below(2) == 0 {
                        continue;
                    }
                    let chosen = draw.below(u32::try_from(choices.len()).unwrap_or(1));
                    if let Some(choice) = choices.get(chosen as usize) {
                        self.draw_sequence(choice, draw, depth, out);
                    }
                }
            }
        }
    }
}

/// Brackets and bars stand alone; everything else is separated by spaces.
fn split(template: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    for word in template.split(' ') {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')', '[', ']', '|']) {
            let (before, tail) = rest.split_at(at);
            let (mark, tail) = tail.split_at(1);
            pieces.extend([before, mark].into_iter().filter(|piece| !piece.is_empty()));
            rest = tail;
        }
        if !rest.is_empty() {
            pieces.push(rest);
        }
    }
    pieces
}

impl<'a> Reader<'a> {
    /// Reads up to the end, or to a bar or closing bracket, which stays.
    fn sequence(&mut self, pieces: &mut std::iter::Peekable<std::vec::IntoIter<&'a str>>) -> Vec<Part> {
        let mut sequence = Vec::new();
        while let Some(piece) = pieces.next_if(|piece| !matches!(*piece, ")" | "]" | "|")) {
            match piece {
                "(" | "[" => {
                    let mut choices = vec![self.sequence(pieces)];
                    while pieces.next_if_eq(&"|").is_some() {
                        choices.push(self.sequence(pieces));
                    }
                    pieces.next();
                    sequence.push(Part::Choice { perhaps: piece == "[", choices });
                }
                PHRASE => sequence.push(Part::Token(Token::Phrase)),
                _ => match piece.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                    Some(name) => sequence.extend(self.slots.get(name).map(|slot| Part::Slot(*slot))),
                    None => sequence.push(Part::Token(Token::Word(self.word(piece)))),
                },
            }
        }
        sequence
    }

    fn word(&mut self, word: &'a str) -> u32 {
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(word).or_insert_with(|| {
            self.words.push(word.to_owned());
            next
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_reads_and_every_slot_is_there() {
        let corpus = Corpus::get();
        assert!(corpus.groups.iter().chain(&corpus.slots).all(|lines| !lines.is_empty()));
        assert!(corpus.words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '\'')));
        for name in
            TEMPLATES.lines().filter(|line| !line.starts_with('#')).flat_map(|line| line.split('{').skip(1))
        {
            let name = name.split('}').next().expect("closed");
            assert!(TEMPLATES.contains(&format!("\nslot {name} ")), "{name}");
        }
        assert!((500..3_000).contains(&corpus.words.len()), "{}", corpus.words.len());
    }

    #[test]
    fn sentences_are_drawn_as_the_templates_say() {
        let corpus = Corpus::read("booking 1 [please] (a|b c) {x}\nslot x 3 d\nslot x 1 PHRASE");
        let mut draw = Draw::new(1);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..4_000 {
            let words: Vec<&str> = corpus
                .sentence(0, &mut draw)
                .iter()
                .map(|token| match token {
                    Token::Word(number) => corpus.words[*number as usize].as_str(),
                    Token::Phrase => "…",
                })
                .collect();
            *seen.entry(words.join(" ")).or_insert(0_u32) += 1;
        }
        let sentences: Vec<&str> = seen.keys().map(String::as_str).collect();
        let all =
            ["a d", "a …", "b c d", "b c …", "please a d", "please a …", "please b c d", "please b c …"];
        assert_eq!(sentences, all);
        assert!((600..900).contains(&seen["a d"]) && (180..320).contains(&seen["a …"]), "{seen:?}");
    }
}
