//! The repository's own rules, as tests: what a reviewer would otherwise have to notice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod fuzzing;
mod layering;
mod personal_data;
mod purity;
mod sizes;
mod source;
mod top_level;
