//! One call in the place of another (RFC 3891), and calls that the far side asks us to make (RFC 3515, RFC 5589).

use serde::{Deserialize, Serialize};

use super::super::replaces::{self, Referred, Replaces};
use super::super::respond::{phrase, respond};
use super::super::sdp::Agreed;
use super::super::wire::{HeaderName, Headers, Method, Request, Response, sequence, to_tag};
use super::state::Phase;
use super::writing::add;
use super::{Dialog, Event, TransactionId};

/// Phones that one INVITE of ours rings at, as far as they are known.
const PHONES_MAX: usize = 16;
/// For how long the far side may expect reports on a call that it asked for, in seconds.
const REPORTS_S: u32 = 180;

/// How far a dialog is, for somebody who wants its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is answered.
    Confirmed,
    /// It rings here: nobody may take it away (RFC 3891 section 3).
    RingsHere,
    /// It rings at the far side.
    RingsThere,
    /// It is over.
    Over,
}

/// A call that the far side asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Referral {
    /// The number of its REFER, by which its reports are told apart.
    sequence: u32,
}

impl Dialog {
    /// Whether this is the dialog that is meant.
    #[must_use]
    pub fn is_replaced_by(&self, replaces: &Replaces) -> bool {
        let theirs = |tag: Option<&str>| Replaces::is_tag(&replaces.from_tag, tag);
        self.call_id == replaces.call_id.as_bytes()
            && self.own.tag == replaces.to_tag
            && match self.phase {
                Phase::Calling => self.early_tags.iter().any(|tag| theirs(Some(tag))),
                _ => theirs(self.remote_tag.as_deref()),
            }
    }

    /// Whether this is its Call-ID.
    #[must_use]
    pub fn is_in(&self, call_id: &[u8]) -> bool {
        self.call_id == call_id
    }

    /// How far it is.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self.phase {
            Phase::Up => Standing::Confirmed,
            Phase::Ringing => Standing::RingsHere,
            Phase::Calling => Standing::RingsThere,
            Phase::Ending | Phase::Ended => Standing::Over,
        }
    }

    /// What the far side calls this dialog, where it is up.
    #[must_use]
    pub fn name(&self) -> Option<(Vec<u8>, String)> {
        Some((self.call_id.clone(), self.remote_tag.clone()?))
    }

    /// The URI by which somebody else can take our place with the far side, where it understands that.
    #[must_use]
    pub fn reachable_by(&self) -> Option<String> {
        let named = Replaces {
            call_id: String::from_utf8(self.call_id.clone()).ok()?,
            to_tag: self.remote_tag.clone()?,
            from_tag: self.own.tag.clone(),
            early_only: false,
        };
        (self.takes_replaces && self.phase == Phase::Up).then(|| named.in_uri(&self.target)).flatten()
    }

    /// Our own URI in this dialog.
    #[must_use]
    pub fn own_uri(&self) -> Option<String> {
        replaces::uri_of(&self.local)
    }

    /// What audio was agreed on.
    #[must_use]
    pub const fn agreed(&self) -> Option<&Agreed> {
        self.negotiation.agreed()
    }

    /// Whether the far side holds us.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.held
    }

    /// Remembers whom our INVITE rings at.
    pub(super) fn note_early(&mut self, response: &Response) {
        if let Some(tag) = to_tag(&response.headers)
            && !self.early_tags.contains(&tag)
            && self.early_tags.len() < PHONES_MAX
        {
            self.early_tags.push(tag);
        }
    }

    /// Remembers what the far side understands.
    pub(super) fn note_replaces(&mut self, headers: &Headers) {
        self.takes_replaces |= replaces::is_understood(headers);
    }

    /// Adds to an INVITE of ours what it is to replace. Who does not understand that is to refuse it, or somebody who
    /// expects nobody would be called.
    pub(super) fn ask_to_replace(&self, invite: &mut Request) {
        if let Some(replaces) = &self.replaces {
            add(invite, HeaderName::Replaces, replaces.clone());
            add(invite, HeaderName::Require, replaces::TAG);
        }
    }

    pub(super) fn on_refer(&mut self, transaction: TransactionId, refer: &Request) {
        let tag = self.own.tag.clone();
        let refused = |status, why: &str| respond(refer, status, Some(&tag)).because(why).build();
        if self.phase != Phase::Up {
            return self.respond(transaction, refused(481, phrase(481)));
        }
        if !self.own.takes_referrals {
            return self.respond(transaction, refused(603, "Decline: calls are not transferred from here"));
        }
        let Some(referred) = Referred::of(refer) else {
            return self.respond(transaction, refused(400, "Bad Request: no usable Refer-To"));
        };
        if self.referral.is_some() {
            return self.respond(transaction, refused(491, phrase(491)));
        }
        self.referral = Some(Referral { sequence: sequence(&refer.headers).unwrap_or_default() });
        let accepted = respond(refer, 202, Some(&tag)).with(HeaderName::Contact, self.own.contact.clone());
        self.respond(transaction, accepted.build());
        // The first report comes at once (RFC 3515 section 2.4.4).
        self.report(100);
        self.tell(Event::Referred(referred));
    }

    /// Tells the far side how the call that it asked for stands; a final status is the last report.
    pub(super) fn report(&mut self, status: u16) {
        let Some(referral) = &self.referral else { return };
        let last = status >= 200;
        let state = if last {
            "terminated;reason=noresource".to_owned()
        } else {
            format!("active;expires={REPORTS_S}")
        };
        let event = format!("refer;id={}", referral.sequence);
        if last {
            self.referral = None;
        }
        if self.phase != Phase::Up {
            return;
        }
        self.sequence += 1;
        let Some((mut notify, next_hop)) = self.write(&Method::Notify, self.sequence) else { return };
        add(&mut notify, HeaderName::Contact, self.own.contact.clone());
        add(&mut notify, HeaderName::Event, event);
        add(&mut notify, HeaderName::SubscriptionState, state);
        let fragment = format!("SIP/2.0 {status} {}\r\n", phrase(status));
        self.send(notify, next_hop, Some(("message/sipfrag;version=2.0", fragment.into_bytes())));
    }
}
