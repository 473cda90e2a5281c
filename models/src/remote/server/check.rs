//! What is asked, held against the bounds.

use super::super::ServerSettings;
use super::super::wire::{Embed, Open, Say};

/// The sampling rates of speech, in hertz.
const RATES_HZ: std::ops::RangeInclusive<u32> = 4_000..=48_000;

/// Something that is out of bounds, worded for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("a sampling rate of {0} Hz is not between 4,000 and 48,000")]
    Rate(u32),
    #[error("{count} {what} are more than {most}")]
    TooMany { what: &'static str, count: usize, most: usize },
    #[error("a text of more than {most} characters is too long")]
    TooLong { most: usize },
}

fn rate(rate_hz: u32) -> Result<(), Wrong> {
    if RATES_HZ.contains(&rate_hz) { Ok(()) } else { Err(Wrong::Rate(rate_hz)) }
}

fn text(text: &str, most: usize) -> Result<(), Wrong> {
    match text.char_indices().nth(most) {
        Some(_) => Err(Wrong::TooLong { most }),
        None => Ok(()),
    }
}

fn texts(what: &'static str, texts: &[String], most: usize, characters: usize) -> Result<(), Wrong> {
    if texts.len() > most {
        return Err(Wrong::TooMany { what, count: texts.len(), most });
    }
    texts.iter().try_for_each(|one| text(one, characters))
}

pub(super) fn open(open: &Open, settings: &ServerSettings) -> Result<(), Wrong> {
    rate(open.rate_hz)?;
    texts("phrases", &open.phrases, settings.phrases_max, settings.text_characters_max)
}

pub(super) fn say(say: &Say, settings: &ServerSettings) -> Result<(), Wrong> {
    rate(say.rate_hz)?;
    text(&say.voice, settings.text_characters_max)?;
    text(&say.text, settings.text_characters_max)
}

pub(super) fn embed(embed: &Embed, settings: &ServerSettings) -> Result<(), Wrong> {
    texts("texts", &embed.texts, settings.texts_max, settings.text_characters_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_bounds_is_named() {
        let settings = ServerSettings { phrases_max: 2, text_characters_max: 4, ..ServerSettings::default() };
        let fine = Open { rate_hz: 8_000, phrases: vec!["äöüß".into()], expectation: 0, tenant: 0 };
        assert_eq!(open(&fine, &settings), Ok(()));
        assert_eq!(open(&Open { rate_hz: 0, ..fine.clone() }, &settings), Err(Wrong::Rate(0)));
        let many = Open { phrases: vec![String::new(); 3], ..fine };
        let told = open(&many, &settings).expect_err("too many").to_string();
        assert_eq!(told, "3 phrases are more than 2");
        let long = Say { text: "12345".into(), rate_hz: 8_000, ..Say::default() };
        assert_eq!(say(&long, &settings), Err(Wrong::TooLong { most: 4 }));
    }
}
