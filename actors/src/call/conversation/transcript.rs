//! What goes into the call's record: words as they were heard, and trouble as it was met.

use super::mouth::{Heard, LineKind};
use super::{Conversation, Effect};
use crate::types::{CallEventKind, Private, Speaker};

impl Conversation {
    pub(super) fn record(&mut self, event: CallEventKind) {
        self.effects.push_back(Effect::Record(event));
    }

    /// An engine failed, and what was done about it; no personal data.
    pub(super) fn trouble(&mut self, what: &str) {
        self.record(CallEventKind::Trouble { what: what.to_owned() });
    }

    /// The caller's final words.
    pub(super) fn transcript_caller(&mut self, text: &str, confidence: f32) {
        if text.is_empty() {
            return;
        }
        self.record(CallEventKind::Said {
            speaker: Speaker::Caller,
            text: Private::new(text.to_owned()),
            interrupted: false,
            confidence: Some(confidence),
        });
    }

    /// Our words, as far as they were heard.
    pub(super) fn transcript_ours(&mut self, heard: &Heard) {
        if heard.text.is_empty() {
            return;
        }
        self.record(CallEventKind::Said {
            speaker: Speaker::Receptionist,
            text: Private::new(heard.text.clone()),
            interrupted: !heard.complete,
            confidence: None,
        });
        match heard.kind {
            LineKind::Answer | LineKind::Own => self.last_said.clone_from(&heard.text),
            LineKind::Filler => {}
            LineKind::Announcement if heard.complete => self.recording_announced(),
            LineKind::Announcement => {}
        }
    }

    /// The caller knows that the call is recorded, or need not be told.
    pub(super) fn recording_announced(&mut self) {
        use crate::types::Announcement;
        let (Some(recording), announcement) = (self.start.recording, self.start.announcement) else {
            return;
        };
        let announced = announcement == Announcement::Announced;
        self.record(CallEventKind::RecordingStarted { recording, announced });
    }
}
