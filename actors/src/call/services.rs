//! What every call of a node uses.

use std::sync::{Arc, OnceLock};

use models::engine::{PauseJudge, SpeechToText, TextToSpeech};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::hand_over::Caps;
use super::journal::{Backlog, Written};
use super::leg::Exchange;
use super::{Minds, Settings, Sharing, WaitingSounds};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::integrations;
use crate::storage::Storage;
use crate::storage::address_book::AddressBook;
use crate::storage::recordings::Recorder;

/// Shared by all calls of a node.
pub(crate) struct Services {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) address_book: Option<Arc<AddressBook>>,
    pub(crate) speech_to_text: Option<Arc<dyn SpeechToText>>,
    pub(crate) text_to_speech: Option<Arc<dyn TextToSpeech>>,
    pub(crate) pause_judge: Option<Arc<dyn PauseJudge>>,
    /// How late voice activity says that a caller has stopped, in milliseconds.
    pub(crate) voice_lag_ms: u32,
    pub(crate) recorder: Option<Arc<Recorder>>,
    pub(crate) waiting_sounds: Arc<WaitingSounds>,
    pub(crate) minds: Minds,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) sharing: Sharing,
    pub(crate) written: Option<Written>,
    pub(crate) settings: Settings,
    pub(crate) integrations: Arc<integrations::Settings>,
    pub(crate) outgoing: Outgoing,
}

/// Calls that are made for businesses.
pub(crate) struct Outgoing {
    /// Who makes them, once the edge is there.
    pub(crate) exchange: Arc<OnceLock<Arc<dyn Exchange>>>,
    pub(crate) caps: Arc<Mutex<Caps>>,
    /// The bounds' time begins here.
    pub(crate) began: Instant,
}
