//! A business from one readable TOML file. Pure but for the time zone database.
//!
//! All mistakes are reported at once, each with its line, what is wrong and what to write instead.
//! `ops/config/demo.toml` shows every part of the file.

mod arrival;
mod business;
mod departments;
mod duration;
mod hours;
mod lines;
mod mistake;
mod policy;
mod questions;
mod report;
mod section;
mod services;
mod spelling;
mod transfers;

use serde::{Deserialize, Serialize};
use toml::de::DeTable;

use crate::types::Business;

pub use mistake::{Mistake, Mistakes};

use report::Report;
use section::Section;

/// How big a business's file may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The whole file, in bytes.
    pub file_bytes_max: usize,
    /// Entries of one kind: services, questions, numbers and so on.
    pub entries_max: usize,
    /// One text, such as an answer, in characters: about a minute of speech by default.
    pub text_chars_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { file_bytes_max: 1_000_000, entries_max: 500, text_chars_max: 1_000 }
    }
}

/// Reads a business from its file's text. Its version is 1: who stores it over another raises it.
///
/// # Errors
/// Every mistake in the file, by line.
pub fn read(text: &str, settings: &Settings) -> Result<Business, Mistakes> {
    let report = Report::new(text, settings);
    if text.len() > settings.file_bytes_max {
        report.add(
            &(0..0),
            format!("the file is {} bytes long", text.len()),
            format!("keep it under {} bytes", settings.file_bytes_max),
        );
        return Err(report.finish());
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        report.syntax(error);
    }
    let file = Section::root(root.get_ref(), &report);
    let business = business::read(&file);
    file.finish();
    if report.is_clean() { Ok(business) } else { Err(report.finish()) }
}

#[cfg(test)]
mod tests;
