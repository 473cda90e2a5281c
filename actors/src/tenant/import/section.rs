//! One table of the file, read key by key; what is not asked for is reported as unknown.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::Report;
use super::spelling::closest;

/// A text and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) at: Range<usize>,
}

/// A table and what was asked of it.
pub(super) struct Section<'a> {
    /// As it is written: `[business]`.
    pub(super) name: String,
    /// Its heading.
    pub(super) at: Range<usize>,
    pub(super) report: &'a Report<'a>,
    table: &'a DeTable<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(table: &'a DeTable<'a>, report: &'a Report<'a>) -> Self {
        Self { name: "the file".to_owned(), at: 0..0, report, table, known: RefCell::default() }
    }

    /// Marks a key as one that may be there.
    pub(super) fn know(&self, key: &'static str) {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
    }

    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.know(key);
        self.table.get(key)
    }

    /// Whether the key is there, readable or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the key's value stands, or else the section's heading.
    pub(super) fn place(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.at.clone(), Spanned::span)
    }

    fn wrong(&self, key: &str, at: &Range<usize>, is: &str, instead: &str) {
        self.report.add(at, format!("`{key}` in {} {is}", self.name), format!("write `{key} = {instead}`"));
    }

    /// Reports a key that is not there.
    pub(super) fn missing(&self, key: &str, instead: &str) {
        self.report.add_if_whole(
            &self.at,
            format!("{} has no `{key}`", self.name),
            format!("write `{key} = {instead}`"),
        );
    }

    fn checked_text(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Text> {
        let at = value.span();
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(key, &at, "is not a text", "\"…\"");
            return None;
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let longest = self.report.settings.text_chars_max;
        if text.is_empty() {
            self.report.add(
                &at,
                format!("`{key}` in {} is empty", self.name),
                "write something or remove it",
            );
            return None;
        }
        if text.chars().count() > longest {
            let length = text.chars().count();
            self.report.add(
                &at,
                format!("`{key}` in {} has {length} characters", self.name),
                format!("keep it under {longest}: it is spoken on the telephone"),
            );
            return None;
        }
        Some(Text { value: text, at })
    }

    /// A text, white space folded; never empty.
    pub(super) fn text(&self, key: &'static str) -> Option<Text> {
        self.get(key).and_then(|value| self.checked_text(key, value))
    }

    /// A text that must be there; `instead` is an example of its value. Empty where it is missing or wrong,
    /// which is reported.
    pub(super) fn required_text(&self, key: &'static str, instead: &str) -> Text {
        if !self.has(key) {
            self.missing(key, instead);
        }
        self.text(key).unwrap_or(Text { value: String::new(), at: self.place(key) })
    }

    /// A list of texts; a single text is a list of one.
    pub(super) fn texts(&self, key: &'static str) -> Vec<Text> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::String(_) => self.checked_text(key, value).into_iter().collect(),
            DeValue::Array(values) => {
                let all: &[Spanned<DeValue<'_>>] = values.as_ref();
                self.bound(key, all.len(), &value.span());
                all.iter().filter_map(|one| self.checked_text(key, one)).collect()
            }
            _ => {
                self.wrong(key, &value.span(), "is not a list of texts", "[\"…\", \"…\"]");
                Vec::new()
            }
        }
    }

    fn bound(&self, key: &str, count: usize, at: &Range<usize>) {
        let most = self.report.settings.entries_max;
        if count > most {
            self.report.add(
                at,
                format!("{} has {count} of `{key}`", self.name),
                format!("keep at most {most}"),
            );
        }
    }

    /// A whole number or a text, as texts for the caller to read: durations may be written either way.
    pub(super) fn number_or_text(&self, key: &'static str) -> Option<Text> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Integer(number) => Some(Text { value: number.to_string(), at: value.span() }),
            DeValue::String(_) => self.checked_text(key, value),
            _ => {
                self.wrong(key, &value.span(), "is neither a number nor a text", "\"30 minutes\"");
                None
            }
        }
    }

    /// A date or a text, as text for the caller to read: dates may be written with or without quotation marks.
    pub(super) fn date_text(&self, key: &'static str) -> Option<Text> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Datetime(date) => Some(Text { value: date.to_string(), at: value.span() }),
            DeValue::String(_) => self.checked_text(key, value),
            _ => {
                self.wrong(key, &value.span(), "is not a date", "2026-12-25");
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, key: &'static str, least: u32, most: u32) -> Option<u32> {
        let value = self.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let is = format!("is not a whole number from {least} to {most}");
            self.wrong(key, &value.span(), &is, &least.max(10).min(most).to_string());
        }
        number
    }

    /// Yes or no.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, &value.span(), "is neither true nor false", "true");
        }
        flag
    }

    fn inside(&self, name: String, at: Range<usize>, table: &'a DeTable<'a>) -> Self {
        Section { name, at, report: self.report, table, known: RefCell::default() }
    }

    /// A table under this one; `name` is how it is written, such as `[staff.hours]`.
    pub(super) fn table(&self, key: &'static str, name: &str) -> Option<Self> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(self.inside(name.to_owned(), value.span(), table)),
            _ => {
                let what = format!("`{key}` is not a part of its own");
                self.report.add(
                    &value.span(),
                    what,
                    format!("write the line `{name}` and its keys below it"),
                );
                None
            }
        }
    }

    /// The repeated tables under this one, in order; `name` is how each is written, such as `[[service]]`.
    pub(super) fn tables(&self, key: &'static str, name: &str) -> Vec<Self> {
        let Some(value) = self.get(key) else { return Vec::new() };
        if let DeValue::Array(values) = value.get_ref() {
            let all: &'a [Spanned<DeValue<'a>>] = values.as_ref();
            self.bound(key, all.len(), &value.span());
            let sections: Vec<Self> = all
                .iter()
                .filter_map(|one| Some(self.inside(name.to_owned(), one.span(), one.get_ref().as_table()?)))
                .collect();
            if sections.len() == all.len() {
                return sections;
            }
        }
        let what = format!("`{key}` is not written as a list of parts");
        self.report.add(&value.span(), what, format!("begin each with the line `{name}`"));
        Vec::new()
    }

    /// Reports the keys that nothing asked for.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let instead = match closest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("it may have: {}", known.join(", ")),
            };
            self.report.add(&key.span(), format!("{} may not have `{name}`", self.name), instead);
        }
    }
}
