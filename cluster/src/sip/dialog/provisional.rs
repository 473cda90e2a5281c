//! Provisional answers that are acknowledged (RFC 3262, 100rel), given and taken.

use serde::{Deserialize, Serialize};
use sipx_sip::rel::{OPTION_TAG, Offered, RAck, RSeq};

use super::super::respond::{Draft, respond};
use super::super::sdp::Unacceptable;
use super::super::wire::{self, HeaderName, Method, Request, Response};
use super::delayed::Reply;
use super::incoming::{contact, record_route};
use super::state::{Phase, Reason};
use super::writing::{response_bytes, response_of};
use super::{Dialog, Effect, Ending, Moment, TransactionId};

/// A provisional answer of ours whose PRACK has not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unconfirmed {
    transaction: TransactionId,
    /// Its number, and the sequence number of the INVITE.
    number: u32,
    sequence: u32,
    response: Vec<u8>,
    interval_ms: u64,
    since: Moment,
}

/// The last provisional answer that we confirmed, of one phone that our INVITE rings at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Confirmed {
    tag: Option<String>,
    number: u32,
}

/// Phones that one INVITE of ours rings at, as far as we confirm their answers.
const PHONES_MAX: usize = 16;

/// Whether the INVITE's sender confirms provisional answers and wants no others.
fn wants_confirmation(invite: &Request) -> bool {
    Offered::in_request(invite).required
}

/// Whether a provisional answer asks to be confirmed.
pub(super) fn is_reliable(response: &Response) -> bool {
    let mut required = response.headers.get_all(&HeaderName::Require);
    required.any(|header| header.value().split(|byte| *byte == b',').any(is_100rel))
}

impl Dialog {
    /// Sends the 180, with a number that the far side confirms where it wants to.
    pub(super) fn send_ringing(
        &mut self,
        now: Moment,
        transaction: TransactionId,
        invite: &Request,
        offers: bool,
    ) {
        let draft = respond(invite, 180, Some(&self.own.tag))
            .with_record_route(invite)
            .with(HeaderName::Contact, self.own.contact.clone());
        if !wants_confirmation(invite) {
            return self.respond(transaction, draft.build());
        }
        // Without an offer, a 180 that is confirmed would have to bring ours (section 5). It may also stay away.
        if !offers || self.unconfirmed.is_some() {
            return;
        }
        self.send_confirmed(now, transaction, invite, draft);
    }

    /// Sends a provisional answer that matters, with a number that the far side confirms where it can.
    pub(super) fn send_provisional(
        &mut self,
        now: Moment,
        transaction: TransactionId,
        invite: &Request,
        draft: Draft,
    ) {
        let offered = Offered::in_request(invite);
        if offered.required || offered.supported {
            self.send_confirmed(now, transaction, invite, draft);
        } else {
            self.respond(transaction, draft.build());
        }
    }

    fn send_confirmed(&mut self, now: Moment, transaction: TransactionId, invite: &Request, draft: Draft) {
        let number = self.next_number();
        let response =
            draft.with(HeaderName::Require, OPTION_TAG).with(HeaderName::RSeq, number.to_string()).build();
        let t1_ms = self.own.timing.t1_ms;
        self.unconfirmed = Some(Unconfirmed {
            transaction,
            number,
            sequence: wire::sequence(&invite.headers).unwrap_or_default(),
            response: response_bytes(&response),
            interval_ms: t1_ms,
            since: now,
        });
        self.set(Reason::Provisional, now + t1_ms);
        self.respond(transaction, response);
    }

    /// The first number is any from 1 to 2^31 - 1 (section 3): our tag is random enough.
    fn next_number(&mut self) -> u32 {
        self.numbered += 1;
        let random = u64::from_str_radix(&self.own.tag, 16).unwrap_or_default();
        let start = u32::try_from(random & 0x3fff_ffff).unwrap_or_default();
        start + self.numbered
    }

    /// Sends it again, each time after twice as long, and gives the call up after 64 T1.
    pub(super) fn repeat_provisional(&mut self, now: Moment) {
        let t1_ms = self.own.timing.t1_ms;
        if self.phase != Phase::Ringing {
            self.unconfirmed = None;
            return;
        }
        let Some(unconfirmed) = &mut self.unconfirmed else { return };
        if now >= unconfirmed.since + 64 * t1_ms {
            self.unconfirmed = None;
            self.tell_ended(Ending::Timeout);
            return self.refuse(504, None);
        }
        unconfirmed.interval_ms *= 2;
        let at = (now + unconfirmed.interval_ms).min(unconfirmed.since + 64 * t1_ms);
        let transaction = unconfirmed.transaction;
        if let Some(response) = response_of(&unconfirmed.response) {
            self.effects.0.push_back(Effect::Retransmit { transaction, response });
        }
        self.set(Reason::Provisional, at);
    }

    /// Moves what began on another clock to ours.
    pub(super) fn move_provisional(&mut self, from: Moment, to: Moment) {
        if let Some(unconfirmed) = &mut self.unconfirmed {
            // What began before our clock did began with it; it is given up a little later then.
            unconfirmed.since = to.saturating_sub(from.saturating_sub(unconfirmed.since));
        }
    }

    /// A PRACK: 200 where it confirms what waits, 481 else.
    pub(super) fn on_prack(&mut self, now: Moment, transaction: TransactionId, prack: &Request) {
        let confirms = match (prack.headers.typed::<RAck>(), &self.unconfirmed) {
            (Some(Ok(confirmed)), Some(unconfirmed)) => {
                confirmed.rseq == unconfirmed.number
                    && confirmed.cseq == unconfirmed.sequence
                    && confirmed.method.eq_ignore_ascii_case(b"INVITE")
            }
            _ => false,
        };
        if confirms {
            self.unconfirmed = None;
            self.timers.remove(&Reason::Provisional);
            self.note_confirmation();
        }
        match self.early_offer(prack).filter(|_| confirms) {
            Some(offer) => self.answer_in_prack(transaction, prack, &offer),
            None => {
                let status = if confirms { 200 } else { 481 };
                let response = respond(prack, status, Some(&self.own.tag)).build();
                self.respond(transaction, response);
            }
        }
        if confirms {
            self.after_confirmation(now);
        }
    }

    /// Confirms a provisional answer to our INVITE. False where it is to be passed over: it came already, or one
    /// before it did not.
    ///
    /// # Errors
    /// What it offers can't be taken.
    pub(super) fn confirm(&mut self, response: &Response) -> Result<bool, Unacceptable> {
        let Some(Ok(RSeq(number))) = response.headers.typed::<RSeq>().filter(|_| is_reliable(response))
        else {
            return Ok(true);
        };
        let tag = wire::to_tag(&response.headers);
        let known = self.confirmed.len();
        match self.confirmed.iter_mut().find(|confirmed| confirmed.tag == tag) {
            Some(last) if number == last.number.saturating_add(1) => last.number = number,
            Some(_) => return Ok(false),
            None if known < PHONES_MAX => self.confirmed.push(Confirmed { tag, number }),
            None => return Ok(false),
        }
        let invite = wire::sequence(&response.headers).unwrap_or(1);
        let Reply { body, unusable } = self.reply_to_provisional(response);
        // The early dialog is this phone's; ours begins with the 200.
        let mut early = self.clone();
        early.remote =
            response.headers.value(&HeaderName::To).map(std::borrow::Cow::into_owned).unwrap_or_default();
        early.target = contact(&response.headers).unwrap_or_else(|| self.target.clone());
        early.routes = record_route(&response.headers);
        early.routes.reverse();
        let confirmation = format!("{number} {invite} INVITE");
        early.request_with(&Method::Prack, &[(HeaderName::RAck, confirmation)], body);
        self.sequence = early.sequence;
        self.next_request = early.next_request;
        self.effects.0.extend(early.drain());
        unusable.map_or(Ok(true), Err)
    }
}

fn is_100rel(tag: &[u8]) -> bool {
    tag.trim_ascii().eq_ignore_ascii_case(OPTION_TAG.as_bytes())
}
