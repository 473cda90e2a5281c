//! The requests of a trial, and their answers.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::wire::Wire;
use crate::sip::destination;
use crate::sip::diagnosis::Happened;
use crate::sip::dialog::Offers;
use crate::sip::proof::Prover;
use crate::sip::respond::ALLOW;
use crate::sip::sdp::{Negotiation, sdp_of};
use crate::sip::wire::{self, Header, HeaderName, Message, Method, Request, Response};

/// The first and the longest time between two repeats by datagrams (RFC 3261 section 17.1.2.2).
const REPEAT_MS: (u64, u64) = (500, 4_000);

/// What all requests of one trial have in common.
pub(super) struct Asker {
    pub(super) identity: String,
    pub(super) prover: Option<Prover>,
    pub(super) patience: Duration,
    /// What a call offers, and whether it does so itself.
    offering: (Negotiation, Offers),
    call_id: String,
    tag: String,
    sequence: u32,
}

/// A request's way to its answer.
pub(super) struct Answered {
    pub(super) request: Request,
    pub(super) response: Response,
    /// The last provisional answer that says more than that it is being tried.
    pub(super) rang: Option<u16>,
}

impl Asker {
    pub(super) fn new(
        identity: String,
        prover: Option<Prover>,
        patience: Duration,
        offering: (Negotiation, Offers),
    ) -> Self {
        Self {
            identity,
            prover,
            patience,
            offering,
            call_id: format!("trial-{:016x}", crate::chance::number()),
            tag: format!("{:016x}", crate::chance::number()),
            sequence: 0,
        }
    }

    /// A request of this method for this URI.
    pub(super) fn request(&mut self, wire: &Wire, method: &Method, uri: &str, to: &str) -> Option<Request> {
        self.sequence += 1;
        let mut request = Request::new(method.clone(), destination::uri(uri)?);
        let transport = wire.target.transport;
        let branch = format!("z9hG4bK{:016x}", crate::chance::number());
        add(
            &mut request,
            HeaderName::Via,
            format!("SIP/2.0/{} {};branch={branch};rport", transport.in_via(), wire.own),
        );
        add(&mut request, HeaderName::MaxForwards, "70".to_owned());
        add(&mut request, HeaderName::From, format!("<{}>;tag={}", self.identity, self.tag));
        add(&mut request, HeaderName::To, to.to_owned());
        add(&mut request, HeaderName::CallId, self.call_id.clone());
        add(&mut request, HeaderName::CSeq, format!("{} {method}", self.sequence));
        add(&mut request, HeaderName::UserAgent, "Strowger".to_owned());
        if matches!(method, Method::Invite | Method::Options) {
            let contact = format!("<sip:strowger@{}{}>", wire.own, transport.in_uri());
            add(&mut request, HeaderName::Contact, contact);
            add(&mut request, HeaderName::Accept, "application/sdp".to_owned());
            add(&mut request, HeaderName::Allow, ALLOW.to_owned());
        }
        if let Some(prover) = &mut self.prover {
            for (name, value) in prover.headers(method, uri, crate::chance::number()) {
                add(&mut request, name, value);
            }
        }
        let (offering, offers) = &mut self.offering;
        offering.place(SocketAddr::new(wire.own.ip(), AUDIO_PORT));
        let offer = (*method == Method::Invite && *offers == Offers::Early).then(|| offering.offer());
        describe(&mut request, offer);
        Some(request)
    }

    /// Asks, and asks again with a proof where one is wanted.
    pub(super) async fn ask(
        &mut self,
        wire: &mut Wire,
        method: &Method,
        uri: &str,
        to: &str,
    ) -> Result<Answered, Happened> {
        loop {
            let unusable = || Happened::NoWay { why: "the address is no SIP URI".to_owned() };
            let request = self.request(wire, method, uri, to).ok_or_else(unusable)?;
            let answered = self.exchange(wire, request).await?;
            let status = answered.response.status.code();
            if *method == Method::Invite && status >= 300 {
                self.acknowledge(wire, &answered).await?;
            }
            let Some(prover) = self.prover.as_mut().filter(|_| matches!(status, 401 | 407)) else {
                return Ok(answered);
            };
            // A proof that is refused once or twice is the end of it: this can't go on for ever.
            if let Err(why) = prover.challenged(&answered.response) {
                return Err(Happened::Unprovable { status, why });
            }
        }
    }

    /// Sends a request, repeats it by datagrams, and waits for its final answer. An INVITE that rings is cancelled.
    async fn exchange(&mut self, wire: &mut Wire, request: Request) -> Result<Answered, Happened> {
        let bytes = Message::Request(request.clone()).to_bytes();
        let via = wire::text(&request.headers, &HeaderName::Via).and_then(|via| branch_of(&via));
        wire.send(&bytes, false).await?;
        let mut end = Instant::now() + self.patience;
        let (mut wait_ms, longest_ms) = REPEAT_MS;
        let mut repeat = Instant::now() + Duration::from_millis(wait_ms);
        let (mut heard, mut rang) = (false, None);
        loop {
            let repeats = !wire.is_reliable() && (!heard || request.method != Method::Invite);
            let until = if repeats { repeat.min(end) } else { end };
            let Some(message) = wire.next(until).await? else {
                if Instant::now() >= end {
                    return Err(Happened::Silent);
                }
                wire.send(&bytes, true).await?;
                wait_ms = (wait_ms * 2).min(longest_ms);
                repeat = Instant::now() + Duration::from_millis(wait_ms);
                continue;
            };
            let Message::Response(response) = message else { continue };
            let theirs = wire::text(&response.headers, &HeaderName::Via).and_then(|via| branch_of(&via));
            if theirs != via || wire::sequence_method(&response.headers) != Some(request.method.clone()) {
                continue;
            }
            let status = response.status.code();
            if status >= 200 {
                return Ok(Answered { request, response, rang });
            }
            if !heard {
                // It is there and works on it.
                heard = true;
                end = Instant::now() + self.patience * 4;
            }
            if status > 100 && rang.replace(status).is_none() && request.method == Method::Invite {
                let cancel = Message::Request(cancel_of(&request)).to_bytes();
                wire.send(&cancel, false).await?;
                end = Instant::now() + self.patience;
            }
        }
    }

    /// The ACK of a refusal: of the INVITE's own transaction (RFC 3261 section 17.1.1.3).
    async fn acknowledge(&self, wire: &mut Wire, answered: &Answered) -> Result<(), Happened> {
        let mut ack = copied(&answered.request, Method::Ack, answered.request.uri.clone());
        if let Some(to) = wire::text(&answered.response.headers, &HeaderName::To) {
            ack.headers.remove_all(&HeaderName::To);
            add(&mut ack, HeaderName::To, to);
        }
        wire.send(&Message::Request(ack).to_bytes(), false).await
    }

    /// Takes a call that was answered down again: ACK, BYE.
    pub(super) async fn hang_up(&mut self, wire: &mut Wire, answered: &Answered) -> Result<(), Happened> {
        let headers = &answered.response.headers;
        let contact = wire::contact(headers)
            .and_then(|contact| destination::uri(&contact))
            .unwrap_or_else(|| answered.request.uri.clone());
        let mut ack = copied(&answered.request, Method::Ack, contact.clone());
        let to = wire::text(headers, &HeaderName::To).unwrap_or_default();
        ack.headers.remove_all(&HeaderName::To);
        add(&mut ack, HeaderName::To, to.clone());
        // Where the offer was left to whoever is called, it is answered: by taking nothing of it.
        let offered = sdp_of(headers, answered.response.body());
        let refusal = offered.filter(|_| self.offering.1 == Offers::Delayed);
        describe(&mut ack, refusal.and_then(|offer| self.offering.0.refuse(&offer)));
        wire.send(&Message::Request(ack).to_bytes(), false).await?;
        let uri = contact.to_string();
        if let Some(bye) = self.request(wire, &Method::Bye, &uri, &to) {
            self.exchange(wire, bye).await?;
        }
        Ok(())
    }
}

/// Where the audio of the call would be: nothing is ever sent there, as the call is over before.
const AUDIO_PORT: u16 = 9;

fn copied(request: &Request, method: Method, uri: wire::Uri) -> Request {
    let mut copy = Request::new(method.clone(), uri);
    for name in
        [HeaderName::Via, HeaderName::MaxForwards, HeaderName::From, HeaderName::To, HeaderName::CallId]
    {
        for header in request.headers.get_all(&name) {
            copy.headers.push(header.clone());
        }
    }
    if method == Method::Ack {
        for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
            for header in request.headers.get_all(&name) {
                copy.headers.push(header.clone());
            }
        }
    }
    let sequence = wire::sequence(&request.headers).unwrap_or(1);
    add(&mut copy, HeaderName::CSeq, format!("{sequence} {method}"));
    add(&mut copy, HeaderName::ContentLength, "0".to_owned());
    copy
}

fn cancel_of(invite: &Request) -> Request {
    copied(invite, Method::Cancel, invite.uri.clone())
}

fn branch_of(via: &str) -> Option<String> {
    via.split(';').find_map(|part| part.trim().strip_prefix("branch=").map(str::to_owned))
}

/// Adds a session description, where there is one, and says how long it is.
fn describe(request: &mut Request, description: Option<Vec<u8>>) {
    request.headers.remove_all(&HeaderName::ContentLength);
    if description.is_some() {
        add(request, HeaderName::ContentType, "application/sdp".to_owned());
    }
    let body = description.unwrap_or_default();
    add(request, HeaderName::ContentLength, body.len().to_string());
    request.set_body(Bytes::from(body));
}

fn add(request: &mut Request, name: HeaderName, value: String) {
    if let Ok(header) = Header::build(name, value) {
        request.headers.push(header);
    }
}
