//! One call: the two sides, what is between them, and what is behind us.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use actors::call::conversation::{Effect, Input};
use actors::storage::Memory;
use actors::types::{Destination, EndReason, PhoneNumber};
use bytes::Bytes;
use cluster::sip::dialog::{Calling, Command, Dialog, Ending, Event, Moment, Own, Timing};
use cluster::sip::sdp::Negotiation;
use cluster::sip::wire::{HeaderName, Method};
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::caller::Caller;
use super::chance::{Dice, Failures};
use super::failing::Failing;
use super::faults::Troubles;
use super::network::{Network, To};
use super::side::Side;
use super::{CALLER, OURS, Setting, rules};
use crate::telephone::{Desk, Happening, Incoming, Telephone, new_mind, quick_mind};

/// No call goes on for longer, with all that follows it.
const CALL_MS_MAX: Moment = 3 * 3_600_000;
/// Media that stop end a call after so long.
const MEDIA_TIMEOUT_MS: u64 = 20_000;
/// A caller listens to a dead line for so long.
const CALLER_PATIENCE_MS: u64 = 40_000;
const PORTS: std::ops::Range<u16> = 7_000..7_008;

/// What came of a call.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) violations: Vec<String>,
    pub(super) seen: BTreeSet<String>,
    pub(super) log: Vec<String>,
    pub(super) fingerprint: u64,
}

/// What chance has decided before the call.
struct Plan {
    offered_after_ms: u64,
    answered_after_ms: u64,
    refusal: Option<u16>,
    cancelled_at: Option<Moment>,
    transfer: Option<(u64, u16)>,
    /// So many of a thousand steps, the dialogs go on from their bytes.
    resumed: u64,
}

pub(super) struct World<'a> {
    pub(super) setting: &'a Setting,
    pub(super) now: Moment,
    pub(super) network: Network,
    pub(super) ours: Side,
    pub(super) theirs: Side,
    pub(super) store: Arc<Failing<Memory>>,
    pub(super) violations: Vec<String>,
    pub(super) seen: BTreeSet<String>,
    pub(super) log: Vec<String>,
    /// The ports that calls have.
    pub(super) ports: BTreeSet<u16>,
    pub(super) ended: Ends,
    pub(super) established: bool,
    /// Whether the conversation was to be had at all.
    pub(super) refused: bool,
    pub(super) call: Option<Telephone>,
    incoming: Option<(Incoming, u64)>,
    plan: Plan,
    dice: Dice,
    performed: usize,
    began: Moment,
    offer_at: Option<Moment>,
    answer_at: Option<Moment>,
    notify_at: Option<Moment>,
    cause: Option<EndReason>,
    port: Option<u16>,
    caller_is_up: bool,
    caller_up_at: Moment,
}

/// When each side's call ended, and when nothing was left of it.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) ours: Option<(Moment, Ending)>,
    pub(super) theirs: Option<(Moment, Ending)>,
    pub(super) ours_forgotten: Option<Moment>,
    pub(super) theirs_forgotten: Option<Moment>,
}

fn own(tag: &str, address: &str) -> Own {
    Own {
        tag: tag.to_owned(),
        contact: format!("<sip:{tag}@{address}>"),
        via: format!("SIP/2.0/UDP {address}"),
        timing: Timing::default(),
        takes_referrals: false,
        follows_redirects: false,
    }
}

pub(super) fn play(setting: &Setting, seed: u64) -> Played {
    let mut dice = Dice::new(seed);
    let rate = *dice.one_of(&[0, 0, 10, 50, 200]);
    let mut caller = Caller::new(Dice::new(dice.next()), setting, rate);
    let is_earnest = caller.is_earnest;
    let mut world = World::new(setting, dice, rate, is_earnest);
    world.dial();
    while let Some(at) = world.next_at(&caller) {
        if at > CALL_MS_MAX {
            world.violations.push("it never comes to rest".to_owned());
            break;
        }
        world.now = at.max(world.now);
        world.step(&mut caller);
    }
    rules::judge(&mut world);
    if let Some(call) = &world.call {
        world.log.extend(call.effects.iter().map(|effect| format!("conversation {effect}")));
    }
    let mut hasher = DefaultHasher::new();
    world.log.hash(&mut hasher);
    if let Some(call) = &world.call {
        format!("{:?}", call.log).hash(&mut hasher);
    }
    Played { violations: world.violations, seen: world.seen, log: world.log, fingerprint: hasher.finish() }
}

impl<'a> World<'a> {
    fn new(setting: &'a Setting, mut dice: Dice, rate: u64, is_earnest: bool) -> Self {
        let zone = TimeZone::get(&setting.business.time_zone).expect("the business's time zone is known");
        let day = i64::try_from(dice.below(20)).expect("a small number");
        let hour = i8::try_from(7 + dice.below(12)).expect("an hour");
        let at = date(2026, 3, 15).saturating_add(jiff::Span::new().days(day)).at(hour, 17, 0, 0);
        let incoming = Incoming {
            business: setting.business.clone(),
            at: at.to_zoned(zone).expect("a time"),
            caller: dice.in_thousand(700).then(|| PhoneNumber::parse("+442079460001")).flatten(),
            is_recorded: dice.in_thousand(700),
            // The playbook takes its time; the rules of the wire need any brain.
            is_handed_over: false,
            mind: if is_earnest || dice.in_thousand(250) { new_mind() } else { quick_mind() },
        };
        let (offered_ms_max, answered_ms_max) =
            (*dice.one_of(&[50, 400, 4_000]), *dice.one_of(&[20, 20, 3_000]));
        let plan = Plan {
            offered_after_ms: dice.below(offered_ms_max),
            answered_after_ms: dice.below(answered_ms_max),
            refusal: dice.in_thousand(50).then(|| *dice.one_of(&[404, 486, 500, 503])),
            cancelled_at: dice.in_thousand(120).then(|| dice.below(5_000)),
            transfer: dice.in_thousand(800).then(|| (dice.below(9_000), *dice.one_of(&[180, 200, 486, 603]))),
            resumed: *dice.one_of(&[0, 0, 20, 200]),
        };
        Self {
            setting,
            now: 0,
            network: Network::new(Dice::new(dice.next())),
            ours: Side::new(false, CALLER.parse().expect("an address")),
            theirs: Side::new(true, OURS.parse().expect("an address")),
            store: Arc::new(Failing::new(Memory::new())),
            violations: Vec::new(),
            seen: BTreeSet::new(),
            log: Vec::new(),
            ports: BTreeSet::new(),
            ended: Ends::default(),
            established: false,
            refused: false,
            call: None,
            incoming: Some((incoming, rate)),
            plan,
            dice,
            performed: 0,
            began: 0,
            offer_at: None,
            answer_at: None,
            notify_at: None,
            cause: None,
            port: None,
            caller_is_up: false,
            caller_up_at: 0,
        }
    }

    /// The conversation, while the call is up.
    pub(super) fn telephone(&mut self) -> Option<&mut Telephone> {
        let passed = self.now - self.began;
        let telephone = self.call.as_mut().filter(|call| !call.is_over())?;
        telephone.run_until(actors::types::CallTime::START + passed);
        Some(telephone)
    }

    pub(super) fn note(&mut self, what: &str) {
        if !self.seen.contains(what) {
            self.seen.insert(what.to_owned());
        }
    }

    fn write(&mut self, what: &str) {
        self.log.push(format!("{:>8} {what}", self.now));
    }

    pub(super) fn caller_command(&mut self, command: Command) {
        self.write(&format!("caller: {command:?}"));
        let now = self.now;
        self.theirs.command(now, command);
    }

    fn dial(&mut self) {
        let media = Negotiation::new("192.0.2.1:4000".parse().expect("an address"), 1);
        let target = format!("sip:1000@{OURS}");
        let dialog = Dialog::outgoing(
            own("00ca11e4", CALLER),
            media,
            0,
            Calling {
                call_id: "call",
                target: &target,
                from: &format!("sip:2000@{CALLER}"),
                ..Calling::default()
            },
        )
        .expect("a call can be made");
        self.theirs.begin_with(0, dialog);
        self.pump();
    }

    fn conversation_at(&self) -> Option<Moment> {
        let at = self.call.as_ref()?.next_at()?;
        Some(self.began + at.since_ms(actors::types::CallTime::START))
    }

    fn media_timeout_at(&self) -> Option<Moment> {
        let waits = self.established && self.ended.ours.is_none() && self.cause.is_none();
        self.network.cut_at.filter(|_| waits).map(|at| at + MEDIA_TIMEOUT_MS)
    }

    /// When the caller hangs up on a line that is dead.
    fn patience_ends_at(&self) -> Option<Moment> {
        if !self.caller_is_up {
            return None;
        }
        let over = self.ended.ours.map(|(at, _)| at + CALLER_PATIENCE_MS);
        let cut = self.network.cut_at.map(|at| at.max(self.caller_up_at) + CALLER_PATIENCE_MS);
        over.into_iter().chain(cut).min()
    }

    fn next_at(&self, caller: &Caller) -> Option<Moment> {
        [
            self.network.next_at(),
            self.ours.next_at(),
            self.theirs.next_at(),
            self.conversation_at(),
            self.media_timeout_at(),
            self.patience_ends_at(),
            self.offer_at,
            self.answer_at,
            self.notify_at,
            self.plan.cancelled_at,
            caller.next_at().filter(|_| self.caller_is_up),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Lets everything happen that is due now.
    fn step(&mut self, caller: &mut Caller) {
        let now = self.now;
        while let Some((to, bytes)) = self.network.arrived(now) {
            match to {
                To::Us => self.ours.receive(now, bytes),
                To::Caller => self.theirs.receive(now, bytes),
            }
            self.pump();
        }
        self.ours.advance(now);
        self.theirs.advance(now);
        self.pump();
        self.desk();
        if self.conversation_at().is_some_and(|at| at <= now)
            && let Some(call) = &mut self.call
        {
            call.step();
        }
        self.pump();
        if self.plan.cancelled_at.take_if(|at| *at <= now).is_some() && !self.caller_is_up {
            self.caller_command(Command::HangUp);
        }
        if self.patience_ends_at().is_some_and(|at| at <= now) {
            self.caller_command(Command::HangUp);
        }
        if self.media_timeout_at().is_some_and(|at| at <= now) {
            self.write("the media stopped");
            self.cause = Some(EndReason::MediaTimeout);
            self.note("cut");
            self.ours.command(now, Command::HangUp);
        }
        if self.notify_at.take_if(|at| *at <= now).is_some() {
            self.report_transfer();
        }
        self.pump();
        self.let_act(caller);
        self.pump();
    }

    fn let_act(&mut self, caller: &mut Caller) {
        if !self.caller_is_up || self.ended.theirs.is_some() {
            return;
        }
        caller.picks_up(self.now);
        let turn = caller.is_polite()
            && self.call.as_ref().is_some_and(|call| !call.is_over() && call.is_callers_turn());
        if turn || caller.next_at().is_some_and(|at| at <= self.now) {
            caller.act(self);
        }
    }

    /// The reception: whether the call is taken, and by what conversation.
    fn desk(&mut self) {
        let now = self.now;
        if self.offer_at.take_if(|at| *at <= now).is_some() {
            if let Some(status) = self.plan.refusal {
                self.refused = true;
                self.ours.command(now, Command::Refuse { status, retry_after_s: None });
            } else if let Some((incoming, rate)) = self.incoming.take() {
                self.ours.command(now, Command::Ring);
                self.begin_conversation(incoming, rate);
            }
        }
        if self.answer_at.take_if(|at| *at <= now).is_some() {
            self.ours.command(now, Command::Answer);
        }
        self.pump();
    }

    fn begin_conversation(&mut self, incoming: Incoming, rate: u64) {
        self.began = self.now;
        let store: Arc<Failing<Memory>> = Arc::clone(&self.store);
        let mut telephone = Telephone::ringing(incoming, Desk::over(store), false);
        telephone.faults.chance = Some(Box::new(Troubles {
            engines: Failures { dice: Dice::new(self.dice.next()), rate },
            store: Arc::clone(&self.store),
            dice: Dice::new(self.dice.next()),
            rate: rate * 2,
        }));
        // It may have been cancelled meanwhile.
        if let Some((_, ending)) = self.ended.ours {
            telephone.leg_ends(reason_of(ending));
        }
        self.call = Some(telephone);
    }

    fn report_transfer(&mut self) {
        let Some((_, status)) = self.plan.transfer else { return };
        let state = if status >= 200 { "terminated;reason=noresource" } else { "active;expires=60" };
        let headers = [
            (HeaderName::Event, "refer"),
            (HeaderName::SubscriptionState, state),
            (HeaderName::ContentType, "message/sipfrag"),
        ];
        let now = self.now;
        self.theirs.ask_own(now, Method::Notify, &headers, &format!("SIP/2.0 {status} X\r\n"));
    }

    /// Carries out what each part wants of the others, until none wants anything.
    fn pump(&mut self) {
        loop {
            let mut quiet = true;
            self.invited();
            for event in std::mem::take(&mut self.ours.events) {
                quiet = false;
                self.on_our_event(event);
            }
            for event in std::mem::take(&mut self.theirs.events) {
                quiet = false;
                self.on_their_event(&event);
            }
            while let Some(effect) =
                self.call.as_ref().and_then(|call| call.performed.get(self.performed)).cloned()
            {
                self.performed += 1;
                quiet = false;
                self.on_conversation(effect);
            }
            for (to, bytes) in std::mem::take(&mut self.ours.outbox)
                .into_iter()
                .map(|bytes| (To::Caller, bytes))
                .chain(std::mem::take(&mut self.theirs.outbox).into_iter().map(|bytes| (To::Us, bytes)))
            {
                self.send(to, &bytes);
            }
            if quiet {
                break;
            }
        }
        if std::mem::take(&mut self.theirs.referred) > 0 {
            self.note("transfer");
            self.notify_at = self.plan.transfer.map(|(after_ms, _)| self.now + after_ms);
        }
        self.resume();
        self.forget();
    }

    fn resume(&mut self) {
        if self.plan.resumed > 0 && self.dice.in_thousand(self.plan.resumed) {
            self.ours.resume(self.now);
            self.theirs.resume(self.now);
            self.note("resumed");
        }
    }

    fn send(&mut self, to: To, bytes: &Bytes) {
        let copies = self.network.send(self.now, to, bytes);
        let text = String::from_utf8_lossy(bytes);
        let first = text.lines().next().unwrap_or_default();
        let sequence = text.lines().find(|line| line.starts_with("CSeq")).unwrap_or_default();
        let line = format!("to {to:?}, {copies} arrive: {first} ({sequence})");
        self.write(&line);
    }

    /// A new INVITE: it gets a port and a dialog, and the reception is asked.
    fn invited(&mut self) {
        let Some((transaction, invite)) = self.ours.invited.take() else { return };
        if self.ours.had_call {
            self.violations.push(format!("{} one INVITE became two calls", self.now));
            return;
        }
        let port = PORTS.clone().find(|port| !self.ports.contains(port)).expect("a free port");
        self.ports.insert(port);
        self.port = Some(port);
        let media = Negotiation::new(format!("192.0.2.9:{port}").parse().expect("an address"), 2);
        let dialog = Dialog::incoming(own("000a45e4", OURS), media, self.now, transaction, &invite)
            .expect("an INVITE of ours can be taken");
        self.ours.begin_with(self.now, dialog);
        self.offer_at = Some(self.now + self.plan.offered_after_ms);
    }

    fn on_our_event(&mut self, event: Event) {
        self.write(&format!("we: {event:?}"));
        match event {
            Event::Established => {
                self.established = true;
                self.tell(Input::Established);
            }
            Event::Held(held) => {
                if let Some(telephone) = self.telephone() {
                    telephone.after(0, Happening::Input(Input::Held(held)));
                }
            }
            Event::Digit(digit) => self.tell(Input::Digit(digit)),
            Event::TransferProgress(status) => self.tell(Input::TransferProgress(status)),
            Event::Ended(ending) => {
                if self.ended.ours.replace((self.now, ending)).is_some() {
                    self.violations.push(format!("{} our call ended twice", self.now));
                }
                if let Some(port) = self.port.take() {
                    self.ports.remove(&port);
                }
                let reason = self.cause.filter(|_| ending == Ending::Local).unwrap_or(reason_of(ending));
                let passed = self.now - self.began;
                if let Some(call) = &mut self.call {
                    call.run_until(actors::types::CallTime::START + passed);
                    call.leg_ends(reason);
                }
            }
            Event::Ringing | Event::Agreed(_) | Event::Referred(_) => {}
        }
    }

    fn tell(&mut self, input: Input) {
        if let Some(telephone) = self.telephone() {
            telephone.tell(input);
        }
    }

    fn on_their_event(&mut self, event: &Event) {
        self.write(&format!("caller: {event:?}"));
        match event {
            Event::Established => {
                self.caller_is_up = true;
                self.caller_up_at = self.now;
            }
            Event::Ended(ending) => {
                self.caller_is_up = false;
                if self.ended.theirs.replace((self.now, *ending)).is_some() {
                    self.violations.push(format!("{} the caller's call ended twice", self.now));
                }
            }
            _ => {}
        }
    }

    fn on_conversation(&mut self, effect: Effect) {
        let now = self.now;
        match effect {
            Effect::Answer => self.answer_at = Some(now + self.plan.answered_after_ms),
            Effect::Transfer { to } => {
                let target = match to {
                    Destination::Uri(uri) => uri,
                    Destination::Number(number) => format!("sip:{}@{CALLER}", number.as_str()),
                };
                self.ours.command(now, Command::Transfer(target));
            }
            Effect::HangUp(_) => {
                self.write("the conversation ends");
                self.ours.command(now, Command::HangUp);
            }
            _ => {}
        }
    }

    /// Drops a dialog of which nothing is left to do.
    fn forget(&mut self) {
        let now = self.now;
        if self.ended.ours.is_some() && self.ours.forget() {
            self.ended.ours_forgotten = Some(now);
        }
        if self.ended.theirs.is_some() && self.theirs.forget() {
            self.ended.theirs_forgotten = Some(now);
        }
    }
}

const fn reason_of(ending: Ending) -> EndReason {
    match ending {
        Ending::Remote => EndReason::CallerHungUp,
        Ending::Local => EndReason::Completed,
        Ending::Cancelled => EndReason::Cancelled,
        Ending::Refused(_) => EndReason::Refused,
        Ending::Transferred => EndReason::Transferred,
        Ending::Timeout => EndReason::SignallingTimeout,
    }
}
