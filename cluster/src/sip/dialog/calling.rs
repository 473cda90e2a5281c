//! A call that we make: from our INVITE to its ACK, and the CANCEL in between (RFC 3261 sections 9.1, 13.2).

use super::super::destination;
use super::super::respond::ACCEPT;
use super::super::sdp::{Negotiation, Unacceptable, sdp_of};
use super::super::wire::{self, HeaderName, Method, Request, Response};
use super::delayed::Reply;
use super::early::Early;
use super::ending::{reason_header, reason_of};
use super::incoming::{contact, record_route};
use super::provisional::is_reliable;
use super::session::Session;
use super::state::{Effects, Outgoing, Phase, Reason};
use super::writing::{SDP, add, bytes_of, finish, request_of};
use super::{Calling, Dialog, Effect, Ending, Error, Event, Moment, Offers, Own, RequestId};

/// How often a call is sent elsewhere.
const REDIRECTS_MAX: u32 = 5;

impl Dialog {
    /// Begins a call and sends its INVITE.
    ///
    /// # Errors
    /// [`Error::Header`] where the target or our own address is no URI.
    pub fn outgoing(
        own: Own,
        negotiation: Negotiation,
        now: Moment,
        calling: Calling<'_>,
    ) -> Result<Self, Error> {
        let Calling { call_id, target, from, routes, replaces, offers } = calling;
        destination::uri(target).and_then(|uri| destination::hop(&uri)).ok_or(Error::Header("target"))?;
        destination::uri(from).ok_or(Error::Header("From"))?;
        let answer_ms = own.timing.answer_ms;
        let mut dialog = Self {
            phase: Phase::Calling,
            call_id: call_id.as_bytes().to_vec(),
            local: format!("<{from}>;tag={}", own.tag).into_bytes(),
            remote: format!("<{target}>").into_bytes(),
            remote_tag: None,
            target: target.to_owned(),
            routes,
            sequence: 0,
            remote_sequence: None,
            next_request: 0,
            negotiation,
            invite: None,
            answered: None,
            outgoing: None,
            transfer: None,
            transferred: false,
            bye: None,
            hang_up_later: false,
            parting: None,
            held: false,
            ended_told: false,
            unconfirmed: None,
            numbered: 0,
            confirmed: Vec::new(),
            session: None,
            refresh: None,
            takes_update: false,
            takes_replaces: false,
            early_tags: Vec::new(),
            early: Early::default(),
            offers,
            replaces,
            referral: None,
            redirected: 0,
            timers: std::collections::BTreeMap::new(),
            effects: Effects::default(),
            own,
        };
        dialog.invite().ok_or(Error::Header("target"))?;
        dialog.set(Reason::Ringing, now + answer_ms);
        Ok(dialog)
    }

    /// Sends an INVITE that begins the call.
    fn invite(&mut self) -> Option<()> {
        self.sequence += 1;
        self.early.exchanges.clear();
        let (mut invite, next_hop) = self.write(&Method::Invite, self.sequence)?;
        add(&mut invite, HeaderName::Accept, ACCEPT);
        self.ask_for_session(&mut invite, None);
        self.ask_to_replace(&mut invite);
        let offer = self.first_offer();
        let id = self.send(invite, next_hop.clone(), offer.map(|offer| (SDP, offer)));
        let Some(Effect::Send { request, .. }) = self.effects.0.back() else { return None };
        let request = bytes_of(request);
        self.outgoing = Some(Outgoing {
            id,
            request,
            next_hop,
            provisional: false,
            cancel: false,
            acknowledgement: None,
        });
        Some(())
    }

    pub(super) fn on_response(&mut self, now: Moment, id: RequestId, response: &Response) {
        let status = response.status.code();
        if self.outgoing.as_ref().is_some_and(|outgoing| outgoing.id == id) {
            return self.on_invite_response(now, response);
        }
        if self.refresh_answered(now, id, response) || status < 200 {
            return;
        }
        if self.bye == Some(id) {
            self.phase = Phase::Ended;
            self.timers.clear();
        } else if self.transfer.as_ref().is_some_and(|transfer| transfer.id == id) {
            self.refer_answered(status);
        }
    }

    pub(super) fn on_unanswered(&mut self, now: Moment, id: RequestId) {
        if self.refresh_unanswered(now, id) {
            return;
        }
        if self.outgoing.as_ref().is_some_and(|outgoing| outgoing.id == id) {
            if self.phase == Phase::Calling || self.phase == Phase::Ending {
                self.end_at_once(Ending::Timeout);
            }
        } else if self.bye == Some(id) {
            self.phase = Phase::Ended;
            self.timers.clear();
        } else if self.transfer.as_ref().is_some_and(|transfer| transfer.id == id) {
            self.refer_answered(408);
        }
    }

    fn on_invite_response(&mut self, now: Moment, response: &Response) {
        let status = response.status.code();
        match status {
            ..=199 => self.on_provisional(now, status, response),
            200..=299 => self.on_success(now, response),
            422 if self.phase == Phase::Calling && self.session.is_none() => {
                self.call_again(status, response)
            }
            300..=399 if self.phase == Phase::Calling && self.own.follows_redirects => {
                self.go_where_it_says(status, response)
            }
            _ => self.end_at_once(Ending::Refused(status)),
        }
    }

    /// Whoever is called is elsewhere (RFC 3261 section 8.1.3.4): the INVITE goes out once more, for the first place
    /// that is named, by the same way. Not for ever: the two of a pair may each name the other.
    fn go_where_it_says(&mut self, status: u16, response: &Response) {
        let elsewhere = contact(&response.headers).filter(|uri| {
            destination::uri(uri).is_some_and(|uri| destination::hop(&uri).is_some() && !uri.has_headers())
        });
        let Some(elsewhere) = elsewhere.filter(|_| self.redirected < REDIRECTS_MAX) else {
            return self.end_at_once(Ending::Refused(status));
        };
        self.redirected += 1;
        self.target = elsewhere;
        if self.invite().is_none() {
            self.end_at_once(Ending::Refused(status));
        }
    }

    /// The far side wants to be asked less often: the INVITE goes out once more, with its interval.
    fn call_again(&mut self, status: u16, response: &Response) {
        let least_s = wire::text(&response.headers, &HeaderName::MinSe).and_then(|least| least.parse().ok());
        let Some(interval_s) = least_s else { return self.end_at_once(Ending::Refused(status)) };
        self.session = Some(Session { interval_s, we_refresh: true });
        if self.invite().is_none() {
            self.end_at_once(Ending::Refused(status));
        }
    }

    fn on_provisional(&mut self, now: Moment, status: u16, response: &Response) {
        let Some(outgoing) = &mut self.outgoing else { return };
        outgoing.provisional = true;
        if outgoing.cancel {
            return self.cancel_outgoing(now);
        }
        if self.phase != Phase::Calling || status == 100 {
            return;
        }
        match self.confirm(response) {
            Ok(true) => {}
            Ok(false) => return,
            Err(why) => return self.cancel_over(now, why),
        }
        self.note_early(response);
        self.tell(Event::Ringing);
        if self.offers == Offers::Delayed {
            return;
        }
        // Early media. The 200 says it again, and that is what counts, but for a provisional answer that we confirmed:
        // that was the answer, and the 200 need not repeat it (RFC 3262 section 5).
        if let Some(answer) = sdp_of(&response.headers, response.body())
            && self.negotiation.accept(&answer).is_ok()
        {
            if is_reliable(response) {
                self.early.answered_by = wire::to_tag(&response.headers);
            }
            self.tell_agreed();
        }
    }

    fn on_success(&mut self, now: Moment, response: &Response) {
        let tag = wire::to_tag(&response.headers);
        let known = self.remote_tag.is_some();
        // Or it answers an INVITE that went on to another server meanwhile.
        let stale = wire::sequence(&response.headers) != Some(self.outgoing_sequence());
        if stale || (known && tag != self.remote_tag) {
            return self.dismiss_fork(response);
        }
        if known {
            // The 200 came again: our ACK was lost.
            return self.acknowledge_again();
        }
        self.timers.remove(&Reason::Ringing);
        self.remote_tag = tag;
        if let Some(remote) = response.headers.value(&HeaderName::To) {
            self.remote = remote.into_owned();
        }
        if let Some(target) = contact(&response.headers) {
            self.target = target;
        }
        self.routes = record_route(&response.headers);
        self.routes.reverse();
        if self.phase != Phase::Calling {
            // We had hung up; the answer crossed our CANCEL.
            let refusal = self.refusal_of(response);
            self.acknowledge(self.outgoing_sequence(), refusal);
            return self.send_bye(now);
        }
        self.phase = Phase::Up;
        let Reply { body, unusable } = match self.offers {
            Offers::Early => Reply::silent(self.take_answer(response)),
            Offers::Delayed => self.reply_to_offer(response),
        };
        self.acknowledge(self.outgoing_sequence(), body);
        if let Some(why) = unusable {
            return self.hang_up_over(now, why);
        }
        self.adopt_session(now, response);
        self.tell_agreed();
        self.tell(Event::Established);
    }

    /// Takes the answer to our offer, where it was not in a provisional answer that we confirmed.
    fn take_answer(&mut self, response: &Response) -> Result<(), Unacceptable> {
        let by_early =
            self.early.answered_by.take().is_some_and(|tag| self.remote_tag.as_ref() == Some(&tag));
        match sdp_of(&response.headers, response.body()) {
            Some(answer) => self.negotiation.accept(&answer),
            None if by_early => Ok(()),
            None => Err(Unacceptable::NoAudio),
        }
    }

    fn acknowledge(&mut self, sequence: u32, description: Option<Vec<u8>>) {
        let Some((mut request, next_hop)) = self.write(&Method::Ack, sequence) else { return };
        self.prove_again(&mut request);
        finish(&mut request, description.map(|body| (SDP, body)));
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.acknowledgement = Some(bytes_of(&request));
            outgoing.next_hop.clone_from(&next_hop);
        }
        self.effects.0.push_back(Effect::Acknowledge { request, next_hop });
    }

    /// An ACK proves what its INVITE proved (section 22.1): it can't be asked.
    fn prove_again(&self, acknowledgement: &mut Request) {
        let invite = self.outgoing.as_ref().and_then(|outgoing| request_of(&outgoing.request));
        let Some(invite) = invite else { return };
        for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
            for header in invite.headers.get_all(&name) {
                acknowledgement.headers.push(header.clone());
            }
        }
    }

    fn acknowledge_again(&mut self) {
        let Some(outgoing) = &self.outgoing else { return };
        let Some(request) = outgoing.acknowledgement.as_deref().and_then(request_of) else { return };
        let next_hop = outgoing.next_hop.clone();
        self.effects.0.push_back(Effect::Acknowledge { request, next_hop });
    }

    /// A second phone answered (a proxy forked our INVITE): it gets its ACK and a BYE.
    fn dismiss_fork(&mut self, response: &Response) {
        let mut fork = self.clone();
        fork.remote =
            response.headers.value(&HeaderName::To).map(std::borrow::Cow::into_owned).unwrap_or_default();
        fork.target = contact(&response.headers).unwrap_or_else(|| self.target.clone());
        fork.routes = record_route(&response.headers);
        fork.routes.reverse();
        fork.sequence = wire::sequence(&response.headers).unwrap_or_else(|| fork.outgoing_sequence());
        fork.acknowledge(fork.sequence, self.refusal_of(response));
        fork.request(&Method::Bye, &[]);
        self.next_request = fork.next_request;
        self.effects.0.extend(fork.drain());
    }

    /// Cancels our INVITE, for what was offered in a provisional answer can't be taken.
    fn cancel_over(&mut self, now: Moment, why: Unacceptable) {
        self.tell_ended(Ending::Refused(488));
        self.effects.0.push_back(Effect::Unusable { why });
        self.parting = Some(reason_of(why));
        self.cancel_outgoing(now);
    }

    /// Cancels our INVITE: at once where the far side has reacted, else as soon as it does (section 9.1).
    pub(super) fn cancel_outgoing(&mut self, now: Moment) {
        self.phase = Phase::Ending;
        self.timers.clear();
        self.set(Reason::Forgotten, now + 65 * self.own.timing.t1_ms);
        let Some(outgoing) = &mut self.outgoing else { return };
        outgoing.cancel = !outgoing.provisional;
        if outgoing.cancel {
            return;
        }
        let (bytes, next_hop) = (outgoing.request.clone(), outgoing.next_hop.clone());
        let Some(invite) = request_of(&bytes) else { return };
        self.next_request += 1;
        let mut cancel = cancel_of(&invite);
        if let Some(why) = &self.parting {
            add(&mut cancel, reason_header(), why.clone());
        }
        self.send(cancel, next_hop, None);
    }

    fn outgoing_sequence(&self) -> u32 {
        self.outgoing
            .as_ref()
            .and_then(|outgoing| request_of(&outgoing.request))
            .and_then(|request| wire::sequence(&request.headers))
            .unwrap_or(1)
    }
}

/// The CANCEL of an INVITE: same URI, Via, tags and number.
fn cancel_of(invite: &Request) -> Request {
    let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
    for name in [
        HeaderName::Via,
        HeaderName::MaxForwards,
        HeaderName::Route,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::UserAgent,
    ] {
        for header in invite.headers.get_all(&name) {
            cancel.headers.push(header.clone());
        }
    }
    let sequence = wire::sequence(&invite.headers).unwrap_or(1);
    add(&mut cancel, HeaderName::CSeq, format!("{sequence} CANCEL"));
    cancel
}
