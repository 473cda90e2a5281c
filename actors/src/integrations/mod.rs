//! What a receptionist can do beyond talking: one supervised actor per tenant and integration.
//!
//! A call asks with an idempotency key (`call_id/step`), and is always answered within the deadline. An actor
//! here never waits itself: each request runs in a task of its own, so that one that hangs holds up no other.

mod actor;
mod attempt;
mod breaker;
pub mod calendar;
mod integration;
mod messages;
mod settings;

pub use integration::{Error, Integration, Kind, Request};
pub use messages::Messages;
pub use settings::Settings;

pub(crate) use actor::{Arguments, Ask, IntegrationActor, Message};
pub(crate) use integration::only_reads;
