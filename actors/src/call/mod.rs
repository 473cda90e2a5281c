//! A call: a pure conversation in a thin actor.

pub mod brain;
pub mod conversation;
pub mod leg;
