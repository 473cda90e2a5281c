//! Decides which rows share the next step of a model, and who may join. Nothing here waits, locks or asks the
//! time: `now` is the time since the engine started, and every decision is a value.
//!
//! - [`slots`]: places in a model's tensors, with generations, so that no result reaches the next tenant of a place.
//! - [`fairness`]: deficit round-robin between tenants, earliest deadline first inside one.
//! - [`schedule`]: streams that join, push, are cancelled and leave at any step, and what is replayed after a fault.
//! - [`requests`]: the same for models that are asked and answer once, in one pass or in many; what is late is not worked
//!   out.
//! - [`crew`]: the threads that work requests out, which of them hangs, and when another takes its place; [`rebuild`]: how
//!   soon.
//! - [`pace`]: longer pieces for the streams of a busy engine.
//! - [`step_times`] and [`admission`]: how long steps took, and how many streams that allows.
//! - [`pass_times`]: how long requests took, and how long one more would wait.

mod admission;
mod buckets;
mod crew;
mod fairness;
mod pace;
mod pass_times;
mod rebuild;
mod requests;
mod ring;
mod schedule;
mod settings;
mod slots;
mod step_times;
mod stream;
#[cfg(test)]
mod tests;

pub use admission::{Admission, Grant, Member, Refusal};
pub use buckets::Buckets;
pub use crew::{Crew, GivenUp, Look, Worker};
pub use fairness::{FairQueue, Place, Tenant};
pub use pace::{Joined, Pace};
pub use pass_times::PassTimes;
pub use rebuild::rebuild_wait;
pub use requests::{Ask, Asking, Declined, Granted, More, Requests, Taken};
pub use ring::{Overload, Ring};
pub use schedule::{Batch, Due, Ended, Outcome, Planned, Reprimed, Schedule};
pub use settings::{AdmissionSettings, PaceSettings, RequestSettings, ScheduleSettings, WatchdogSettings};
pub use slots::{Slots, Ticket};
pub use step_times::StepTimes;
