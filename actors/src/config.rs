//! The settings of this crate's parts, as one value for the node's configuration.

use serde::{Deserialize, Serialize};

use crate::{call, integrations, supervision};

/// Every setting of this crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many calls, and how they are watched over.
    pub supervision: supervision::Settings,
    /// The shell of a call.
    pub call: call::Settings,
    /// Calling back whom a business missed.
    pub call_back: call::call_back::Settings,
    /// The conversation's waits.
    pub conversation: call::conversation::Settings,
    /// What a receptionist can do beyond talking.
    pub integrations: integrations::Settings,
    /// The business's own calendar.
    pub calendar: integrations::calendar::Settings,
}
