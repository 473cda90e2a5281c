//! What follows once everything is said: each phase's way on.

use super::phase::{Answer, Next, Phase};
use super::{Conversation, ending, listening, taking_message, transferring};
use crate::types::CallTime;

/// More steps than a call can take without something happening outside.
const STEPS_MAX: usize = 8;

impl Conversation {
    /// Takes every step that is open, handing over what there is to be said.
    pub(super) fn advance(&mut self, now: CallTime) {
        for _ in 0..STEPS_MAX {
            self.hand_over(now);
            if !self.step(now) {
                break;
            }
        }
    }

    /// Takes one step, where one is open.
    fn step(&mut self, now: CallTime) -> bool {
        if let Phase::Listening(_) = self.phase {
            return listening::step(self, now);
        }
        if self.mouth.is_busy() && !self.leg_gone {
            return false;
        }
        match &self.phase {
            Phase::Greeting(answer) | Phase::Thinking(answer) | Phase::Speaking(answer) => {
                let answer = answer.clone();
                follow(self, now, answer)
            }
            Phase::TakingMessage(_) => taking_message::step(self, now),
            Phase::Ending(_) => ending::step(self),
            Phase::Ringing(_)
            | Phase::Listening(_)
            | Phase::UsingTool(_)
            | Phase::Transferring(_)
            | Phase::Ended(_) => false,
        }
    }
}

fn follow(call: &mut Conversation, now: CallTime, answer: Answer) -> bool {
    match &answer.next {
        None => {
            if let Phase::Speaking(_) = call.phase {
                call.phase = Phase::Thinking(answer);
            }
            return false;
        }
        Some(Next::Listen(_)) => listening::enter(call, now),
        Some(Next::Transfer { name, to }) => transferring::start(call, now, &answer, name, to),
        Some(Next::End(_)) => call.phase = Phase::saying(answer),
        Some(Next::GiveUp) => taking_message::enter(call),
    }
    true
}
