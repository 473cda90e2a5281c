//! Drives a model on a thread of its own.

mod model;

pub use model::{Failure, Model, Row};
