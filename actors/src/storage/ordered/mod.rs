//! How rows lie in a store that keeps bytes in order: one table per way of finding them, the key being the
//! partition and then the order within it, as in CQL. Whatever keeps such tables is a [`super::Storage`].

mod audit;
mod bookings;
mod businesses;
mod calls;
mod contract;
mod erase_call;
mod erase_caller;
mod erase_tenant;
mod key;
mod listing;
mod outcomes;
mod place;
mod recordings;
mod table;
mod value;

pub(crate) use table::{Direction, Ordered, Read, Row, Table, Write};
