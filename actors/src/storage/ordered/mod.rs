//! How rows lie in a store that keeps bytes in order: one table per way of finding them, the key being the
//! partition and then the order within it, as in CQL. Whatever keeps such tables is a [`super::Storage`].

mod audit;
pub(super) mod bookings;
mod businesses;
mod calls;
mod contract;
mod erase_call;
mod erase_caller;
mod erase_tenant;
pub(super) mod examine;
mod frozen;
mod key;
mod listing;
mod outcomes;
mod owners;
mod place;
pub(super) mod portable;
mod recordings;
mod table;
mod users;
mod value;

#[cfg(feature = "scylla")]
pub(super) use erase_call::erase_written;
pub use frozen::Frozen;
#[cfg(feature = "scylla")]
pub(super) use key::Key;
#[cfg(feature = "scylla")]
pub(super) use listing::{PAGE_ROWS_MAX, from_hex, to_hex};
#[cfg(feature = "scylla")]
pub(super) use place::Place;
pub(crate) use table::{Direction, Ordered, Read, Row, Table, Write};
#[cfg(feature = "scylla")]
pub(super) use value::{bound, decode, encode};
