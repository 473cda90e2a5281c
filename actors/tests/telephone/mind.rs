//! A brain that can be written down and read back, as a process that goes on with a call would.

use actors::call::brain::{Brain, Context, Question, Thought};
use actors::call::conversation::ExpectationKind;
use actors::types::EndReason;
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
    Box::new(Simple::default())
}

/// A brain of a few lines.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Simple {
    last: String,
}

impl Brain for Simple {
    fn think(&mut self, context: &Context<'_>, question: Question) -> Vec<Thought> {
        let listen = Thought::Listen { expect: ExpectationKind::Open };
        let text = match question {
            Question::Greeting => format!("Thank you for calling {}. How can I help?", context.business.name),
            Question::Heard { text, .. } if text.reveal().contains("bye") => {
                let say = Thought::Say { text: "Goodbye.".to_owned() };
                return vec![say, Thought::End { reason: EndReason::Completed }];
            }
            Question::Heard { text, .. } => format!("You said: {}.", text.reveal()),
            Question::Silence { .. } => "Are you still there?".to_owned(),
            Question::Digits(digits) => format!("You pressed {}.", digits.reveal()),
            other => format!("{other:?}."),
        };
        self.last.clone_from(&text);
        vec![Thought::Say { text }, listen]
    }

    fn summary(&self, _context: &Context<'_>) -> String {
        String::new()
    }
}
