//! What a call's media tells.

use std::net::SocketAddr;
use std::sync::Arc;

use actors::call::leg::Event;
use actors::types::{CallId, EndReason};

use super::super::metrics;
use super::super::transports::Flow;
use super::Control;
use super::state::Shard;
use crate::edge::media::{MediaEvent, MediaEvents, NoKeys, Session};
use crate::sip::dialog::{Command, Input};

impl Shard {
    pub(super) fn on_media(&mut self, key: u64, event: MediaEvent) {
        match event {
            MediaEvent::FirstPacket => self.on_first_packet(key),
            MediaEvent::SpeechStarted => self.deliver(key, Event::SpeechStarted),
            MediaEvent::SpeechStopped => self.deliver(key, Event::SpeechStopped),
            MediaEvent::Digit(digit) => self.deliver(key, Event::Digit(digit)),
            MediaEvent::PlaybackStarted { utterance } => {
                self.deliver(key, Event::PlaybackStarted { utterance });
            }
            MediaEvent::PlaybackEnded { utterance, complete, last_word } => {
                self.deliver(key, Event::PlaybackEnded { utterance, complete, last_word });
            }
            MediaEvent::Keys => self.on_keys(key),
            MediaEvent::NoKeys(why) => self.on_no_keys(key, why),
            // Who has not answered, or was not, may be silent.
            MediaEvent::TimedOut if self.calls.get(&key).is_some_and(|call| !call.dialog.is_up()) => {}
            MediaEvent::TimedOut => self.hang_up_for(key, EndReason::MediaTimeout),
            MediaEvent::Closed(quality) => {
                // A session that ends by itself has failed or was stopped: the call can't go on without.
                self.hang_up_for(key, EndReason::MediaTimeout);
                self.conclude(key, Some(quality));
                self.forget_if_over(key);
            }
        }
    }

    /// Keys were agreed on.
    fn on_keys(&mut self, key: u64) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.keyed = true;
        if std::mem::take(&mut call.waits_for_keys) {
            self.on_established(key);
        }
    }

    /// No keys were agreed on: the call can't go on. One that is not answered may come to some by its answer.
    fn on_no_keys(&mut self, key: u64, why: NoKeys) {
        let Some(call) = self.calls.get_mut(&key).filter(|call| call.dialog.is_up()) else { return };
        if call.ending.is_some() {
            return;
        }
        call.cause.get_or_insert(EndReason::KeysNotAgreed);
        // Whoever has us call is told as of those who do not take what we offer: nobody has heard a word.
        if std::mem::take(&mut call.waits_for_keys) {
            self.deliver(key, Event::Refused(488));
        }
        let because = format!("no keys for audio were agreed on by DTLS: {why}");
        self.hang_up_with(key, Command::HangUpBecause { status: 488, text: because });
    }

    /// Audio comes: before the answer to a call that we make, its network's.
    fn on_first_packet(&mut self, key: u64) {
        let call = self.calls.get(&key).filter(|call| call.origin.is_none() && call.predecessor.is_none());
        if call.is_some_and(|call| !call.dialog.is_up()) {
            self.deliver(key, Event::EarlyMedia);
        }
    }

    /// Opens a call's audio where that has not happened yet: whoever commands a call has taken it, so its number
    /// is known. Where there is none to be had, the call is refused.
    pub(super) fn with_media(&mut self, key: u64) -> bool {
        let Some(call) = self.calls.get(&key) else { return false };
        if call.session.is_some() {
            return true;
        }
        match self.open_media(key, call.id, call.flow) {
            Ok((session, local)) => {
                let Some(call) = self.calls.get_mut(&key) else { return false };
                call.dialog.place(local);
                call.session = Some(session);
                true
            }
            Err(error) => {
                tracing::warn!(call_id = %call.id, error = %error, "a call was refused for want of media");
                let retry_after_s = Some(self.shared.settings.retry_after_s);
                self.tell_dialog(key, Input::Command(Command::Refuse { status: 503, retry_after_s }));
                false
            }
        }
    }

    pub(super) fn open_media(
        &self,
        key: u64,
        id: CallId,
        flow: Flow,
    ) -> Result<(Session, SocketAddr), crate::edge::media::Error> {
        let me = self.me.clone();
        let events: MediaEvents = Arc::new(move |event| {
            if me.try_send(Control::Media { key, event }).is_err() {
                metrics::dropped("media_event");
            }
        });
        let session = self.shared.media.open(id, events)?;
        let mut local = session.local_address();
        local.set_ip(self.shared.addresses.shown(local.ip(), flow.address.ip()));
        Ok((session, local))
    }

    fn hang_up_for(&mut self, key: u64, cause: EndReason) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.ending.is_none() {
            call.cause.get_or_insert(cause);
            self.hang_up(key);
        }
    }
}
