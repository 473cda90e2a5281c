//! What supervision is given to run calls with.

use std::fmt;
use std::sync::Arc;

use models::engine::{PauseJudge, SpeechToText, TextToSpeech};

use crate::call::{Minds, WaitingSounds, Written};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Settings;
use crate::integrations::calendar::Calendar;
use crate::integrations::{Integration, Messages};
use crate::storage::Storage;
use crate::storage::address_book::AddressBook;
use crate::storage::coordination::{self, Coordination, Local};
use crate::storage::recordings::Recorder;
use crate::types::Life;

/// What a node's calls are made of.
#[derive(Clone)]
pub struct Parts {
    /// What is remembered.
    pub storage: Arc<dyn Storage>,
    /// Whose numbers are whose while that does not answer, where there is such a thing.
    pub address_book: Option<Arc<AddressBook>>,
    /// What the nodes share about live calls.
    pub coordination: Arc<dyn Coordination>,
    /// Which process of which node this is, by which the others know its calls.
    pub life: Life,
    /// What hears, where there is anything.
    pub speech_to_text: Option<Arc<dyn SpeechToText>>,
    /// What speaks, where there is anything.
    pub text_to_speech: Option<Arc<dyn TextToSpeech>>,
    /// What judges by the sound whether a caller who paused has finished, where there is anything.
    pub pause_judge: Option<Arc<dyn PauseJudge>>,
    /// How late voice activity says that a caller has stopped, in milliseconds.
    pub voice_lag_ms: u32,
    /// What records, where calls are recorded at all. Whoever made it stops it, after supervision.
    pub recorder: Option<Arc<Recorder>>,
    /// Told of each call whose record, with its end, is in the store; such as the search.
    pub written: Option<Written>,
    /// What waiting callers hear.
    pub waiting_sounds: Arc<WaitingSounds>,
    /// What talks and thinks.
    pub minds: Minds,
    /// What every tenant's receptionist can do beyond talking.
    pub integrations: Vec<Arc<dyn Integration>>,
    /// All bounds.
    pub settings: Settings,
    /// What time it is.
    pub clock: Clock,
    /// Identifiers and the spread of retries.
    pub chance: Chance,
}

impl Parts {
    /// The usual parts over this store, of a node that is alone, with no engine, the machine's clock and the default bounds.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, minds: Minds) -> Self {
        let (clock, chance) = (Clock::system(), Chance::system());
        Self {
            coordination: Arc::new(Local::new(&coordination::Settings::default(), clock.clone())),
            life: Life::new("alone", chance.id(clock.now()).to_string()),
            address_book: None,
            speech_to_text: None,
            text_to_speech: None,
            pause_judge: None,
            voice_lag_ms: 0,
            recorder: None,
            written: None,
            waiting_sounds: Arc::default(),
            minds,
            integrations: own_integrations(&storage, &Settings::default()),
            settings: Settings::default(),
            clock,
            chance,
            storage,
        }
    }
}

/// What every business has without anybody else's service: its own calendar, and messages.
#[must_use]
pub fn own_integrations(storage: &Arc<dyn Storage>, settings: &Settings) -> Vec<Arc<dyn Integration>> {
    vec![
        Arc::new(Calendar::new(Arc::clone(storage), settings.calendar.clone())),
        Arc::new(Messages::new(Arc::clone(storage))),
    ]
}

impl fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").field("settings", &self.settings).finish_non_exhaustive()
    }
}
