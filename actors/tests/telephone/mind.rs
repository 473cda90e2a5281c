//! A brain that can be written down and read back, as a process that goes on with a call would.

use actors::call::brain::playbook::{Meaning, Meanings, Playbook};
use actors::call::brain::{Brain, Context, Question, Thought};
use actors::call::conversation::ExpectationKind;
use actors::types::{Business, EndReason, ToolCall};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) trait Mind {
    fn think(&mut self, context: &Context<'_>, question: Question) -> Vec<Thought>;
    fn to_bytes(&self) -> Vec<u8>;
    fn restored(&self, bytes: &[u8]) -> Box<dyn Mind>;
}

impl<B: Brain + Serialize + DeserializeOwned + 'static> Mind for B {
    fn think(&mut self, context: &Context<'_>, question: Question) -> Vec<Thought> {
        Brain::think(self, context, question)
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a brain can be written down")
    }

    fn restored(&self, bytes: &[u8]) -> Box<dyn Mind> {
        Box::new(serde_json::from_slice::<B>(bytes).expect("a brain can be read back"))
    }
}

/// The brain that answers.
pub(crate) fn new_mind() -> Box<dyn Mind> {
    Box::new(Playbook::new())
}

/// The same beside a model that says what words mean and is never certain: so that weak words are asked about.
pub(crate) fn uncertain_mind(business: &Business) -> Box<dyn Mind> {
    // All examples are the same to it.
    let examples = Meanings::texts(business).len();
    let meanings = Meanings::of(business, &vec![[1.0, 0.0]; examples]).expect("as many vectors as examples");
    Box::new(Uncertain { playbook: Playbook::new(), meaning: meanings.read(&[0.0, 1.0]) })
}

struct Uncertain {
    playbook: Playbook,
    meaning: Meaning,
}

impl Mind for Uncertain {
    fn think(&mut self, context: &Context<'_>, question: Question) -> Vec<Thought> {
        let meaning = matches!(question, Question::Heard { .. }).then_some(self.meaning);
        self.playbook.think_with(context, question, meaning)
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.playbook.to_bytes()
    }

    fn restored(&self, bytes: &[u8]) -> Box<dyn Mind> {
        let playbook = Playbook::from_bytes(bytes).expect("a brain can be read back");
        Box::new(Self { playbook, meaning: self.meaning })
    }
}

/// A brain of a few lines, which answers at random lengths and uses everything a brain may ask for.
pub(crate) fn quick_mind() -> Box<dyn Mind> {
    Box::new(Quick::default())
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Quick {
    asked: u64,
}

impl Brain for Quick {
    fn think(&mut self, context: &Context<'_>, question: Question) -> Vec<Thought> {
        self.asked += 1;
        let expect =
            if self.asked.is_multiple_of(2) { ExpectationKind::Open } else { ExpectationKind::Digits };
        let listen = Thought::Listen { expect };
        let text = match &question {
            Question::Greeting => format!("Thank you for calling {}. How can I help?", context.business.name),
            Question::Heard { text, .. } if text.reveal().contains("bye") => {
                let say = Thought::Say { text: "Goodbye.".to_owned() };
                return vec![say, Thought::End { reason: EndReason::Completed }];
            }
            Question::Heard { .. } if self.asked.is_multiple_of(5) => {
                let call = ToolCall::FindBookings { number: None, name: None };
                return vec![Thought::UseTool { call, filler: "Let me look.".to_owned() }];
            }
            Question::Heard { .. } if self.asked.is_multiple_of(7) => {
                let department = &context.business.departments[0];
                let (name, to) = (department.name.clone(), department.destination.clone());
                return vec![Thought::Transfer { name, to }];
            }
            Question::Heard { text, .. } => format!("You said: {}. Is that right?", text.reveal()),
            Question::Digits(digits) => format!("You pressed {}.", digits.reveal()),
            _ => "Sorry? Let me think about that again, and please bear with me.".to_owned(),
        };
        vec![Thought::Say { text }, Thought::Say { text: "Anything else?".to_owned() }, listen]
    }

    fn summary(&self, _context: &Context<'_>) -> String {
        String::new()
    }
}
