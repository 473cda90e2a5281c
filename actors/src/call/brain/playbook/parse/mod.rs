//! Typed parsers over [`Words`](super::normalise::Words). Each takes a place in an utterance and gives a value
//! and how many words it took; ambiguity is part of the value. None can panic.

pub(crate) mod date;
pub(crate) mod date_time;
pub(crate) mod digits;
pub(crate) mod email;
pub(crate) mod holiday;
pub(crate) mod name;
pub(crate) mod number;
pub(crate) mod spelling;
pub(crate) mod time;
pub(crate) mod yes_no;

/// A value found at a place, and how many words it took.
pub(crate) type Found<T> = Option<(T, usize)>;
