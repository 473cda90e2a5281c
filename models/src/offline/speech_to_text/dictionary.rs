//! How words sound: the CMU pronouncing dictionary, and rules for words that are not in it.

use std::path::Path;

use super::letter_to_sound;

/// The dictionary of the acoustic model, as one text and an index into it.
#[derive(Debug)]
pub(super) struct Dictionary {
    text: String,
    /// Start and end of each line, in the order of their words.
    lines: Vec<(u32, u32)>,
}

impl Dictionary {
    /// Reads `word PHONE PHONE …` lines; `word(2)` is another pronunciation of `word`.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Self::parse(text))
    }

    fn parse(text: String) -> Self {
        let mut lines = Vec::new();
        let mut start = 0_u32;
        for line in text.split('\n') {
            let end = start + line.len() as u32;
            if line.contains(' ') {
                lines.push((start, end));
            }
            start = end + 1;
        }
        lines.sort_unstable_by(|a, b| headword(&text, *a).cmp(headword(&text, *b)));
        Self { text, lines }
    }

    /// The pronunciations of `word` in the dictionary, most common first.
    pub(super) fn known(&self, word: &str) -> Vec<&str> {
        let from = self.lines.partition_point(|line| headword(&self.text, *line) < word);
        let lines = self.lines.get(from..).unwrap_or_default();
        let mut entries: Vec<(&str, &str)> = lines
            .iter()
            .take_while(|line| headword(&self.text, **line) == word)
            .filter_map(|(start, end)| self.text.get(*start as usize..*end as usize)?.trim().split_once(' '))
            .collect();
        entries.sort_by_key(|(entry, _)| *entry);
        entries.into_iter().map(|(_, phones)| phones.trim()).collect()
    }

    /// The pronunciations of `word`: the dictionary's, else those of its parts, else what its letters suggest. Empty
    /// where a word has no letters.
    pub(super) fn pronounce(&self, word: &str) -> Vec<String> {
        let known = self.known(word);
        if !known.is_empty() {
            return known.into_iter().map(str::to_owned).collect();
        }
        let made =
            self.inflected(word).or_else(|| self.compound(word)).or_else(|| letter_to_sound::guess(word));
        made.into_iter().collect()
    }

    fn first(&self, word: &str) -> Option<&str> {
        self.known(word).first().copied()
    }

    /// A known word with an ending.
    fn inflected(&self, word: &str) -> Option<String> {
        let stem = word.strip_suffix("'s").or_else(|| word.strip_suffix('s'))?;
        let phones = self.first(stem)?;
        let last = phones.rsplit(' ').next()?;
        let ending = match last {
            "S" | "Z" | "SH" | "ZH" | "CH" | "JH" => "IH Z",
            "P" | "T" | "K" | "F" | "TH" => "S",
            _ => "Z",
        };
        Some(format!("{phones} {ending}"))
    }

    /// Two known words written as one.
    fn compound(&self, word: &str) -> Option<String> {
        (3..word.len().saturating_sub(2)).rev().find_map(|at| {
            let (head, tail) = word.split_at_checked(at)?;
            Some(format!("{} {}", self.first(head)?, self.first(tail)?))
        })
    }
}

/// The word of a line, without the number of its pronunciation.
fn headword(text: &str, (start, end): (u32, u32)) -> &str {
    let line = text.get(start as usize..end as usize).unwrap_or_default();
    let entry = line.split(' ').next().unwrap_or_default();
    match entry.find('(') {
        Some(at) if at > 0 => entry.get(..at).unwrap_or(entry),
        _ => entry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary() -> Dictionary {
        Dictionary::parse(
            "tom T AA M\ntomato(2) T AH M AA T OW\ntomato T AH M EY T OW\nhair HH EH R\nfix F IH K S\n\
             beard B IH R D\nbeards B IH R D Z"
                .into(),
        )
    }

    #[test]
    fn a_known_word_has_all_its_pronunciations() {
        assert_eq!(dictionary().pronounce("tomato"), ["T AH M EY T OW", "T AH M AA T OW"]);
        assert_eq!(dictionary().pronounce("tom"), ["T AA M"]);
    }

    #[test]
    fn an_unknown_word_is_made_of_known_ones_or_of_its_letters() {
        assert_eq!(dictionary().pronounce("tom's"), ["T AA M Z"]);
        assert_eq!(dictionary().pronounce("fixs"), ["F IH K S IH Z"]);
        assert_eq!(dictionary().pronounce("beardhair"), ["B IH R D HH EH R"]);
        assert!(!dictionary().pronounce("zweibrueck").is_empty());
        assert!(dictionary().pronounce("'").is_empty());
    }
}
