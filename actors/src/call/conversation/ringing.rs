//! Ringing, and the greeting: the call is answered at once, and greeted when it is up.

use super::listening::Kept;
use super::mouth::{LineKind, Mouth};
use super::phase::{Answer, Phase};
use super::timers::{TimerReason, Timers};
use super::tools::Tools;
use super::trouble::Recogniser;
use super::turn_taking::Ear;
use super::{Conversation, Effect, ExpectationKind, IgnoredWhy, Start, phrases};
use crate::call::brain::Question;
use crate::types::{Announcement, CallEventKind, CallTime, Heading};

/// A conversation that has answered and asked for its greeting.
pub(super) fn begin(start: Start, now: CallTime) -> Conversation {
    let mut call = Conversation {
        start,
        phase: Phase::Ringing(Answer::to(0, None)),
        mouth: Mouth::default(),
        ear: Ear::default(),
        timers: Timers::default(),
        tools: Tools::default(),
        recogniser: Recogniser::default(),
        kept: Kept::default(),
        digits: String::new(),
        expect: ExpectationKind::default(),
        questions: 1,
        fillers: 0,
        silences: 0,
        tools_in_a_row: 0,
        false_barge_ins: 0,
        heading: Heading::default(),
        last_said: String::new(),
        established: false,
        held: false,
        leg_gone: false,
        our_turn_since: None,
        checkpoint_due: false,
        effects: std::collections::VecDeque::new(),
    };
    if call.start.announcement == Announcement::Announced && call.start.recording.is_some() {
        call.say(phrases::ANNOUNCEMENT, LineKind::Announcement);
    }
    let (establish_ms, brain_ms) = (call.start.settings.establish_ms_max, call.start.settings.brain_ms_max);
    call.timers.set(TimerReason::Establish, now + establish_ms);
    call.timers.set(TimerReason::BrainLate, now + brain_ms);
    call.effects.push_back(Effect::Answer);
    call.effects.push_back(Effect::Think { question: 0, asked: Question::Greeting });
    call
}

pub(super) fn on_established(call: &mut Conversation, now: CallTime) {
    if call.established {
        return call.ignore(IgnoredWhy::OutOfPlace);
    }
    call.established = true;
    call.timers.cancel(TimerReason::Establish);
    call.timers.set(TimerReason::CallLimit, now + u64::from(call.start.call_minutes_max.max(1)) * 60_000);
    call.record(CallEventKind::Answered);
    if call.start.announcement == Announcement::Silent {
        call.recording_announced();
    }
    if let Phase::Ringing(answer) = &call.phase {
        call.phase = Phase::Greeting(answer.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{Rig, said};
    use super::*;
    use crate::call::brain::Thought;
    use crate::call::conversation::{Input, PlaybackEnd, UtteranceId};
    use crate::types::{EndReason, RecordingId};

    #[test]
    fn it_answers_at_once_and_greets_when_the_call_is_up() {
        let mut rig = Rig::ringing(Start::default());
        assert_eq!(rig.drain(), [Effect::Answer, Effect::Think { question: 0, asked: Question::Greeting }]);
        rig.at(20).thought(0, Thought::Say { text: "Hello?".into() });
        rig.thought(0, Thought::Listen { expect: ExpectationKind::Open });
        assert_eq!(rig.said(), Vec::<String>::new());
        rig.at(100).input(Input::Established);
        assert_eq!(rig.said(), ["Hello?"]);
    }

    #[test]
    fn the_announcement_is_heard_first_and_can_not_be_interrupted() {
        let start = Start {
            announcement: Announcement::Announced,
            recording: Some(RecordingId::default()),
            ..Start::default()
        };
        let mut rig = Rig::ringing(start);
        rig.thought(0, Thought::Say { text: "Hello?".into() });
        rig.thought(0, Thought::Listen { expect: ExpectationKind::Open });
        rig.at(100).input(Input::Established);
        rig.input(Input::PlaybackStarted { utterance: UtteranceId(0) });
        rig.at(200).input(Input::SpeechStarted);
        rig.at(900).input(Input::Timeout);
        let effects = rig.drain();
        assert_eq!(said(&effects), ["This call is recorded.", "Hello?"]);
        assert!(!effects.contains(&Effect::StopSpeaking));
        let end = PlaybackEnd { complete: true, words: 4 };
        rig.at(1_500).input(Input::PlaybackEnded { utterance: UtteranceId(0), end });
        let recorded = rig.drain();
        let announced =
            CallEventKind::RecordingStarted { recording: RecordingId::default(), announced: true };
        assert!(recorded.contains(&Effect::Record(announced)));
    }

    #[test]
    fn a_call_that_is_never_acknowledged_ends() {
        let mut rig = Rig::ringing(Start::default());
        rig.at(35_000).input(Input::Timeout);
        assert_eq!(rig.ended(), Some(EndReason::SignallingTimeout));
    }

    #[test]
    fn a_caller_who_gives_up_while_it_rings_cancelled() {
        let mut rig = Rig::ringing(Start::default());
        rig.at(500).input(Input::LegEnded(EndReason::CallerHungUp));
        assert_eq!(rig.ended(), Some(EndReason::Cancelled));
    }
}
