//! Engines against real libraries and real speech.

mod hearing;
mod telephone;
