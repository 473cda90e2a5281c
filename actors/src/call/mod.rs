//! A call: a pure conversation in a thin actor.

mod actor;
pub mod brain;
pub mod call_back;
mod case;
mod checkpoint;
pub mod conversation;
mod dialogue;
mod effects;
pub mod hand_over;
mod inlet;
mod journal;
mod latency;
pub mod leg;
pub mod reaching;
mod record;
pub mod screening;
mod services;
mod settings;
mod sharing;
mod shell;
mod snapshot;
mod timer;
mod understanding;
pub mod waiting;

pub use checkpoint::{Checkpoint, Error as CheckpointError};
pub use dialogue::{Beginning, Dialogue, Maker, Mind, Minds};
pub use hand_over::{CapSettings, Settings as HandOverSettings};
pub use journal::Written;
pub use reaching::Settings as EarlyMediaSettings;
pub use screening::Settings as ScreeningSettings;
pub use settings::{HearingSettings, JournalSettings, Settings, SharingSettings, VoiceSettings};
pub use snapshot::Snapshot;
pub use understanding::{Settings as UnderstandingSettings, Understanding};
pub use waiting::{Settings as WaitingSettings, WaitingSounds};

pub(crate) use actor::{Arguments, CallActor, Message};
pub(crate) use case::{Case, Places};
pub(crate) use inlet::{Inlet, Load};
pub(crate) use journal::{Backlog, Journal};
pub(crate) use record::{CRASHED, NODE_DIED, end, note_outcome, refused};
pub(crate) use services::{Outgoing, Services};
pub(crate) use sharing::{Place, Sharing, Tasks as SharingTasks};
pub(crate) use understanding::tenant;
