//! Watches over silence: the caller's, and above all our own. The deadlines here follow from the state alone and
//! are worked out anew after every input, so that no path through a call can forget them.

use super::Conversation;
use super::mouth::LineKind;
use super::phase::Phase;
use super::phrases;
use super::timers::TimerReason;
use crate::types::CallTime;

impl Conversation {
    pub(super) fn keep_watch(&mut self, now: CallTime) {
        if let Phase::Ended(_) = self.phase {
            return;
        }
        self.our_turn_since = self.caller_waits().then(|| self.our_turn_since.unwrap_or(now));
        self.watch_our_silence();
        self.watch_the_voice();
        self.watch_the_callers_silence(now);
    }

    /// Whether the caller waits for us to say something.
    fn caller_waits(&self) -> bool {
        if self.held || self.leg_gone || !self.established || self.ear.is_voice() {
            return false;
        }
        match &self.phase {
            Phase::Greeting(_)
            | Phase::Thinking(_)
            | Phase::Speaking(_)
            | Phase::UsingTool(_)
            | Phase::Ending(_) => true,
            Phase::Listening(listening) => {
                self.ear.is_finishing() || self.recogniser.keeps_caller_waiting() || listening.turn.is_some()
            }
            Phase::TakingMessage(message) => !message.is_recording(),
            Phase::Ringing(_) | Phase::Transferring(_) | Phase::Ended(_) => false,
        }
    }

    fn watch_our_silence(&mut self) {
        let settings = &self.start.settings;
        let (filler_ms, quiet_ms) = match &self.phase {
            Phase::UsingTool(tool) if tool.has_filler() => (settings.tool_filler_ms, settings.quiet_ms_max),
            _ => (settings.filler_ms, settings.quiet_ms_max),
        };
        let since = self
            .our_turn_since
            .filter(|_| !self.mouth.is_audible())
            .map(|since| since.max(self.mouth.quiet_since()));
        let filler =
            since.filter(|_| !self.mouth.is_busy() && !self.mouth.is_gone()).map(|since| since + filler_ms);
        self.timers.set_or_cancel(TimerReason::Filler, filler);
        self.timers.set_or_cancel(TimerReason::Quiet, since.map(|since| since + quiet_ms));
    }

    fn watch_the_voice(&mut self) {
        let settings = &self.start.settings;
        let late = self.mouth.starting().map(|(_, at)| at + settings.voice_start_ms_max);
        let overdue = self.mouth.expected_end().map(|(_, at)| at + settings.playback_grace_ms);
        self.timers.set_or_cancel(TimerReason::VoiceLate, late.filter(|_| !self.held));
        self.timers.set_or_cancel(TimerReason::PlaybackLate, overdue.filter(|_| !self.held));
    }

    fn watch_the_callers_silence(&mut self, now: CallTime) {
        let waiting = match &self.phase {
            Phase::Listening(listening) => listening.interrupted.is_none(),
            _ => false,
        };
        let silent = !self.held && !self.mouth.is_busy() && !self.ear.is_mid_turn() && self.digits.is_empty();
        if waiting && silent {
            self.timers.set_once(TimerReason::Silence, now + self.start.settings.silence_ms);
        } else {
            self.timers.cancel(TimerReason::Silence);
        }
    }

    /// We have been silent for a while: says that we are still there.
    pub(super) fn on_filler_due(&mut self) {
        let of_tool = match &mut self.phase {
            Phase::UsingTool(tool) => tool.take_filler(),
            _ => None,
        };
        let text = of_tool.unwrap_or_else(|| {
            let index = self.fillers as usize % phrases::FILLERS.len();
            phrases::FILLERS.get(index).copied().unwrap_or_default().to_owned()
        });
        self.fillers = self.fillers.saturating_add(1);
        self.say(text, LineKind::Filler);
    }
}
