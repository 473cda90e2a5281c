//! Why a trunk does not work, and what to change: what was tried and what came of it, to words.

mod advice;
mod path;
mod redaction;

pub use advice::{Advice, Certificate, Happened, Step, advise};
pub use path::{Path, path};
pub use redaction::redacted;

#[cfg(test)]
mod tests;
