//! What callers of one business probably say, as n-gram language models for the decoder.
//!
//! - [`corpus`]: sentences that callers of any business say, by kind.
//! - [`counts`]: how often three words follow each other in them.
//! - [`arpa`]: counts as a language model with back-off, in the format that decoders read.
//! - [`business`]: the models and the dictionary of one business, by what is expected.

mod arpa;
mod business;
mod corpus;
mod counts;

pub(super) use business::{Business, Businesses};
