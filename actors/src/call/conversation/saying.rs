//! Speaking aloud: handing over, being heard, being stopped, failing.

use super::mouth::{AfterStop, Line, LineKind};
use super::phase::Phase;
use super::timers::TimerReason;
use super::{Conversation, Effect, IgnoredWhy, PlaybackEnd, UtteranceId, ending, phrases};
use crate::types::{CallTime, EndReason};

impl Conversation {
    pub(super) fn say(&mut self, text: impl Into<String>, kind: LineKind) {
        if !self.mouth.say(text, kind) {
            self.ignore(IgnoredWhy::OutOfPlace);
        }
    }

    /// Hands over what may be handed over now.
    pub(super) fn hand_over(&mut self, now: CallTime) {
        if !self.established || self.held || self.leg_gone {
            return;
        }
        while let Some(utterance) = self.mouth.hand_over(now) {
            self.effects.push_back(Effect::Say(utterance));
        }
    }

    pub(super) fn play_tone(&mut self, now: CallTime) {
        if self.leg_gone {
            return;
        }
        self.mouth.tone_played(now);
        self.effects.push_back(Effect::PlayTone);
    }

    pub(super) fn on_playback_started(&mut self, now: CallTime, id: UtteranceId) {
        if !self.mouth.started(now, id) {
            self.ignore(IgnoredWhy::Stale);
        }
    }

    pub(super) fn on_playback_ended(&mut self, now: CallTime, id: UtteranceId, end: PlaybackEnd) {
        let asked_to_stop = self.mouth.is_stopping();
        let Some(heard) = self.mouth.ended(now, id, end) else {
            return self.ignore(IgnoredWhy::Stale);
        };
        self.transcript_ours(&heard);
        if asked_to_stop {
            self.settle(now);
        } else if !heard.complete {
            self.trouble("an utterance broke off and is said again from the sentence that broke off");
            self.mouth.count_failure();
            self.give_up_on_voice_where_hopeless(now);
        }
    }

    /// Stops what plays.
    pub(super) fn stop_speaking(&mut self, now: CallTime, then: AfterStop) {
        if self.mouth.stop(then) {
            self.effects.push_back(Effect::StopSpeaking);
            self.timers.set(TimerReason::StopLate, now + self.start.settings.stop_ms_max);
        }
        self.settle(now);
    }

    /// The leg has not reported what it stopped.
    pub(super) fn on_stop_late(&mut self, now: CallTime) {
        for (id, end) in self.mouth.estimate_ends(now) {
            self.on_playback_ended(now, id, end);
        }
    }

    fn settle(&mut self, now: CallTime) {
        let Some((then, unsaid)) = self.mouth.settle() else {
            return;
        };
        self.timers.cancel(TimerReason::StopLate);
        match (then, &mut self.phase) {
            (AfterStop::Drop, _) => {}
            (AfterStop::Interrupted, Phase::Listening(listening)) => listening.keep_unsaid(unsaid),
            // The interruption has been dealt with already: by keys, or by a tool that was called meanwhile.
            (AfterStop::Interrupted, _) => self.mouth.new_answer(),
            (AfterStop::SayAgain, _) => {
                for line in unsaid.into_iter().rev() {
                    self.mouth.say_first(line);
                }
            }
        }
        self.hand_over(now);
    }

    pub(super) fn on_voice_failed(&mut self, now: CallTime, id: UtteranceId) {
        let was_stopping = self.mouth.is_stopping();
        let line = self.mouth.failed(id);
        if was_stopping {
            self.settle(now);
        }
        match line {
            Some(line) => self.say_otherwise(now, line),
            None if was_stopping => {}
            None => self.ignore(IgnoredWhy::Stale),
        }
    }

    /// The voice has the text and does not start: whatever still comes of it is forgotten.
    pub(super) fn on_voice_late(&mut self, now: CallTime) {
        let Some(line) = self.mouth.starting().and_then(|(id, _)| self.mouth.failed(id)) else {
            return;
        };
        self.effects.push_back(Effect::StopSpeaking);
        self.say_otherwise(now, line);
    }

    /// Tries once more, then says something shorter, then gives up.
    fn say_otherwise(&mut self, now: CallTime, line: Line) {
        match self.mouth.failed_in_a_row() {
            1 => {
                self.trouble("the voice failed; the same is tried again");
                self.mouth.say_first(line);
            }
            2 => {
                self.trouble("the voice failed again; something shorter is tried");
                let text = match self.phase {
                    Phase::Ending(_) => phrases::GOODBYE,
                    Phase::TakingMessage(_) => phrases::LEAVE_A_MESSAGE_SHORT,
                    _ => phrases::SPEECHLESS,
                };
                self.mouth.drop_waiting();
                self.mouth.say_first(Line { text: text.to_owned(), kind: LineKind::Own });
            }
            _ => return self.give_up_on_voice(now),
        }
        self.give_up_on_voice_where_hopeless(now);
    }

    fn give_up_on_voice_where_hopeless(&mut self, now: CallTime) {
        if self.mouth.failures() > self.start.settings.voice_failures_max {
            self.give_up_on_voice(now);
        }
    }

    fn give_up_on_voice(&mut self, now: CallTime) {
        self.trouble("the voice is gone; the call ends after a tone");
        self.play_tone(now);
        ending::without_a_word(self, now, EndReason::EngineFailed);
    }

    /// The end of an utterance was not reported.
    pub(super) fn on_playback_late(&mut self, now: CallTime) {
        let Some((id, _)) = self.mouth.expected_end() else {
            return;
        };
        self.trouble("the end of an utterance was not reported; it counts as heard");
        self.effects.push_back(Effect::StopSpeaking);
        self.on_playback_ended(now, id, PlaybackEnd { complete: true, words: u32::MAX });
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::super::{Input, PlaybackEnd};
    use super::*;
    use crate::call::brain::Thought;
    use crate::types::CallEventKind;

    const FIRST: PlaybackEnd = PlaybackEnd { complete: true, words: 6 };

    /// A second sentence is handed over while the first, which is a long one, plays to its end.
    fn second_sentence_waits() -> Rig {
        let mut rig = Rig::thinking("what time do you open");
        rig.answer(Thought::Say { text: "We open at nine every day.".into() });
        rig.answer(Thought::Say { text: "Shall I book you in?".into() });
        rig.start_speaking();
        assert_eq!(rig.said().last().map(String::as_str), Some("Shall I book you in?"));
        rig.after(5_000).first_ends(FIRST);
        rig
    }

    fn troubles(effects: &[Effect]) -> usize {
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Record(CallEventKind::Trouble { .. })))
            .count()
    }

    #[test]
    fn the_wait_behind_another_sentence_is_no_failure_of_the_voice() {
        let mut rig = second_sentence_waits();
        rig.after(1_000).input(Input::Timeout);
        rig.start_speaking().speak_all();
        let effects = rig.drain();
        assert_eq!(troubles(&effects), 0, "{effects:?}");
        assert!(!effects.contains(&Effect::StopSpeaking));
    }

    #[test]
    fn a_sentence_that_does_not_follow_the_one_before_it_is_said_again() {
        let mut rig = second_sentence_waits();
        rig.after(1_800).input(Input::Timeout);
        let effects = rig.drain();
        assert_eq!(troubles(&effects), 1, "{effects:?}");
        assert_eq!(super::super::rig::said(&effects), ["Shall I book you in?"]);
    }
}
