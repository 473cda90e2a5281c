//! What an examination of a store finds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Something that is not as it should be, named by its place and never by what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The table.
    pub table: String,
    /// The row in the table's order, from 1.
    pub row: u64,
    /// What is wrong.
    pub what: String,
}

/// The most faults that are told.
const FAULTS_MAX: usize = 100;

impl Examination {
    /// Adds a fault, which is counted and, if there are few, told.
    pub(super) fn add(&mut self, table: &str, row: u64, what: String) {
        self.faults_total += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { table: table.to_owned(), row, what });
        }
    }
}

/// What was found in a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Examination {
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// The first faults.
    pub faults: Vec<Fault>,
    /// How many there are.
    pub faults_total: u64,
}
