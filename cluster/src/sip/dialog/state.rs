//! The dialog's state, and where each input goes.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::super::sdp::Negotiation;
use super::super::wire::Response;
use super::early::Early;
use super::ending::reason;
use super::provisional::{Confirmed, Unconfirmed};
use super::session::{Refresh, Session};
use super::taking_over::Referral;
use super::{Command, Effect, Event, Input, Moment, Offers, Own, RequestId, TransactionId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// An INVITE came and is not finally answered.
    Ringing,
    /// Our INVITE is not finally answered.
    Calling,
    /// It is up, whether or not the ACK came.
    Up,
    /// Over, but for a request of ours that is not answered or an ACK that is waited for.
    Ending,
    /// Over.
    Ended,
}

/// Why a timer of the dialog runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Reason {
    /// The 200 is sent again.
    Retransmission,
    /// The ACK is no longer waited for.
    Acknowledgement,
    /// It rang too long.
    Ringing,
    /// The transfer took too long.
    Transfer,
    /// A provisional answer is sent again.
    Provisional,
    /// The session is to be refreshed.
    Refresh,
    /// The session was not refreshed.
    SessionEnd,
    /// The dialog is forgotten although something never came.
    Forgotten,
}

/// An INVITE, UPDATE or re-INVITE of the far side that we have not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) transaction: TransactionId,
    pub(super) request: Vec<u8>,
    pub(super) offer: Option<Vec<u8>>,
}

/// A 200 of ours whose ACK has not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unacknowledged {
    pub(super) transaction: TransactionId,
    pub(super) sequence: u32,
    pub(super) response: Vec<u8>,
    pub(super) interval_ms: u64,
    pub(super) carries_offer: bool,
    pub(super) initial: bool,
}

/// An INVITE of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outgoing {
    pub(super) id: RequestId,
    pub(super) request: Vec<u8>,
    pub(super) next_hop: String,
    pub(super) provisional: bool,
    pub(super) cancel: bool,
    pub(super) acknowledgement: Option<Vec<u8>>,
}

/// A REFER of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Transfer {
    pub(super) id: RequestId,
    pub(super) accepted: bool,
}

/// One call's dialog. See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dialog {
    pub(super) own: Own,
    pub(super) phase: Phase,
    pub(super) call_id: Vec<u8>,
    /// Our From value with its tag, and theirs.
    pub(super) local: Vec<u8>,
    pub(super) remote: Vec<u8>,
    pub(super) remote_tag: Option<String>,
    pub(super) target: String,
    pub(super) routes: Vec<String>,
    pub(super) sequence: u32,
    pub(super) remote_sequence: Option<u32>,
    pub(super) next_request: u32,
    pub(super) negotiation: Negotiation,
    pub(super) invite: Option<Pending>,
    pub(super) answered: Option<Unacknowledged>,
    pub(super) outgoing: Option<Outgoing>,
    pub(super) transfer: Option<Transfer>,
    pub(super) transferred: bool,
    pub(super) bye: Option<RequestId>,
    pub(super) hang_up_later: bool,
    /// The Reason of our BYE.
    pub(super) parting: Option<String>,
    pub(super) held: bool,
    pub(super) ended_told: bool,
    /// A provisional answer of ours that is not confirmed, and how many there were.
    pub(super) unconfirmed: Option<Unconfirmed>,
    pub(super) numbered: u32,
    /// Provisional answers of theirs that we confirmed.
    pub(super) confirmed: Vec<Confirmed>,
    pub(super) session: Option<Session>,
    pub(super) refresh: Option<Refresh>,
    /// The far side takes UPDATE.
    pub(super) takes_update: bool,
    /// The far side takes Replaces.
    pub(super) takes_replaces: bool,
    /// The tags of the phones that our INVITE rings at.
    pub(super) early_tags: Vec<String>,
    /// What was said of audio before the final answer.
    pub(super) early: Early,
    /// Who offers audio first, where the call is one that we make.
    pub(super) offers: Offers,
    /// What our INVITE asks to replace.
    pub(super) replaces: Option<String>,
    /// A call that the far side asked for.
    pub(super) referral: Option<Referral>,
    /// How often our INVITE was sent elsewhere.
    pub(super) redirected: u32,
    pub(super) timers: BTreeMap<Reason, Moment>,
    #[serde(skip)]
    pub(super) effects: Effects,
}

/// Effects are handed over before a dialog is captured, so they are no part of what it is equal to.
#[derive(Debug, Default)]
pub(super) struct Effects(pub(super) VecDeque<Effect>);

impl Clone for Effects {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Effects {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Dialog {
    /// Lets the dialog know what happened; then [`Dialog::drain`] says what to do about it.
    pub fn handle(&mut self, now: Moment, input: Input) {
        match input {
            Input::Request { transaction, request } => self.on_request(now, transaction, &request),
            Input::Response { id, response } => self.on_response(now, id, &response),
            Input::Unanswered { id } => self.on_unanswered(now, id),
            Input::Again { id, request, proofs, own } => {
                self.again(id, *request, proofs, own.map(|own| *own));
            }
            Input::Command(command) => self.on_command(now, command),
            Input::Tick => self.on_tick(now),
        }
    }

    /// What is to be done, in order.
    pub fn drain(&mut self) -> VecDeque<Effect> {
        std::mem::take(&mut self.effects.0)
    }

    /// When [`Input::Tick`] is due, if nothing else comes.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.timers.values().min().copied()
    }

    /// Whether nothing more can come of it, so that it can be dropped.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Whether the call is answered and not over.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Our tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.own.tag
    }

    /// The far side's tag, once it has one.
    #[must_use]
    pub fn remote_tag(&self) -> Option<&str> {
        self.remote_tag.as_deref()
    }

    /// Whether a request with this Call-ID and From tag is of this dialog.
    #[must_use]
    pub fn is_with(&self, call_id: &[u8], from_tag: Option<&str>) -> bool {
        self.call_id == call_id && (self.remote_tag.is_none() || self.remote_tag.as_deref() == from_tag)
    }

    /// The number of our INVITE, where the call is one that we made.
    #[must_use]
    pub fn invite_request(&self) -> Option<RequestId> {
        self.outgoing.as_ref().map(|outgoing| outgoing.id)
    }

    /// Says where the call's audio is, where that was not known when it began.
    pub const fn place(&mut self, local: SocketAddr) {
        self.negotiation.place(local);
    }

    /// The URI that requests to the far side are for.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    pub(super) fn on_command(&mut self, now: Moment, command: Command) {
        match command {
            Command::Ring => self.ring(now),
            Command::Progress => self.progress(now),
            Command::Answer => self.answer(now),
            Command::Refuse { status, retry_after_s } => self.refuse(status, retry_after_s),
            Command::Transfer(target) => self.transfer(now, &target),
            Command::Report(status) => self.report(status),
            Command::HangUp => self.hang_up(now),
            Command::HangUpBecause { status, text } => {
                self.parting = Some(reason(status, &text));
                self.hang_up(now);
            }
        }
    }

    pub(super) fn on_tick(&mut self, now: Moment) {
        let due: Vec<Reason> =
            self.timers.iter().filter(|(_, at)| **at <= now).map(|(reason, _)| *reason).collect();
        for reason in due {
            self.timers.remove(&reason);
            match reason {
                Reason::Retransmission => self.retransmit(now),
                Reason::Acknowledgement => self.give_up_acknowledgement(now),
                Reason::Ringing => self.ring_out(now),
                Reason::Transfer => self.transfer_timed_out(),
                Reason::Provisional => self.repeat_provisional(now),
                Reason::Refresh => self.refresh(now),
                Reason::SessionEnd => self.session_over(now),
                Reason::Forgotten => self.phase = Phase::Ended,
            }
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.effects.0.push_back(Effect::Tell(event));
    }

    pub(super) fn respond(&mut self, transaction: TransactionId, response: Response) {
        self.effects.0.push_back(Effect::Respond { transaction, response });
    }

    pub(super) fn ignore(&mut self, why: &'static str) {
        self.effects.0.push_back(Effect::Ignored { why });
    }

    pub(super) fn set(&mut self, reason: Reason, at: Moment) {
        self.timers.insert(reason, at);
    }
}
