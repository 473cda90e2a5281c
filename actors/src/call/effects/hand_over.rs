//! Handing the caller over to a person: their leg, the words to them, and the two put together.

use super::people::Person;
use crate::call::conversation::Input as ConversationInput;
use crate::call::hand_over::{Effect, HandOver, Input, News};
use crate::call::leg::{Command, Event};
use crate::call::shell::Shell;
use crate::types::{CallTime, Destination};

/// The status that stands for a transfer that is not allowed (RFC 3261 section 21.4.4).
const FORBIDDEN: u16 = 403;
/// The status that stands for a far side that can't do what is wanted (RFC 3261 section 21.5.2).
const NOT_IMPLEMENTED: u16 = 501;

/// The hand-over under way, if there is one.
#[derive(Default)]
pub(in crate::call) struct HandingOver {
    open: Option<Open>,
}

struct Open {
    machine: HandOver,
    /// The person's line.
    number: u64,
    /// The caller was put together with the person.
    joined: bool,
}

impl HandingOver {
    /// Somebody is called, told or asked, and the caller waits for it.
    pub(in crate::call) fn is_waited_for(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.joined)
    }

    pub(in crate::call) fn next_due(&self) -> Option<CallTime> {
        self.open.as_ref().and_then(|open| open.machine.deadline())
    }
}

impl Shell {
    /// Asks the caller's carrier to call somebody, where the business may.
    pub(in crate::call) fn transfer(&mut self, to: Destination) {
        match self.count(&to) {
            // The carrier makes the call, and tells when it is over only by ending ours: it counts for the hour, and
            // as a minute's worth.
            Some(counted) => {
                counted.answered();
                drop(counted);
                self.transferring = true;
                self.command(Command::Transfer(to));
            }
            None => self.push(ConversationInput::TransferProgress(FORBIDDEN)),
        }
    }

    /// Calls a person to hand the caller over to.
    pub(in crate::call) fn hand_over(&mut self, name: &str, to: Destination) {
        let now = self.case.now();
        self.end_hand_over();
        let mut machine = HandOver::new(self.services.settings.hand_over.clone(), now);
        let number = self.callers_number().map(|number| format!(", on {number},")).unwrap_or_default();
        let text = format!(
            "Hello, this is the receptionist of {}. I have a caller on the line{number} who would like to speak to \
             {name}. Press 1 to take the call, or 2 to send it back to me.",
            self.case.business.name,
        );
        match self.call_person(to, text) {
            Some(number) => self.handing_over.open = Some(Open { machine, number, joined: false }),
            None => {
                let effects = machine.handle(now, Input::Unreachable);
                self.carry_out(effects);
            }
        }
    }

    /// Something came from a person's side.
    pub(in crate::call) fn on_person(&mut self, number: u64, person: Person) {
        if matches!(person, Person::Event(Event::EarlyMedia)) {
            return self.reached_is_heard(number);
        }
        let Some(input) = self.of_person(number, person) else { return };
        if self.handing_over.open.as_ref().is_some_and(|open| open.number == number) {
            self.tell_hand_over(input);
        } else {
            self.tell_reached(number, input);
        }
    }

    pub(in crate::call) fn hand_over_due(&mut self, now: CallTime) {
        if self.handing_over.next_due().is_some_and(|due| due <= now) {
            self.tell_hand_over(Input::Tick);
        }
    }

    /// The hand-over is needed no more.
    pub(in crate::call) fn end_hand_over(&mut self) {
        self.tell_hand_over(Input::Stop);
    }

    fn tell_hand_over(&mut self, input: Input) {
        let now = self.case.now();
        let Some(open) = &mut self.handing_over.open else { return };
        let effects = open.machine.handle(now, input);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let number = self.handing_over.open.as_ref().map(|open| open.number).unwrap_or_default();
        for effect in effects {
            match effect {
                Effect::Say => self.speak_to_person(number),
                Effect::Join => {
                    if let Some(open) = &mut self.handing_over.open {
                        open.joined = true;
                    }
                    self.join_person(number);
                }
                Effect::Leave => self.leave(),
                Effect::Release => self.release(),
                Effect::Tell(news) => {
                    if let (News::Moved, Some(open)) = (news, &mut self.handing_over.open) {
                        // The caller is not with us any more.
                        open.joined = false;
                    }
                    self.push(ConversationInput::HandOver(news));
                }
            }
        }
    }

    /// Whether the caller is on the way to the person, without us.
    pub(in crate::call) fn is_leaving(&self) -> bool {
        self.handing_over.open.as_ref().is_some_and(|open| open.machine.is_leaving())
    }

    /// The caller's side reports on that.
    pub(in crate::call) fn caller_moved(&mut self, status: u16) {
        self.tell_hand_over(Input::Moved(status));
    }

    /// Asks the caller's side to take our place with the person.
    fn leave(&mut self) {
        let direct = self.handing_over.open.as_ref().and_then(|open| self.direct_way(open.number));
        match direct {
            // It is no new call of the business: the person was counted.
            Some(uri) => self.command(Command::Transfer(Destination::Uri(uri))),
            None => self.tell_hand_over(Input::Moved(NOT_IMPLEMENTED)),
        }
    }

    /// Hangs the person up; a caller who is still there is listened to again.
    fn release(&mut self) {
        let Some(open) = self.handing_over.open.take() else { return };
        self.release_person(open.number);
        if open.joined && self.ending.outcome.is_none() && self.ending.leg_ended.is_none() {
            self.command(Command::Part);
            self.open_recogniser();
        }
    }
}
