//! Engines against real libraries and real speech.
#![allow(clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod hearing;
mod telephone;
