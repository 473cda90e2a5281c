//! Using a tool: the caller hears a filler where it takes time, and what they say meanwhile is kept.

use serde::{Deserialize, Serialize};

use super::Conversation;
use super::mouth::AfterStop;
use super::phase::{Next, Phase};
use super::timers::TimerReason;
use super::turn_taking::Turn;
use crate::call::brain::Question;
use crate::types::{CallTime, ToolCall, ToolOutcome, ToolStep};

/// A tool that works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UsingTool {
    step: ToolStep,
    /// The brain's filler, until it is said.
    filler: Option<String>,
}

impl UsingTool {
    pub(super) fn is(&self, step: ToolStep) -> bool {
        self.step == step
    }

    pub(super) const fn has_filler(&self) -> bool {
        self.filler.is_some()
    }

    pub(super) fn take_filler(&mut self) -> Option<String> {
        self.filler.take()
    }
}

/// The brain asks for a tool. It works while what was said before is still being heard.
///
/// A brain that asks for one after the other without ever turning to the caller goes in circles: it is given up.
pub(super) fn start(call: &mut Conversation, now: CallTime, tool: ToolCall, filler: String) {
    if call.tools_in_a_row >= call.start.settings.tools_in_a_row_max {
        call.trouble("the brain asked for tools in circles");
        return call.answer_ends(Next::GiveUp);
    }
    call.tools_in_a_row += 1;
    call.timers.cancel(TimerReason::BrainLate);
    let kept: Option<Turn> = match &mut call.phase {
        Phase::Listening(listening) => listening.turn.take(),
        _ => None,
    };
    if let Some(turn) = kept {
        call.keep_words(&turn);
    }
    let step = call.call_tool(now, tool);
    let filler = Some(filler).filter(|filler| !filler.trim().is_empty());
    call.phase = Phase::UsingTool(UsingTool { step, filler });
}

/// The caller speaks while the tool works: we fall silent, and their words are kept.
pub(super) fn on_words(call: &mut Conversation, now: CallTime) {
    if call.mouth.is_audible() && call.is_interrupted_by_words() {
        call.stop_speaking(now, AfterStop::Drop);
    }
}

/// The tool has answered.
pub(super) fn on_outcome(call: &mut Conversation, now: CallTime, outcome: ToolOutcome) {
    call.ask(now, Question::ToolAnswered(outcome));
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::super::{Effect, ExpectationKind, IgnoredWhy, Input, phrases};
    use super::*;
    use crate::call::brain::Thought;
    use crate::types::{CallEventKind, EndReason};

    fn looking() -> Rig {
        let mut rig = Rig::thinking("when is my appointment");
        let call = ToolCall::FindBookings { number: None, name: None };
        rig.answer(Thought::UseTool { call, filler: "Let me look.".into() });
        rig
    }

    fn asked_about_tool(effects: &[Effect]) -> Option<ToolOutcome> {
        effects.iter().find_map(|effect| match effect {
            Effect::Think { asked: Question::ToolAnswered(outcome), .. } => Some(outcome.clone()),
            _ => None,
        })
    }

    #[test]
    fn a_brain_that_goes_in_circles_is_given_up() {
        let mut rig = looking();
        let mut calls = 1;
        for step in 0..100 {
            rig.after(50).input(Input::Tool { step: ToolStep(step), outcome: ToolOutcome::NotFound });
            rig.drain();
            let call = ToolCall::FindBookings { number: None, name: None };
            rig.answer(Thought::UseTool { call, filler: String::new() });
            let used = rig.drain().iter().any(|effect| matches!(effect, Effect::UseTool { .. }));
            if !used {
                break;
            }
            calls += 1;
        }
        assert_eq!(calls, 8);
    }

    #[test]
    fn a_quick_tool_needs_no_filler() {
        let mut rig = looking();
        rig.after(100).input(Input::Tool { step: ToolStep(0), outcome: ToolOutcome::NotFound });
        let effects = rig.drain();
        assert_eq!(asked_about_tool(&effects), Some(ToolOutcome::NotFound));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Say(_))));
    }

    #[test]
    fn a_slow_tool_is_bridged_by_the_brains_filler_and_then_by_ours() {
        let mut rig = looking();
        rig.after(800).input(Input::Timeout);
        assert_eq!(rig.said(), ["Let me look."]);
        rig.speak_all();
        rig.after(1_400).input(Input::Timeout);
        assert_eq!(rig.said(), [phrases::FILLERS[1]]);
    }

    #[test]
    fn a_tool_that_never_answers_is_unknown_and_its_late_outcome_is_recorded() {
        let mut rig = looking();
        rig.after(15_000).input(Input::Timeout);
        let unknown = asked_about_tool(&rig.drain());
        assert!(matches!(unknown, Some(ToolOutcome::Unknown { .. })));
        rig.after(100).input(Input::Tool { step: ToolStep(0), outcome: ToolOutcome::NotFound });
        let effects = rig.drain();
        assert_eq!(asked_about_tool(&effects), None);
        let recorded = effects.iter().any(|effect| {
            matches!(
                effect,
                Effect::Record(CallEventKind::ToolAnswered { outcome: ToolOutcome::NotFound, .. })
            )
        });
        assert!(recorded);
        rig.after(100).input(Input::Tool { step: ToolStep(0), outcome: ToolOutcome::NotFound });
        assert_eq!(rig.drain(), [Effect::Ignored(IgnoredWhy::Stale)]);
    }

    #[test]
    fn what_the_caller_says_meanwhile_is_asked_about_afterwards() {
        let mut rig = looking();
        rig.speaks("and with anna please");
        rig.final_words("and with anna please");
        rig.input(Input::Tool { step: ToolStep(0), outcome: ToolOutcome::NotFound });
        rig.drain();
        rig.answer_to(2, Thought::Say { text: "There is none.".into() });
        rig.answer_to(2, Thought::Listen { expect: ExpectationKind::Open });
        rig.speak_all();
        let heard = rig.drain().into_iter().any(|effect| {
            matches!(effect, Effect::Think { asked: Question::Heard { text, .. }, .. }
                if text.reveal() == "and with anna please")
        });
        assert!(heard);
    }

    #[test]
    fn a_caller_who_hangs_up_leaves_the_tools_outcome_to_be_recorded() {
        let mut rig = looking();
        rig.after(100).input(Input::LegEnded(EndReason::CallerHungUp));
        assert_eq!(rig.ended(), None);
        rig.after(100).input(Input::Tool { step: ToolStep(0), outcome: ToolOutcome::NotFound });
        assert_eq!(rig.ended(), Some(EndReason::CallerHungUpMidway));
    }
}
