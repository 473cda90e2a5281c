//! Transfer: our REFER and the reports on it (RFC 3515).

use super::super::respond::respond;
use super::super::wire::{self, HeaderName, Method, Request};
use super::state::{Phase, Reason, Transfer};
use super::{Dialog, Event, Moment, TransactionId};

impl Dialog {
    pub(super) fn transfer(&mut self, now: Moment, target: &str) {
        if self.phase != Phase::Up {
            return self.tell(Event::TransferProgress(481));
        }
        if self.transfer.is_some() {
            return self.tell(Event::TransferProgress(491));
        }
        let own = self.own.contact.clone();
        let headers = [(HeaderName::ReferTo, format!("<{target}>")), (HeaderName::ReferredBy, own)];
        match self.request(&Method::Refer, &headers) {
            Some(id) => {
                self.transfer = Some(Transfer { id, accepted: false });
                self.set(Reason::Transfer, now + self.own.timing.transfer_ms);
            }
            None => self.tell(Event::TransferProgress(500)),
        }
    }

    /// The REFER was answered with a final response.
    pub(super) fn refer_answered(&mut self, status: u16) {
        if (200..300).contains(&status) {
            self.transferred = true;
            if let Some(transfer) = &mut self.transfer {
                transfer.accepted = true;
            }
        } else {
            self.transfer_done(status);
        }
    }

    pub(super) fn transfer_timed_out(&mut self) {
        if self.transfer.is_some() {
            self.transfer_done(408);
        }
    }

    /// The transfer is over, with the status that the far side's own call got.
    fn transfer_done(&mut self, status: u16) {
        self.transfer = None;
        self.transferred = (200..300).contains(&status);
        self.timers.remove(&Reason::Transfer);
        self.tell(Event::TransferProgress(status));
    }

    pub(super) fn on_notify(&mut self, transaction: TransactionId, notify: &Request) {
        let event = wire::text(&notify.headers, &HeaderName::Event).unwrap_or_default();
        let about_refer =
            event.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("refer"));
        if !about_refer || self.transfer.is_none() {
            let response =
                respond(notify, 481, Some(&self.own.tag)).because("Subscription Does Not Exist").build();
            return self.respond(transaction, response);
        }
        let response = respond(notify, 200, Some(&self.own.tag)).build();
        self.respond(transaction, response);
        let state = wire::text(&notify.headers, &HeaderName::SubscriptionState).unwrap_or_default();
        let terminated =
            state.split(';').next().is_some_and(|state| state.trim().eq_ignore_ascii_case("terminated"));
        match fragment_status(notify.body()) {
            Some(status) if status >= 200 => self.transfer_done(status),
            // The far side stopped reporting without saying how it ended.
            _ if terminated => self.transfer_done(408),
            Some(status) => self.tell(Event::TransferProgress(status)),
            None => {}
        }
    }
}

/// The status of a `message/sipfrag` body (RFC 3420).
fn fragment_status(body: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().find_map(|line| line.trim().strip_prefix("SIP/2.0"))?;
    let status = line.split_ascii_whitespace().next()?.parse().ok()?;
    (100..700).contains(&status).then_some(status)
}
