//! The far side puts us on hold: nobody hears us, so nothing is said and nobody is prompted.

use super::mouth::{AfterStop, Line, LineKind};
use super::phase::Phase;
use super::{Conversation, IgnoredWhy, phrases};
use crate::types::{CallEventKind, CallTime};

/// More words than this are not repeated after a hold.
const REPEATED_WORDS_MAX: usize = 40;

impl Conversation {
    pub(super) fn on_held(&mut self, now: CallTime, held: bool) {
        if held == self.held {
            return self.ignore(IgnoredWhy::Stale);
        }
        self.record(CallEventKind::Held { held });
        if held {
            self.held = true;
            if self.mouth.is_busy() && !self.mouth.is_stopping() {
                self.stop_speaking(now, AfterStop::SayAgain);
            }
            return;
        }
        self.held = false;
        if !self.established {
            return;
        }
        let was_saying = self.mouth.is_busy();
        if let Phase::Listening(_) = self.phase
            && !was_saying
            && self.last_said.split_whitespace().count() <= REPEATED_WORDS_MAX
        {
            let text = self.last_said.clone();
            self.mouth.say_first(Line { text, kind: LineKind::Own });
        }
        let text = phrases::AFTER_HOLD.to_owned();
        self.mouth.say_first(Line { text, kind: LineKind::Filler });
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::*;
    use crate::call::brain::Thought;
    use crate::call::conversation::{Effect, Input, TimerReason};

    #[test]
    fn nobody_is_prompted_while_on_hold() {
        let mut rig = Rig::listening();
        rig.at(5_000).input(Input::Held(true));
        assert_ne!(rig.conversation.next_deadline().map(|(_, reason)| reason), Some(TimerReason::Silence));
        rig.drain();
        rig.at(65_000).input(Input::Held(false));
        assert_eq!(rig.said(), [phrases::AFTER_HOLD]);
        rig.speak_all();
        assert_eq!(rig.last_said(), "How can I help?");
    }

    #[test]
    fn an_answer_waits_until_the_hold_is_over() {
        let mut rig = Rig::thinking("what time do you open");
        rig.at(6_000).input(Input::Held(true));
        rig.answer(Thought::Say { text: "At nine.".into() });
        assert_eq!(rig.said(), Vec::<String>::new());
        rig.at(9_000).input(Input::Held(false));
        assert_eq!(rig.said(), [phrases::AFTER_HOLD]);
        rig.speak_all();
        assert_eq!(rig.last_said(), "At nine.");
    }

    #[test]
    fn what_was_cut_by_the_hold_is_said_again() {
        let mut rig = Rig::thinking("what time do you open");
        rig.answer(Thought::Say { text: "We open at nine. We close at five.".into() });
        rig.start_speaking();
        rig.at(7_000).input(Input::Held(true));
        assert!(rig.drain().contains(&Effect::StopSpeaking));
        rig.stopped_after(5);
        rig.at(9_000).input(Input::Held(false));
        rig.speak_all();
        assert_eq!(rig.last_said(), "We close at five.");
    }
}
