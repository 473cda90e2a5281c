//! People who are called before the receptionist answers: their lines, and the caller's, which rings meanwhile.

use std::collections::BTreeMap;

use metrics::counter;

use crate::call::hand_over;
use crate::call::leg::{Command, Reach, Reached as Fate};
use crate::call::reaching::{Effect, Input, PersonId, Plan, Reaching};
use crate::call::record::{NODE_STOPPED, moment};
use crate::call::services::Counted;
use crate::call::shell::Shell;
use crate::metrics::PEOPLE_TRIED;
use crate::types::{
    CallEventKind, CallResult, CallTime, Callee, EndReason, HandOverOutcome, Heading, Outcome, Private,
};

/// The people who are called, while there are any.
#[derive(Default)]
pub(in crate::call) struct Reached {
    open: Option<Open>,
}

struct Open {
    machine: Reaching,
    /// Each person's line.
    lines: BTreeMap<PersonId, u64>,
    /// Those whom the caller's own network calls, as it was told of them, each counted among what the business may do at
    /// once until this is dropped.
    told: Vec<(PersonId, Counted)>,
    /// What the caller is to be told by that network, until it has been.
    announcement: Option<String>,
    /// Who took the call.
    taken_by: Option<String>,
}

impl Reached {
    /// Whether the call is theirs, and the conversation has not begun.
    pub(in crate::call) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(in crate::call) fn next_due(&self) -> Option<CallTime> {
        self.open.as_ref().and_then(|open| open.machine.deadline())
    }

    /// What the business reads of a call that never was the receptionist's.
    pub(in crate::call) fn summary(&self) -> Option<Private<String>> {
        let open = self.open.as_ref()?;
        Some(Private::new(match &open.taken_by {
            Some(name) => format!("Taken by {name} before the receptionist answered."),
            None => "The caller hung up before anybody answered.".to_owned(),
        }))
    }
}

impl Shell {
    /// Calls people by this plan. The conversation begins where none of them takes the call.
    pub(in crate::call) fn reach(&mut self, plan: Plan) {
        let settings = self.services.settings.hand_over.clone();
        let now = self.case.now();
        let until = now + self.services.settings.reach_ms_max;
        let relayed = self.services.settings.early_media.relayed;
        let announcement = plan.announcement.clone();
        let ((machine, effects), announcement) = match self.case.leg_reaches() {
            Some(most) => (Reaching::by_network(settings, plan.at_most(most), now, until), announcement),
            None => {
                self.let_caller_hear(announcement);
                (Reaching::new(settings, relayed, plan, now, until), None)
            }
        };
        let (lines, told) = (BTreeMap::new(), Vec::new());
        self.reached.open = Some(Open { machine, lines, told, announcement, taken_by: None });
        self.carry_out_reached(effects);
    }

    /// The caller's own network tells how calling people went.
    pub(super) fn network_reached(&mut self, fate: Fate) {
        let Some(open) = &mut self.reached.open else { return };
        match fate {
            Fate::Joined(number) => {
                // The others' telephones ring no more.
                let person = open.told.get(number).or(open.told.first()).map(|(person, _)| *person);
                open.told.retain(|(one, _)| Some(*one) == person);
                open.told.iter().for_each(|(_, counted)| counted.answered());
                if let Some(person) = person {
                    self.tell_reaching(Input::Person(person, hand_over::Input::Answered));
                }
            }
            Fate::Nobody(outcome) => {
                open.told.clear();
                self.tell_reaching(Input::NobodyOf(outcome));
            }
        }
    }

    /// Has the caller's own network call those of these people who may be called; the others are returned.
    fn call_all(&mut self, people: Vec<(PersonId, Callee)>, ring_ms: u64, by_key: bool) -> Vec<PersonId> {
        let (mut told, mut whom, mut denied) = (Vec::new(), Vec::new(), Vec::new());
        for (person, callee) in people {
            match self.count(&callee.to) {
                Some(counted) => {
                    told.push((person, counted));
                    whom.push(callee.to);
                }
                None => denied.push(person),
            }
        }
        let words = by_key.then(|| self.words_to_reached());
        if let (false, Some(open)) = (whom.is_empty(), &mut self.reached.open) {
            open.told = told;
            let announcement = open.announcement.take();
            self.command(Command::Reach(Reach { people: whom, ring_ms, words, announcement }));
        }
        denied
    }

    pub(super) fn tell_reached(&mut self, number: u64, input: hand_over::Input) {
        let Some(open) = &self.reached.open else { return };
        let person = open.lines.iter().find(|(_, line)| **line == number).map(|(person, _)| *person);
        if let Some(person) = person {
            self.tell_reaching(Input::Person(person, input));
        }
    }

    /// A person's line is heard although nobody has answered there.
    pub(super) fn reached_is_heard(&mut self, number: u64) {
        let Some(open) = &self.reached.open else { return };
        let person = open.lines.iter().find(|(_, line)| **line == number).map(|(person, _)| *person);
        if let Some(person) = person {
            self.tell_reaching(Input::EarlyMedia(person));
        }
    }

    pub(in crate::call) fn reached_due(&mut self, now: CallTime) {
        if self.reached.next_due().is_some_and(|due| due <= now) {
            self.tell_reaching(Input::Tick);
        }
    }

    /// The caller's leg has ended while the call was not the receptionist's.
    pub(in crate::call) fn reached_leg_ended(&mut self, reason: EndReason) {
        let together = self.reached.open.as_ref().is_some_and(|open| open.machine.is_together());
        self.tell_reaching(Input::Stop);
        let outcome = match reason {
            EndReason::CallerHungUp if together => TRANSFERRED,
            EndReason::CallerHungUp => crate::call::conversation::outcome_of(EndReason::Cancelled),
            other => crate::call::conversation::outcome_of(other),
        };
        self.ending.outcome.get_or_insert(outcome);
        self.leg_ended(reason);
    }

    /// The node stops: nobody is called any more. Two who speak with each other may go on for as long as it waits.
    pub(in crate::call) fn reached_node_stopping(&mut self) {
        if self.reached.open.as_ref().is_some_and(|open| !open.machine.is_together()) {
            self.tell_reaching(Input::Stop);
            self.hang_up(NODE_STOPPED);
        }
    }

    /// Nobody is needed any more.
    pub(in crate::call) fn end_reaching(&mut self) {
        self.tell_reaching(Input::Stop);
    }

    fn tell_reaching(&mut self, input: Input) {
        let now = self.case.now();
        let Some(open) = &mut self.reached.open else { return };
        let effects = open.machine.handle(now, input);
        self.carry_out_reached(effects);
    }

    fn carry_out_reached(&mut self, effects: Vec<Effect>) {
        let (mut unreachable, mut unheard) = (Vec::new(), Vec::new());
        for effect in effects {
            match effect {
                Effect::Call(person, callee) => {
                    match (self.call_person(callee.to, self.words_to_reached()), &mut self.reached.open) {
                        (Some(line), Some(open)) => {
                            open.lines.insert(person, line);
                        }
                        _ => unreachable.push(person),
                    }
                }
                Effect::CallAll { people, ring_ms, by_key } => {
                    unreachable.extend(self.call_all(people, ring_ms, by_key));
                }
                Effect::LetHear(person) => {
                    let line = self.line_of(person);
                    if !line.is_some_and(|line| self.let_hear_person(line)) {
                        unheard.push(person);
                    }
                }
                Effect::LetHearNobody => self.let_hear_nobody(),
                Effect::Say(person) => self.with_line(person, Self::speak_to_person),
                Effect::Join(person) => {
                    self.answer_for_person();
                    self.with_line(person, Self::join_person);
                }
                Effect::Release(person) => {
                    self.with_line(person, Self::release_person);
                    if let Some(open) = &mut self.reached.open {
                        open.lines.remove(&person);
                    }
                }
                Effect::Tried(to, outcome) => self.note_tried(to, outcome),
                Effect::Nobody => {
                    self.hears_no_more();
                    self.begin_conversation();
                }
                Effect::Over => self.hang_up(TRANSFERRED),
            }
        }
        for person in unheard {
            self.tell_reaching(Input::NotHeard(person));
        }
        for person in unreachable {
            self.tell_reaching(Input::Person(person, hand_over::Input::Unreachable));
        }
    }

    fn words_to_reached(&self) -> String {
        let number = self.callers_number().map(|number| format!(" from {number}")).unwrap_or_default();
        format!(
            "Hello, this is the receptionist of {}. I have a call for you{number}. Press 1 to take it, or 2 to leave it \
             to me.",
            self.case.business.name,
        )
    }

    fn with_line(&mut self, person: PersonId, act: impl FnOnce(&mut Self, u64)) {
        if let Some(line) = self.line_of(person) {
            act(self, line);
        }
    }

    fn line_of(&self, person: PersonId) -> Option<u64> {
        self.reached.open.as_ref().and_then(|open| open.lines.get(&person)).copied()
    }

    fn note_tried(&mut self, to: String, outcome: Option<HandOverOutcome>) {
        if let Some(outcome) = outcome {
            counter!(PEOPLE_TRIED, "outcome" => outcome.name()).increment(1);
        }
        if let (Some(HandOverOutcome::Answered), Some(open)) = (outcome, &mut self.reached.open) {
            open.taken_by = Some(to.clone());
            self.case.note(|record, _| record.heading = Heading::Transferred);
        }
        self.case.tell(self.case.now(), CallEventKind::HandOver { to, outcome });
    }

    /// Answers the caller's call for somebody else: it is not recorded, and nobody here listens.
    fn answer_for_person(&mut self) {
        let now = self.case.now();
        self.case.note(|record, milestones| {
            record.answered_at = Some(moment(record, now));
            record.sip_status = 200;
            milestones.answered = Some(now);
        });
        // Where the caller's own network has called them, it has put the two together.
        if self.case.leg_reaches().is_none() {
            self.command(Command::Answer);
        }
        self.case.write_record();
    }
}

/// How a call ended that somebody else took.
const TRANSFERRED: Outcome = Outcome { result: CallResult::Success, reason: EndReason::Transferred };
