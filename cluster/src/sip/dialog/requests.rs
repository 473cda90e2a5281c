//! Requests of the far side within the dialog (RFC 3261 section 12.2.2).

use super::super::respond::{ACCEPT_INFO, capabilities, method_not_allowed, respond};
use super::super::wire::{self, HeaderName, Method, Request};
use super::state::Phase;
use super::{Dialog, Ending, Event, Moment, TransactionId};

impl Dialog {
    pub(super) fn on_request(&mut self, now: Moment, transaction: Option<TransactionId>, request: &Request) {
        if request.method == Method::Ack {
            return self.acknowledged(now, request);
        }
        let Some(transaction) = transaction else {
            return self.ignore("request: it has no transaction");
        };
        if request.method == Method::Cancel {
            let response = respond(request, 200, Some(&self.own.tag)).build();
            self.respond(transaction, response);
            // A CANCEL that comes after the final answer changes nothing (section 9.2).
            if self.phase == Phase::Ringing {
                self.cancelled();
            }
            return;
        }
        let sequence = wire::sequence(&request.headers);
        if self.remote_sequence.is_some_and(|last| sequence.is_none_or(|sequence| sequence <= last)) {
            let response =
                respond(request, 500, Some(&self.own.tag)).because("CSeq is not above the last").build();
            return self.respond(transaction, response);
        }
        self.remote_sequence = sequence;
        match request.method {
            // Our own BYE and theirs may cross.
            Method::Bye if self.phase != Phase::Ended => self.on_bye(transaction, request),
            _ if matches!(self.phase, Phase::Ending | Phase::Ended) => {
                let response = respond(request, 481, Some(&self.own.tag)).build();
                self.respond(transaction, response);
            }
            Method::Invite => self.on_reinvite(now, transaction, request),
            Method::Update => self.on_update(now, transaction, request),
            Method::Prack => self.on_prack(now, transaction, request),
            Method::Info => self.on_info(transaction, request),
            Method::Refer => self.on_refer(transaction, request),
            Method::Notify => self.on_notify(transaction, request),
            Method::Options => self.respond(transaction, capabilities(request, &self.own.tag)),
            _ => self.respond(transaction, method_not_allowed(request, &self.own.tag)),
        }
    }

    fn on_bye(&mut self, transaction: TransactionId, bye: &Request) {
        let response = respond(bye, 200, Some(&self.own.tag)).build();
        self.respond(transaction, response);
        match self.phase {
            Phase::Ringing => self.cancelled(),
            // Our own BYE has crossed theirs; its transaction ends by itself.
            _ => self.end_at_once(if self.transferred { Ending::Transferred } else { Ending::Remote }),
        }
    }

    fn on_info(&mut self, transaction: TransactionId, info: &Request) {
        let relay = wire::body_is(&info.headers, "application", "dtmf-relay");
        let plain = wire::body_is(&info.headers, "application", "dtmf");
        if !info.body().is_empty() && !relay && !plain {
            let response =
                respond(info, 415, Some(&self.own.tag)).with(HeaderName::Accept, ACCEPT_INFO).build();
            return self.respond(transaction, response);
        }
        let response = respond(info, 200, Some(&self.own.tag)).build();
        self.respond(transaction, response);
        if let Some(digit) = digit(info.body()) {
            self.tell(Event::Digit(digit));
        }
    }
}

/// The key of an INFO: `Signal=5` in some line, or the key alone.
fn digit(body: &[u8]) -> Option<char> {
    let text = String::from_utf8_lossy(body);
    let value = text
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim().to_owned())
        })
        .unwrap_or_else(|| text.trim().to_owned());
    let key = match value.as_str() {
        "10" => '*',
        "11" => '#',
        value if value.chars().count() == 1 => value.chars().next()?.to_ascii_uppercase(),
        _ => return None,
    };
    matches!(key, '0'..='9' | 'A'..='D' | '*' | '#').then_some(key)
}

#[cfg(test)]
mod tests {
    use super::digit;

    #[test]
    fn keys_are_read_as_phones_send_them() {
        for (body, key) in [
            ("Signal=5\r\nDuration=160\r\n", Some('5')),
            ("signal = * \r\n", Some('*')),
            ("Signal=11\r\n", Some('#')),
            ("7", Some('7')),
            ("Signal=flash\r\n", None),
            ("", None),
        ] {
            assert_eq!(digit(body.as_bytes()), key, "{body}");
        }
    }
}
