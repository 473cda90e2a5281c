//! One key with its value and where it was set.

use std::fmt;
use std::path::PathBuf;

use toml::{Table, Value};

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a file, on this line, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// By an environment variable.
    Environment {
        /// Its name.
        name: String,
    },
    /// By a flag on the command line.
    Flag {
        /// Its name, with its dashes.
        name: &'static str,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Environment { name } => write!(formatter, "environment variable {name}"),
            Self::Flag { name } => write!(formatter, "flag {name}"),
        }
    }
}

/// One key, its value, and where it was set.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The key, outermost table first.
    pub key: Vec<String>,
    /// The value.
    pub value: Value,
    /// Where it was set.
    pub origin: Origin,
}

impl Setting {
    /// A value set by a flag. `key` is dotted.
    #[must_use]
    pub fn flag(name: &'static str, key: &str, value: impl Into<Value>) -> Self {
        Self {
            key: key.split('.').map(str::to_owned).collect(),
            value: value.into(),
            origin: Origin::Flag { name },
        }
    }

    /// The key, dotted.
    #[must_use]
    pub fn dotted(&self) -> String {
        self.key.join(".")
    }

    /// Puts the value in its place in `tree`.
    pub(super) fn put_into(&self, tree: &mut Table) {
        put(tree, &self.key, self.value.clone());
    }
}

/// Puts a value in its place, making the tables on the way; what is in the way is replaced.
pub(super) fn put(tree: &mut Table, key: &[String], value: Value) {
    let Some((last, tables)) = key.split_last() else { return };
    let mut place = tree;
    for name in tables {
        let inner = place.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
        if !inner.is_table() {
            *inner = Value::Table(Table::new());
        }
        let Value::Table(table) = inner else { return };
        place = table;
    }
    place.insert(last.clone(), value);
}

/// The value at a key.
pub(super) fn at<'a>(tree: &'a Table, key: &[String]) -> Option<&'a Value> {
    let (last, tables) = key.split_last()?;
    let mut place = tree;
    for name in tables {
        place = place.get(name)?.as_table()?;
    }
    place.get(last)
}
