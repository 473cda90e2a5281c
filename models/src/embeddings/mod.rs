//! Embeddings by all-MiniLM-L6-v2 (Reimers and Gurevych, EMNLP 2019; model card of sentence-transformers), on
//! Candle's CPU.
//!
//! - [`model`]: tokenizer, BERT, mean over the words, length 1.
//! - [`engine`]: a bounded queue that is fair between tenants, and one thread that embeds what waits together.

mod engine;
pub mod metrics;
mod model;
mod settings;
#[cfg(test)]
mod tests;

pub use engine::Embedder;
pub use model::MiniLm;
pub use settings::Settings;

/// The engine's name, and its folder below the weights.
pub const NAME: &str = "all-MiniLM-L6-v2";
