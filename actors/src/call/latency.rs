//! How fast each answer came: named instants from the end of the caller's words to the answer's first sample.

use super::conversation::UtteranceId;
use crate::types::{CallTime, TurnLatency};

/// Follows one turn at a time; a turn that the caller takes up again before the answer is not counted.
#[derive(Debug, Default)]
pub(crate) struct TurnClock {
    stopped: Option<CallTime>,
    turn: Option<Turn>,
}

#[derive(Debug)]
struct Turn {
    from: CallTime,
    latency: TurnLatency,
    answer: Option<UtteranceId>,
    words_final: bool,
}

impl TurnClock {
    /// The caller began to speak: what was being answered is superseded unless the answer is heard already.
    pub(crate) fn caller_speaks(&mut self) {
        (self.stopped, self.turn) = (None, None);
    }

    /// The caller stopped speaking.
    pub(crate) fn caller_stopped(&mut self, now: CallTime) {
        self.stopped = Some(now);
    }

    /// The turn was decided to be over.
    pub(crate) fn turn_ended(&mut self, now: CallTime) {
        let from = self.stopped.take().unwrap_or(now);
        let latency = TurnLatency { turn_ended_ms: since(now, from), ..TurnLatency::default() };
        self.turn = Some(Turn { from, latency, answer: None, words_final: false });
    }

    /// The words are final.
    pub(crate) fn words_final(&mut self, now: CallTime) {
        if let Some(turn) = &mut self.turn {
            turn.latency.words_final_ms = since(now, turn.from);
            turn.words_final = true;
        }
    }

    /// The first answer to the final words is to be said.
    pub(crate) fn answered(&mut self, now: CallTime, utterance: UtteranceId) {
        if let Some(turn) = self.turn.as_mut().filter(|turn| turn.words_final && turn.answer.is_none()) {
            turn.latency.answered_ms = since(now, turn.from);
            turn.answer = Some(utterance);
        }
    }

    /// An utterance's first sample left; where it is the answer, that is the turn's latency.
    pub(crate) fn audible(&mut self, now: CallTime, utterance: UtteranceId) -> Option<TurnLatency> {
        let mut turn = self.turn.take_if(|turn| turn.answer == Some(utterance))?;
        turn.latency.audible_ms = since(now, turn.from);
        Some(turn.latency)
    }
}

fn since(now: CallTime, from: CallTime) -> u32 {
    u32::try_from(now.since_ms(from)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> CallTime {
        CallTime::from_ms(ms)
    }

    #[test]
    fn an_answer_is_measured_from_the_end_of_the_callers_words() {
        let mut clock = TurnClock::default();
        clock.caller_speaks();
        clock.caller_stopped(at(1_000));
        clock.turn_ended(at(1_300));
        clock.answered(at(1_310), UtteranceId(1));
        clock.words_final(at(1_350));
        clock.answered(at(1_360), UtteranceId(2));
        clock.answered(at(1_370), UtteranceId(3));
        assert_eq!(clock.audible(at(1_380), UtteranceId(1)), None, "said before the words were final");
        let latency =
            TurnLatency { turn_ended_ms: 300, words_final_ms: 350, answered_ms: 360, audible_ms: 450 };
        assert_eq!(clock.audible(at(1_450), UtteranceId(2)), Some(latency));
        assert_eq!(clock.audible(at(1_500), UtteranceId(3)), None, "once per turn");
    }

    #[test]
    fn a_turn_taken_up_again_is_not_counted() {
        let mut clock = TurnClock::default();
        clock.caller_stopped(at(1_000));
        clock.turn_ended(at(1_300));
        clock.words_final(at(1_350));
        clock.answered(at(1_360), UtteranceId(1));
        clock.caller_speaks();
        assert_eq!(clock.audible(at(1_450), UtteranceId(1)), None);
    }
}
