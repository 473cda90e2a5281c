//! What a call's media tells.

use actors::call::leg::Event;
use actors::types::EndReason;

use super::state::Shard;
use crate::edge::media::MediaEvent;
use crate::sip::dialog::{Command, Input};

impl Shard {
    pub(super) fn on_media(&mut self, key: u64, event: MediaEvent) {
        match event {
            MediaEvent::FirstPacket => {}
            MediaEvent::SpeechStarted => self.deliver(key, Event::SpeechStarted),
            MediaEvent::SpeechStopped => self.deliver(key, Event::SpeechStopped),
            MediaEvent::Digit(digit) => self.deliver(key, Event::Digit(digit)),
            MediaEvent::PlaybackStarted { utterance } => {
                self.deliver(key, Event::PlaybackStarted { utterance });
            }
            MediaEvent::PlaybackEnded { utterance, complete, last_word } => {
                self.deliver(key, Event::PlaybackEnded { utterance, complete, last_word });
            }
            MediaEvent::TimedOut => self.hang_up_for(key, EndReason::MediaTimeout),
            MediaEvent::Closed(quality) => {
                // A session that ends by itself has failed or was stopped: the call can't go on without.
                self.hang_up_for(key, EndReason::MediaTimeout);
                self.conclude(key, Some(quality));
                self.forget_if_over(key);
            }
        }
    }

    fn hang_up_for(&mut self, key: u64, cause: EndReason) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.ending.is_none() {
            call.cause.get_or_insert(cause);
            self.tell_dialog(key, Input::Command(Command::HangUp));
        }
    }
}
