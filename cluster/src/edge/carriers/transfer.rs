//! Transfers: the carrier dials somebody for us, and the caller comes back to us where that fails.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::{Destination, EndReason};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::call::{Call, Phase};
use super::provider::rest::Outcome;
use super::provider::webhook::{Answer, Dial, News, Target};
use super::table::Opens;

/// SIP's words for what is told (RFC 3261 section 21).
const TRYING: u16 = 100;
const RINGING: u16 = 180;
const OK: u16 = 200;
const NO_ANSWER: u16 = 408;
const NOT_REACHED: u16 = 480;
const NO_CALL: u16 = 481;
const NOT_IMPLEMENTED: u16 = 501;
const UNAVAILABLE: u16 = 503;

/// A transfer.
pub(super) struct Transfer {
    destination: Destination,
    /// Opens the questions about it, also long after it has failed.
    token: String,
    /// The carrier has asked whom to dial.
    fetched: bool,
    /// It failed so, and the call actor does not know yet.
    failed: Option<u16>,
}

pub(super) fn target_of(destination: &Destination) -> Target<'_> {
    match destination {
        Destination::Number(number) => Target::Number(number.as_str()),
        Destination::Uri(uri) => match uri.strip_prefix("tel:") {
            Some(number) => Target::Number(number),
            None => Target::Sip(uri),
        },
    }
}

impl Call {
    pub(super) fn begin_transfer(&mut self, destination: &Destination) {
        if self.phase != Phase::Talking {
            return self.deliver(Event::TransferProgress(NO_CALL));
        }
        if !self.provider.dials(&target_of(destination), false) || !self.shared.rest.can(self.provider) {
            return self.deliver(Event::TransferProgress(NOT_IMPLEMENTED));
        }
        let token = match self.transfer.take() {
            Some(before) => before.token,
            None => self.place.token(Opens::Transfer),
        };
        let url = self.shared.settings.url(self.provider, "transfer", &token);
        self.transfer =
            Some(Transfer { destination: destination.clone(), token, fetched: false, failed: None });
        self.phase = Phase::Transferring;
        self.deadline = Instant::now() + Duration::from_millis(self.shared.settings.transfer_ms);
        self.deliver(Event::TransferProgress(TRYING));
        let (rest, provider, remote) = (self.shared.rest.clone(), self.provider, self.remote.clone());
        let me = self.me.clone();
        self.shared.asking.spawn(async move {
            let outcome = rest.redirect(provider, &remote, &url).await;
            // A call that has ended meanwhile need not know.
            let _ = me.send(super::told::Told::Redirected(outcome)).await;
        });
    }

    /// Whether the carrier has the call and was told whom to dial.
    pub(super) fn is_dialled_for(&self) -> bool {
        self.phase == Phase::Transferring && self.transfer.as_ref().is_some_and(|transfer| transfer.fetched)
    }

    /// The carrier has taken the request or not. Where nobody knows, what it asks next tells.
    pub(super) async fn on_redirected(&mut self, outcome: Option<Outcome>) {
        if self.phase == Phase::Connecting && self.transfer.is_none() {
            return self.on_brought_back(outcome).await;
        }
        let waits = self.transfer.as_ref().is_some_and(|transfer| !transfer.fetched);
        if self.phase != Phase::Transferring || !waits {
            return;
        }
        let status = match outcome {
            Some(Outcome::Done) | None => return,
            Some(Outcome::Gone) => NO_CALL,
            Some(Outcome::Later | Outcome::Refused(_)) => UNAVAILABLE,
        };
        if self.stream.is_some() {
            self.phase = Phase::Talking;
            self.deadline = Instant::now() + Duration::from_millis(self.shared.settings.idle_ms);
            self.deliver(Event::TransferProgress(status));
        }
    }

    /// The carrier asks whom to dial. One that asks after we have given up gives the caller back to us.
    pub(super) fn on_fetched(&mut self, reply: oneshot::Sender<String>) {
        let answer = match (&mut self.transfer, self.phase) {
            (Some(transfer), Phase::Transferring) => {
                transfer.fetched = true;
                let then = self.shared.settings.url(self.provider, "dialled", &transfer.token);
                let whom = [(0, target_of(&transfer.destination))];
                let people = Dial {
                    whom: &whom,
                    then: &then,
                    ask: None,
                    announcement: None,
                    from: self.called.as_str(),
                    ring_s: self.shared.settings.ring_s,
                    unanswered: false,
                };
                let answer = self.provider.answer(&Answer::Dial(&people));
                self.deliver(Event::TransferProgress(RINGING));
                answer
            }
            (_, Phase::Ending | Phase::Over) => self.provider.answer(&Answer::HangUp),
            _ => self.connect(),
        };
        let _ = reply.send(answer);
    }

    /// Somebody was reached, or the caller comes back to us.
    pub(super) async fn on_dialled(&mut self, news: News, reply: oneshot::Sender<String>) {
        if news == News::Over {
            let _ = reply.send(self.provider.answer(&Answer::HangUp));
            return self.end(EndReason::CallerHungUp, false).await;
        }
        let status = match news {
            News::PickedUp | News::Joined => OK,
            News::Dialled(status) => status,
            News::DialOver | News::Live | News::Over => NOT_REACHED,
        };
        if self.phase != Phase::Transferring {
            let answer = match self.phase {
                Phase::Connecting => self.connect(),
                _ => self.provider.answer(&Answer::HangUp),
            };
            let _ = reply.send(answer);
            return;
        }
        if status < 300 {
            let _ = reply.send(self.provider.noted());
            self.deliver(Event::TransferProgress(OK));
            // The call goes on without us.
            return self.end(EndReason::Transferred, false).await;
        }
        if let Some(transfer) = &mut self.transfer {
            transfer.failed = Some(status);
        }
        let answer = self.connect();
        let _ = reply.send(answer);
    }

    /// The caller is back: now the call actor can speak about it.
    pub(super) fn tell_failed_transfer(&mut self) {
        if let Some(status) = self.transfer.as_mut().and_then(|transfer| transfer.failed.take()) {
            self.deliver(Event::TransferProgress(status));
        }
    }

    /// Nobody has told what became of it. A caller who is still on the stream is spoken to; one who is not was
    /// dialled for, and nobody knows with what success.
    pub(super) async fn transfer_timed_out(&mut self) {
        if self.stream.is_some() {
            self.phase = Phase::Talking;
            self.deadline = Instant::now() + Duration::from_millis(self.shared.settings.idle_ms);
            return self.deliver(Event::TransferProgress(NO_ANSWER));
        }
        self.end(EndReason::Transferred, false).await;
    }
}
