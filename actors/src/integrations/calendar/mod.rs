//! Calendars that appointments are made in: the business's own, kept in the store.

mod own;

pub use own::{Calendar, Settings, ToolContext};
