//! One question being answered: what may be known, what is remembered, and the thoughts so far.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::meaning::Meaning;
use super::parse::date::Calendar;
use super::say::Style;
use super::settings::Settings;
use super::state::{Asked, Done, Pending, State};
use crate::call::brain::{Context, Thought};
use crate::call::conversation::ExpectationKind;
use crate::types::{Business, EndReason, Heading, Private, ToolCall};

pub(crate) struct Turn<'a, 'c> {
    pub(crate) context: &'a Context<'c>,
    pub(crate) state: &'a mut State,
    pub(crate) settings: Settings,
    /// What a model says of the caller's words.
    pub(crate) meaning: Option<Meaning>,
    pub(crate) thoughts: Vec<Thought>,
    spoken: Vec<String>,
    closed: bool,
}

impl<'a, 'c> Turn<'a, 'c> {
    pub(crate) fn new(context: &'a Context<'c>, state: &'a mut State, settings: Settings) -> Self {
        Self {
            context,
            state,
            settings,
            meaning: None,
            thoughts: Vec::new(),
            spoken: Vec::new(),
            closed: false,
        }
    }

    pub(crate) fn business(&self) -> &'c Business {
        self.context.business
    }

    pub(crate) fn now(&self) -> DateTime {
        self.context.now.datetime()
    }

    pub(crate) fn today(&self) -> Date {
        self.context.now.date()
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        self.context.now.time_zone()
    }

    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        self.zone().to_datetime(at)
    }

    pub(crate) fn style(&self) -> Style {
        Style::of(&self.business().language)
    }

    pub(crate) fn calendar(&self) -> Calendar {
        Calendar { today: self.today(), day_first: self.style() == Style::British }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Says something; a question or a pause may follow.
    pub(crate) fn say(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() && !self.closed {
            self.spoken.push(text.clone());
            self.thoughts.push(Thought::Say { text });
        }
    }

    /// Takes back what was said so far, for the record of it.
    pub(crate) fn forget_spoken(&mut self) {
        self.spoken.clear();
    }

    /// Asks something and listens.
    pub(crate) fn ask(&mut self, asked: Asked, question: impl Into<String>) {
        let question = question.into();
        self.say(question.clone());
        self.state.question = Private::new(question);
        self.state.asked = asked;
        self.listen();
    }

    /// Listens for an answer to the question that stands open.
    pub(crate) fn listen(&mut self) {
        let expect = match self.state.asked {
            Asked::OwnNumber
            | Asked::Confirm
            | Asked::OfferMessage(_)
            | Asked::Guess(_)
            | Asked::Offer(_) => ExpectationKind::Confirmation,
            Asked::When | Asked::Half | Asked::Slot | Asked::WhichBooking => ExpectationKind::DateTime,
            Asked::Number => ExpectationKind::Digits,
            Asked::Name => ExpectationKind::Name,
            _ => ExpectationKind::Open,
        };
        self.close(Thought::Listen { expect });
    }

    pub(crate) fn tool(&mut self, pending: Pending, call: ToolCall, filler: &str) {
        self.state.pending = Some(pending);
        self.close(Thought::UseTool { call, filler: filler.to_owned() });
    }

    pub(crate) fn end(&mut self, reason: EndReason) {
        self.close(Thought::End { reason });
    }

    pub(crate) fn close(&mut self, thought: Thought) {
        if self.closed {
            return;
        }
        self.closed = true;
        if !self.spoken.is_empty() {
            self.state.said = Private::new(self.spoken.join(" "));
        }
        self.thoughts.push(thought);
    }

    /// Notes what the call is about. A question never hides something that was done.
    pub(crate) fn about(&mut self, heading: Heading) {
        let minor = heading == Heading::Question && self.state.heading != Heading::Nothing;
        if !minor && self.state.heading != heading {
            self.state.heading = heading;
            // The closing thought stays the last.
            let place = self.thoughts.len() - usize::from(self.closed);
            self.thoughts.insert(place, Thought::About(heading));
        }
    }

    pub(crate) fn did(&mut self, done: Done) {
        const KEPT_MAX: usize = 16;
        if self.state.done.len() < KEPT_MAX && self.state.done.last() != Some(&done) {
            self.state.done.push(done);
        }
    }

    /// The task is over; anything else?
    pub(crate) fn anything_else(&mut self) {
        self.state.task = None;
        self.ask(Asked::AnythingElse, "Is there anything else I can help you with?");
    }
}
