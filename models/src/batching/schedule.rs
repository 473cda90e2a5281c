//! Streams that join, push, are cancelled and leave at any time, and the steps made of their inputs.
//!
//! ```text
//! join ── push… ──► due? ──► batch ──► (the model's step) ──► finish | fail
//!   └ cancel: the same place, a new ticket, nothing left of before      └ everybody is given again what is held
//! ```
//! At most one row of a stream is in a step. A step that failed makes suspects of its streams: their rows then
//! share steps only with each other, in ever smaller groups, until the one is found whose row fails by itself.

use std::collections::VecDeque;
use std::time::Duration;

use super::stream::Stream;
use super::{Buckets, FairQueue, ScheduleSettings, Slots, Tenant, Ticket};

/// A suspects' step has at most this part of the rows of the one that failed.
const SUSPECTS_PER_FAILED_ROWS: usize = 4;

/// When to make the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At once.
    Now,
    /// Then, unless more comes before.
    At(Duration),
    /// Nothing is ready.
    Nothing,
}

/// A row of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned<I> {
    /// Whose.
    pub ticket: Ticket,
    /// What the model is given.
    pub input: I,
}

/// A step: first the resets, then the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<I> {
    /// Slots that new streams took.
    pub resets: Vec<usize>,
    /// At most one row for each slot.
    pub rows: Vec<Planned<I>>,
    /// The least time that a row's stream leaves from an input's coming to its output; none where there is no row.
    pub patience: Option<Duration>,
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The output is for the ticket's stream, which waited so long for it; `late` if beyond its deadline.
    Deliver {
        /// From the input's coming to now.
        waited: Duration,
        /// Whether the deadline was missed.
        late: bool,
    },
    /// The output was delivered before the model was rebuilt.
    Known,
    /// The stream left or was cancelled: the output is for nobody.
    Nobody,
}

/// A stream whose state was lost and is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reprimed {
    /// Whose.
    pub ticket: Ticket,
    /// Inputs that the model had and that can't be given again.
    pub forgotten: u64,
}

/// What a failed step comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// The streams that the failure is laid to; they are gone.
    pub ended: Vec<Ticket>,
    /// The streams that go on.
    pub reprimed: Vec<Reprimed>,
}

/// The streams of one model.
#[derive(Debug)]
pub struct Schedule<I> {
    settings: ScheduleSettings,
    buckets: Buckets,
    rows_max: usize,
    slots: Slots<Stream<I>>,
    ready: FairQueue<Ticket>,
    /// Suspects with a ready row, and how many of them may share a step.
    suspects: VecDeque<Ticket>,
    suspects_max: usize,
    suspects_turn: bool,
    resets: Vec<usize>,
    /// When the first of the ready rows became ready.
    ready_since: Option<Duration>,
    in_step: Vec<Ticket>,
}

impl<I: Clone> Schedule<I> {
    /// A model of `slots` slots without streams.
    #[must_use]
    pub fn new(slots: usize, settings: ScheduleSettings) -> Self {
        let buckets = Buckets::up_to(slots);
        Self {
            rows_max: slots.max(1),
            slots: Slots::new(slots),
            ready: FairQueue::new(settings.quantum),
            suspects: VecDeque::new(),
            suspects_max: 1,
            suspects_turn: true,
            resets: Vec::new(),
            ready_since: None,
            in_step: Vec::new(),
            settings,
            buckets,
        }
    }

    /// Gives a slot to a new stream; none where all are taken.
    pub fn join(&mut self, tenant: Tenant, weight: u32) -> Option<Ticket> {
        let ticket = self.slots.join(Stream::new(tenant, weight, &self.settings)).ok()?;
        self.reset(ticket.slot);
        Some(ticket)
    }

    /// Queues an input whose output should be there at `deadline`. Gives back the oldest input where that had to
    /// make room, or this one where it is refused or the ticket is nobody's.
    ///
    /// # Errors
    /// The input itself.
    pub fn push(
        &mut self,
        ticket: Ticket,
        input: I,
        now: Duration,
        deadline: Duration,
    ) -> Result<Option<I>, I> {
        let latest = now + Duration::from_millis(self.settings.deadline_ms_max);
        let Some(stream) = self.slots.get_mut(ticket) else { return Err(input) };
        let displaced = stream.push(input, now, deadline.min(latest))?;
        if displaced.is_some() {
            // Its row's deadline was that of the input that made room.
            self.withdraw(ticket);
        }
        self.queue(ticket, now);
        Ok(displaced)
    }

    /// Forgets the stream's inputs and the output under way. The stream goes on under the ticket returned; its
    /// state in the model is made new.
    pub fn cancel(&mut self, ticket: Ticket) -> Option<Ticket> {
        self.withdraw(ticket);
        self.slots.get_mut(ticket)?.clear();
        let renewed = self.slots.renew(ticket)?;
        self.reset(ticket.slot);
        Some(renewed)
    }

    /// Ends the stream and frees its slot.
    pub fn leave(&mut self, ticket: Ticket) {
        self.withdraw(ticket);
        self.slots.leave(ticket);
    }

    /// When to make the next step, while none is under way.
    #[must_use]
    pub fn due(&self, now: Duration) -> Due {
        let (Some(since), rows) = (self.ready_since, self.ready.len()) else {
            return if self.suspects.is_empty() { Due::Nothing } else { Due::Now };
        };
        let enough = (self.slots.taken() as f32 * self.settings.gather_share).ceil() as usize;
        let at = since + Duration::from_millis(self.settings.gather_ms);
        if !self.suspects.is_empty() || rows >= enough.clamp(1, self.rows_max) || at <= now {
            Due::Now
        } else {
            Due::At(at)
        }
    }

    /// The next step. It must come to [`Self::finish`] or [`Self::fail`] before the next is asked for.
    pub fn batch(&mut self) -> Batch<I> {
        self.in_step.clear();
        let suspects = !self.suspects.is_empty() && (self.suspects_turn || self.ready.is_empty());
        self.suspects_turn = !suspects;
        let rows_max = if suspects { self.suspects_max.min(self.rows_max) } else { self.rows_max };
        let (mut rows, mut patience) = (Vec::new(), None::<Duration>);
        while rows.len() < rows_max {
            let next = if suspects { self.suspects.pop_front() } else { self.ready.take() };
            let Some(ticket) = next else { break };
            let Some(stream) = self.slots.get_mut(ticket) else { continue };
            stream.place = None;
            if let Some(numbered) = stream.enter_step() {
                let left = numbered.deadline.saturating_sub(numbered.came);
                patience = Some(patience.map_or(left, |least| least.min(left)));
                rows.push(Planned { ticket, input: numbered.input.clone() });
                self.in_step.push(ticket);
            }
        }
        if self.ready.is_empty() {
            self.ready_since = None;
        } else if !suspects {
            // More was ready than fits: no reason to wait.
            self.ready_since = Some(Duration::ZERO);
        }
        Batch { resets: std::mem::take(&mut self.resets), rows, patience }
    }

    /// The step succeeded: what becomes of each row, in row order.
    pub fn finish(&mut self, now: Duration) -> Vec<(Ticket, Outcome)> {
        let step = std::mem::take(&mut self.in_step);
        step.into_iter().map(|ticket| (ticket, self.finish_row(ticket, now))).collect()
    }

    /// The step failed, and with it the model's state of every stream. `culprits` are slots that the model itself
    /// names; where it names none, a suspect that was alone in the step is the culprit. A first failure may have
    /// been the device's, so everybody is given a second chance.
    pub fn fail(&mut self, culprits: &[usize], now: Duration) -> Ended {
        let step = std::mem::take(&mut self.in_step);
        let alone = step.len() == 1;
        let guilty = |ticket: &Ticket, stream: &Stream<I>| {
            culprits.contains(&ticket.slot) || alone && stream.suspect_until.is_some()
        };
        let ended: Vec<Ticket> = step
            .iter()
            .copied()
            .filter(|ticket| self.slots.get(*ticket).is_some_and(|stream| guilty(ticket, stream)))
            .collect();
        for ticket in &ended {
            self.leave(*ticket);
        }
        // Where nobody is named, everybody in the step is a suspect; a step of nobody makes none.
        let suspected = culprits.is_empty();
        if suspected {
            self.suspects_max = (step.len() / SUSPECTS_PER_FAILED_ROWS).max(1);
        }
        Ended { ended, reprimed: self.start_all_again(|ticket| suspected && step.contains(&ticket), now) }
    }

    /// The model was made anew for another reason than a step.
    pub fn start_again(&mut self, now: Duration) -> Vec<Reprimed> {
        self.in_step.clear();
        self.start_all_again(|_| false, now)
    }

    /// Ends every stream.
    pub fn end_all(&mut self) -> Vec<Ticket> {
        let all: Vec<Ticket> = self.slots.iter().map(|(ticket, _)| ticket).collect();
        for ticket in &all {
            self.leave(*ticket);
        }
        all
    }

    /// From now on no step has more rows than this, nor than before.
    pub fn limit_rows(&mut self, rows: usize) {
        self.rows_max = self.rows_max.min(rows.max(1));
    }

    /// The most rows of a step.
    #[must_use]
    pub fn rows_max(&self) -> usize {
        self.rows_max
    }

    /// The sizes of steps.
    #[must_use]
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Streams there are.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.slots.taken()
    }

    /// Whether the ticket's stream is there.
    #[must_use]
    pub fn has(&self, ticket: Ticket) -> bool {
        self.slots.get(ticket).is_some()
    }

    /// Inputs of a stream that wait for a step.
    #[must_use]
    pub fn backlog(&self, ticket: Ticket) -> usize {
        self.slots.get(ticket).map_or(0, Stream::backlog)
    }

    /// How long the oldest input without an output has been there, over all streams.
    #[must_use]
    pub fn lag(&self, now: Duration) -> Duration {
        let oldest = self.slots.iter().filter_map(|(_, stream)| stream.unanswered_since()).min();
        oldest.map_or(Duration::ZERO, |came| now.saturating_sub(came))
    }

    fn finish_row(&mut self, ticket: Ticket, now: Duration) -> Outcome {
        let Some((done, news)) = self.slots.get_mut(ticket).and_then(Stream::leave_step) else {
            return Outcome::Nobody;
        };
        self.queue(ticket, now);
        if !news {
            return Outcome::Known;
        }
        Outcome::Deliver { waited: now.saturating_sub(done.came), late: now > done.deadline }
    }

    fn start_all_again(&mut self, suspected: impl Fn(Ticket) -> bool, now: Duration) -> Vec<Reprimed> {
        let all: Vec<Ticket> = self.slots.iter().map(|(ticket, _)| ticket).collect();
        let mut reprimed = Vec::with_capacity(all.len());
        for ticket in all {
            self.withdraw(ticket);
            if let Some(stream) = self.slots.get_mut(ticket) {
                stream.start_again(suspected(ticket));
                reprimed.push(Reprimed { ticket, forgotten: stream.forgotten });
            }
            self.reset(ticket.slot);
            self.queue(ticket, now);
        }
        reprimed
    }

    fn reset(&mut self, slot: usize) {
        if !self.resets.contains(&slot) {
            self.resets.push(slot);
        }
    }

    /// Queues the stream's next row, if it has one that isn't queued.
    fn queue(&mut self, ticket: Ticket, now: Duration) {
        let Some(stream) = self.slots.get_mut(ticket) else { return };
        let Some(deadline) = stream.first().map(|first| first.deadline) else { return };
        if stream.suspect_until.is_some() {
            if !self.suspects.contains(&ticket) {
                self.suspects.push_back(ticket);
            }
        } else if stream.place.is_none() {
            stream.place = Some(self.ready.push(stream.tenant, stream.weight, deadline, 1, ticket));
            self.ready_since.get_or_insert(now);
        }
    }

    /// Takes the stream's row out of the queue.
    fn withdraw(&mut self, ticket: Ticket) {
        self.suspects.retain(|other| *other != ticket);
        if let Some(place) = self.slots.get_mut(ticket).and_then(|stream| stream.place.take()) {
            self.ready.remove(place);
            if self.ready.is_empty() {
                self.ready_since = None;
            }
        }
    }
}
