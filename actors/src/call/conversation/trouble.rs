//! When the recogniser fails in mid-call: it has a bounded time to come back.

use serde::{Deserialize, Serialize};

use super::phase::{Answer, Next, Phase};
use super::timers::TimerReason;
use super::{Conversation, IgnoredWhy, listening, mouth::LineKind, phrases, taking_message};
use crate::types::CallTime;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recogniser {
    failed: bool,
    /// It has not come back in time.
    gone: bool,
    failures: u32,
    /// The caller said something that nobody understood.
    pub(super) lost_words: bool,
}

impl Recogniser {
    pub(super) const fn is_failed(&self) -> bool {
        self.failed
    }

    pub(super) const fn is_gone(&self) -> bool {
        self.gone
    }

    /// The caller has said something and hears nothing of us because we wait for a new recogniser.
    pub(super) const fn keeps_caller_waiting(&self) -> bool {
        self.failed && self.lost_words
    }
}

impl Conversation {
    pub(super) fn on_recogniser_failed(&mut self, now: CallTime) {
        if self.recogniser.failed {
            return self.ignore(IgnoredWhy::Stale);
        }
        self.recogniser.failed = true;
        self.recogniser.failures += 1;
        self.recogniser.lost_words |= self.ear.is_mid_turn();
        self.ear.lose_turn();
        for reason in [TimerReason::EndOfTurn, TimerReason::TurnLimit, TimerReason::FinalWordsLate] {
            self.timers.cancel(reason);
        }
        self.trouble("the recogniser failed; a new one is awaited");
        if self.recogniser.failures > self.start.settings.recogniser_failures_max {
            return self.on_recogniser_late(now);
        }
        self.timers.set(TimerReason::RecogniserLate, now + self.start.settings.recogniser_ms_max);
    }

    pub(super) fn on_recogniser_restored(&mut self, now: CallTime) {
        if !self.recogniser.failed {
            // The first one has opened.
            return;
        }
        self.recogniser.failed = false;
        self.recogniser.gone = false;
        self.timers.cancel(TimerReason::RecogniserLate);
        if let Phase::Listening(_) = self.phase
            && self.recogniser.lost_words
            && !self.ear.is_voice()
        {
            self.ask_to_repeat(now);
        }
    }

    /// The recogniser has not come back.
    pub(super) fn on_recogniser_late(&mut self, _now: CallTime) {
        self.recogniser.gone = true;
        self.trouble("the recogniser did not come back; a message is taken by tone");
        if let Phase::Listening(_) = self.phase {
            taking_message::enter(self);
        }
    }

    /// The caller's words were lost: asks for them again, or goes on where they had interrupted something that
    /// must be said.
    pub(super) fn ask_to_repeat(&mut self, now: CallTime) {
        self.recogniser.lost_words = false;
        let Phase::Listening(listening) = &self.phase else {
            return;
        };
        let must_go_on = listening
            .interrupted
            .as_ref()
            .is_some_and(|interrupted| !matches!(interrupted.answer.next, Some(Next::Listen(_))));
        if must_go_on {
            return listening::resume(self, now);
        }
        self.say(phrases::SAY_AGAIN, LineKind::Own);
        self.phase = Phase::Speaking(Answer::own(self.questions, Next::Listen(self.expect)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::*;
    use crate::call::conversation::{Effect, Input};

    #[test]
    fn words_lost_with_the_recogniser_are_asked_for_again() {
        let mut rig = Rig::listening();
        rig.at(5_000).input(Input::SpeechStarted);
        rig.at(5_500).input(Input::RecogniserFailed);
        rig.at(6_000).input(Input::SpeechStopped);
        rig.drain();
        rig.at(6_500).input(Input::RecogniserRestored);
        assert_eq!(rig.said(), [phrases::SAY_AGAIN]);
    }

    #[test]
    fn a_failure_that_the_caller_did_not_notice_is_not_mentioned() {
        let mut rig = Rig::listening();
        rig.at(5_000).input(Input::RecogniserFailed);
        rig.at(5_500).input(Input::RecogniserRestored);
        assert_eq!(rig.said(), Vec::<String>::new());
    }

    #[test]
    fn without_a_recogniser_a_message_is_taken_by_tone() {
        let mut rig = Rig::listening();
        rig.at(5_000).input(Input::RecogniserFailed);
        rig.at(9_000).input(Input::Timeout);
        assert_eq!(rig.said(), [phrases::LEAVE_A_MESSAGE]);
        rig.speak_all();
        assert!(rig.drain().contains(&Effect::PlayTone));
    }
}
