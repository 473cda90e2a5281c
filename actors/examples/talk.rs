//! Type to the receptionist: the real conversation, the playbook brain and the business's own calendar in a
//! terminal, with neither a telephone nor an engine. `cargo run -p actors --example talk [BUSINESS.toml]`
//!
//! A line is what the caller says. `/keys 123#` presses keys, an empty line is silence, `/bye` hangs up.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{BufRead, Write};
use std::sync::Arc;

use actors::call::brain::playbook::Playbook;
use actors::call::brain::{Brain, Context};
use actors::call::conversation::{Conversation, Effect, Input, PlaybackEnd, Start, TimerReason};
use actors::integrations::calendar::{Calendar, Settings, ToolContext};
use actors::storage::{IdempotencyKey, Memory, Storage};
use actors::tenant::import;
use actors::types::{
    Business, CallId, CallTime, EndReason, Message, MessageId, PhoneNumber, Private, ToolCall, ToolOutcome,
    ToolStep,
};
use jiff::Zoned;
use tokio::runtime::Runtime;
use uuid::Uuid;

const DEMO: &str = include_str!("../tests/businesses/barbers.toml");

/// A call without a telephone: whatever is said is heard at once.
struct Terminal {
    conversation: Conversation,
    brain: Playbook,
    before: Vec<(u64, Playbook)>,
    business: Business,
    caller: PhoneNumber,
    store: Arc<dyn Storage>,
    calendar: Calendar,
    runtime: Runtime,
    now: CallTime,
    started: Zoned,
    inputs: VecDeque<Input>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let text = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path)?,
        None => DEMO.to_owned(),
    };
    let business =
        import::read(&text, &import::Settings::default()).map_err(|mistakes| mistakes.to_string())?;
    let caller = PhoneNumber::parse("+447700900123").ok_or("a number")?;
    let store: Arc<dyn Storage> = Arc::new(Memory::new());
    let start = Start { caller: Some(Private::new(caller.clone())), ..Start::default() };
    let mut terminal = Terminal {
        conversation: Conversation::new(start),
        brain: Playbook::new(),
        before: Vec::new(),
        started: now_at(&business)?,
        business,
        caller,
        calendar: Calendar::new(Arc::clone(&store), Settings::default()),
        store,
        runtime: tokio::runtime::Builder::new_current_thread().build()?,
        now: CallTime::START,
        inputs: VecDeque::from([Input::Established]),
    };
    terminal.settle();
    let mut lines = std::io::stdin().lock().lines();
    while !terminal.conversation.is_over() {
        print!("> ");
        std::io::stdout().flush()?;
        match lines.next().transpose()? {
            None => terminal.inputs.push_back(Input::LegEnded(EndReason::CallerHungUp)),
            Some(line) => terminal.caller_does(line.trim()),
        }
        terminal.settle();
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an example asks the clock once, at its start")]
fn now_at(business: &Business) -> Result<Zoned, jiff::Error> {
    Zoned::now().in_tz(&business.time_zone)
}

impl Terminal {
    fn caller_does(&mut self, line: &str) {
        if line == "/bye" {
            return self.inputs.push_back(Input::LegEnded(EndReason::CallerHungUp));
        }
        if let Some(keys) = line.strip_prefix("/keys ") {
            self.inputs.extend(keys.trim().chars().map(Input::Digit));
            self.settle();
            return self.wait_for(&[TimerReason::DigitPause]);
        }
        if line.is_empty() {
            return self.wait_for(&[TimerReason::Silence]);
        }
        let turn = self.conversation.snapshot().turn;
        let text = line.to_lowercase().replace(['.', ',', '?', '!'], "");
        let confidence = 1.0;
        self.inputs.push_back(Input::SpeechStarted);
        self.inputs.push_back(Input::Partial { turn, text: text.clone(), confidence });
        self.settle();
        self.now = self.now + 250 * text.split_whitespace().count() as u64;
        self.inputs.push_back(Input::SpeechStopped);
        self.settle();
        self.wait_for(&[TimerReason::EndOfTurn]);
        self.inputs.push_back(Input::Final { turn, text, confidence });
    }

    /// Lets time pass to the next deadline, if it is one of these.
    fn wait_for(&mut self, reasons: &[TimerReason]) {
        if let Some((at, reason)) = self.conversation.next_deadline()
            && reasons.contains(&reason)
        {
            self.now = at;
            self.inputs.push_back(Input::Timeout);
            self.settle();
        }
    }

    /// Does all there is to do.
    fn settle(&mut self) {
        loop {
            while let Some(effect) = self.conversation.poll_effect() {
                self.perform(effect);
            }
            let Some(input) = self.inputs.pop_front() else { return };
            self.conversation.handle(self.now, input);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Say(utterance) => {
                println!("< {}", utterance.text);
                let words = u32::try_from(utterance.text.split_whitespace().count()).unwrap_or(u32::MAX);
                let end = PlaybackEnd { complete: true, words };
                self.inputs.push_back(Input::PlaybackStarted { utterance: utterance.id });
                self.inputs.push_back(Input::PlaybackEnded { utterance: utterance.id, end });
            }
            Effect::PlayTone => println!("~ beep"),
            Effect::Think { question, asked } => {
                self.before.push((question, self.brain.clone()));
                let context =
                    Context { business: &self.business, now: self.time(), caller: Some(&self.caller) };
                let thoughts = self.brain.think(&context, asked);
                self.inputs.extend(thoughts.into_iter().map(|thought| Input::Thought { question, thought }));
            }
            Effect::Forget { question } => {
                let place = self.before.iter().position(|(number, _)| *number == question);
                if let Some((_, brain)) = place.and_then(|place| self.before.drain(place..).next()) {
                    self.brain = brain;
                }
            }
            Effect::UseTool { step, call } => {
                let outcome = self.use_tool(step, &call);
                println!("= {} → {}", call.name(), outcome.name());
                self.inputs.push_back(Input::Tool { step, outcome });
            }
            Effect::Transfer { to } => {
                println!("= transfer to {to:?}; here nobody answers");
                self.inputs.push_back(Input::TransferProgress(408));
            }
            Effect::HangUp(outcome) => println!("= ended {:?}", outcome.reason),
            Effect::Answer
            | Effect::StopSpeaking
            | Effect::FinishTurn { .. }
            | Effect::Expect(_)
            | Effect::Record(_)
            | Effect::Checkpoint
            | Effect::JudgePause { .. }
            | Effect::TurnEnded { .. }
            | Effect::CutOff { .. }
            | Effect::Ignored(_) => {}
        }
    }

    fn time(&self) -> Zoned {
        let passed = jiff::SignedDuration::from_millis(i64::try_from(self.now.as_ms()).unwrap_or(i64::MAX));
        self.started.saturating_add(passed)
    }

    fn use_tool(&self, step: ToolStep, call: &ToolCall) -> ToolOutcome {
        let key = IdempotencyKey(format!("talk/{}", step.0));
        let (id, now) = (Uuid::from_u128(u128::from(step.0) + 1), self.time().timestamp());
        let ToolCall::TakeMessage { recipient, from, text, urgency } = call else {
            let context = ToolContext { call: CallId::default(), now, new_id: id };
            return self.runtime.block_on(self.calendar.call(&self.business, &key, context, call));
        };
        let message = Message {
            id: MessageId::new(id),
            tenant: self.business.id.clone(),
            call: CallId::default(),
            recipient: recipient.clone(),
            from: from.clone(),
            text: text.clone(),
            urgency: *urgency,
            taken_at: now,
        };
        match self.runtime.block_on(self.store.put_message(&message, &key)) {
            Ok(kept) => ToolOutcome::from(&kept),
            Err(error) => ToolOutcome::Failed { why: error.to_string() },
        }
    }
}
