//! Writes that a store could not take: kept in a bounded file of this machine and written later, in order, once.
//!
//! ```text
//! write ─▶ the call has nothing in the journal, and the store works ─▶ store ─▶ done
//!        └ otherwise, or no answer in time ─▶ ledger ─▶ file, synced ─▶ kept ─▶ drain ─▶ store ─▶ marked
//! ```
//! For stores on other machines. Only what is safe to do later is kept: a call's record, events and state, its
//! recording's row, messages with their keys, and tool outcomes that changed nothing. An appointment is never
//! kept: nobody is told "booked" before it is booked.
//!
//! Each call's writes are a lane of their own. While a lane has something in the journal, everything of that lane
//! goes there, so that nothing overtakes; it is free again when what was written is marked so in the file. A write
//! whose fate is unknown is made again, which changes nothing, for events carry numbers, messages keys, and rows
//! have one writer.
//!
//! What waits is listed among the store's rows (`listing`), and erased as those are (`erase`).
//!
//! `record`, `entry`, `ledger` and `erase` decide and touch nothing; `file` is the disk; `drain` writes out.

mod contract;
mod drain;
mod entry;
mod erase;
mod erasing;
mod file;
mod keep;
mod ledger;
mod listing;
mod record;
mod settings;
mod users;

pub use file::{File, Log, LogError, Synced, Volatile};
pub use keep::{Journalled, Waiting};
pub use settings::Settings;

#[cfg(test)]
mod tests;
