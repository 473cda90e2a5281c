//! What is wrong with a setting, and what to write instead.

use std::fmt;

use toml::{Table, Value};

use super::keys::keys;
use super::setting::{Origin, Setting, at};

/// How far a misspelt key may be from a real one to be suggested, in edits.
const EDITS_MAX: usize = 4;

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    /// Where it was set.
    pub origin: Origin,
    /// The key, dotted; empty where the file can't be read as TOML.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to write.
    pub mend: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        write!(formatter, "{}; {}", self.what, self.mend)
    }
}

/// Everything that is wrong with the configuration, in the order it was read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl Mistake {
    /// Words what serde said about `setting` for the person who set it.
    pub(super) fn of(setting: &Setting, defaults: &Table, said: &str) -> Self {
        let key = setting.dotted();
        let said = said.lines().next().unwrap_or_default().trim();
        let (what, mend) = match at(defaults, &setting.key) {
            Some(default) => (said.to_owned(), format!("write it like the default, {}", show(default))),
            None if said.starts_with("unknown field") => ("there is no such key".to_owned(), suggest(&key)),
            None => (said.to_owned(), "see ops/config/reference.toml".to_owned()),
        };
        Self { origin: setting.origin.clone(), key, what, mend }
    }
}

fn show(value: &Value) -> String {
    value.to_string().trim().to_owned()
}

fn suggest(key: &str) -> String {
    let known = keys();
    let nearest = known.iter().map(|candidate| (edits(key, candidate), candidate)).min();
    match nearest {
        Some((distance, candidate)) if distance <= EDITS_MAX => format!("did you mean {candidate}?"),
        _ => "`strowger config print` shows all keys".to_owned(),
    }
}

/// Levenshtein distance.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, from) in one.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(above + 1);
        for (index, to) in other.iter().enumerate() {
            let change = row.get(index).copied().unwrap_or_default() + usize::from(from != *to);
            let remove = row.get(index + 1).copied().unwrap_or_default() + 1;
            let insert = next.last().copied().unwrap_or_default() + 1;
            next.push(change.min(remove).min(insert));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
