//! What every call of a node uses.

use std::sync::{Arc, OnceLock};

use models::engine::{PauseJudge, SpeechToText, TextToSpeech};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::hand_over::{Begun, Caps};
use super::journal::{Backlog, Written};
use super::leg::Exchange;
use super::screening::History;
use super::{Minds, Settings, Sharing, WaitingSounds};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::integrations;
use crate::storage::Storage;
use crate::storage::address_book::AddressBook;
use crate::storage::recordings::Recorder;
use crate::types::{CallId, Destination, TenantId};

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
    /// Who called whom lately.
    pub(crate) history: Mutex<History>,
}

impl Services {
    /// One more call that is made for a business, where it may make it.
    pub(crate) fn count(&self, call: CallId, tenant: &TenantId, to: &Destination) -> Option<Counted> {
        let (caps, clock) = (Arc::clone(&self.outgoing.caps), self.clock.clone());
        let begun = caps.lock().begin(self.now_ms(), tenant, to);
        match begun {
            Ok(begun) => {
                Some(Counted { caps, tenant: tenant.clone(), begun, clock, began: self.outgoing.began })
            }
            Err(why) => {
                metrics::counter!(crate::metrics::OUTGOING_DENIED, "why" => why.name()).increment(1);
                tracing::warn!(call_id = %call, tenant_id = %tenant, %why, "a call was not made");
                None
            }
        }
    }

    /// Milliseconds since this process began, for what forgets with time.
    pub(crate) fn now_ms(&self) -> u64 {
        let since = self.clock.monotonic().saturating_duration_since(self.outgoing.began);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// One call that is made for a business, given back to its bounds when it is over.
#[derive(Debug)]
pub(crate) struct Counted {
    caps: Arc<Mutex<Caps>>,
    tenant: TenantId,
    begun: Begun,
    clock: Clock,
    began: Instant,
}

impl Counted {
    /// Somebody has answered: from now on it costs.
    pub(crate) fn answered(&self) {
        self.caps.lock().answered(self.now_ms(), &self.tenant, self.begun);
    }

    fn now_ms(&self) -> u64 {
        let since = self.clock.monotonic().saturating_duration_since(self.began);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.caps.lock().end(self.now_ms(), &self.tenant, self.begun);
    }
}

/// Calls that are made for businesses.
pub(crate) struct Outgoing {
    /// Who makes them, once the edge is there.
    pub(crate) exchange: Arc<OnceLock<Arc<dyn Exchange>>>,
    pub(crate) caps: Arc<Mutex<Caps>>,
    /// The bounds' time begins here.
    pub(crate) began: Instant,
}
