//! What the shell drives: a conversation and the mind behind it.

use std::fmt;
use std::sync::Arc;

use super::brain::Brain;
use super::brain::playbook::{self, Playbook};
use super::conversation::{self, Conversation, Effect, Input, Start};
use crate::types::{Business, CallTime, PhoneNumber, Private, RecordingId};

/// A conversation as the shell sees it: inputs in, effects out, and the next moment it wants to be woken at.
pub trait Dialogue: Send {
    /// Takes in something that happened at `now`.
    fn handle(&mut self, now: CallTime, input: Input);
    /// The next thing to be done, until there is none.
    fn poll_effect(&mut self) -> Option<Effect>;
    /// When it wants [`Input::Timeout`].
    fn next_deadline(&self) -> Option<CallTime>;
    /// Its whole state, in a form it can be resumed from.
    fn to_bytes(&self) -> Vec<u8>;
    /// The name of the phase it is in.
    fn phase(&self) -> &'static str;
}

/// A brain that a call can keep, checkpoint, and put back to where it was.
pub trait Mind: Brain + Send {
    /// Its whole state, in a form it can be resumed from; empty where it can't be written down.
    fn to_bytes(&self) -> Vec<u8>;
    /// Another one in the same state.
    fn fork(&self) -> Box<dyn Mind>;
}

impl Mind for Playbook {
    fn to_bytes(&self) -> Vec<u8> {
        Self::to_bytes(self)
    }

    fn fork(&self) -> Box<dyn Mind> {
        Box::new(self.clone())
    }
}

/// What is known of a call when it begins.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// The business, pinned to the call.
    pub business: Arc<Business>,
    /// Who calls, where the network says.
    pub caller: Option<Private<PhoneNumber>>,
    /// The recording that will be made, by the business's policy and where the node can.
    pub recording: Option<RecordingId>,
    /// When it begins: later than the call where people were called before.
    pub at: CallTime,
}

/// Makes what a call talks and thinks with.
#[derive(Clone)]
pub struct Minds {
    /// Makes the conversation.
    pub dialogue: Maker<dyn Dialogue>,
    /// Makes the brain.
    pub mind: Maker<dyn Mind>,
}

/// Makes one for a call that begins.
pub type Maker<T> = Arc<dyn Fn(&Beginning) -> Box<T> + Send + Sync>;

impl Minds {
    /// The conversation and the playbook of this crate: no language model is needed.
    #[must_use]
    pub fn playbook(conversation: conversation::Settings, playbook: playbook::Settings) -> Self {
        let playbook = Playbook::with_settings(playbook);
        Self::new(conversation, Arc::new(move |_| Box::new(playbook.clone())))
    }

    /// The conversation of this crate, with this brain.
    #[must_use]
    pub fn new(settings: conversation::Settings, mind: Maker<dyn Mind>) -> Self {
        let dialogue: Maker<dyn Dialogue> = Arc::new(move |beginning| {
            let policy = &beginning.business.policy;
            let start = Start {
                settings: settings.clone(),
                announcement: policy.announcement,
                recording: beginning.recording,
                caller: beginning.caller.clone(),
                call_minutes_max: policy.call_minutes_max,
            };
            Box::new(Conversation::beginning_at(start, beginning.at))
        });
        Self { dialogue, mind }
    }
}

impl Dialogue for Conversation {
    fn handle(&mut self, now: CallTime, input: Input) {
        Self::handle(self, now, input);
    }

    fn poll_effect(&mut self) -> Option<Effect> {
        Self::poll_effect(self)
    }

    fn next_deadline(&self) -> Option<CallTime> {
        Self::next_deadline(self).map(|(at, _)| at)
    }

    fn to_bytes(&self) -> Vec<u8> {
        Self::to_bytes(self)
    }

    fn phase(&self) -> &'static str {
        self.snapshot().phase
    }
}

impl fmt::Debug for Minds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Minds")
    }
}
