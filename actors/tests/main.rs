//! The business, tested whole: golden conversations, stores, actors.

mod import;
