//! Whose turn it is: the caller's voice and words, when a turn has ended, and whether we were spoken over.

use serde::{Deserialize, Serialize};

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
    }

    /// Forgets the turn and the voice: the caller speaks with somebody else.
    pub(super) fn turn_away(&mut self) {
        self.lose_turn();
        self.voice_since = None;
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
        turn
    }
}

impl Conversation {
    pub(super) fn on_speech_started(&mut self, now: CallTime) {
        if self.ear.is_voice() {
            return self.ignore(IgnoredWhy::OutOfPlace);
        }
        let begins = self.ear.stopped_at.is_none() && self.ear.partial.is_empty();
        self.ear.voice_since = Some(now);
        self.ear.stopped_at = None;
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
        self.on_voice_stopped(now);
    }

    /// The turn ends when the pause is long enough for its words.
    fn time_end_of_turn(&mut self, now: CallTime) {
        if self.recogniser.is_failed() {
            self.recogniser.lost_words = true;
            self.ear.lose_turn();
            return;
        }
        let stopped = self.ear.stopped_at.unwrap_or(now);
        let wait = words::end_of_turn_wait(&self.start.settings, self.expect, &self.ear.partial);
        self.timers.set(TimerReason::EndOfTurn, (stopped + wait).max(now));
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
