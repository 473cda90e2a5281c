//! The language of questions, read into a value. It names no field, so that no words reach beyond the transcript.

use super::{Error, Result, Settings};

/// What must and what must not have been said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    /// Of each of these, one.
    pub(super) all: Vec<Vec<String>>,
    /// None of these.
    pub(super) none: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Text { text: String, excluded: bool },
    Or,
}

/// Reads a question's words.
///
/// # Errors
/// [`Error::Question`] where it is too long, has too many parts, a quotation mark is never closed, or an `OR` lacks a
/// side.
pub(super) fn read(words: &str, settings: &Settings) -> Result<Wanted> {
    if words.len() > settings.question_bytes_max {
        return Err(wrong(format!(
            "it is {} bytes long, at most {} are read",
            words.len(),
            settings.question_bytes_max
        )));
    }
    let tokens = tokens(words)?;
    let texts = tokens.iter().filter(|token| matches!(token, Token::Text { .. })).count();
    if texts > settings.clauses_max {
        return Err(wrong(format!("it has {texts} words and phrases, at most {}", settings.clauses_max)));
    }
    let mut wanted = Wanted::default();
    // An OR stands before the next word.
    let mut or = false;
    for token in tokens {
        match token {
            Token::Or if or || wanted.all.is_empty() => return Err(wrong(BARE_OR.to_owned())),
            Token::Or => or = true,
            Token::Text { excluded: true, .. } if or => {
                return Err(wrong("OR can't stand before a word that is left out with -".to_owned()));
            }
            Token::Text { text, excluded: true } => wanted.none.push(text),
            Token::Text { text, excluded: false } => match wanted.all.last_mut() {
                Some(last) if or => {
                    last.push(text);
                    or = false;
                }
                _ => wanted.all.push(vec![text]),
            },
        }
    }
    if or { Err(wrong(BARE_OR.to_owned())) } else { Ok(wanted) }
}

const BARE_OR: &str = "OR needs a word or a phrase on both sides; write it small to search for the word";

fn wrong(why: String) -> Error {
    Error::Question { why }
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '„')
}

fn tokens(words: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = words.trim_start();
    while let Some(first) = rest.chars().next() {
        let excluded = first == '-';
        let text = if excluded { rest.trim_start_matches('-') } else { rest };
        let (text, after) = match text.chars().next().filter(|first| is_quote(*first)) {
            Some(quote) => {
                let inner = text.get(quote.len_utf8()..).unwrap_or_default();
                inner.split_once(is_quote).ok_or_else(|| {
                    wrong("a quotation mark is opened and never closed; close it, or leave it out".to_owned())
                })?
            }
            None => text
                .find(|character: char| character.is_whitespace() || is_quote(character))
                .map_or((text, ""), |end| text.split_at(end)),
        };
        match text {
            "OR" if !excluded => tokens.push(Token::Or),
            _ if text.trim().is_empty() => {}
            _ => tokens.push(Token::Text { text: text.to_owned(), excluded }),
        }
        rest = after.trim_start();
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(words: &str) -> Wanted {
        read(words, &Settings::default()).expect("a question")
    }

    fn told(words: &str) -> String {
        read(words, &Settings::default()).expect_err("a mistake").to_string()
    }

    #[test]
    fn words_phrases_choices_and_exclusions() {
        let all = |groups: &[&[&str]]| -> Vec<Vec<String>> {
            groups.iter().map(|group| group.iter().map(|text| (*text).to_owned()).collect()).collect()
        };
        assert_eq!(wanted("hair cut").all, all(&[&["hair"], &["cut"]]));
        assert_eq!(
            wanted("\"walk in\" monday OR tuesday OR \"next week\"").all,
            all(&[&["walk in"], &["monday", "tuesday", "next week"]])
        );
        let found = wanted("walk-in -beard -\"long hair\" - “good day”");
        assert_eq!(found.all, all(&[&["walk-in"], &["good day"]]));
        assert_eq!(found.none, ["beard", "long hair"]);
        assert_eq!(wanted("  "), Wanted::default());
        assert_eq!(wanted("a\"b c\"d").all, all(&[&["a"], &["b c"], &["d"]]));
    }

    #[test]
    fn mistakes_are_told_with_their_cure() {
        assert!(told("\"hair").contains("never closed"));
        assert!(told("OR hair").contains("both sides"));
        assert!(told("hair OR").contains("both sides"));
        assert!(told("hair OR OR cut").contains("both sides"));
        assert!(told("hair OR -cut").contains("left out"));
        assert!(told(&"a".repeat(1_001)).contains("at most 1000"));
        assert!(told(&"a ".repeat(33)).contains("at most 32"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_question_or_a_mistake(words in ".{0,80}") {
            if let Ok(wanted) = read(&words, &Settings::default()) {
                prop_assert!(wanted.all.iter().all(|group| !group.is_empty()));
            }
        }
    }
}
