//! Whose turn it is: the caller's voice and words, when a turn has ended, and whether we were spoken over.

use serde::{Deserialize, Serialize};

use super::end_of_turn::{self, EndSign, HeardEnd, Signs, Wait};
use super::mouth::AfterStop;
use super::phase::Phase;
use super::settings::WORDS_LENGTH_MAX;
use super::timers::TimerReason;
use super::{Conversation, Effect, IgnoredWhy, words};
use crate::types::CallTime;

/// Whether a turn began while we were speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Over {
    /// It began in our silence.
    #[default]
    Nothing,
    /// It began over our words, before we had asked anything.
    Words,
    /// It began over our words, after a question: it may be the answer.
    Question,
}

/// A turn whose final words are awaited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Finishing {
    turn: u64,
    voiced_ms: u64,
    over: Over,
    partial: String,
    confidence: f32,
}

/// What is known of the caller's side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ear {
    /// The number of the turn that is being heard.
    turn: u64,
    voice_since: Option<CallTime>,
    voiced_ms: u64,
    stopped_at: Option<CallTime>,
    partial: String,
    confidence: f32,
    over: Over,
    finishing: Option<Finishing>,
    /// Words of turns that were finished although the caller then went on.
    carried: String,
    /// Turns in a row without final words.
    misses: u32,
    /// The number of the latest pause.
    #[serde(default)]
    pause: u64,
    /// How the caller sounded when they paused.
    #[serde(default)]
    sound: Option<f32>,
    /// What the recogniser heard of the end of the turn.
    #[serde(default)]
    heard_end: Option<HeardEnd>,
    /// When a turn was last decided to be over, and by what.
    #[serde(default)]
    ended: Option<(CallTime, EndSign)>,
}

/// A turn that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Turn {
    pub(super) text: String,
    pub(super) confidence: f32,
    pub(super) voiced_ms: u64,
    pub(super) over: Over,
    /// The recogniser did not answer.
    pub(super) lost: bool,
}

impl Turn {
    /// Whether the turn only shows that the caller listens to what we say.
    pub(super) fn is_back_channel(&self) -> bool {
        self.over == Over::Words && words::is_back_channel(&self.text)
    }
}

impl Ear {
    pub(super) const fn turn(&self) -> u64 {
        self.turn
    }

    pub(super) const fn is_voice(&self) -> bool {
        self.voice_since.is_some()
    }

    pub(super) const fn voice_since(&self) -> Option<CallTime> {
        self.voice_since
    }

    pub(super) const fn over(&self) -> Over {
        self.over
    }

    pub(super) fn partial(&self) -> &str {
        &self.partial
    }

    pub(super) const fn is_finishing(&self) -> bool {
        self.finishing.is_some()
    }

    /// Whether anything of a turn is there that has not been dealt with.
    pub(super) fn is_mid_turn(&self) -> bool {
        self.voice_since.is_some()
            || self.stopped_at.is_some()
            || self.finishing.is_some()
            || !self.partial.is_empty()
            || !self.carried.is_empty()
    }

    /// Words that have not been asked about: the last ones of a caller who hangs up.
    pub(super) fn unfinished_words(&self) -> String {
        let finishing = self.finishing.as_ref().map_or("", |finishing| finishing.partial.as_str());
        words::joined(finishing, &self.partial)
    }

    /// Forgets the turn: its recogniser is gone.
    pub(super) fn lose_turn(&mut self) {
        self.finishing = None;
        self.partial.clear();
        self.carried.clear();
        self.stopped_at = None;
        self.voiced_ms = 0;
        (self.sound, self.heard_end, self.ended) = (None, None, None);
    }

    fn voiced_until(&self, now: CallTime) -> u64 {
        self.voiced_ms + self.voice_since.map_or(0, |since| now.since_ms(since))
    }

    /// Closes the turn being heard and opens the next.
    fn finish(&mut self, now: CallTime) -> u64 {
        let turn = self.turn;
        self.turn += 1;
        self.finishing = Some(Finishing {
            turn,
            voiced_ms: self.voiced_until(now),
            over: std::mem::take(&mut self.over),
            partial: std::mem::take(&mut self.partial),
            confidence: std::mem::take(&mut self.confidence),
        });
        self.voiced_ms = 0;
        self.stopped_at = None;
        self.voice_since = self.voice_since.map(|_| now);
        (self.sound, self.heard_end) = (None, None);
        turn
    }
}

impl Conversation {
    pub(super) fn on_speech_started(&mut self, now: CallTime) {
        if self.ear.is_voice() {
            return self.ignore(IgnoredWhy::OutOfPlace);
        }
        self.notice_cut_off(now);
        let begins = self.ear.stopped_at.is_none() && self.ear.partial.is_empty();
        self.ear.voice_since = Some(now);
        self.ear.stopped_at = None;
        (self.ear.sound, self.ear.heard_end) = (None, None);
        if begins {
            self.ear.over = match (self.mouth.is_audible(), self.mouth.question_is_put(now)) {
                (false, _) => Over::Nothing,
                (true, false) => Over::Words,
                (true, true) => Over::Question,
            };
        }
        self.timers.cancel(TimerReason::EndOfTurn);
        self.timers.set_once(TimerReason::TurnLimit, now + self.start.settings.turn_ms_max);
        self.on_voice(now);
    }

    pub(super) fn on_speech_stopped(&mut self, now: CallTime) {
        let Some(since) = self.ear.voice_since.take() else {
            return self.ignore(IgnoredWhy::OutOfPlace);
        };
        self.ear.voiced_ms += now.since_ms(since);
        self.ear.stopped_at = Some(now);
        self.timers.cancel(TimerReason::BargeIn);
        self.time_end_of_turn(now);
        if self.ear.stopped_at.is_some() {
            self.ear.pause += 1;
            self.effects.push_back(Effect::JudgePause { pause: self.ear.pause });
        }
        self.on_voice_stopped(now);
    }

    /// The caller's sound at a pause was judged.
    pub(super) fn on_pause_judged(&mut self, now: CallTime, pause: u64, finished: f32) {
        let waits = self.ear.pause == pause && self.ear.stopped_at.is_some() && self.ear.sound.is_none();
        if !waits || self.recogniser.is_failed() {
            return self.ignore(IgnoredWhy::Late);
        }
        if !finished.is_finite() {
            return self.ignore(IgnoredWhy::OutOfPlace);
        }
        self.ear.sound = Some(finished);
        self.time_end_of_turn(now);
    }

    /// The recogniser has heard the end of a turn, perhaps before voice activity has.
    pub(super) fn on_end_heard(&mut self, now: CallTime, turn: u64, back_channel: bool) {
        if turn != self.ear.turn || self.recogniser.is_failed() {
            return self.ignore(IgnoredWhy::Stale);
        }
        self.ear.heard_end = Some(if back_channel { HeardEnd::BackChannel } else { HeardEnd::Finished });
        if self.ear.stopped_at.is_some() {
            self.time_end_of_turn(now);
        }
    }

    /// A caller who speaks again before an answer to the turn is heard had not finished it.
    fn notice_cut_off(&mut self, now: CallTime) {
        let Some((at, sign)) = self.ear.ended.take() else { return };
        let soon = now.since_ms(at) <= self.start.settings.cut_off_ms_max;
        if soon && sign != EndSign::Limit && !self.mouth.is_audible() {
            self.effects.push_back(Effect::CutOff { sign });
        }
    }

    /// How long a pause ends the turn being heard.
    fn end_of_turn(&self) -> Wait {
        let signs = Signs {
            words: words::completeness(self.expect, &self.ear.partial),
            sound: self.ear.sound,
            recogniser: self.ear.heard_end,
        };
        end_of_turn::wait(&self.start.settings, &signs)
    }

    /// The turn ends when the pause is long enough for its signs.
    fn time_end_of_turn(&mut self, now: CallTime) {
        if self.recogniser.is_failed() {
            self.recogniser.lost_words = true;
            self.ear.lose_turn();
            return;
        }
        let stopped = self.ear.stopped_at.unwrap_or(now);
        self.timers.set(TimerReason::EndOfTurn, (stopped + self.end_of_turn().ms).max(now));
    }

    pub(super) fn on_partial(&mut self, now: CallTime, turn: u64, text: &str, confidence: f32) {
        let text = words::bounded(text, WORDS_LENGTH_MAX);
        if let Some(finishing) = self.ear.finishing.as_mut().filter(|finishing| finishing.turn == turn) {
            text.clone_into(&mut finishing.partial);
            finishing.confidence = confidence;
            return;
        }
        if turn != self.ear.turn || self.recogniser.is_failed() {
            return self.ignore(if turn < self.ear.turn {
                IgnoredWhy::Stale
            } else {
                IgnoredWhy::OutOfPlace
            });
        }
        text.clone_into(&mut self.ear.partial);
        self.ear.confidence = confidence;
        self.ear.heard_end = None;
        if !self.ear.is_voice() && !text.is_empty() {
            self.ear.stopped_at.get_or_insert(now);
            self.time_end_of_turn(now);
        }
        self.on_words(now);
    }

    /// The pause was long enough, or the turn too long.
    pub(super) fn finish_turn(&mut self, now: CallTime) {
        if self.recogniser.is_failed() {
            return;
        }
        if self.ear.is_finishing() {
            // One turn at a time; its deadline is set.
            self.timers.set(TimerReason::EndOfTurn, now + 100);
            return;
        }
        // A turn that is ended while the voice goes on was too long.
        let sign = if self.ear.is_voice() { EndSign::Limit } else { self.end_of_turn().sign };
        let silent_ms = self.ear.stopped_at.map_or(0, |stopped| now.since_ms(stopped));
        self.ear.ended = Some((now, sign));
        self.effects.push_back(Effect::TurnEnded { sign, silent_ms });
        let turn = self.ear.finish(now);
        self.timers.cancel(TimerReason::EndOfTurn);
        self.timers.set_or_cancel(
            TimerReason::TurnLimit,
            self.ear.voice_since.map(|since| since + self.start.settings.turn_ms_max),
        );
        self.timers.set(TimerReason::FinalWordsLate, now + self.start.settings.final_words_ms_max);
        self.effects.push_back(Effect::FinishTurn { turn });
    }

    pub(super) fn on_final(&mut self, now: CallTime, turn: u64, text: &str, confidence: f32) {
        let Some(finishing) = self.ear.finishing.take_if(|finishing| finishing.turn == turn) else {
            return self.ignore(IgnoredWhy::Stale);
        };
        self.ear.misses = 0;
        let text = words::bounded(text.trim(), WORDS_LENGTH_MAX).to_owned();
        self.turn_is_over(now, finishing, text, confidence, false);
    }

    /// The recogniser did not come up with final words: the partial ones count.
    pub(super) fn on_final_words_late(&mut self, now: CallTime) {
        let Some(mut finishing) = self.ear.finishing.take() else {
            return;
        };
        self.ear.misses += 1;
        self.trouble("the recogniser gave no final words in time");
        if self.ear.misses >= self.start.settings.recogniser_misses_max {
            return self.on_recogniser_failed(now);
        }
        let (text, confidence) = (std::mem::take(&mut finishing.partial), finishing.confidence);
        self.turn_is_over(now, finishing, text, confidence, true);
    }

    fn turn_is_over(
        &mut self,
        now: CallTime,
        finishing: Finishing,
        text: String,
        confidence: f32,
        lost: bool,
    ) {
        self.timers.cancel(TimerReason::FinalWordsLate);
        self.transcript_caller(&text, confidence);
        let text = words::joined(&self.ear.carried, &text);
        let text = words::bounded(&text, WORDS_LENGTH_MAX).to_owned();
        let goes_on = self.ear.is_voice() || self.ear.stopped_at.is_some() || !self.ear.partial.is_empty();
        if goes_on && !text.is_empty() {
            // The caller went on: both parts are one turn.
            self.ear.carried = text;
            self.ear.over = finishing.over;
            return;
        }
        self.ear.carried.clear();
        let over = finishing.over;
        self.on_turn(now, Turn { text, confidence, voiced_ms: finishing.voiced_ms, over, lost });
    }

    /// Whether what the caller has said so far, over our voice, is enough to fall silent.
    pub(super) fn is_interrupted_by_words(&self) -> bool {
        let text = self.ear.partial();
        let only_listens = self.ear.over() == Over::Words && words::is_back_channel(text);
        !text.is_empty() && !only_listens
    }

    /// The caller has been speaking over us for a while.
    pub(super) fn on_barge_in(&mut self, now: CallTime) {
        let Some(since) = self.ear.voice_since().filter(|_| self.mouth.is_audible()) else {
            return;
        };
        let settings = &self.start.settings;
        let back_channel = words::is_back_channel(self.ear.partial()) && self.ear.over() == Over::Words;
        if self.mouth.is_announcing() {
            return self.timers.set(TimerReason::BargeIn, now + 200);
        }
        if back_channel && now.since_ms(since) < settings.back_channel_ms_max {
            return self.timers.set(TimerReason::BargeIn, since + settings.back_channel_ms_max);
        }
        if self.false_barge_ins < settings.false_barge_ins_max || self.is_interrupted_by_words() {
            self.interrupt(now, None);
        }
    }

    /// Falls silent and listens; what was not heard is kept until it is clear that there were words.
    pub(super) fn interrupt(&mut self, now: CallTime, turn: Option<Turn>) {
        let Some(answer) = self.phase.take_answer() else {
            return;
        };
        self.timers.cancel(TimerReason::BargeIn);
        self.phase = Phase::interrupted(answer, turn);
        self.stop_speaking(now, AfterStop::Interrupted);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::super::{ExpectationKind, Input};
    use super::*;
    use crate::call::brain::Thought;

    /// A caller who said this and fell silent at 6,000 ms.
    fn paused(words: &str) -> Rig {
        let mut rig = Rig::listening();
        rig.at(5_000).input(Input::SpeechStarted);
        rig.at(5_900).partial(words);
        rig.at(6_000).input(Input::SpeechStopped);
        rig
    }

    /// When the turn ends, in milliseconds after the caller fell silent, and by what.
    fn ends(rig: &mut Rig) -> (u64, EndSign) {
        rig.drain();
        for ms in (rig.now().as_ms() - 6_000)..5_000 {
            rig.at(6_000 + ms).input(Input::Timeout);
            let ended = rig.drain().into_iter().find_map(|effect| match effect {
                Effect::TurnEnded { sign, silent_ms } => Some((sign, silent_ms)),
                _ => None,
            });
            if let Some((sign, silent_ms)) = ended {
                assert_eq!(silent_ms, ms);
                return (ms, sign);
            }
        }
        panic!("the turn never ends");
    }

    fn judged(rig: &mut Rig, after_ms: u64, pause: u64, finished: f32) {
        rig.at(6_000 + after_ms).input(Input::PauseJudged { pause, finished });
    }

    fn ignored(rig: &mut Rig) -> Vec<IgnoredWhy> {
        let why = |effect| if let Effect::Ignored(why) = effect { Some(why) } else { None };
        rig.drain().into_iter().filter_map(why).collect()
    }

    #[test]
    fn each_pause_is_to_be_judged_once() {
        let mut rig = paused("i'd like to");
        assert!(rig.drain().contains(&Effect::JudgePause { pause: 1 }));
        rig.at(6_300).input(Input::SpeechStarted);
        rig.at(6_900).input(Input::SpeechStopped);
        assert!(rig.drain().contains(&Effect::JudgePause { pause: 2 }));
        judged(&mut rig, 950, 1, 0.99);
        assert_eq!(ignored(&mut rig), [IgnoredWhy::Late], "of the pause before");
        judged(&mut rig, 960, 2, 0.99);
        assert_eq!(ignored(&mut rig), []);
        judged(&mut rig, 970, 2, 0.01);
        assert_eq!(ignored(&mut rig), [IgnoredWhy::Late], "told twice");
    }

    #[test]
    fn a_caller_who_sounds_finished_is_answered_sooner_and_one_who_does_not_later() {
        assert_eq!(ends(&mut paused("tomorrow at three")), (500, EndSign::Words));
        let mut sure = paused("tomorrow at three");
        judged(&mut sure, 120, 1, 0.95);
        let (ms, sign) = ends(&mut sure);
        assert!(ms < 250 && sign == EndSign::Sound, "{ms} {sign:?}");
        let mut going_on = paused("tomorrow at three");
        judged(&mut going_on, 120, 1, 0.05);
        let (ms, sign) = ends(&mut going_on);
        assert!((1_000..2_000).contains(&ms) && sign == EndSign::Words, "{ms} {sign:?}");
    }

    #[test]
    fn a_judge_that_is_late_or_gone_holds_up_no_turn() {
        // Absent and failing are the same: nothing comes.
        let (without, _) = ends(&mut paused("i'd like to"));
        let mut late = paused("i'd like to");
        let (ms, sign) = ends(&mut late);
        assert_eq!((ms, sign), (without, EndSign::Silence));
        late.after(10).input(Input::PauseJudged { pause: 1, finished: 0.01 });
        assert_eq!(ignored(&mut late), [IgnoredWhy::Late]);
        let mut broken = paused("i'd like to");
        judged(&mut broken, 100, 1, f32::NAN);
        assert_eq!(ends(&mut broken).0, without);
    }

    #[test]
    fn the_recognisers_own_word_counts_even_before_the_voice_stops_until_more_words_come() {
        let mut rig = Rig::listening();
        rig.at(5_000).input(Input::SpeechStarted);
        rig.at(5_900).partial("tomorrow at three");
        rig.input(Input::EndHeard { turn: 0, back_channel: false });
        rig.at(6_000).input(Input::SpeechStopped);
        let (ms, sign) = ends(&mut rig);
        assert!(ms < 400 && sign == EndSign::Recogniser, "{ms} {sign:?}");
        let mut taken_back = paused("tomorrow at");
        taken_back.at(6_010).input(Input::EndHeard { turn: 0, back_channel: false });
        taken_back.at(6_020).partial("tomorrow at three");
        assert_eq!(ends(&mut taken_back), (500, EndSign::Words));
        taken_back.input(Input::EndHeard { turn: 0, back_channel: false });
        assert_eq!(ignored(&mut taken_back), [IgnoredWhy::Stale], "of a turn that is over");
        let mut listening_only = paused("okay");
        listening_only.at(6_010).input(Input::EndHeard { turn: 0, back_channel: true });
        assert!(ends(&mut listening_only).0 > 500);
    }

    #[test]
    fn a_caller_who_goes_on_before_an_answer_was_cut_off() {
        let cut_off = |rig: &mut Rig| {
            rig.drain().into_iter().any(|effect| matches!(effect, Effect::CutOff { sign: EndSign::Words }))
        };
        let mut rig = paused("tomorrow at three");
        ends(&mut rig);
        rig.after(400).input(Input::SpeechStarted);
        assert!(cut_off(&mut rig));
        let mut patient = paused("tomorrow at three");
        ends(&mut patient);
        patient.after(1_600).input(Input::SpeechStarted);
        assert!(!cut_off(&mut patient), "too long after");
        let mut interrupts = paused("what time do you open");
        ends(&mut interrupts);
        interrupts.final_words("what time do you open");
        interrupts.answer(Thought::Say { text: "We open at nine.".into() });
        interrupts.answer(Thought::Listen { expect: ExpectationKind::Open });
        interrupts.start_speaking();
        interrupts.after(300).input(Input::SpeechStarted);
        assert!(!cut_off(&mut interrupts), "an answer was heard");
    }
}
