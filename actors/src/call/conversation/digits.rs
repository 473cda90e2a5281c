//! Keys pressed on the telephone: collected until `#`, a pause, or the most there may be.

use super::phase::Phase;
use super::timers::TimerReason;
use super::{Conversation, IgnoredWhy, taking_message};
use crate::call::brain::Question;
use crate::types::{CallEventKind, CallTime, Private};

impl Conversation {
    pub(super) fn on_digit(&mut self, now: CallTime, digit: char) {
        if !matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D') {
            return self.ignore(IgnoredWhy::OutOfPlace);
        }
        match &self.phase {
            Phase::Ringing(_) | Phase::Ended(_) => return self.ignore(IgnoredWhy::OutOfPlace),
            Phase::Ending(ending) if ending.answer.is_none() => return self.ignore(IgnoredWhy::OutOfPlace),
            Phase::TakingMessage(_) => return taking_message::on_digit(self, now, digit),
            _ => {}
        }
        if !self.mouth.is_announcing() {
            self.interrupt(now, None);
        }
        if digit == '#' && !self.digits.is_empty() {
            return complete(self, now);
        }
        self.digits.push(digit);
        if digit == '#' || self.digits.len() >= self.start.settings.digits_max {
            return complete(self, now);
        }
        self.timers.set(TimerReason::DigitPause, now + self.start.settings.digit_pause_ms);
    }
}

/// The entry is whole.
pub(super) fn complete(call: &mut Conversation, now: CallTime) {
    call.timers.cancel(TimerReason::DigitPause);
    let digits = std::mem::take(&mut call.digits);
    if digits.is_empty() {
        return;
    }
    call.record(CallEventKind::Digits { digits: Private::new(digits.clone()) });
    match call.phase {
        Phase::Listening(_) => call.ask(now, Question::Digits(Private::new(digits))),
        Phase::TakingMessage(_) | Phase::Ending(_) | Phase::Ended(_) => {}
        _ => call.keep_digits(&digits),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::*;
    use crate::call::brain::Thought;
    use crate::call::conversation::{Effect, Input};

    fn asked_about(rig: &mut Rig) -> Option<String> {
        rig.drain().into_iter().rev().find_map(|effect| match effect {
            Effect::Think { asked: Question::Digits(digits), .. } => Some(digits.into_inner()),
            _ => None,
        })
    }

    #[test]
    fn a_hash_ends_the_entry() {
        let mut rig = Rig::listening();
        for digit in ['1', '2', '#'] {
            rig.input(Input::Digit(digit));
        }
        assert_eq!(asked_about(&mut rig).as_deref(), Some("12"));
    }

    #[test]
    fn a_pause_ends_the_entry() {
        let mut rig = Rig::listening();
        rig.at(5_000).input(Input::Digit('5'));
        rig.at(6_000).input(Input::Digit('6'));
        assert_eq!(asked_about(&mut rig), None);
        rig.at(8_500).input(Input::Timeout);
        assert_eq!(asked_about(&mut rig).as_deref(), Some("56"));
    }

    #[test]
    fn a_key_stops_what_is_being_said() {
        let mut rig = Rig::thinking("hello");
        rig.answer(Thought::Say { text: "Press one for sales.".into() });
        rig.start_speaking();
        rig.input(Input::Digit('1'));
        assert!(rig.drain().contains(&Effect::StopSpeaking));
    }

    #[test]
    fn endless_keys_are_bounded() {
        let mut rig = Rig::listening();
        for _ in 0..32 {
            rig.input(Input::Digit('7'));
        }
        assert_eq!(asked_about(&mut rig).map(|digits| digits.len()), Some(32));
        rig.input(Input::Digit('x'));
        assert!(rig.drain().contains(&Effect::Ignored(IgnoredWhy::OutOfPlace)));
    }
}
