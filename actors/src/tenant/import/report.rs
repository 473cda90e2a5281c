//! Collects a file's mistakes.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use super::{Mistake, Mistakes, Settings};

/// The mistakes found so far, and the text to count lines in.
pub(super) struct Report<'t> {
    text: &'t str,
    pub(super) settings: &'t Settings,
    mistakes: RefCell<Vec<Mistake>>,
    /// The text is not TOML throughout: what seems missing may only be unreadable.
    broken: Cell<bool>,
}

impl<'t> Report<'t> {
    pub(super) fn new(text: &'t str, settings: &'t Settings) -> Self {
        Self { text, settings, mistakes: RefCell::default(), broken: Cell::new(false) }
    }

    /// The line of a byte offset, counted from 1.
    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    /// Adds a mistake at a place in the text.
    pub(super) fn add(&self, at: &Range<usize>, what: impl Into<String>, instead: impl Into<String>) {
        let mistake = Mistake { line: self.line(at.start), what: what.into(), instead: instead.into() };
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Adds a mistake that only a whole file can have: something is missing, or names what is missing.
    pub(super) fn add_if_whole(
        &self,
        at: &Range<usize>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        if !self.broken.get() {
            self.add(at, what, instead);
        }
    }

    /// Adds a mistake in the TOML itself.
    pub(super) fn syntax(&self, error: &toml::de::Error) {
        self.broken.set(true);
        let at = error.span().unwrap_or(0..0);
        let what = error.message().lines().next().unwrap_or_default().to_owned();
        let instead = match what.as_str() {
            _ if what.contains("duplicate") => "keep one of them".to_owned(),
            _ => "write `name = \"text\"`, `name = 30` or `name = [\"one\", \"two\"]`".to_owned(),
        };
        self.add(&at, format!("this can't be read: {what}"), instead);
    }

    pub(super) fn is_clean(&self) -> bool {
        self.mistakes.borrow().is_empty()
    }

    /// All mistakes, by line.
    pub(super) fn finish(self) -> Mistakes {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| mistake.line);
        mistakes.dedup();
        Mistakes(mistakes)
    }
}
