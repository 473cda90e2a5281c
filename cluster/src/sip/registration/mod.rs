//! Our own registration at a provider (RFC 3261 section 10.2, RFC 3263 section 4.3, RFC 3608), as one value.
//!
//! ```text
//! begin ─▶ Locating ─▶ Asking ─▶ Registered ─ 80 to 90 % of the time ─▶ Locating
//!             ▲           │ next server: no answer, 5xx
//!             └─ Waiting ◀┘ no server left: longer each time; refused: long, and told why
//! ```
//!
//! Time comes in as [`Moment`]s, answers as values; what is to be done comes out of [`Registration::drain`].

mod answers;
mod requests;
mod state;
mod values;

pub use state::Registration;
pub use values::{Binding, Effect, Event, Failure, Input, Own, Place, Settings, Timing};

pub use super::wheel::Moment;

#[cfg(test)]
mod tests;
