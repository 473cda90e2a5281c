//! Embeddings by all-MiniLM-L6-v2 (Reimers and Gurevych, EMNLP 2019; model card of sentence-transformers), on
//! Candle.
//!
//! - `model`: tokenizer, `bert`, mean over the words, length 1.
//! - `engine`: texts as requests of one [`crate::request_loop`].

#[cfg(feature = "candle")]
mod attention;
#[cfg(feature = "candle")]
mod bert;
#[cfg(feature = "candle")]
mod engine;
#[cfg(feature = "candle")]
mod model;
mod settings;
#[cfg(test)]
#[cfg(feature = "candle")]
mod tests;

#[cfg(feature = "candle")]
pub use engine::Embedder;
#[cfg(feature = "candle")]
pub use model::MiniLm;
pub use settings::Settings;

/// The engine's name.
pub const NAME: &str = "all-MiniLM-L6-v2";
