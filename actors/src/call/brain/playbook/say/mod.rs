//! How the playbook speaks: short, warm, whole sentences; dates, times, numbers and lists as people say them.

pub(crate) mod date;
pub(crate) mod hours;
pub(crate) mod list;
pub(crate) mod number;
pub(crate) mod service;
pub(crate) mod slots;
pub(crate) mod time;

use crate::types::Language;

/// Whose English is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    British,
    American,
}

impl Style {
    pub(crate) fn of(language: &Language) -> Self {
        let tag = language.as_str().to_ascii_lowercase();
        if tag.ends_with("-us") || tag.ends_with("_us") { Self::American } else { Self::British }
    }
}

/// The text with a capital at its start.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The number to dial in an emergency where this language's callers live.
pub(crate) fn emergency_number(language: &Language) -> &'static str {
    match language.as_str().to_ascii_lowercase().rsplit(['-', '_']).next().unwrap_or_default() {
        "gb" | "uk" => "nine nine nine",
        "us" | "ca" => "nine one one",
        "au" => "triple zero",
        "nz" => "triple one",
        _ => "one one two",
    }
}
