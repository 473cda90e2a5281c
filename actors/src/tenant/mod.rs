//! Tenants: the businesses that Strowger answers for. A tenant's live state is its business as of now, its calls
//! counted against its limit, and its integrations.

mod actor;
pub mod import;
mod live;
mod queries;
mod slots;

pub use live::{Live, Phrases};
pub use queries::Status;
pub use slots::{Slot, Slots};

pub(crate) use actor::{Arguments, TenantActor};
