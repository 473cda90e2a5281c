//! The decisions of a node alone, as values: what is kept, what has expired, who gets what. Time is an argument, in
//! milliseconds that never go back.

mod calls;
mod checkpoints;
mod expiring;
mod leases;
mod places;
mod rates;

pub(super) use calls::Calls;
pub(super) use checkpoints::Checkpoints;
pub(super) use expiring::Full;
pub(super) use leases::Leases;
pub(super) use places::Places;
pub(super) use rates::Rates;
