//! ◇ Reaching: people are called before the receptionist answers, while the caller hears it ring; whoever takes the
//! call first has it. A pure function of its state, the time and one input, made of one [`HandOver`] for each person.
//!
//! ```text
//! Round 1 ─ somebody takes it ─▶ Together ─ they hang up ─▶ Over
//!    └ nobody ─▶ Round 2 ─ … ─ nobody ─▶ the receptionist
//! ```

mod early;
mod rounds;
mod values;

use std::collections::BTreeMap;

pub use early::{Before, Relayed, RingTone, Settings};
pub use values::{Effect, Input, PersonId, Plan, Round};

use crate::call::hand_over::{self, HandOver, News};
use crate::types::{CallTime, HandOverOutcome};

/// The people who are called.
#[derive(Debug)]
pub struct Reaching {
    settings: hand_over::Settings,
    relayed: Relayed,
    /// The caller's own network calls them.
    by_network: bool,
    rounds: std::vec::IntoIter<Round>,
    next: u64,
    open: BTreeMap<PersonId, Person>,
    together: Option<PersonId>,
    /// Whose line the caller hears although nobody has answered there.
    heard: Option<PersonId>,
    /// When the caller has heard it ring for as long as they may.
    until: CallTime,
    over: bool,
    effects: Vec<Effect>,
}

#[derive(Debug)]
struct Person {
    name: String,
    by_key: bool,
    machine: HandOver,
}

impl Reaching {
    /// Calls the first of them; what is to be done is returned, too. `settings` has the waits beside the ringing,
    /// `relayed` says whose lines the caller may hear before they answer, and `until` is when the receptionist answers at the latest.
    #[must_use]
    pub fn new(
        settings: hand_over::Settings,
        relayed: Relayed,
        plan: Plan,
        now: CallTime,
        until: CallTime,
    ) -> (Self, Vec<Effect>) {
        // Who rings first is reached by us: a caller whose call we have not answered can't be sent on.
        let settings = hand_over::Settings { leave_path: false, ..settings };
        Self::begin(settings, relayed, false, plan, now, until)
    }

    /// The same where the caller's own network calls them: a round at once, and nothing is heard of a person before they
    /// have the call.
    #[must_use]
    pub fn by_network(
        settings: hand_over::Settings,
        plan: Plan,
        now: CallTime,
        until: CallTime,
    ) -> (Self, Vec<Effect>) {
        let settings = hand_over::Settings { leave_path: false, ..settings };
        Self::begin(settings, Relayed::Never, true, plan, now, until)
    }

    fn begin(
        settings: hand_over::Settings,
        relayed: Relayed,
        by_network: bool,
        plan: Plan,
        now: CallTime,
        until: CallTime,
    ) -> (Self, Vec<Effect>) {
        let mut reaching = Self {
            settings,
            relayed,
            by_network,
            rounds: plan.rounds.into_iter(),
            next: 0,
            open: BTreeMap::new(),
            together: None,
            heard: None,
            until,
            over: false,
            effects: Vec::new(),
        };
        reaching.next_round(now);
        let effects = std::mem::take(&mut reaching.effects);
        (reaching, effects)
    }

    /// Lets it know what happened. What is to be done is returned, in order.
    pub fn handle(&mut self, now: CallTime, input: Input) -> Vec<Effect> {
        match input {
            _ if self.over => {}
            Input::Stop => {
                self.over = true;
                self.release_all_but(None);
            }
            Input::Person(id, input) => self.tell(now, id, input),
            Input::EarlyMedia(id) => self.let_hear(id),
            Input::NotHeard(id) => {
                self.heard.take_if(|heard| *heard == id);
            }
            Input::NobodyOf(_) if self.together.is_some() => {}
            Input::NobodyOf(outcome) => {
                for (id, person) in std::mem::take(&mut self.open) {
                    self.effects.push(Effect::Release(id));
                    self.effects.push(Effect::Tried(person.name, Some(outcome)));
                }
                self.next_round(now);
            }
            Input::Tick if self.together.is_none() && self.until <= now => {
                self.let_hear_nobody();
                let tried = std::mem::take(&mut self.open);
                for (id, person) in tried {
                    self.effects.push(Effect::Release(id));
                    self.effects.push(Effect::Tried(person.name, Some(HandOverOutcome::NoAnswer)));
                }
                self.over = true;
                self.effects.push(Effect::Nobody);
            }
            Input::Tick => {
                let late = |person: &Person| person.machine.deadline().is_some_and(|due| due <= now);
                let due: Vec<PersonId> =
                    self.open.iter().filter(|(_, person)| late(person)).map(|(id, _)| *id).collect();
                for id in due {
                    self.tell(now, id, hand_over::Input::Tick);
                }
            }
        }
        std::mem::take(&mut self.effects)
    }

    /// When [`Input::Tick`] is due, if nothing else comes.
    #[must_use]
    pub fn deadline(&self) -> Option<CallTime> {
        let until = (!self.over && self.together.is_none()).then_some(self.until);
        self.open.values().filter_map(|person| person.machine.deadline()).chain(until).min()
    }

    /// Whether the caller speaks with somebody.
    #[must_use]
    pub const fn is_together(&self) -> bool {
        self.together.is_some()
    }

    fn tell(&mut self, now: CallTime, id: PersonId, input: hand_over::Input) {
        let Some(person) = self.open.get_mut(&id) else { return };
        let name = person.name.clone();
        for effect in person.machine.handle(now, input) {
            match effect {
                hand_over::Effect::Say => {
                    if self.heard == Some(id) {
                        self.let_hear_nobody();
                    }
                    self.effects.push(Effect::Say(id));
                }
                hand_over::Effect::Join => {
                    // What is put together takes its place.
                    self.heard = None;
                    self.release_all_but(Some(id));
                    self.together = Some(id);
                    self.effects.push(Effect::Join(id));
                }
                hand_over::Effect::Release => {
                    if self.heard == Some(id) {
                        self.let_hear_nobody();
                    }
                    self.open.remove(&id);
                    self.effects.push(Effect::Release(id));
                }
                hand_over::Effect::Tell(News::Ringing | News::Moved) | hand_over::Effect::Leave => {}
                hand_over::Effect::Tell(News::Joined) => {
                    self.effects.push(Effect::Tried(name.clone(), Some(HandOverOutcome::Answered)));
                }
                hand_over::Effect::Tell(News::Failed(outcome)) => {
                    self.effects.push(Effect::Tried(name.clone(), Some(outcome)));
                    if self.open.is_empty() && !self.over && self.together.is_none() {
                        self.next_round(now);
                    }
                }
                hand_over::Effect::Tell(News::Left) => {
                    self.over = true;
                    self.effects.push(Effect::Over);
                }
            }
        }
    }

    fn let_hear(&mut self, id: PersonId) {
        let may = self.open.get(&id).is_some_and(|person| {
            let relayed = match self.relayed {
                Relayed::Never => false,
                Relayed::Forwarded => !person.by_key,
                Relayed::Always => true,
            };
            relayed && person.machine.is_calling()
        });
        if may && self.heard.is_none() && self.together.is_none() {
            self.heard = Some(id);
            self.effects.push(Effect::LetHear(id));
        }
    }

    fn let_hear_nobody(&mut self) {
        if self.heard.take().is_some() {
            self.effects.push(Effect::LetHearNobody);
        }
    }

    fn release_all_but(&mut self, kept: Option<PersonId>) {
        let others: Vec<PersonId> = self.open.keys().copied().filter(|id| Some(*id) != kept).collect();
        for id in others {
            self.open.remove(&id);
            self.effects.push(Effect::Release(id));
        }
    }
}

#[cfg(test)]
mod tests;
