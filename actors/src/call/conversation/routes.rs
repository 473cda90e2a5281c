//! Which phase deals with what: one table per kind of event.

use super::phase::Phase;
use super::timers::TimerReason;
use super::turn_taking::Turn;
use super::{Conversation, IgnoredWhy, digits, ending, listening, speaking, taking_message, transferring};
use crate::types::{CallTime, EndReason};

/// So many deadlines are dealt with in one go; the rest at the next.
const DEADLINES_AT_ONCE_MAX: usize = 32;

impl Conversation {
    /// The caller began to speak.
    pub(super) fn on_voice(&mut self, now: CallTime) {
        match self.phase {
            Phase::Greeting(_) | Phase::Thinking(_) | Phase::Speaking(_) | Phase::Ending(_) => {
                speaking::on_voice(self, now);
            }
            Phase::TakingMessage(_) => taking_message::on_voice(self, now),
            Phase::Ringing(_)
            | Phase::Listening(_)
            | Phase::UsingTool(_)
            | Phase::Transferring(_)
            | Phase::Ended(_) => {}
        }
    }

    /// The caller stopped speaking, for the moment.
    pub(super) fn on_voice_stopped(&mut self, now: CallTime) {
        if let Phase::TakingMessage(_) = self.phase {
            taking_message::on_voice_stopped(self, now);
        }
    }

    /// Some of the caller's words are known.
    pub(super) fn on_words(&mut self, now: CallTime) {
        match self.phase {
            Phase::Greeting(_) | Phase::Thinking(_) | Phase::Speaking(_) | Phase::Ending(_) => {
                speaking::on_words(self, now);
            }
            Phase::UsingTool(_) => super::using_tool::on_words(self, now),
            Phase::Ringing(_)
            | Phase::Listening(_)
            | Phase::Transferring(_)
            | Phase::TakingMessage(_)
            | Phase::Ended(_) => {}
        }
    }

    /// The caller's turn is over.
    pub(super) fn on_turn(&mut self, now: CallTime, turn: Turn) {
        if !turn.text.is_empty() {
            self.recogniser.lost_words = false;
        }
        match self.phase {
            Phase::Listening(_) => listening::on_turn(self, now, turn),
            Phase::Greeting(_) | Phase::Thinking(_) | Phase::Speaking(_) | Phase::Ending(_) => {
                speaking::on_turn(self, now, turn);
            }
            Phase::UsingTool(_) | Phase::Transferring(_) => self.keep_words(&turn),
            Phase::TakingMessage(_) => taking_message::on_turn(self, &turn),
            Phase::Ringing(_) | Phase::Ended(_) => {}
        }
    }

    /// One or more deadlines have come.
    pub(super) fn on_timeout(&mut self, now: CallTime) {
        let mut count = 0;
        while count < DEADLINES_AT_ONCE_MAX
            && let Some(reason) = self.timers.take_due(now)
        {
            self.on_deadline(now, reason);
            count += 1;
        }
        if count == 0 {
            self.ignore(IgnoredWhy::Stale);
        }
    }

    fn on_deadline(&mut self, now: CallTime, reason: TimerReason) {
        match reason {
            TimerReason::Establish => ending::without_a_word(self, now, EndReason::SignallingTimeout),
            TimerReason::StopLate => self.on_stop_late(now),
            TimerReason::BargeIn => self.on_barge_in(now),
            TimerReason::EndOfTurn | TimerReason::TurnLimit => self.finish_turn(now),
            TimerReason::FinalWordsLate => self.on_final_words_late(now),
            TimerReason::RecogniserLate => self.on_recogniser_late(now),
            TimerReason::Silence => listening::on_silence(self, now),
            TimerReason::DigitPause => digits::complete(self, now),
            TimerReason::Filler => self.on_filler_due(),
            TimerReason::Quiet => self.play_tone(now),
            TimerReason::BrainLate => self.on_brain_late(),
            TimerReason::ToolLate => self.on_tool_late(now),
            TimerReason::VoiceLate => self.on_voice_late(now),
            TimerReason::PlaybackLate => self.on_playback_late(now),
            TimerReason::TransferReminder => transferring::remind(self, now),
            TimerReason::TransferLate => transferring::on_late(self, now),
            TimerReason::MessageSilence | TimerReason::MessageLimit => taking_message::finish(self, now),
            TimerReason::EndingLimit => ending::finish(self),
            TimerReason::CallLimit => ending::on_too_long(self, now),
        }
    }
}
