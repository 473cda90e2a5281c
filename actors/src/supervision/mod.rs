//! The tree that keeps everything running: `Root → { Tenants → Tenant → Integrations, Calls → Call }`.
//!
//! Every parent here handles the end of its children itself (the default would end the parent with them) and waits
//! for them when it stops (the default would kill them), so that a call always hangs up and leaves its record.

mod call_backs;
mod calling_back;
mod calls;
mod engines;
mod house;
mod parts;
mod reception;
mod refusals;
mod root;
mod settings;
mod start_again;
mod tenants;
#[cfg(test)]
mod tests;

pub use house::{Counts, Error, Supervision};
pub use parts::{Parts, own_integrations};
pub use settings::Settings;
pub use start_again::{Closed, Standing, begin_life, standing, start_again};
