//! Words as the parsers see them: lower case, no punctuation, contractions spelled out, whether they came from
//! a speech recogniser or a keyboard.

/// The words of one utterance. Reading beyond its ends gives the empty word, so that parsers can't panic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Words(Vec<String>);

/// At most so many words are looked at; a caller who says more in one breath is heard to here.
pub(crate) const WORDS_MAX: usize = 160;

impl Words {
    /// Splits and normalises a text.
    pub(crate) fn of(text: &str) -> Self {
        let lower = text.to_lowercase().replace(['’', '‘'], "'").replace(['–', '—'], " ");
        let mut words = Vec::new();
        for chunk in lower.split_whitespace().take(WORDS_MAX) {
            push_chunk(chunk, &mut words);
        }
        let mut words = Self(words);
        words.join_split_words();
        words.0.truncate(WORDS_MAX);
        words
    }

    /// The word at `index`; empty beyond the end.
    pub(crate) fn at(&self, index: usize) -> &str {
        self.0.get(index).map_or("", String::as_str)
    }

    /// The word `back` places before `index`; empty before the start.
    pub(crate) fn before(&self, index: usize, back: usize) -> &str {
        index.checked_sub(back).map_or("", |place| self.at(place))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether the word at `index` is one of these.
    pub(crate) fn any(&self, index: usize, of: &[&str]) -> bool {
        of.contains(&self.at(index))
    }

    /// Whether the words from `index` on begin with this phrase; its length in words if so.
    pub(crate) fn starts(&self, index: usize, phrase: &str) -> Option<usize> {
        let mut length = 0;
        for word in phrase.split(' ') {
            if self.at(index + length) != word {
                return None;
            }
            length += 1;
        }
        Some(length)
    }

    /// Where the phrase begins first.
    pub(crate) fn find(&self, phrase: &str) -> Option<usize> {
        (0..self.len()).find(|index| self.starts(*index, phrase).is_some())
    }

    /// Whether any of these phrases occurs.
    pub(crate) fn has_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.find(phrase).is_some())
    }

    /// The words from `from` to `until`, not included, with spaces between.
    pub(crate) fn text(&self, from: usize, until: usize) -> String {
        self.0
            .get(from.min(self.len())..until.min(self.len()).max(from.min(self.len())))
            .unwrap_or(&[])
            .join(" ")
    }

    /// The words from `from` to `until` as their own value.
    pub(crate) fn slice(&self, from: usize, until: usize) -> Self {
        let until = until.min(self.len());
        Self(self.0.get(from.min(until)..until).unwrap_or(&[]).to_vec())
    }

    /// Recognisers split what dictionaries join: "p m", "o clock", "hair cut".
    fn join_split_words(&mut self) {
        let mut joined: Vec<String> = Vec::with_capacity(self.0.len());
        let mut index = 0;
        while index < self.0.len() {
            let (word, next) = (self.at(index), self.at(index + 1));
            let after_number = joined.last().is_some_and(|last| is_number_like(last));
            let merged = match (word, next) {
                ("p", "m") if after_number => Some("pm"),
                ("a", "m") if after_number => Some("am"),
                ("o", "clock") => Some("oclock"),
                ("good", "bye") => Some("goodbye"),
                ("week", "end") => Some("weekend"),
                ("hair", "cut") => Some("haircut"),
                ("e", "mail") => Some("email"),
                ("re", "schedule") => Some("reschedule"),
                ("to", "morrow") => Some("tomorrow"),
                _ => None,
            };
            joined.push(merged.map_or_else(|| word.to_owned(), str::to_owned));
            index += if merged.is_some() { 2 } else { 1 };
        }
        self.0 = joined;
    }
}

fn is_number_like(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
        || super::parse::number::unit(word).is_some()
        || super::parse::number::tens(word).is_some()
        || word == "oclock"
}

fn push_chunk(chunk: &str, words: &mut Vec<String>) {
    let chunk =
        chunk.trim_matches(|c: char| !(c.is_alphanumeric() || matches!(c, '+' | '@' | '#' | '*' | '&')));
    if chunk.is_empty() {
        return;
    }
    if chunk.contains('@') {
        words.push(chunk.to_owned());
    } else if chunk == "&" {
        words.push("and".to_owned());
    } else if let Some(rest) = chunk.strip_prefix('+').filter(|rest| !rest.is_empty()) {
        words.push("plus".to_owned());
        push_chunk(rest, words);
    } else if chunk.starts_with(|first: char| first.is_ascii_digit()) {
        push_number(chunk, words);
    } else if let Some(meridiem) = match chunk {
        "p.m" => Some("pm"),
        "a.m" => Some("am"),
        _ => None,
    } {
        words.push(meridiem.to_owned());
    } else {
        push_word(chunk, words);
    }
}

/// "3pm" is two words, "21st" one, "14:30" and "10/3" one, "020-7946" two.
fn push_number(chunk: &str, words: &mut Vec<String>) {
    let end = chunk.find(|c: char| c.is_alphabetic()).unwrap_or(chunk.len());
    let (number, suffix) = chunk.split_at(end);
    if matches!(suffix, "st" | "nd" | "rd" | "th") {
        words.push(chunk.to_owned());
        return;
    }
    let number = number.trim_end_matches(|c: char| !c.is_ascii_digit());
    let is_iso_date = number.len() == 10 && number.matches('-').count() == 2 && number.find('-') == Some(4);
    if is_iso_date {
        words.push(number.to_owned());
    } else {
        words.extend(
            number
                .split(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '/' | '.')))
                .filter(|part| !part.is_empty())
                .map(str::to_owned),
        );
    }
    if !suffix.is_empty() {
        push_chunk(suffix, words);
    }
}

fn push_word(chunk: &str, words: &mut Vec<String>) {
    if chunk.len() > 3 && chunk.contains('.') && chunk.split('.').all(|part| part.len() > 1) {
        words.push(chunk.to_owned());
        return;
    }
    for part in chunk.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|part| !part.is_empty()) {
        let part = part.trim_matches('\'');
        match part {
            "" => {}
            "o'clock" => words.push("oclock".to_owned()),
            "can't" => words.extend(["can", "not"].map(str::to_owned)),
            "won't" => words.extend(["will", "not"].map(str::to_owned)),
            "cannot" => words.extend(["can", "not"].map(str::to_owned)),
            "gonna" => words.extend(["going", "to"].map(str::to_owned)),
            "wanna" => words.extend(["want", "to"].map(str::to_owned)),
            "gotta" => words.extend(["have", "to"].map(str::to_owned)),
            "dont" => words.extend(["do", "not"].map(str::to_owned)),
            _ => push_contraction(part, words),
        }
    }
}

/// "i'd" is "i would"; "what's" is "what is"; "men's" is "mens"; "o'brien" stays.
fn push_contraction(word: &str, words: &mut Vec<String>) {
    const IS: [&str; 14] = [
        "it", "that", "what", "where", "who", "when", "how", "there", "here", "he", "she", "name", "let",
        "number",
    ];
    let Some((stem, ending)) = word.rsplit_once('\'') else {
        words.push(word.to_owned());
        return;
    };
    let expanded = match ending {
        "d" => Some("would"),
        "m" => Some("am"),
        "ll" => Some("will"),
        "re" => Some("are"),
        "ve" => Some("have"),
        "s" if IS.contains(&stem) => Some("is"),
        _ => None,
    };
    if let Some(expanded) = expanded {
        words.extend([stem.to_owned(), expanded.to_owned()]);
    } else if let (Some(verb), "t") = (stem.strip_suffix('n'), ending) {
        words.extend([verb.to_owned(), "not".to_owned()]);
    } else if ending == "s" || ending.is_empty() {
        words.push(format!("{stem}{ending}"));
    } else {
        words.push(word.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_and_typing_come_to_the_same_words() {
        for (text, words) in [
            ("I'd like a men's haircut, 3pm!", "i would like a mens haircut 3 pm"),
            ("at 14:30 on 10/3", "at 14:30 on 10/3"),
            ("three p m", "three pm"),
            ("three p.m.", "three pm"),
            ("What's your e-mail? sam@example.com.", "what is your email sam@example.com"),
            ("twenty-first", "twenty first"),
            ("the 21st", "the 21st"),
            ("+44 20-7946", "plus 44 20 7946"),
            ("I don't, can't and won't", "i do not can not and will not"),
            ("three o'clock", "three oclock"),
            ("mr o'brien", "mr o'brien"),
            ("", ""),
        ] {
            let found = Words::of(text);
            assert_eq!(found.text(0, found.len()), words, "{text}");
        }
    }
}
