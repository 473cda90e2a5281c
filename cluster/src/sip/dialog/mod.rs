//! A call's dialog (RFC 3261 sections 12 to 15, RFC 3262, RFC 3515, RFC 3891, RFC 4028, RFC 6141) as one serialisable value.
//!
//! Time comes in as [`Moment`]s of the owner's clock, messages as values; what is to be done comes out of
//! [`Dialog::drain`]. Transactions are not here: the owner has them, and names them by number.

mod acknowledgement;
mod again;
mod calling;
mod capture;
mod delayed;
mod early;
mod ending;
mod incoming;
mod offers;
mod provisional;
mod requests;
mod session;
mod state;
mod taking_over;
mod transfer;
mod values;
mod writing;

pub use super::wheel::Moment;
pub use state::Dialog;
pub use taking_over::Standing;
pub use values::{
    Calling, Command, Effect, Ending, Error, Event, Input, Offers, Own, RequestId, Timing, TransactionId,
};

#[cfg(test)]
mod tests;
