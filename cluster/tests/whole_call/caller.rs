//! A random caller: what they say by the golden calls and beside them, and what they do with their phone.

use actors::call::conversation::Input;
use cluster::sip::dialog::{Command, Moment};
use cluster::sip::wire::{HeaderName, Method};

use super::Setting;
use super::call::World;
use super::chance::Dice;
use crate::telephone::Happening;

/// A caller waits at most so long for their turn.
const PATIENCE_MS: u64 = 60_000;

pub(super) struct Caller {
    dice: Dice,
    /// What they mean to say, last first.
    lines: Vec<String>,
    acts_left: u64,
    next_at: Moment,
    polite: bool,
    is_up: bool,
    /// The phone asked for hold.
    holds: bool,
    version: u32,
    rate: u64,
    /// Wants what they called for, and does little else.
    pub(super) is_earnest: bool,
}

impl Caller {
    pub(super) fn new(mut dice: Dice, setting: &Setting, rate: u64) -> Self {
        let is_earnest = dice.in_thousand(400);
        let mut lines = dice.one_of(if is_earnest { &setting.bookings } else { &setting.scripts }).clone();
        lines.reverse();
        Self {
            acts_left: if is_earnest { lines.len() as u64 + 1 } else { 2 + dice.below(15) },
            is_earnest,
            lines,
            next_at: 0,
            polite: true,
            is_up: false,
            holds: false,
            version: 1,
            rate,
            dice,
        }
    }

    /// When they do something, if their turn does not come before. `None` when they are done.
    pub(super) fn next_at(&self) -> Option<Moment> {
        (self.acts_left > 0).then_some(self.next_at)
    }

    pub(super) fn is_polite(&self) -> bool {
        self.polite && self.acts_left > 0
    }

    fn wait(&mut self, now: Moment) {
        self.polite = self.dice.in_thousand(if self.is_earnest { 980 } else { 750 });
        self.next_at = now + if self.polite { PATIENCE_MS } else { self.dice.below(4_000) };
    }

    /// Hears the call being answered, the first time.
    pub(super) fn picks_up(&mut self, now: Moment) {
        if !std::mem::replace(&mut self.is_up, true) {
            self.wait(now);
        }
    }

    /// Does one thing.
    pub(super) fn act(&mut self, world: &mut World<'_>) {
        self.acts_left -= 1;
        let now = world.now;
        self.wait(now);
        let speaks = self.is_earnest && self.dice.in_thousand(950);
        match self.dice.below(100) {
            _ if speaks => self.speak(world),
            0..72 => self.speak(world),
            72..78 => self.press(world),
            78..84 => self.hold(world),
            84..86 => world.caller_command(Command::HangUp),
            86..90 if self.dice.in_thousand(self.rate) => {
                let restored = self.dice.in_thousand(700).then(|| self.dice.below(6_000));
                if let Some(telephone) = world.telephone() {
                    telephone.recogniser_dies(restored);
                }
            }
            // They say nothing.
            _ => {}
        }
        if self.acts_left == 0 && (self.holds || self.dice.in_thousand(500)) {
            world.caller_command(Command::HangUp);
        }
    }

    fn speak(&mut self, world: &mut World<'_>) {
        let setting = world.setting;
        let random = |dice: &mut Dice| {
            let script = dice.one_of(&setting.scripts).clone();
            dice.one_of(&script).clone()
        };
        let line = if self.is_earnest || self.dice.in_thousand(850) { self.lines.pop() } else { None };
        let line = line.unwrap_or_else(|| random(&mut self.dice));
        let wait_ms = self.dice.below(600);
        let now = world.now;
        let is_deaf = world.network.is_cut(now) || self.holds;
        let Some(telephone) = world.telephone().filter(|_| !is_deaf) else { return };
        if !telephone.is_caller_busy() {
            let said_ms = telephone.speak(wait_ms, &line);
            self.next_at = self.next_at.max(now + said_ms + 1);
        }
    }

    fn press(&mut self, world: &mut World<'_>) {
        let key = *self.dice.one_of(&['0', '1', '5', '9', '#', '*']);
        let now = world.now;
        if self.dice.in_thousand(500) {
            let kind = [(HeaderName::ContentType, "application/dtmf-relay")];
            world.theirs.ask_own(now, Method::Info, &kind, &format!("Signal={key}\r\nDuration=160\r\n"));
        } else if !world.network.is_cut(now)
            && let Some(telephone) = world.telephone()
        {
            telephone.after(0, Happening::Input(Input::Digit(key)));
        }
    }

    fn hold(&mut self, world: &mut World<'_>) {
        self.holds = !self.holds;
        self.version += 1;
        let direction = if self.holds { "sendonly" } else { "sendrecv" };
        let offer = format!(
            "v=0\r\no=- 1 {} IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 0\r\na={direction}\r\n",
            self.version
        );
        world.note("hold");
        let now = world.now;
        world.theirs.ask_own(now, Method::Invite, &[(HeaderName::ContentType, "application/sdp")], &offer);
    }
}
