//! When a conversation wants to be woken, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::CallTime;

/// Why a conversation wants to be woken. Each reason has at most one deadline at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerReason {
    /// The far side has not acknowledged the answer.
    Establish,
    /// A stopped utterance has not been reported.
    StopLate,
    /// The caller's voice over ours has lasted long enough to stop us.
    BargeIn,
    /// The caller's pause is long enough to end the turn.
    EndOfTurn,
    /// The caller's turn has lasted too long.
    TurnLimit,
    /// The recogniser is late with final words.
    FinalWordsLate,
    /// The recogniser has not come back.
    RecogniserLate,
    /// The caller has said nothing.
    Silence,
    /// The caller has paused between keys.
    DigitPause,
    /// We have been silent long enough for a filler.
    Filler,
    /// We have been silent as long as we may.
    Quiet,
    /// The brain is late.
    BrainLate,
    /// A tool is late.
    ToolLate,
    /// The voice has not started.
    VoiceLate,
    /// The end of an utterance was not reported.
    PlaybackLate,
    /// Time to say that the transfer goes on.
    TransferReminder,
    /// The transfer takes too long.
    TransferLate,
    /// The caller's message has ended, or never began.
    MessageSilence,
    /// The caller's message is too long.
    MessageLimit,
    /// The goodbye takes too long.
    EndingLimit,
    /// The call is as long as it may be.
    CallLimit,
}

/// The deadlines that are set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Timers {
    deadlines: BTreeMap<TimerReason, CallTime>,
}

impl Timers {
    /// Sets a deadline, replacing the one before.
    pub(super) fn set(&mut self, reason: TimerReason, at: CallTime) {
        self.deadlines.insert(reason, at);
    }

    /// Sets a deadline where none is set for the reason.
    pub(super) fn set_once(&mut self, reason: TimerReason, at: CallTime) {
        self.deadlines.entry(reason).or_insert(at);
    }

    /// Sets the deadline, or cancels it where there is none.
    pub(super) fn set_or_cancel(&mut self, reason: TimerReason, at: Option<CallTime>) {
        match at {
            Some(at) => self.set(reason, at),
            None => self.cancel(reason),
        }
    }

    pub(super) fn cancel(&mut self, reason: TimerReason) {
        self.deadlines.remove(&reason);
    }

    pub(super) fn clear(&mut self) {
        self.deadlines.clear();
    }

    /// The earliest deadline; of equal ones the first by reason.
    pub(super) fn next(&self) -> Option<(CallTime, TimerReason)> {
        self.deadlines.iter().map(|(reason, at)| (*at, *reason)).min()
    }

    /// Takes the earliest deadline that has come.
    pub(super) fn take_due(&mut self, now: CallTime) -> Option<TimerReason> {
        let (at, reason) = self.next()?;
        (at <= now).then(|| {
            self.cancel(reason);
            reason
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_deadline_comes_first() {
        let mut timers = Timers::default();
        timers.set(TimerReason::Silence, CallTime::from_ms(80));
        timers.set(TimerReason::Filler, CallTime::from_ms(20));
        timers.set_once(TimerReason::Filler, CallTime::from_ms(90));
        assert_eq!(timers.next(), Some((CallTime::from_ms(20), TimerReason::Filler)));
        assert_eq!(timers.take_due(CallTime::from_ms(19)), None);
        assert_eq!(timers.take_due(CallTime::from_ms(80)), Some(TimerReason::Filler));
        assert_eq!(timers.take_due(CallTime::from_ms(80)), Some(TimerReason::Silence));
        assert_eq!(timers.next(), None);
    }
}
