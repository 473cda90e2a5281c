//! The recording, by the business's policy. A call whose recording can't be made goes on without one.

use std::sync::Arc;

use models::audio::AudioSender;
use tokio::time::timeout;

use crate::call::case::Case;
use crate::call::leg::Command;
use crate::call::services::Services;
use crate::call::shell::Shell;
use crate::clock::ms;
use crate::storage::recordings::{Error, Handle};
use crate::types::{Announcement, CallEventKind, RecordingId};

/// A recording that was opened, or why it was not.
pub(in crate::call) type Opened = Result<(AudioSender, Handle), Error>;

/// The call's recording, where it has one.
#[derive(Debug, Default)]
pub(in crate::call) struct Recording {
    id: Option<RecordingId>,
    /// Dropping it finishes the recording.
    handle: Option<Handle>,
}

impl Recording {
    /// Whether there will be one: by policy, and where this node records at all.
    pub(in crate::call) fn planned(case: &Case, services: &Services) -> Self {
        let wanted = case.business.policy.announcement != Announcement::NotRecorded;
        let planned = wanted && services.recorder.is_some();
        let id = planned.then(|| RecordingId::new(services.chance.id(services.clock.now())));
        Self { id, handle: None }
    }

    pub(in crate::call) const fn id(&self) -> Option<RecordingId> {
        self.id
    }
}

impl Shell {
    /// Opens the recording beside the call, for it asks the store.
    pub(in crate::call) fn start_recording(&mut self) {
        let (Some(recording), Some(recorder)) = (self.recording.id, self.services.recorder.clone()) else {
            return;
        };
        let (case, inlet) = (Arc::clone(&self.case), self.inlet.clone());
        let (now, wait) = (self.services.clock.now(), ms(self.services.settings.recording_ms));
        tokio::spawn(async move {
            let open = recorder.open(case.tenant.tenant(), case.call, recording, now);
            let opened = timeout(wait, open).await;
            inlet
                .recording(opened.unwrap_or(Err(Error::Refused { why: "the store did not answer in time" })));
        });
    }

    pub(in crate::call) fn on_recording(&mut self, opened: Opened) {
        if self.ending.outcome.is_some() || self.ending.leg_ended.is_some() {
            return;
        }
        match opened {
            Ok((audio, handle)) => {
                let recording = handle.recording();
                self.recording.handle = Some(handle);
                self.command(Command::Record(audio));
                self.case.note(|record, _| record.recording = Some(recording));
                self.case.write_record();
            }
            Err(error) => {
                tracing::warn!(call_id = %self.case.call, %error, "the call is not recorded");
                let what = "the recording could not be made; the call goes on without one".to_owned();
                self.case.tell(self.case.now(), CallEventKind::Trouble { what });
            }
        }
    }

    pub(in crate::call) fn end_recording(&mut self) {
        self.recording.handle = None;
    }
}
