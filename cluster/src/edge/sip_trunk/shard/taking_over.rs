//! One call in the place of another: an INVITE with Replaces (RFC 3891) takes the line of a call that goes on, and
//! whoever has that call notices nothing.
//!
//! A call's number is its leg's, its audio's and its timers' for good; so the two calls exchange their dialogs. What
//! is left of the other one, with the old dialog, says goodbye to the old far side.
//!
//! Who has a dialog's Call-ID and both tags was in it or was told by somebody who was. That is not enough: only the
//! trunk that the call is by may replace it, or, where no trunk has a name, the address that it came from.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actors::call::leg::Event as LegEvent;

use super::super::guard::Identity;
use super::super::metrics;
use super::super::transports::Flow;
use super::Inbound;
use super::invites::{new_call_id, no_dialog};
use super::state::{Call, Due, Owner, Shard, Sink};
use crate::sip::dialog::{Command, Dialog, Input, Standing};
use crate::sip::replaces::Replaces;
use crate::sip::wire::{self, HeaderName, Message, Request, TransactionKey};

/// An INVITE of somebody who may call, which is to take the place of a call.
#[derive(Debug)]
pub(in super::super) struct Taking {
    pub(super) invite: Request,
    pub(super) replaces: Replaces,
    pub(super) identity: Identity,
    pub(super) source: Flow,
    pub(super) flow: Flow,
}

/// Dialogs of a shard that are remembered after their end.
const LATELY_MAX: usize = 1_024;

/// The dialogs that ended last, so that who wants to replace one is told that it is over.
#[derive(Debug, Default)]
pub(super) struct Lately {
    hash: RandomState,
    ended: VecDeque<u64>,
}

impl Lately {
    fn note(&mut self, call_id: &[u8], own_tag: &str, their_tag: &str) {
        if self.ended.len() >= LATELY_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(self.hash.hash_one((call_id, own_tag, their_tag)));
    }

    fn has(&self, replaces: &Replaces) -> bool {
        let named = (replaces.call_id.as_bytes(), replaces.to_tag.as_str(), replaces.from_tag.as_str());
        self.ended.contains(&self.hash.hash_one(named))
    }
}

impl Shard {
    /// A message whose call was moved goes where the call is.
    pub(super) fn pass_on(&self, message: Message, flow: Flow) -> Option<Message> {
        let inboxes = &self.shared.connecting.inboxes;
        if !inboxes.is_any_moved() {
            return Some(message);
        }
        let call_id = message.headers().value(&HeaderName::CallId);
        let moved = call_id.and_then(|call_id| inboxes.moved_to(&call_id));
        let Some(index) = moved.filter(|index| *index != self.index) else { return Some(message) };
        if !inboxes.pass(index, Inbound::Message { message: Box::new(message), flow }) {
            metrics::dropped("shard_full");
        }
        None
    }

    /// Gives an INVITE to the shard that has the dialog which it is to replace. Whatever else comes with its Call-ID
    /// goes there from now on.
    pub(super) fn pass_to_replaced(&mut self, taking: Taking) {
        let inboxes = &self.shared.connecting.inboxes;
        let index = inboxes.index_of(taking.replaces.call_id.as_bytes());
        if index == self.index {
            return self.on_taking(taking);
        }
        let call_id = taking.invite.headers.value(&HeaderName::CallId).unwrap_or_default().into_owned();
        let (invite, flow) = (taking.invite.clone(), taking.flow);
        // It would take the messages of a call that is here away from it.
        if self.calls.values().any(|call| call.dialog.is_in(&call_id)) {
            return self.refuse(&invite, 482, flow);
        }
        let most = self.shared.settings.dialogs_max;
        if !inboxes.move_to(&call_id, index, most) {
            return self.refuse(&invite, 503, flow);
        }
        if !inboxes.pass(index, Inbound::Taking(Box::new(taking))) {
            inboxes.settle(&call_id);
            self.refuse(&invite, 503, flow);
        }
    }

    pub(super) fn on_taking(&mut self, taking: Taking) {
        let Taking { invite, replaces, identity, source, flow } = taking;
        let call_id = invite.headers.value(&HeaderName::CallId).unwrap_or_default().into_owned();
        let sequence = wire::sequence(&invite.headers).unwrap_or_default();
        let origin = (call_id.clone(), wire::from_tag(&invite.headers).unwrap_or_default(), sequence);
        // One that came again while it was on its way from shard to shard.
        if TransactionKey::from_request(&invite).is_some_and(|key| self.served.contains_key(&key)) {
            return;
        }
        if self.origins.contains_key(&origin) {
            return self.refuse(&invite, 482, flow);
        }
        let moved = self.shared.connecting.inboxes.moved_to(&call_id).map(|_| call_id);
        if self.is_full() {
            self.settle_later(moved);
            return self.refuse(&invite, 503, flow);
        }
        let replaced = match self.replaced_by(&replaces, identity, source) {
            Ok(key) => key,
            Err(status) => {
                metrics::taken_over("replaces", "refused");
                self.settle_later(moved);
                return self.refuse(&invite, status, flow);
            }
        };
        let key = self.new_key();
        if !self.with_media(replaced) {
            self.settle_later(moved);
            return self.refuse(&invite, 503, flow);
        }
        let Some((transaction, invite)) = self.begin(invite, flow, Some(key)) else {
            return self.settle_later(moved);
        };
        let local = self.local_of(replaced, source);
        let trunk = match identity {
            Identity::Carrier(index) => Some(index),
            _ => None,
        };
        let negotiation = self.negotiation(key, local, source.transport, trunk);
        let own = self.own(key, source);
        let begun = Dialog::incoming(own, negotiation, self.now(), transaction, &invite);
        let mut dialog = match begun {
            Ok(dialog) => dialog,
            Err(error) => {
                metrics::taken_over("replaces", "refused");
                self.settle_later(moved);
                return self.answer(transaction, no_dialog(&invite, key, &error));
            }
        };
        // Where this fails, the call that would have been replaced goes on as it was.
        dialog.handle(self.now(), Input::Command(Command::Answer));
        let is_refused = dialog.is_over();
        let mut call = self.hollow(dialog, source, trunk);
        (call.origin, call.moved) = (Some(origin.clone()), moved);
        self.origins.insert(origin, key);
        self.calls.insert(key, call);
        if is_refused {
            metrics::taken_over("replaces", "refused");
            self.run_effects(key);
            return self.forget_if_over(key);
        }
        metrics::taken_over("replaces", "taken");
        self.exchange(replaced, key);
        self.run_effects(replaced);
        self.tell_dialog(key, Input::Command(Command::HangUp));
    }

    /// The call that is replaced, or the status that says why there is none (RFC 3891 section 3).
    fn replaced_by(&self, replaces: &Replaces, identity: Identity, source: Flow) -> Result<u64, u16> {
        let tag = u64::from_str_radix(&replaces.to_tag, 16).map_err(|_| 481_u16)?;
        let key = self.tags.get(&tag).copied().unwrap_or(tag);
        let Some(call) = self.calls.get(&key).filter(|call| call.dialog.is_replaced_by(replaces)) else {
            return Err(if self.lately.has(replaces) { 603 } else { 481 });
        };
        let may = match identity {
            Identity::Carrier(index) => call.trunk == Some(index),
            Identity::Anyone => call.trunk.is_none() && call.flow.address.ip() == source.address.ip(),
            _ => false,
        };
        if !may {
            return Err(403);
        }
        if call.ending.is_some() || call.concluded || call.predecessor.is_some() {
            return Err(603);
        }
        match call.dialog.standing() {
            Standing::Over => Err(603),
            Standing::RingsHere => Err(481),
            Standing::Confirmed if replaces.early_only => Err(486),
            Standing::Confirmed | Standing::RingsThere => Ok(key),
        }
    }

    /// A call that has nobody and no audio: it carries a dialog until that takes another's place, or is over.
    pub(super) fn hollow(&self, dialog: Dialog, flow: Flow, trunk: Option<usize>) -> Call {
        Call {
            id: new_call_id(),
            dialog,
            session: None,
            sink: Sink::Closed,
            flow,
            prover: trunk.and_then(|trunk| self.shared.guard.prover(trunk)),
            elsewhere: VecDeque::new(),
            origin: None,
            trunk,
            moved: None,
            successor: None,
            predecessor: None,
            orphaned: None,
            alive: Arc::new(AtomicBool::new(false)),
            offering: false,
            answered: true,
            established: true,
            handshake: None,
            keyed: false,
            waits_for_keys: false,
            cause: None,
            ending: None,
            concluded: true,
            scheduled: None,
        }
    }

    /// Exchanges the dialogs of two calls, with everything that is the dialog's: its far side, its transactions.
    pub(super) fn exchange(&mut self, key: u64, other: u64) {
        let Some(mut held) = self.calls.remove(&other) else { return };
        let Some(call) = self.calls.get_mut(&key) else {
            self.calls.insert(other, held);
            return;
        };
        let was_held = call.dialog.is_held();
        std::mem::swap(&mut call.dialog, &mut held.dialog);
        std::mem::swap(&mut call.flow, &mut held.flow);
        std::mem::swap(&mut call.prover, &mut held.prover);
        std::mem::swap(&mut call.elsewhere, &mut held.elsewhere);
        std::mem::swap(&mut call.origin, &mut held.origin);
        std::mem::swap(&mut call.moved, &mut held.moved);
        std::mem::swap(&mut call.trunk, &mut held.trunk);
        (call.scheduled, held.scheduled) = (None, None);
        let is_held = call.dialog.is_held();
        for (key, call) in [(key, &*call), (other, &held)] {
            let Ok(tag) = u64::from_str_radix(call.dialog.tag(), 16) else { continue };
            if tag == key {
                self.tags.remove(&tag);
            } else {
                self.tags.insert(tag, key);
            }
            if let Some(origin) = &call.origin {
                self.origins.insert(origin.clone(), key);
            }
        }
        self.calls.insert(other, held);
        for serving in self.serving.values_mut() {
            serving.call = serving.call.map(|call| exchanged(call, key, other));
        }
        for asking in self.asking.values_mut() {
            if let Owner::Call(call) = asking.owner {
                asking.owner = Owner::Call(exchanged(call, key, other));
            }
        }
        // Who consults somebody before a transfer holds us meanwhile; the new far side does not.
        if was_held && !is_held {
            self.deliver(key, LegEvent::Held(false));
        }
    }

    /// A dialog is forgotten.
    pub(super) fn part_with(&mut self, dialog: &Dialog, moved: Option<Vec<u8>>) {
        if let Ok(tag) = u64::from_str_radix(dialog.tag(), 16) {
            self.tags.remove(&tag);
        }
        if let Some((call_id, theirs)) = dialog.name() {
            self.lately.note(&call_id, dialog.tag(), &theirs);
        }
        self.settle_later(moved);
    }

    /// Lets a Call-ID go back to its own shard, once nothing of it can come again.
    fn settle_later(&mut self, moved: Option<Vec<u8>>) {
        if let Some(call_id) = moved {
            let longest = Duration::from_millis(64 * self.shared.settings.timing.t1_ms);
            self.set(longest, Due::Settled(call_id));
        }
    }
}

const fn exchanged(call: u64, one: u64, other: u64) -> u64 {
    if call == one {
        other
    } else if call == other {
        one
    } else {
        call
    }
}
