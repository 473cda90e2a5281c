//! The brain: asked in the actor, for it answers at once. One that panics ends this call and no other.

use std::collections::VecDeque;

use jiff::tz::TimeZone;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use crate::call::brain::{Context, Opening, Question, Thought};
use crate::call::conversation::Input;
use crate::call::dialogue::Mind;
use crate::call::shell::Shell;
use crate::types::{Business, EndReason, PhoneNumber, Private};

/// How many questions can be taken back.
const REMEMBERED: usize = 4;

/// The brain and where it was before its last questions.
pub(in crate::call) struct Thinking {
    mind: Box<dyn Mind>,
    before: VecDeque<(u64, Box<dyn Mind>)>,
    time_zone: TimeZone,
}

impl Thinking {
    pub(in crate::call) fn new(mind: Box<dyn Mind>, time_zone: TimeZone) -> Self {
        Self { mind, before: VecDeque::new(), time_zone }
    }

    /// Puts the brain back to where it was before this question.
    pub(in crate::call) fn forget(&mut self, question: u64) {
        while let Some((number, mind)) = self.before.pop_back() {
            if number <= question {
                if number == question {
                    self.mind = mind;
                }
                return;
            }
        }
    }

    pub(in crate::call) fn to_bytes(&self) -> Vec<u8> {
        self.mind.to_bytes()
    }

    fn context<'a>(
        &self,
        now: jiff::Timestamp,
        business: &'a Business,
        caller: Option<&'a PhoneNumber>,
    ) -> Context<'a> {
        Context { business, now: now.to_zoned(self.time_zone.clone()), caller }
    }

    fn think(&mut self, number: u64, context: &Context<'_>, question: Question) -> Vec<Thought> {
        if self.before.len() == REMEMBERED {
            self.before.pop_front();
        }
        self.before.push_back((number, self.mind.fork()));
        aside(|| self.mind.think(context, question))
    }
}

/// Runs what may take long or never end without holding up the other tasks of its thread: those that this one woke
/// last can't be taken over by another thread.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => block_in_place(work),
        _ => work(),
    }
}

impl Shell {
    pub(in crate::call) fn think(&mut self, question: u64, asked: Question) {
        let asked = match (&self.opening, asked) {
            // Whoever only gets a message gets nothing else, whatever they say.
            (Opening::Message(text), asked) => {
                let text = (asked == Question::Greeting).then(|| Thought::Say { text: text.clone() });
                let end = Thought::End { reason: EndReason::Completed };
                return text.into_iter().chain([end]).for_each(|thought| {
                    self.inputs.push_back(Input::Thought { question, thought });
                });
            }
            (Opening::Greeting, asked) => asked,
            (other, Question::Greeting) => Question::Opening(other.clone()),
            (_, asked) => asked,
        };
        let (business, now) = (self.case.business.clone(), self.services.clock.now());
        let caller = self.case.caller.as_ref().map(Private::reveal);
        let context = self.thinking.context(now, &business, caller);
        for thought in self.thinking.think(question, &context, asked) {
            if let Thought::About(heading) = thought {
                self.case.note(|record, _| record.heading = heading);
            }
            self.push(Input::Thought { question, thought });
        }
    }

    /// One or two sentences on what the call was about.
    pub(in crate::call) fn summary(&self) -> Private<String> {
        let caller = self.case.caller.as_ref().map(Private::reveal);
        let context = self.thinking.context(self.services.clock.now(), &self.case.business, caller);
        Private::new(self.thinking.mind.summary(&context))
    }
}
