//! ◇ Round after round: whom to call next, by us or by the caller's own network.

use super::{Effect, Person, PersonId, Reaching};
use crate::call::hand_over::{self, HandOver};
use crate::types::CallTime;

impl Reaching {
    /// Calls the people of the next round; where there is none, the receptionist is to answer.
    pub(super) fn next_round(&mut self, now: CallTime) {
        let Some(round) = self.rounds.find(|round| !round.people.is_empty()) else {
            self.over = true;
            self.effects.push(Effect::Nobody);
            return;
        };
        let left_ms = self.until.as_ms().saturating_sub(now.as_ms());
        let mut all = Vec::new();
        for callee in round.people {
            let id = PersonId(self.next);
            self.next += 1;
            // How long it rings is the network's then, and who picked up was asked by it.
            let ring_ms = if self.by_network { left_ms + 1 } else { round.ring_ms };
            let settings = hand_over::Settings { ring_ms, ..self.settings.clone() };
            let asked = round.by_key && !self.by_network;
            let machine = if asked { HandOver::new(settings, now) } else { HandOver::unasked(settings, now) };
            self.open.insert(id, Person { name: callee.name.clone(), by_key: round.by_key, machine });
            self.effects.push(Effect::Tried(callee.name.clone(), None));
            all.push((id, callee));
        }
        if self.by_network {
            let (ring_ms, by_key) = (round.ring_ms.min(left_ms), round.by_key);
            self.effects.push(Effect::CallAll { people: all, ring_ms, by_key });
        } else {
            self.effects.extend(all.into_iter().map(|(id, callee)| Effect::Call(id, callee)));
        }
    }
}
