//! The business, tested whole: golden conversations, stores, actors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod calendar;
mod failing;
mod golden;
mod import;
mod journal;
mod journal_erasing;
mod screening;
mod shells;
mod simulator;
mod store_failures;
mod telephone;
