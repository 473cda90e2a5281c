//! The edge, as far as its parsers are concerned.

pub mod carriers;
