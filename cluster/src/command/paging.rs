//! Listings in pages.

use actors::storage::{Cursor, Page};
use clap::Args;

use crate::operator::Rows;

/// Which part of a listing.
#[derive(Debug, Clone, Args)]
pub(super) struct Paging {
    /// At most so many rows
    #[arg(long, default_value_t = 50, value_name = "ROWS")]
    limit: usize,
    /// Where the page before ended
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,
}

impl Paging {
    /// As the store reads it.
    pub(super) fn page(&self) -> Page {
        Page { after: self.after.clone().map(Cursor), limit: self.limit }
    }
}

/// Tells the person how to see the next page, where there is one.
pub(super) fn tell_next<T>(rows: &Rows<T>) {
    if let Some(Cursor(next)) = &rows.next {
        eprintln!("there are more: --after {next}");
    }
}
