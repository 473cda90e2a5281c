//! What a node tells the others of its calls: a place among its tenant's calls, an entry in the directory, and the
//! newest state. Told beside the call and never waited for by it; only admission asks, and not for long.
//!
//! Each call's changes are told in order, and a newer one replaces an older one that still waits, so that what waits
//! is bounded by the calls. What could not be told is told again with the next refresh, which also prolongs
//! everything: a server that comes back empty knows all calls again after it, and each one's state after its next turn.

mod pending;
mod place;
mod refresh;
mod share;
mod write;

pub(crate) use place::Place;
pub(crate) use share::{Sharing, Tasks};
