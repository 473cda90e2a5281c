//! Who may call, by address and by password; who is passed over; how much is taken.
//!
//! The rule against being used to flood others: what is answered without a look at its number gets one datagram,
//! at most [`ANSWER_TIMES_MAX`] times as long as itself, or none. Scanners, sources that are no trunk's and sources
//! over their limit get none. An INVITE that gets as far as the reception is answered as RFC 3261 asks, repeats
//! included; how many that can be is what the limits are for, and who names trunks with passwords lets nobody get
//! so far who has proved nothing.

mod carriers;
mod rates;
mod settings;

use std::net::IpAddr;
use std::time::Instant;

use parking_lot::Mutex;
use rand::Rng;

use carriers::Carriers;
pub(super) use rates::Admission;
use rates::Rates;
pub use settings::{Carrier, Settings};

use super::{Account, Error};
use crate::clock;
use crate::sip::dialog::Offers;
use crate::sip::digest::{Digest, Verdict, answer_in};
use crate::sip::numbers;
use crate::sip::proof::Prover;
use crate::sip::sdp::{KeyManagement, Protection};
use crate::sip::wire::{self, HeaderName, Request};

/// How many times as long as a request its answer may be, where its source has proved nothing.
pub(super) const ANSWER_TIMES_MAX: usize = 3;

/// Who sends an INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// Everybody may call.
    Anyone,
    /// The trunk with this index.
    Carrier(usize),
    /// It has to prove itself first.
    Unproved {
        /// It did, but too late.
        stale: bool,
    },
    /// It tried and failed.
    Wrong,
    /// It proved itself for another request than this.
    OtherUri,
    /// It is none that may call.
    Nobody,
}

/// What all shards know about those who call.
pub(super) struct Guard {
    carriers: Carriers,
    agents: Vec<String>,
    addresses: Vec<String>,
    digest: Mutex<Digest>,
    rates: Mutex<Rates>,
    started: Instant,
}

impl Guard {
    pub(super) fn new(settings: &super::Settings) -> Result<Self, Error> {
        let own = &settings.guard;
        let lower = |words: &[String]| -> Vec<String> {
            words.iter().filter(|word| !word.is_empty()).map(|word| word.to_ascii_lowercase()).collect()
        };
        Ok(Self {
            carriers: Carriers::new(&settings.trunk)?,
            agents: lower(&own.scanner_agents),
            addresses: lower(&own.scanner_addresses),
            digest: Mutex::new(Digest::new(
                &own.realm,
                &own.digest_algorithms,
                own.nonce_ms,
                own.nonces_max,
                crate::chance::bytes(),
            )),
            rates: Mutex::new(Rates::new(own, settings.sources_max)),
            started: clock::monotonic(),
        })
    }

    /// Whether anything from this address is answered outside of a call.
    pub(super) fn answers(&self, source: IpAddr) -> bool {
        self.carriers.may_talk(source)
    }

    /// Whether a request is one of those that look for open exchanges.
    pub(super) fn is_scanner(&self, request: &Request) -> bool {
        let says = |name: &HeaderName, parts: &[String]| {
            let Some(text) = wire::text(&request.headers, name) else { return false };
            let text = text.to_ascii_lowercase();
            parts.iter().any(|part| text.contains(part))
        };
        says(&HeaderName::UserAgent, &self.agents)
            || says(&HeaderName::From, &self.addresses)
            || says(&HeaderName::To, &self.addresses)
    }

    /// Whether one more call may come from this address.
    pub(super) fn admit(&self, source: IpAddr) -> Admission {
        self.rates.lock().admit(source, clock::monotonic())
    }

    /// Who sends this INVITE.
    pub(super) fn identify(&self, source: IpAddr, invite: &Request) -> Identity {
        if self.carriers.is_empty() {
            return Identity::Anyone;
        }
        let asked = match self.carriers.at(source) {
            Some(index) if !self.carriers.has_password(index) => return Identity::Carrier(index),
            None if !self.carriers.any_is_known_by_password_alone() => return Identity::Nobody,
            asked => asked,
        };
        let Some(answer) = answer_in(invite) else { return Identity::Unproved { stale: false } };
        let user = self.carriers.user(&answer.user, asked);
        let password = user.map(|index| self.carriers.password(index));
        match (self.digest.lock().judge(self.now_ms(), invite, &answer, password), user) {
            (Verdict::Known, Some(index)) => Identity::Carrier(index),
            (Verdict::Stale, _) => Identity::Unproved { stale: true },
            (Verdict::Unasked, _) => Identity::Unproved { stale: false },
            (Verdict::OtherUri, _) => Identity::OtherUri,
            (Verdict::Wrong | Verdict::Known, _) => Identity::Wrong,
        }
    }

    /// The challenges of a 401.
    pub(super) fn challenges(&self, stale: bool) -> Vec<String> {
        self.digest.lock().challenges(self.now_ms(), crate::chance::generator().next_u64(), stale)
    }

    /// A trunk's name.
    pub(super) fn name(&self, index: usize) -> &str {
        self.carriers.name(index)
    }

    /// What a trunk says itself of how its audio is protected.
    pub(super) fn protection(&self, index: usize) -> (Option<Protection>, Option<KeyManagement>) {
        self.carriers.protection(index)
    }

    /// What a trunk says itself of who offers in calls to it.
    pub(super) fn offers(&self, index: usize) -> Option<Offers> {
        self.carriers.offers(index)
    }

    /// The name of a trunk whose keys are agreed on by DTLS.
    pub(super) fn by_handshake(&self) -> Option<&str> {
        self.carriers.by_handshake()
    }

    /// The trunk that this address is of.
    pub(super) fn trunk_at(&self, address: IpAddr) -> Option<usize> {
        self.carriers.at(address)
    }

    /// The number of the trunk with this name.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.carriers.named(name)
    }

    /// The accounts of all trunks, in order.
    pub(super) fn accounts(&self) -> impl Iterator<Item = Option<&Account>> {
        self.carriers.accounts()
    }

    /// A trunk's account.
    pub(super) fn account(&self, index: usize) -> Option<&Account> {
        self.carriers.accounts().nth(index).flatten()
    }

    /// What proves who we are to a trunk's provider.
    pub(super) fn prover(&self, index: usize) -> Option<Prover> {
        self.account(index).and_then(|account| account.proof().ok()).map(Prover::new)
    }

    /// Whether a trunk is known by its provider's addresses.
    pub(super) fn learns(&self, index: usize) -> bool {
        self.carriers.learns(index)
    }

    /// Takes the addresses of a trunk's provider for the trunk's, where it has none of its own.
    pub(super) fn learn(&self, index: usize, addresses: impl Iterator<Item = IpAddr>) {
        self.carriers.learn(index, addresses);
    }

    /// What was dialled, of an INVITE of this trunk. One that is for our registration is for whom its network says.
    pub(super) fn called(&self, index: usize, invite: &Request) -> Option<String> {
        let dialled = numbers::called(invite);
        let Some(account) = self.account(index).filter(|account| Some(&account.user) == dialled.as_ref())
        else {
            return dialled;
        };
        let behind = numbers::called_behind(invite);
        let own = (!account.number.is_empty()).then(|| account.number.clone());
        behind.filter(|number| *number != account.user).or(own).or(dialled)
    }

    /// Whether a trunk may call this number.
    pub(super) fn may_call(&self, index: usize, number: &str) -> bool {
        self.carriers.may_call(index, number)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(clock::since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}
