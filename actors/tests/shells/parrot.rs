//! A conversation and a brain that are as simple as can be, so that these tests are about the shells alone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actors::call::brain::{Brain, Context, Question, Thought};
use actors::call::conversation::{
    Effect, ExpectationKind, IgnoredWhy, Input, Settings, Utterance, UtteranceId,
};
use actors::call::{Dialogue, Mind, Minds};
use actors::types::{
    CallEventKind, CallResult, CallTime, Contact, EndReason, Outcome, Private, Speaker, ToolCall, ToolStep,
    Urgency,
};

pub(super) fn minds() -> Minds {
    Minds {
        dialogue: Arc::new(|_| {
            let effects = VecDeque::from([Effect::Answer]);
            Box::new(Parrot { effects, ..Parrot::default() }) as Box<dyn Dialogue>
        }),
        mind: Arc::new(|_| Box::new(Script::default()) as Box<dyn Mind>),
    }
}

/// The conversation and the brain of the product.
pub(super) fn playbook() -> Minds {
    Minds::playbook(Settings::default(), actors::call::brain::playbook::Settings::default())
}

/// The same, and people are told who is on the line before they get a caller.
pub(super) fn handing_over() -> Minds {
    let settings = Settings { spoken_hand_over: true, ..Settings::default() };
    Minds::playbook(settings, actors::call::brain::playbook::Settings::default())
}

/// The conversation of the product with the brain of these tests.
pub(super) fn conversing() -> Minds {
    Minds::new(Settings::default(), Arc::new(|_| Box::new(Script::default())))
}

/// Says what the brain says, finishes a turn when the caller pauses, and ends when it is told to.
#[derive(Default)]
struct Parrot {
    effects: VecDeque<Effect>,
    turn: u64,
    question: u64,
    utterance: u64,
    step: u32,
    open: usize,
    ending: Option<EndReason>,
    deadline: Option<CallTime>,
    over: bool,
}

impl Parrot {
    fn ask(&mut self, asked: Question) {
        self.effects.push_back(Effect::Think { question: self.question, asked });
        self.question += 1;
    }

    fn say(&mut self, text: String) {
        self.effects.push_back(Effect::Say(Utterance { id: UtteranceId(self.utterance), text }));
        self.utterance += 1;
        self.open += 1;
    }

    fn end(&mut self, result: CallResult, reason: EndReason) {
        self.over = true;
        self.effects.push_back(Effect::HangUp(Outcome { result, reason }));
    }

    fn spoken(&mut self) {
        self.open = self.open.saturating_sub(1);
        if let (0, Some(reason)) = (self.open, self.ending) {
            let result =
                if reason == EndReason::Completed { CallResult::Success } else { CallResult::Server };
            self.end(result, reason);
        }
    }

    fn think(&mut self, now: CallTime, thought: Thought) {
        match thought {
            Thought::Say { text } => self.say(text),
            Thought::UseTool { call, .. } => {
                let step = ToolStep(self.step);
                self.step += 1;
                self.effects.push_back(Effect::Checkpoint);
                self.effects.push_back(Effect::UseTool { step, call });
            }
            Thought::End { reason } => {
                self.ending = Some(reason);
                self.open += 1;
                self.spoken();
            }
            // Silence of a minute is enough.
            Thought::Listen { .. } => self.deadline = Some(now + 60_000),
            _ => {}
        }
    }
}

impl Dialogue for Parrot {
    fn handle(&mut self, now: CallTime, input: Input) {
        if self.over {
            return self.effects.push_back(Effect::Ignored(IgnoredWhy::Ended));
        }
        match input {
            Input::Established => self.ask(Question::Greeting),
            Input::SpeechStarted => self.effects.push_back(Effect::StopSpeaking),
            Input::SpeechStopped => {
                self.effects.push_back(Effect::FinishTurn { turn: self.turn });
                self.turn += 1;
            }
            Input::Final { text, confidence, .. } => {
                let said = CallEventKind::Said {
                    speaker: Speaker::Caller,
                    text: Private::new(text.clone()),
                    interrupted: false,
                    confidence: Some(confidence),
                };
                self.effects.push_back(Effect::Record(said));
                let text = Private::new(text);
                self.ask(Question::Heard { text, confidence, interrupted_after: None });
            }
            Input::Thought { thought, .. } => self.think(now, thought),
            Input::Tool { outcome, .. } => self.ask(Question::ToolAnswered(outcome)),
            Input::PlaybackEnded { .. } | Input::VoiceFailed { .. } => self.spoken(),
            Input::RecogniserFailed => {
                let what = "recogniser failed".to_owned();
                self.effects.push_back(Effect::Record(CallEventKind::Trouble { what }));
            }
            Input::RecogniserRestored => {
                let what = "recogniser listens".to_owned();
                self.effects.push_back(Effect::Record(CallEventKind::Trouble { what }));
            }
            Input::Digit(digit) => {
                let digits = Private::new(digit.to_string());
                self.effects.push_back(Effect::Record(CallEventKind::Digits { digits }));
            }
            Input::LegEnded(reason) => self.end(CallResult::Client, reason),
            Input::NodeStopping => {
                self.ending = Some(EndReason::NodeStopped);
                self.say("we are closing goodbye".into());
            }
            Input::Timeout => self.end(CallResult::Client, EndReason::Silence),
            _ => {}
        }
    }

    fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    fn next_deadline(&self) -> Option<CallTime> {
        self.deadline
    }

    fn to_bytes(&self) -> Vec<u8> {
        vec![1, 2, 3]
    }

    fn phase(&self) -> &'static str {
        "parroting"
    }
}

/// Acts by the caller's words.
#[derive(Clone, Default)]
struct Script {
    turns: u32,
}

impl Mind for Script {
    fn to_bytes(&self) -> Vec<u8> {
        self.turns.to_le_bytes().to_vec()
    }

    fn fork(&self) -> Box<dyn Mind> {
        Box::new(self.clone())
    }
}

impl Brain for Script {
    fn think(&mut self, _context: &Context<'_>, question: Question) -> Vec<Thought> {
        let listen = Thought::Listen { expect: ExpectationKind::Open };
        let say = |text: &str| Thought::Say { text: text.to_owned() };
        match question {
            Question::Greeting => vec![say("good morning"), say("how can I help"), listen],
            Question::Heard { text, .. } => {
                self.turns += 1;
                match text.reveal().as_str() {
                    "panic" => panic!("told to"),
                    "hang" => {
                        // Blocks its thread, as an endless loop would.
                        std::thread::sleep(Duration::from_secs(3));
                        vec![say("too late"), listen]
                    }
                    "take a message" => vec![Thought::UseTool { call: message(), filler: String::new() }],
                    "bye" => vec![say("goodbye"), Thought::End { reason: EndReason::Completed }],
                    "tell me more" => vec![say("one"), say("two"), say("three"), listen],
                    _ => vec![say("I see"), listen],
                }
            }
            Question::ToolAnswered(outcome) => vec![say(outcome.name()), listen],
            _ => vec![listen],
        }
    }

    fn summary(&self, _context: &Context<'_>) -> String {
        format!("{} turns", self.turns)
    }
}

fn message() -> ToolCall {
    ToolCall::TakeMessage {
        recipient: None,
        from: Contact::default(),
        text: "call me back".into(),
        urgency: Urgency::Normal,
    }
}
