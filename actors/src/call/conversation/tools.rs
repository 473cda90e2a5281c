//! Tool calls: numbered, recorded, and never forgotten.

use serde::{Deserialize, Serialize};

use super::phase::Phase;
use super::timers::TimerReason;
use super::{Conversation, Effect, IgnoredWhy, ending, taking_message, using_tool};
use crate::types::{CallEventKind, CallTime, ToolCall, ToolOutcome, ToolStep};

/// So many late tools are remembered; an older one's outcome is ignored.
const LATE_MAX: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    step: ToolStep,
    called_at: CallTime,
    /// Its deadline has passed: its outcome, should it still come, is only recorded.
    late: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tools {
    next: u32,
    pending: Vec<Pending>,
}

impl Tools {
    /// The steps whose outcome is awaited.
    pub(super) fn pending(&self) -> Vec<ToolStep> {
        self.pending.iter().filter(|pending| !pending.late).map(|pending| pending.step).collect()
    }

    pub(super) fn is_any_pending(&self) -> bool {
        self.pending.iter().any(|pending| !pending.late)
    }
}

impl Conversation {
    /// Calls a tool, once.
    pub(super) fn call_tool(&mut self, now: CallTime, call: ToolCall) -> ToolStep {
        let step = ToolStep(self.tools.next);
        self.tools.next += 1;
        if self.tools.pending.len() >= LATE_MAX {
            self.tools.pending.remove(0);
        }
        self.tools.pending.push(Pending { step, called_at: now, late: false });
        self.timers.set(TimerReason::ToolLate, now + self.start.settings.tool_ms_max);
        self.record(CallEventKind::ToolCalled { step, call: call.clone() });
        self.effects.push_back(Effect::UseTool { step, call });
        self.checkpoint_due = true;
        step
    }

    pub(super) fn on_tool(&mut self, now: CallTime, step: ToolStep, outcome: ToolOutcome) {
        let Some(place) = self.tools.pending.iter().position(|pending| pending.step == step) else {
            return self.ignore(IgnoredWhy::Stale);
        };
        let pending = self.tools.pending.remove(place);
        let took_ms = now.since_ms(pending.called_at);
        self.record(CallEventKind::ToolAnswered { step, outcome: outcome.clone(), took_ms });
        self.checkpoint_due = true;
        if !pending.late {
            self.timers.cancel(TimerReason::ToolLate);
            self.tool_has_answered(now, step, outcome);
        }
    }

    /// A tool has not answered: nobody knows what became of it.
    pub(super) fn on_tool_late(&mut self, now: CallTime) {
        let outcome = ToolOutcome::Unknown { why: "no answer in time".to_owned() };
        let Some(pending) = self.tools.pending.iter_mut().find(|pending| !pending.late) else {
            return;
        };
        pending.late = true;
        let (step, took_ms) = (pending.step, now.since_ms(pending.called_at));
        self.record(CallEventKind::ToolAnswered { step, outcome: outcome.clone(), took_ms });
        self.tool_has_answered(now, step, outcome);
    }

    /// The call ends before its tool has answered.
    pub(super) fn give_up_tools(&mut self) {
        for pending in std::mem::take(&mut self.tools.pending) {
            if !pending.late {
                let outcome = ToolOutcome::Unknown { why: "the call ended first".to_owned() };
                let (step, took_ms) = (pending.step, 0);
                self.record(CallEventKind::ToolAnswered { step, outcome, took_ms });
            }
        }
    }

    fn tool_has_answered(&mut self, now: CallTime, step: ToolStep, outcome: ToolOutcome) {
        match &self.phase {
            Phase::UsingTool(tool) if tool.is(step) => using_tool::on_outcome(self, now, outcome),
            Phase::TakingMessage(message) if message.is_kept_by(step) => {
                taking_message::on_outcome(self, now, &outcome);
            }
            Phase::Ending(_) => ending::on_outcome(self, &outcome),
            _ => {}
        }
    }
}
