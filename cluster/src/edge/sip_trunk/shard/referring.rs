//! A far side that puts somebody else in its place (RFC 3515, RFC 5589): we call whom it names, and once they have
//! answered, the call goes on with them. Whoever has the call notices nothing.
//!
//! They are called by way of the far side, which knows them: nobody can use us to call others.

use std::net::SocketAddr;

use actors::call::leg::Event as LegEvent;

use super::super::calling;
use super::super::metrics;
use super::super::transports::Flow;
use super::state::Shard;
use crate::sip::dialog::{Calling, Command, Dialog, Ending, Input};
use crate::sip::replaces::Referred;

/// Call-IDs that are drawn to find one that is this shard's: a few do, for there are few shards.
const DRAWS_MAX: usize = 1_000;

impl Shard {
    /// The far side of a call asks us to call somebody.
    pub(super) fn on_referred(&mut self, key: u64, referred: Referred) {
        match self.call_referred(key, referred) {
            Some(successor) => {
                metrics::taken_over("refer", "called");
                self.run_effects(successor);
            }
            None => {
                metrics::taken_over("refer", "refused");
                self.tell_dialog(key, Input::Command(Command::Report(503)));
            }
        }
    }

    fn call_referred(&mut self, key: u64, referred: Referred) -> Option<u64> {
        let full = self.calls.len() >= self.share(self.shared.settings.dialogs_max);
        let call = self.calls.get(&key).filter(|call| !full && call.successor.is_none())?;
        let (flow, trunk, from) = (call.flow, call.trunk, call.dialog.own_uri()?);
        let call_id = self.own_call_id()?;
        let successor = self.new_key();
        let negotiation = self.negotiation(successor, self.local_of(key, flow), flow.transport, trunk);
        let offers = self.offers(trunk);
        let calling = Calling {
            call_id: &call_id,
            target: &referred.target,
            from: &from,
            routes: Vec::new(),
            replaces: referred.replaces,
            offers,
        };
        let own = self.own(successor, flow);
        let dialog = Dialog::outgoing(own, negotiation, self.now(), calling).ok()?;
        let mut call = self.hollow(dialog, flow, trunk);
        call.predecessor = Some(key);
        metrics::called(offers);
        self.calls.insert(successor, call);
        self.calls.get_mut(&key)?.successor = Some(successor);
        Some(successor)
    }

    /// A new Call-ID whose messages come to this shard.
    fn own_call_id(&self) -> Option<String> {
        let inboxes = &self.shared.connecting.inboxes;
        let mut draws = std::iter::repeat_with(calling::new_call_id).take(DRAWS_MAX);
        draws.find(|call_id| inboxes.index_of(call_id.as_bytes()) == self.index)
    }

    /// Where a call's audio is, as this far side sees it.
    pub(super) fn local_of(&self, key: u64, flow: Flow) -> SocketAddr {
        let session = self.calls.get(&key).and_then(|call| call.session.as_ref());
        let mut local =
            session.map_or(super::invites::NOWHERE_YET, crate::edge::media::Session::local_address);
        local.set_ip(self.shared.addresses.shown(local.ip(), flow.address.ip()));
        local
    }

    /// Somebody who was called in the far side's place has answered.
    pub(super) fn succeed(&mut self, key: u64, successor: u64) {
        if let Some(call) = self.calls.get_mut(&successor) {
            call.predecessor = None;
        }
        let Some(call) = self.calls.get_mut(&key) else {
            return self.tell_dialog(successor, Input::Command(Command::HangUp));
        };
        call.successor = None;
        call.orphaned = None;
        let was_held = call.dialog.is_held();
        metrics::taken_over("refer", "taken");
        self.tell_dialog(key, Input::Command(Command::Report(200)));
        self.exchange(key, successor);
        let Some(call) = self.calls.get(&key) else { return };
        let (agreed, is_held) = (call.dialog.agreed().cloned(), call.dialog.is_held());
        if let Some(agreed) = agreed {
            self.described(key, &agreed);
        }
        if is_held && !was_held {
            self.deliver(key, LegEvent::Held(true));
        }
        self.run_effects(key);
        self.tell_dialog(successor, Input::Command(Command::HangUp));
    }

    /// Tells the far side that asked for a call how that stands.
    pub(super) fn report_to_predecessor(&mut self, successor: u64, status: u16) {
        if let Some(key) = self.calls.get(&successor).and_then(|call| call.predecessor) {
            self.tell_dialog(key, Input::Command(Command::Report(status)));
        }
    }

    /// Whether a call whose dialog is over goes on all the same: it waits for whoever is called in its far side's
    /// place, as who transfers blindly hangs up at once.
    pub(super) fn lives_on(&mut self, key: u64, ending: Ending) -> bool {
        let Some(call) = self.calls.get_mut(&key) else { return false };
        if let Some(predecessor) = call.predecessor.take() {
            self.not_succeeded(predecessor, ending);
            return false;
        }
        let Some(successor) = call.successor else { return false };
        if matches!(ending, Ending::Remote | Ending::Transferred) {
            call.orphaned = Some(ending);
            return true;
        }
        call.successor = None;
        if let Some(other) = self.calls.get_mut(&successor) {
            other.predecessor = None;
        }
        self.tell_dialog(successor, Input::Command(Command::HangUp));
        false
    }

    /// Whoever was called in a far side's place does not come: the call goes on as before, or is over with its far
    /// side.
    fn not_succeeded(&mut self, key: u64, ending: Ending) {
        let status = match ending {
            Ending::Refused(status) => status,
            Ending::Timeout => 408,
            _ => 487,
        };
        metrics::taken_over("refer", "failed");
        self.tell_dialog(key, Input::Command(Command::Report(status)));
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.successor = None;
        if let Some(ending) = call.orphaned.take() {
            self.close(key, ending);
        }
    }

    /// Hangs a call up, whatever it is waiting for.
    pub(super) fn hang_up(&mut self, key: u64) {
        self.hang_up_with(key, Command::HangUp);
    }

    /// The same by this command.
    pub(super) fn hang_up_with(&mut self, key: u64, command: Command) {
        let Some(call) = self.calls.get(&key) else { return };
        match call.successor.filter(|_| call.orphaned.is_some()) {
            Some(successor) => self.tell_dialog(successor, Input::Command(Command::HangUp)),
            None => self.tell_dialog(key, Input::Command(command)),
        }
    }
}
