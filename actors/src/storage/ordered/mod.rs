//! How rows lie in a store that keeps bytes in order: one table per way of finding them, the key being the
//! partition and then the order within it, as in CQL. Whatever keeps such tables is a [`super::Storage`].

mod bookings;
mod businesses;
mod calls;
mod contract;
mod examine;
mod frozen;
mod key;
mod listing;
mod outcomes;
pub(super) mod portable;
mod recordings;
mod table;
mod value;

pub use frozen::Frozen;
pub(crate) use table::{Direction, Ordered, Read, Row, Table, Write};
