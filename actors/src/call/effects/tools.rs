//! Tools: asked of the tenant's integrations, and always answered in time.

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics::{counter, histogram};

use crate::call::conversation::Input;
use crate::call::record::note_outcome;
use crate::call::shell::Shell;
use crate::clock::ms;
use crate::integrations::{Ask, Request, only_reads};
use crate::metrics::{TOOL_SECONDS, TOOLS_ANSWERED};
use crate::storage::IdempotencyKey;
use crate::types::{CallEventKind, CallTime, ToolCall, ToolOutcome, ToolStep};

/// How much longer than the integration's own deadline its answer is waited for, in milliseconds.
const MARGIN_MS: u64 = 500;

/// The tool calls under way.
#[derive(Debug, Default)]
pub(in crate::call) struct Tools {
    pending: BTreeMap<ToolStep, Pending>,
}

#[derive(Debug)]
struct Pending {
    tool: &'static str,
    reads: bool,
    since: CallTime,
    due: CallTime,
}

impl Tools {
    pub(in crate::call) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(in crate::call) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub(in crate::call) fn next_due(&self) -> Option<CallTime> {
        self.pending.values().map(|pending| pending.due).min()
    }
}

impl Shell {
    pub(in crate::call) fn use_tool(&mut self, step: ToolStep, call: ToolCall) {
        let (since, deadline_ms) = (self.case.now(), self.services.integrations.deadline_ms);
        let pending = Pending {
            tool: call.name(),
            reads: only_reads(&call),
            since,
            due: since + deadline_ms + MARGIN_MS,
        };
        self.tools.pending.insert(step, pending);
        let now = self.services.clock.now();
        let request = Request {
            business: self.case.business.clone(),
            call: self.case.call,
            key: IdempotencyKey(format!("{}/{}", self.case.call, step.0)),
            now,
            new_id: self.services.chance.id(now),
            asked: call,
        };
        let (inlet, case) = (self.inlet.clone(), Arc::clone(&self.case));
        self.case.tenant.ask(Box::new(Ask {
            request,
            deadline: self.services.clock.monotonic() + ms(deadline_ms),
            reply: Box::new(move |outcome| {
                if case.is_closed() {
                    case.amend(step, outcome, case.now().since_ms(since));
                } else {
                    inlet.tool(step, outcome);
                }
            }),
        }));
    }

    /// A tool has answered. The record has it even where the conversation is over and has no use for it.
    pub(in crate::call) fn on_tool(&mut self, step: ToolStep, outcome: ToolOutcome) {
        let Some(pending) = self.tools.pending.remove(&step) else { return };
        let now = self.case.now();
        let took_ms = now.since_ms(pending.since);
        counter!(TOOLS_ANSWERED, "tool" => pending.tool, "outcome" => outcome.name()).increment(1);
        histogram!(TOOL_SECONDS, "tool" => pending.tool).record(took_ms as f64 / 1_000.0);
        self.case.note(|record, _| note_outcome(record, &outcome));
        if self.ending.outcome.is_some() {
            self.case.tell(now, CallEventKind::ToolAnswered { step, outcome, took_ms });
        } else {
            self.push(Input::Tool { step, outcome });
        }
    }

    /// Answers for tools that did not.
    pub(in crate::call) fn tools_due(&mut self, now: CallTime) {
        let late: Vec<(ToolStep, bool)> = self
            .tools
            .pending
            .iter()
            .filter(|(_, pending)| pending.due <= now)
            .map(|(step, pending)| (*step, pending.reads))
            .collect();
        for (step, reads) in late {
            let why = "no answer in time".to_owned();
            let outcome = if reads { ToolOutcome::Failed { why } } else { ToolOutcome::Unknown { why } };
            self.on_tool(step, outcome);
        }
    }
}
