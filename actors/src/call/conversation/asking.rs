//! Asking the brain, and taking its thoughts.

use super::mouth::LineKind;
use super::phase::{Answer, Asked, Next, Phase};
use super::settings::LINES_MAX;
use super::timers::TimerReason;
use super::{Conversation, Effect, ExpectationKind, IgnoredWhy, phrases, using_tool};
use crate::call::brain::{Question, Thought};
use crate::types::CallTime;

impl Conversation {
    /// Asks the brain; any question before it is closed.
    pub(super) fn ask(&mut self, now: CallTime, asked: Question) {
        let question = self.questions;
        self.questions += 1;
        let words = match &asked {
            Question::Heard { text, interrupted_after, .. } => {
                Some(Asked { text: text.clone(), interrupted_after: interrupted_after.clone() })
            }
            _ => None,
        };
        if !matches!(asked, Question::Silence { .. }) {
            self.silences = 0;
        }
        if !matches!(asked, Question::ToolAnswered(_)) {
            self.tools_in_a_row = 0;
        }
        self.mouth.new_answer();
        self.fillers = 0;
        self.phase = Phase::Thinking(Answer::to(question, words));
        self.timers.set(TimerReason::BrainLate, now + self.start.settings.brain_ms_max);
        self.effects.push_back(Effect::Think { question, asked });
        self.checkpoint_due = true;
    }

    pub(super) fn on_thought(&mut self, now: CallTime, question: u64, thought: Thought) {
        let answer = self.phase.answer_mut().filter(|answer| answer.question == question && answer.is_open());
        let Some(answer) = answer else {
            return self.ignore(IgnoredWhy::Stale);
        };
        match thought {
            Thought::Say { text } => {
                answer.texts += 1;
                if answer.texts as usize > LINES_MAX {
                    return self.ignore(IgnoredWhy::OutOfPlace);
                }
                self.say_answer(text);
                self.timers.set(TimerReason::BrainLate, now + self.start.settings.brain_ms_max);
            }
            Thought::About(heading) => self.heading = heading,
            Thought::Listen { expect } => {
                self.set_expect(expect);
                self.answer_ends(Next::Listen(expect));
            }
            Thought::UseTool { call, filler } => using_tool::start(self, now, call, filler),
            Thought::Transfer { name, to } => self.answer_ends(Next::Transfer { name, to }),
            Thought::End { reason } => self.answer_ends(Next::End(reason)),
            Thought::GiveUp { why } => {
                self.trouble(&format!("the brain gave up: {why}"));
                self.answer_ends(Next::GiveUp);
            }
        }
    }

    fn say_answer(&mut self, text: String) {
        match &mut self.phase {
            Phase::Listening(listening) => listening.keep_text(text),
            Phase::Thinking(answer) => {
                self.phase = Phase::Speaking(answer.clone());
                self.say(text, LineKind::Answer);
            }
            _ => self.say(text, LineKind::Answer),
        }
    }

    pub(super) fn set_expect(&mut self, expect: ExpectationKind) {
        if self.expect != expect {
            self.expect = expect;
            self.effects.push_back(Effect::Expect(expect));
        }
    }

    /// The brain has no more thoughts on this question.
    pub(super) fn answer_ends(&mut self, next: Next) {
        self.timers.cancel(TimerReason::BrainLate);
        let Some(answer) = self.phase.answer_mut() else {
            return;
        };
        let silent = answer.texts == 0;
        let last = answer.last;
        let next = match (last, next) {
            (Some(reason), Next::Listen(_)) => Next::End(reason),
            (_, next) => next,
        };
        answer.next = Some(next);
        if last.is_some() && silent {
            self.say(phrases::NOBODY_THERE, LineKind::Own);
        }
        if let Phase::Thinking(answer) | Phase::Speaking(answer) | Phase::Greeting(answer) = &self.phase
            && matches!(answer.next, Some(Next::End(_)))
        {
            self.phase = Phase::saying(answer.clone());
        }
    }

    pub(super) fn on_brain_late(&mut self) {
        if self.phase.answer_mut().is_some_and(|answer| answer.is_open()) {
            self.trouble("the brain did not answer in time");
            self.answer_ends(Next::GiveUp);
        }
    }
}
