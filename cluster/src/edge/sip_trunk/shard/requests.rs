//! Requests from the network: who they are for, and what nobody is for.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use super::super::metrics;
use super::super::transports::Flow;
use super::Inbound;
use super::state::Shard;
use crate::sip::check::{check, is_answerable, refusal_of};
use crate::sip::destination::{self, Transport};
use crate::sip::dialog::Input;
use crate::sip::respond::{capabilities, respond};
use crate::sip::salvage::salvage;
use crate::sip::wire::{
    self, HeaderName, Message, Method, ParseError, Request, Response, TransactionKey, TuEvent, cancelled_key,
    parse_datagram,
};

impl Shard {
    pub(super) fn on_inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Message { message, flow } => self.on_message(*message, flow),
            Inbound::Taking(taking) => self.on_taking(*taking),
            Inbound::Datagram { bytes, source } => {
                self.datagram_bytes = Some(bytes.len());
                match parse_datagram(bytes.clone(), &self.limits) {
                    Ok(message) => {
                        let flow = Flow { address: source, transport: Transport::Udp, connection: None };
                        self.on_message(message, flow);
                    }
                    Err(error) => self.on_unreadable(&bytes, &error, source),
                }
                self.datagram_bytes = None;
            }
        }
    }

    /// A request that is broken but says whose it is gets its 400; scanners' noise gets no answer.
    fn on_unreadable(&mut self, bytes: &[u8], error: &ParseError, source: SocketAddr) {
        metrics::dropped("unparseable");
        let Some(mut request) = salvage(bytes) else { return };
        destination::stamp(&mut request, source);
        let address = SocketAddr::new(source.ip(), destination::response_port(&request, source));
        let response = refusal_of(error).response(&request, &self.stateless_tag());
        self.answer_stateless(response, Flow { address, transport: Transport::Udp, connection: None });
    }

    fn on_message(&mut self, message: Message, flow: Flow) {
        let Some(message) = self.pass_on(message, flow) else { return };
        match message {
            Message::Request(request) => self.on_request(request, flow),
            Message::Response(response) => self.on_response(&response),
        }
    }

    fn on_request(&mut self, mut request: Request, source: Flow) {
        destination::stamp(&mut request, source.address);
        let port = destination::response_port(&request, source.address);
        let flow = Flow { address: SocketAddr::new(source.address.ip(), port), ..source };
        if let Some(key) = TransactionKey::from_request(&request)
            && self.served.contains_key(&key)
        {
            for event in self.repeat(&key, request, flow) {
                if let TuEvent::Ack(ack) = event {
                    self.on_ack(*ack);
                }
            }
            return;
        }
        let is_ack = request.method == Method::Ack;
        if !is_ack && !is_answerable(&request) {
            return metrics::dropped("no_via");
        }
        if !is_ack && wire::to_tag(&request.headers).is_none() && self.shared.guard.is_scanner(&request) {
            return metrics::dropped("scanner");
        }
        if let Err(refusal) = check(&request, self.shared.settings.body_bytes_max) {
            if is_ack {
                return metrics::dropped("malformed_ack");
            }
            let response = refusal.response(&request, &self.stateless_tag());
            return self.answer_stateless(response, flow);
        }
        match request.method {
            Method::Ack => self.on_ack(request),
            Method::Cancel => self.on_cancel(request, flow),
            _ => match wire::to_tag(&request.headers) {
                Some(tag) => self.on_dialog_request(&tag, request, flow),
                None => self.on_new(request, source, flow),
            },
        }
    }

    fn on_ack(&mut self, ack: Request) {
        match wire::to_tag(&ack.headers).and_then(|tag| self.call_of(&tag, &ack)) {
            Some(key) => self.tell_dialog(key, Input::Request { transaction: None, request: ack }),
            // The ACK of a refusal that was answered without a transaction, usually.
            None => metrics::dropped("stray_ack"),
        }
    }

    fn on_cancel(&mut self, cancel: Request, flow: Flow) {
        let invite = cancelled_key(&cancel)
            .and_then(|key| self.served.get(&key))
            .and_then(|id| self.serving.get(id))
            .and_then(|serving| serving.call);
        let Some(call) = invite else { return self.refuse(&cancel, 481, flow) };
        // The call may be over and forgotten before its INVITE's transaction is. The CANCEL changes nothing
        // then, but it wants an answer (RFC 3261 section 9.2), and no dialog is there to give it.
        if !self.calls.contains_key(&call) {
            return self.answer_stateless(respond(&cancel, 200, Some(&format!("{call:016x}"))).build(), flow);
        }
        if let Some((transaction, request)) = self.begin(cancel, flow, Some(call)) {
            self.tell_dialog(call, Input::Request { transaction: Some(transaction), request });
        }
    }

    fn on_dialog_request(&mut self, tag: &str, request: Request, flow: Flow) {
        let Some(call) = self.call_of(tag, &request) else { return self.refuse(&request, 481, flow) };
        // A full table must not keep calls from ending.
        if self.is_full() && request.method != Method::Bye {
            return self.refuse(&request, 503, flow);
        }
        if let Some((transaction, request)) = self.begin(request, flow, Some(call)) {
            self.tell_dialog(call, Input::Request { transaction: Some(transaction), request });
        }
    }

    fn on_new(&mut self, request: Request, source: Flow, flow: Flow) {
        let refusing = self.shared.refusing.load(Ordering::Acquire);
        match request.method {
            Method::Invite | Method::Options if refusing || self.is_full() => {
                self.refuse(&request, 503, flow)
            }
            Method::Options => {
                let response = capabilities(&request, &self.stateless_tag());
                self.answer_stateless(response, flow);
            }
            Method::Invite => self.on_invite(request, source, flow),
            // Nobody is called for whoever is in no call with us.
            Method::Refer => self.refuse(&request, 403, flow),
            _ => self.refuse(&request, 481, flow),
        }
    }

    /// The call whose tag this is, if the request is of its dialog.
    fn call_of(&self, tag: &str, request: &Request) -> Option<u64> {
        let tag = u64::from_str_radix(tag, 16).ok()?;
        let key = self.tags.get(&tag).copied().unwrap_or(tag);
        let call = self.calls.get(&key)?;
        let theirs = wire::from_tag(&request.headers);
        let matches = u64::from_str_radix(call.dialog.tag(), 16) == Ok(tag)
            && call
                .dialog
                .is_with(&request.headers.value(&HeaderName::CallId).unwrap_or_default(), theirs.as_deref());
        matches.then_some(key)
    }

    pub(super) fn refuse(&mut self, request: &Request, status: u16, flow: Flow) {
        let response = self.refusal(request, status);
        self.answer_stateless(response, flow);
    }

    fn refusal(&self, request: &Request, status: u16) -> Response {
        let draft = respond(request, status, Some(&self.stateless_tag()));
        match status {
            503 => draft.with(HeaderName::RetryAfter, self.shared.settings.retry_after_s.to_string()),
            _ => draft,
        }
        .build()
    }

    pub(super) fn is_full(&self) -> bool {
        self.serving.len() >= self.share(self.shared.settings.transactions_max)
    }

    /// The tag of answers that begin no dialog. It names none, so it may always be the same
    /// (RFC 3261 section 8.2.7).
    pub(super) fn stateless_tag(&self) -> String {
        format!("stateless{}", self.index)
    }
}
