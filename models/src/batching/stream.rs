//! One stream's inputs: those that wait, those that the model has, and those to be given to it again.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Place, Ring, ScheduleSettings, Tenant};

/// An input and its place in the stream.
#[derive(Debug, Clone)]
pub(super) struct Numbered<I> {
    /// Counted from 0 over the stream's life.
    pub(super) number: u64,
    pub(super) input: I,
    /// When it came, and when its output should be there.
    pub(super) came: Duration,
    pub(super) deadline: Duration,
}

#[derive(Debug)]
pub(super) struct Stream<I> {
    pub(super) tenant: Tenant,
    pub(super) weight: u32,
    /// Inputs that the model has not seen.
    waiting: Ring<Numbered<I>>,
    /// Inputs to be given again, before those that wait.
    again: VecDeque<Numbered<I>>,
    /// Inputs that the model has and that a rebuilt model would need.
    held: VecDeque<Numbered<I>>,
    held_max: usize,
    /// Inputs that the model had and nobody holds any more.
    pub(super) forgotten: u64,
    pushed: u64,
    /// Outputs up to this number have been delivered, so that what is given again is not.
    answered: u64,
    /// Where its next row waits in the fair queue.
    pub(super) place: Option<Place>,
    /// Its row in the step under way.
    pub(super) in_step: Option<Numbered<I>>,
    /// Its rows share steps only with other suspects until this input is answered.
    pub(super) suspect_until: Option<u64>,
}

impl<I: Clone> Stream<I> {
    pub(super) fn new(tenant: Tenant, weight: u32, settings: &ScheduleSettings) -> Self {
        Self {
            tenant,
            weight,
            waiting: Ring::new(settings.waiting_max, settings.overload),
            again: VecDeque::new(),
            held: VecDeque::new(),
            held_max: settings.held_max,
            forgotten: 0,
            pushed: 0,
            answered: 0,
            place: None,
            in_step: None,
            suspect_until: None,
        }
    }

    /// Takes an input, and gives back the oldest where that had to make room, or this one where it is refused.
    pub(super) fn push(&mut self, input: I, came: Duration, deadline: Duration) -> Result<Option<I>, I> {
        let numbered = Numbered { number: self.pushed, input, came, deadline };
        let displaced = self.waiting.push(numbered).map_err(|refused| refused.input)?;
        self.pushed += 1;
        Ok(displaced.map(|displaced| displaced.input))
    }

    /// The next input for the model, while none of the stream's is in a step.
    pub(super) fn first(&self) -> Option<&Numbered<I>> {
        if self.in_step.is_some() {
            return None;
        }
        self.again.front().or_else(|| self.waiting.first())
    }

    /// Puts the next input into the step.
    pub(super) fn enter_step(&mut self) -> Option<&Numbered<I>> {
        if self.in_step.is_none() {
            self.in_step = self.again.pop_front().or_else(|| self.waiting.pop());
        }
        self.in_step.as_ref()
    }

    /// The step is done and the model has the input. Says whether its output is news.
    pub(super) fn leave_step(&mut self) -> Option<(Numbered<I>, bool)> {
        let done = self.in_step.take()?;
        let news = done.number >= self.answered;
        self.answered = self.answered.max(done.number + 1);
        if self.suspect_until.is_some_and(|until| done.number >= until) {
            self.suspect_until = None;
        }
        self.held.push_back(done.clone());
        while self.held.len() > self.held_max {
            self.held.pop_front();
            self.forgotten += 1;
        }
        Some((done, news))
    }

    /// The model lost the stream's state: everything held is given again.
    pub(super) fn start_again(&mut self, suspected: bool) {
        if let (true, Some(failed)) = (suspected, &self.in_step) {
            self.suspect_until = self.suspect_until.max(Some(failed.number));
        }
        let mut again = std::mem::take(&mut self.held);
        again.extend(self.in_step.take());
        again.append(&mut self.again);
        self.again = again;
    }

    /// Forgets every input.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.again.clear();
        self.held.clear();
        self.in_step = None;
        self.suspect_until = None;
        self.forgotten = 0;
        self.answered = self.pushed;
    }

    /// Inputs that wait, those to be given again included.
    pub(super) fn backlog(&self) -> usize {
        self.waiting.len() + self.again.len()
    }

    /// When the oldest input came that has no output yet.
    pub(super) fn unanswered_since(&self) -> Option<Duration> {
        let unanswered = |numbered: &&Numbered<I>| numbered.number >= self.answered;
        let in_step = self.in_step.iter().find(unanswered);
        in_step
            .or_else(|| self.again.iter().find(unanswered))
            .or_else(|| self.waiting.first())
            .map(|numbered| numbered.came)
    }
}
