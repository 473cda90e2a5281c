//! What a call tells its leg.

use actors::call::leg::{Command as LegCommand, Event, Reached};
use actors::types::HandOverOutcome;

use super::state::Shard;
use crate::edge::media::Control as MediaControl;
use crate::sip::dialog::{Command, Input};

impl Shard {
    pub(super) fn on_command(&mut self, key: u64, command: LegCommand) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.ending.is_some() {
            return;
        }
        let media = match command {
            LegCommand::Progress => {
                if self.with_media(key) {
                    self.tell_dialog(key, Input::Command(Command::Progress));
                }
                return;
            }
            // Whoever is called for a caller by SIP is called by us.
            LegCommand::Reach(_) => {
                let nobody = Reached::Nobody(HandOverOutcome::Unreachable);
                return self.deliver(key, Event::Reached(nobody));
            }
            LegCommand::Answer => {
                call.answered = true;
                if !self.with_media(key) {
                    return;
                }
                return self.tell_dialog(key, Input::Command(Command::Answer));
            }
            LegCommand::Refuse(refusal) => {
                let (status, retry_after_s) = self.status_of(&refusal);
                let refuse = Command::Refuse { status, retry_after_s };
                return self.tell_dialog(key, Input::Command(refuse));
            }
            LegCommand::Transfer(destination) => {
                return match self.transfer_target(key, &destination) {
                    Some(target) => self.tell_dialog(key, Input::Command(Command::Transfer(target))),
                    None => self.deliver(key, Event::TransferProgress(481)),
                };
            }
            LegCommand::HangUp => return self.hang_up(key),
            LegCommand::Listen(ring) => MediaControl::Listen(ring),
            LegCommand::Record(ring) => MediaControl::Record(ring),
            LegCommand::Play { utterance, speech } => MediaControl::Play { utterance, speech },
            LegCommand::StopPlaying => MediaControl::StopPlaying,
            LegCommand::Bridge { says, hears } => MediaControl::Bridge { says, hears },
            LegCommand::Part => MediaControl::Part,
            LegCommand::Wait(sound) => MediaControl::Wait(sound),
        };
        if !self.with_media(key) {
            return;
        }
        let Some(call) = self.calls.get(&key) else { return };
        if call.session.as_ref().is_none_or(|session| session.control(media).is_err()) {
            tracing::debug!(call_id = %call.id, "a command came too late for the call's media");
        }
    }
}
