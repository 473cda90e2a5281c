//! New calls: from the INVITE to the reception's word.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actors::call::leg::{Events, Incoming, Leg, Refusal};
use actors::types::{Attestation, CallId, PhoneNumber, Private};
use rand::Rng;

use super::super::addresses::in_uri;
use super::super::attesting::{Attesting, Claim};
use super::super::guard::{Admission, Identity};
use super::super::leg::TrunkLeg;
use super::super::metrics;
use super::super::transports::Flow;
use super::Control;
use super::state::{Call, Origin, Shard, Sink};
use super::taking_over::Taking;
use crate::clock;
use crate::sip::check::with_warning;
use crate::sip::dialog::{Command, Dialog, Error, Input, Own};
use crate::sip::proof::Prover;
use crate::sip::replaces::Replaces;
use crate::sip::respond::respond;
use crate::sip::sdp::{acceptable, sdp_of};
use crate::sip::wire::{self, HeaderName, Request, Response};
use crate::sip::{identity, numbers};

/// Where a call's audio is before it is opened.
pub(super) const NOWHERE_YET: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// An INVITE that may begin a call.
struct Taken {
    invite: Request,
    called: PhoneNumber,
    origin: Origin,
    prover: Option<Prover>,
    trunk: Option<usize>,
}

impl Shard {
    pub(super) fn on_invite(&mut self, invite: Request, source: Flow, flow: Flow) {
        let call_id = invite.headers.value(&HeaderName::CallId).unwrap_or_default().into_owned();
        let sequence = wire::sequence(&invite.headers).unwrap_or_default();
        let origin = (call_id, wire::from_tag(&invite.headers).unwrap_or_default(), sequence);
        if self.origins.contains_key(&origin) {
            // The same call by another way (RFC 3261 section 8.2.2.2), or again after its transaction ended.
            return self.refuse(&invite, 482, flow);
        }
        let Some(identity) = self.identified(&invite, source, flow) else { return };
        if let Ok(Some(replaces)) = Replaces::of(&invite) {
            return self.pass_to_replaced(Taking { invite, replaces, identity, source, flow });
        }
        if self.calls.len() >= self.share(self.shared.settings.dialogs_max) {
            metrics::invited("refused");
            return self.refuse(&invite, 503, flow);
        }
        let offer = sdp_of(&invite.headers, invite.body());
        let trunk = if let Identity::Carrier(index) = identity { Some(index) } else { None };
        if let Some(Err(why)) = offer.as_deref().map(|offer| acceptable(offer, self.means(trunk))) {
            metrics::invited("refused");
            let tag = self.stateless_tag();
            let response = with_warning(&invite, 488, &tag, why.warning(), &why.to_string()).build();
            return self.answer_stateless(response, flow);
        }
        let called = match identity {
            Identity::Carrier(index) => self.shared.guard.called(index, &invite),
            _ => numbers::called(&invite),
        };
        let Some(called) = called.as_deref().and_then(PhoneNumber::parse) else {
            metrics::invited("refused");
            return self.refuse(&invite, 404, flow);
        };
        if let Identity::Carrier(index) = identity {
            let guard = &self.shared.guard;
            let may = guard.may_call(index, called.as_str());
            metrics::of_trunk(guard.name(index), if may { "taken" } else { "forbidden" });
            if may {
                let prover = guard.prover(index);
                let taken = Taken { invite, called, origin, prover, trunk: Some(index) };
                return self.take(taken, source, flow);
            }
            metrics::invited("refused");
            let tag = self.stateless_tag();
            let draft = respond(&invite, 403, Some(&tag)).because("Forbidden: not a number of this trunk");
            return self.answer_stateless(draft.build(), flow);
        }
        self.take(Taken { invite, called, origin, prover: None, trunk: None }, source, flow);
    }

    /// Who calls, where it is somebody who may. Everybody else is answered, or not, and done with.
    fn identified(&mut self, invite: &Request, source: Flow, flow: Flow) -> Option<Identity> {
        let guard = &self.shared.guard;
        match guard.admit(source.address.ip()) {
            Admission::Yes => {}
            Admission::SourceOver => {
                metrics::dropped("invite_source_limit");
                // A datagram comes again a little later by itself. Over a connection nothing is sent twice, and
                // nothing but an answer tells its caller to try elsewhere.
                if source.connection.is_some() {
                    self.refuse(invite, 503, flow);
                }
                return None;
            }
            Admission::AllOver => {
                metrics::dropped("invite_limit");
                self.refuse(invite, 503, flow);
                return None;
            }
        }
        let identity = guard.identify(source.address.ip(), invite);
        let tag = self.stateless_tag();
        let answer = match identity {
            Identity::Anyone | Identity::Carrier(_) => {
                if invite.headers.get(&HeaderName::Authorization).is_some() {
                    metrics::authenticated("known");
                }
                return Some(identity);
            }
            Identity::Nobody => {
                metrics::dropped("unknown_source");
                return None;
            }
            Identity::Wrong => {
                metrics::authenticated("wrong");
                respond(invite, 403, Some(&tag)).because("Forbidden: wrong user or password")
            }
            Identity::OtherUri => {
                metrics::authenticated("other_uri");
                respond(invite, 403, Some(&tag)).because("Forbidden: Authorization is for another URI")
            }
            Identity::Unproved { stale } => {
                metrics::authenticated(if stale { "stale" } else { "asked" });
                let challenges = guard.challenges(stale).into_iter();
                challenges.fold(respond(invite, 401, Some(&tag)), |draft, challenge| {
                    draft.with(HeaderName::WwwAuthenticate, challenge)
                })
            }
        };
        self.answer_stateless(answer.build(), flow);
        None
    }

    fn take(&mut self, taken: Taken, source: Flow, flow: Flow) {
        let Taken { invite, called, origin, prover, trunk } = taken;
        let key = self.new_key();
        let id = new_call_id();
        let negotiation = self.negotiation(key, NOWHERE_YET, source.transport, trunk);
        let caller = numbers::caller(&invite, self.shared.settings.trust_asserted_identity);
        let caller = caller.as_deref().and_then(PhoneNumber::parse).map(Private::new);
        let claim = self.claim(&invite, caller.as_ref(), &called);
        let Some((transaction, invite)) = self.begin(invite, flow, Some(key)) else { return };
        let own = self.own(key, source);
        let dialog = match Dialog::incoming(own, negotiation, self.now(), transaction, &invite) {
            Ok(dialog) => dialog,
            Err(error) => {
                metrics::invited("refused");
                return self.answer(transaction, no_dialog(&invite, key, &error));
            }
        };
        let alive = Arc::new(AtomicBool::new(true));
        self.origins.insert(origin.clone(), key);
        let leg: Arc<dyn Leg> = Arc::new(TrunkLeg::new(key, self.me.clone(), Arc::clone(&alive)));
        let call = Call {
            id,
            dialog,
            session: None,
            sink: Sink::Waiting(Vec::new()),
            flow: source,
            prover,
            elsewhere: std::collections::VecDeque::new(),
            origin: Some(origin),
            trunk,
            moved: None,
            successor: None,
            predecessor: None,
            orphaned: None,
            alive,
            offering: true,
            answered: false,
            established: false,
            handshake: None,
            keyed: false,
            waits_for_keys: false,
            cause: None,
            ending: None,
            concluded: false,
            scheduled: None,
        };
        self.calls.insert(key, call);
        self.run_effects(key);
        let incoming =
            Incoming { call: id, called, caller, attestation: Attestation::Absent, at: clock::now() };
        self.offer(key, incoming, claim, leg);
    }

    /// What the caller's network says of the number that we take for theirs, where somebody is there to check it.
    fn claim(
        &self,
        invite: &Request,
        caller: Option<&Private<PhoneNumber>>,
        called: &PhoneNumber,
    ) -> Option<(Arc<Attesting>, Claim)> {
        let attesting = Arc::clone(self.shared.attesting.as_ref()?);
        let identities = identity::claims(invite);
        let from = vec![caller.filter(|_| !identities.is_empty())?.reveal().as_str().to_owned()];
        let mut to = numbers::all_called(invite);
        to.push(called.as_str().to_owned());
        Some((attesting, Claim { identities, from, to }))
    }

    /// Asks the reception, on a task of its own, for a bounded time.
    fn offer(
        &self,
        key: u64,
        mut incoming: Incoming,
        claim: Option<(Arc<Attesting>, Claim)>,
        leg: Arc<dyn Leg>,
    ) {
        let reception = Arc::clone(&self.shared.reception);
        let patience = Duration::from_millis(self.shared.settings.offer_ms);
        let me = self.me.clone();
        tokio::spawn(async move {
            // The leg is kept until the outcome is on its way, so that a refusal is not taken for a hang-up.
            let kept = Arc::clone(&leg);
            if let Some((attesting, claim)) = claim {
                incoming.attestation = attesting.check(&claim).await;
            }
            let mut asking = tokio::spawn(async move { reception.offer(incoming, leg).await });
            let outcome = match tokio::time::timeout(patience, &mut asking).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(Refusal::Failed { why: "the reception failed".to_owned() }),
                Err(_) => {
                    asking.abort();
                    Err(Refusal::Failed { why: "the reception did not answer in time".to_owned() })
                }
            };
            // A shard that is gone has hung up already.
            let _ = me.send(Control::Offered { key, outcome }).await;
            drop(kept);
        });
    }

    pub(super) fn on_offered(&mut self, key: u64, outcome: Result<Events, Refusal>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.offering = false;
        match outcome {
            Ok(events) => {
                metrics::invited("offered");
                let waiting = match std::mem::replace(&mut call.sink, Sink::Open(Arc::clone(&events))) {
                    Sink::Waiting(waiting) => waiting,
                    _ => Vec::new(),
                };
                let rings = !call.answered && call.ending.is_none();
                if call.concluded {
                    call.sink = Sink::Closed;
                }
                waiting.into_iter().for_each(|event| events(event));
                if rings {
                    self.tell_dialog(key, Input::Command(Command::Ring));
                }
            }
            Err(refusal) => {
                metrics::invited("refused");
                tracing::debug!(call_id = %call.id, why = %refusal, "a call was refused");
                call.sink = Sink::Closed;
                if call.ending.is_none() {
                    let (status, retry_after_s) = self.status_of(&refusal);
                    self.tell_dialog(key, Input::Command(Command::Refuse { status, retry_after_s }));
                }
            }
        }
        self.forget_if_over(key);
    }

    pub(super) fn status_of(&self, refusal: &Refusal) -> (u16, Option<u32>) {
        match refusal {
            Refusal::UnknownNumber => (404, None),
            Refusal::TenantFull { .. } => (486, None),
            Refusal::Screened { status } => (*status, None),
            Refusal::NodeFull { retry_after_s } | Refusal::StoreAway { retry_after_s, .. } => {
                (503, Some(*retry_after_s))
            }
            Refusal::Failed { .. } => (500, None),
        }
    }

    /// Our side of a dialog with this peer.
    pub(super) fn own(&self, key: u64, flow: Flow) -> Own {
        let host = self.host_for(flow);
        let parameter = flow.transport.in_uri();
        Own {
            tag: format!("{key:016x}"),
            contact: format!("<sip:strowger@{host}{parameter}>"),
            via: format!("SIP/2.0/{} {host}", flow.transport.in_via()),
            timing: self.shared.settings.timing,
            takes_referrals: self.shared.settings.take_transfers,
            follows_redirects: self.shared.settings.follow_redirects,
        }
    }

    /// Our host and port as this peer sees them.
    pub(super) fn host_for(&self, flow: Flow) -> String {
        let transports = &self.shared.transports;
        let bound = transports
            .listening(flow.transport)
            .or(transports.udp_address)
            .or(transports.tcp_address)
            .or(transports.tls_address)
            .or(transports.ws_address)
            .or(transports.wss_address);
        let Some(bound) = bound else { return "invalid.invalid".to_owned() };
        let shown = self.shared.addresses.shown(bound.ip(), flow.address.ip());
        format!("{}:{}", in_uri(shown), bound.port())
    }

    /// A key that no call has; it is the call's tag too, so nobody can guess it.
    pub(super) fn new_key(&self) -> u64 {
        loop {
            let key = crate::chance::generator().next_u64();
            if !self.calls.contains_key(&key) {
                return key;
            }
        }
    }
}

/// The refusal of an INVITE that no dialog can begin with.
pub(super) fn no_dialog(invite: &Request, key: u64, error: &Error) -> Response {
    let tag = format!("{key:016x}");
    match error {
        Error::TooBrief { least_s } => {
            respond(invite, 422, Some(&tag)).with(HeaderName::MinSe, least_s.to_string())
        }
        Error::Offer(_) => respond(invite, 488, Some(&tag)),
        _ => respond(invite, 400, Some(&tag)),
    }
    .build()
}

/// A new call's identity (RFC 9562, version 7).
pub(super) fn new_call_id() -> CallId {
    let milliseconds = u64::try_from(clock::now().as_millisecond()).unwrap_or_default();
    let random = crate::chance::bytes::<10>();
    CallId::new(uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
}
