//! Requests that are answered once: the front of the same core for models that keep nothing between two answers.
//!
//! ```text
//! ask ──► (its tenant's line) ──► take ──► (the model's pass) ──► finish ──► everybody who asked for it
//!  ├ declined: full, or so much is before it that it would be late
//!  ├ makes room where the longest line is another's
//!  ├ cancel: its place is free at once         └ abandon: it hangs; they are told so
//!  └ expires: told, not worked out
//! ```
//! What takes more than one pass, as a language model's answer does, takes a turn for each: [`Requests::finish_some`] puts
//! it back into its tenant's line with what its next pass costs, which need not be known before, so that others go in
//! between, and it can be cancelled or be late there. It counts as unanswered until its end, so that the bound of these
//! is also that of what an engine must remember between passes.
//!
//! The same work is done once, however many ask for it: each waits in the line of its own tenant, and whoever's turn
//! comes first brings it to all. A request has a cost (texts, characters, a language model's tokens), in which turns
//! are paid.

mod parts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Due, FairQueue, PassTimes, Place, RequestSettings, Tenant};

pub use parts::More;

/// A request; its number is never another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ask(u64);

/// Who asks, until when, and what each request of theirs costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// Who shares the engine fairly with others.
    pub tenant: Tenant,
    /// If a turn of it comes later, it is told so instead.
    pub deadline: Duration,
    /// What it costs, or its first pass; at least 1.
    pub cost: u32,
    /// What it costs after that, as far as can be told; 0 for what one pass answers. Where there is more, it is not taken
    /// if it would come to its end after the deadline.
    pub rest: u32,
}

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    /// As many wait as may, and the tenant has its share of them.
    #[error("all {limit} places are taken")]
    Full {
        /// How many may wait.
        limit: usize,
    },
    /// By what was measured its turn would come after its deadline.
    #[error("its turn would come after {wait_ms} ms")]
    Late {
        /// The least that it would wait, in milliseconds.
        wait_ms: u64,
    },
}

/// Requests that were taken in.
#[derive(Debug)]
pub struct Granted<A> {
    /// In the order in which they were given.
    pub asks: Vec<Ask>,
    /// Others that made room: they are to be told that the engine is full.
    pub displaced: Vec<A>,
}

/// What is to be done.
#[derive(Debug)]
pub struct Taken<W, A> {
    /// Whose deadline has passed: they are to be told.
    pub late: Vec<A>,
    /// Works that were begun and that nobody waits for any more: what is remembered of them can be forgotten.
    pub dropped: Vec<Arc<W>>,
    /// Works of one pass, for [`Requests::finish`] by its number; none where nothing waits.
    pub pass: Option<(u64, Vec<Arc<W>>)>,
}

#[derive(Debug)]
struct Asked<A> {
    answer: A,
    tenant: Tenant,
    deadline: Duration,
    job: u64,
    /// Where it waits; none while its work is in hand.
    place: Option<Place>,
    /// Where it waited last.
    was: Option<Place>,
}

#[derive(Debug)]
struct Job<W> {
    work: Arc<W>,
    /// Of its next pass, and of those after it.
    cost: u32,
    rest: u32,
    asks: Vec<Ask>,
    is_in_hand: bool,
    /// Whose turn it has, where it is in hand and goes on.
    turn_of: Option<Tenant>,
    /// Whether a pass of it is over.
    is_begun: bool,
}

#[derive(Debug)]
struct Pass {
    jobs: Vec<u64>,
    cost: u64,
    began: Duration,
    /// Whether one of them goes on after it, as far as is known.
    goes_on: bool,
}

/// The requests of one engine: what each is for (`W`) and to whom its answer goes (`A`).
#[derive(Debug)]
pub struct Requests<W, A> {
    settings: RequestSettings,
    queue: FairQueue<Ask>,
    asks: BTreeMap<Ask, Asked<A>>,
    jobs: BTreeMap<u64, Job<W>>,
    same: BTreeMap<Arc<W>, u64>,
    passes: BTreeMap<u64, Pass>,
    times: PassTimes,
    dropped: Vec<Arc<W>>,
    /// The next number of anything.
    next: u64,
    /// When the first of those that wait came.
    waiting_since: Option<Duration>,
}

impl<W: Ord, A> Requests<W, A> {
    /// Nobody asks.
    #[must_use]
    pub fn new(settings: RequestSettings) -> Self {
        Self {
            queue: FairQueue::new(settings.quantum),
            asks: BTreeMap::new(),
            jobs: BTreeMap::new(),
            same: BTreeMap::new(),
            passes: BTreeMap::new(),
            times: PassTimes::new(settings.passes_kept),
            dropped: Vec::new(),
            next: 0,
            waiting_since: None,
            settings,
        }
    }

    /// Takes in all of `works`, or none.
    ///
    /// # Errors
    /// [`Declined`]: nobody will be told anything.
    pub fn ask(&mut self, asking: Asking, works: Vec<(W, A)>, now: Duration) -> Result<Granted<A>, Declined> {
        let makes_room = self.room(asking.tenant, works.len())?;
        // What others wait for already makes nobody wait for longer.
        if works.iter().any(|(work, _)| !self.same.contains_key(work)) {
            let wait = self.wait(asking, now);
            if wait > asking.deadline.saturating_sub(now) {
                return Err(Declined::Late { wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) });
            }
        }
        let last = |tenant| {
            let ask = self.queue.take_last(tenant)?;
            self.forget(ask)
        };
        let displaced = makes_room.into_iter().filter_map(last).collect();
        let asks = works.into_iter().map(|(work, answer)| self.add(asking, work, answer, now)).collect();
        Ok(Granted { asks, displaced })
    }

    /// Takes a request back, if it has no answer yet. Nobody else is touched.
    pub fn cancel(&mut self, ask: Ask) -> Option<A> {
        let place = self.asks.get_mut(&ask)?.place.take();
        place.and_then(|place| self.queue.remove(place));
        self.forget(ask)
    }

    /// When to take the next, where a pass may begin.
    #[must_use]
    pub fn due(&self, now: Duration) -> Due {
        if !self.dropped.is_empty() {
            return Due::Now;
        }
        let Some(since) = self.waiting_since else { return Due::Nothing };
        let at = since + Duration::from_millis(self.settings.gather_ms);
        if self.queue.len() >= self.settings.batch_max || at <= now { Due::Now } else { Due::At(at) }
    }

    /// Those who are too late, and the next pass.
    pub fn take(&mut self, now: Duration) -> Taken<W, A> {
        let late = self.late(now);
        let (mut jobs, mut works, mut cost, mut goes_on) = (Vec::new(), Vec::new(), 0, false);
        while works.len() < self.settings.batch_max.max(1) {
            let Some(ask) = self.queue.take() else { break };
            let Some((number, tenant)) = self.asks.get(&ask).map(|asked| (asked.job, asked.tenant)) else {
                continue;
            };
            let Some(job) = self.jobs.get_mut(&number) else { continue };
            job.is_in_hand = true;
            job.turn_of = (job.rest > 0).then_some(tenant);
            for other in &job.asks {
                let place = self.asks.get_mut(other).and_then(|asked| asked.place.take());
                place.and_then(|place| self.queue.remove(place));
            }
            cost += u64::from(job.cost);
            goes_on |= job.rest > 0;
            works.push(Arc::clone(&job.work));
            jobs.push(number);
        }
        // More waits than fits: no reason to gather.
        self.waiting_since = (!self.queue.is_empty()).then_some(Duration::ZERO);
        let pass = (!jobs.is_empty()).then(|| {
            let number = self.number();
            self.passes.insert(number, Pass { jobs, cost, began: now, goes_on });
            (number, works)
        });
        Taken { late, dropped: std::mem::take(&mut self.dropped), pass }
    }

    /// Those whose deadline has passed: they are to be told.
    pub fn late(&mut self, now: Duration) -> Vec<A> {
        let late = self.queue.expire(now);
        late.into_iter().filter_map(|ask| self.forget(ask)).collect()
    }

    /// A pass is over: who gets the answer to each of its works, in their order. How long it took is remembered where
    /// it succeeded.
    pub fn finish(&mut self, pass: u64, succeeded: bool, now: Duration) -> Vec<Vec<A>> {
        let Some(Pass { jobs, cost, began, .. }) = self.passes.remove(&pass) else { return Vec::new() };
        if succeeded {
            self.times.record(jobs.len(), cost, now.saturating_sub(began));
        }
        jobs.into_iter().map(|job| self.end(job)).collect()
    }

    /// A pass hangs: whoever waits for it. What it may still come to is nobody's.
    pub fn abandon(&mut self, pass: u64) -> Vec<A> {
        self.finish(pass, false, Duration::ZERO).into_iter().flatten().collect()
    }

    /// Takes back everything that waits for its turn.
    pub fn end_waiting(&mut self) -> Vec<A> {
        let waits = |(ask, asked): (&Ask, &Asked<A>)| asked.place.is_some().then_some(*ask);
        let waiting: Vec<Ask> = self.asks.iter().filter_map(waits).collect();
        waiting.into_iter().filter_map(|ask| self.cancel(ask)).collect()
    }

    /// What a pass in hand costs, in a tenant's turns; at least 1.
    #[must_use]
    pub fn turns(&self, pass: u64) -> u32 {
        let turns = self
            .passes
            .get(&pass)
            .map_or(1, |pass| pass.cost.div_ceil(u64::from(self.settings.quantum.max(1))));
        u32::try_from(turns.max(1)).unwrap_or(u32::MAX)
    }

    /// The least that a request would wait for its turn, or of what takes more passes for its end, by what was measured.
    #[must_use]
    pub fn wait(&self, asking: Asking, now: Duration) -> Duration {
        let (batch_max, passes_max) = (self.settings.batch_max, self.settings.passes_max.max(1));
        let left = |pass: &Pass| (pass.began + self.times.least(pass.cost, batch_max)).saturating_sub(now);
        let away = self.away(asking);
        let busy = if self.passes.len() < passes_max { None } else { self.passes.values().map(left).min() };
        let all = asking.cost.saturating_add(asking.rest);
        let before = self.queue.cost_before(asking.tenant, 1, asking.deadline, all, &away);
        let before = before + if asking.rest > 0 { u64::from(all) } else { 0 };
        busy.unwrap_or_default() + self.times.least(before, batch_max) / passes_max as u32
    }

    /// How many requests there may be without an answer.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.settings.unanswered_max
    }

    /// Requests without an answer.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.asks.len()
    }

    /// Requests that wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The tenants each of whose latest request makes room for `more` of one whose line stays shorter than theirs:
    /// with room, none. What is dropped is the longest line's (Suter et al., INFOCOM 1998), so a tenant alone may
    /// fill the engine, and none can keep another out of it.
    fn room(&self, tenant: Tenant, more: usize) -> Result<Vec<Tenant>, Declined> {
        let limit = self.settings.unanswered_max;
        let over = (self.asks.len() + more).saturating_sub(limit);
        let mut lengths: BTreeMap<Tenant, usize> = self.queue.lengths().collect();
        let own = lengths.remove(&tenant).unwrap_or(0) + more;
        let mut makes_room = Vec::new();
        for _ in 0..over {
            let longest = lengths.iter_mut().max_by_key(|(_, length)| **length);
            let (other, length) =
                longest.filter(|(_, length)| **length > own).ok_or(Declined::Full { limit })?;
            *length -= 1;
            makes_room.push(*other);
        }
        Ok(makes_room)
    }

    fn add(&mut self, asking: Asking, work: W, answer: A, now: Duration) -> Ask {
        let ask = Ask(self.number());
        let number = match self.same.get(&work) {
            Some(job) => *job,
            None => {
                let (number, work) = (self.number(), Arc::new(work));
                self.same.insert(Arc::clone(&work), number);
                let (cost, rest) = (asking.cost.max(1), asking.rest);
                let (is_in_hand, is_begun, turn_of) = (false, false, None);
                let job = Job { work, cost, rest, asks: Vec::new(), is_in_hand, turn_of, is_begun };
                self.jobs.insert(number, job);
                number
            }
        };
        let Asking { tenant, deadline, .. } = asking;
        self.asks.insert(ask, Asked { answer, tenant, deadline, job: number, place: None, was: None });
        if let Some(job) = self.jobs.get_mut(&number) {
            job.asks.push(ask);
            if !job.is_in_hand {
                self.line_up(number, ask);
                self.waiting_since.get_or_insert(now);
            }
        }
        ask
    }

    /// Puts a request into its tenant's line. The tenant's first for the same work pays.
    fn line_up(&mut self, number: u64, ask: Ask) {
        let Some((job, asked)) = self.jobs.get(&number).zip(self.asks.get(&ask)) else { return };
        let (tenant, deadline, was) = (asked.tenant, asked.deadline, asked.was);
        let mut others = job.asks.iter().filter_map(|other| self.asks.get(other));
        let paid = others.any(|other| other.place.is_some() && other.tenant == tenant);
        let cost = if paid { (1, job.rest.min(1)) } else { (job.cost, job.rest) };
        let place = match was {
            Some(was) => self.queue.put_back(was, 1, cost, ask),
            None => self.queue.push_part(tenant, 1, deadline, cost, ask),
        };
        if let Some(asked) = self.asks.get_mut(&ask) {
            (asked.place, asked.was) = (Some(place), Some(place));
        }
    }

    /// A work is done: who is to be told.
    fn end(&mut self, number: u64) -> Vec<A> {
        let Some(job) = self.jobs.remove(&number) else { return Vec::new() };
        self.same.remove(&job.work);
        job.turn_of.into_iter().for_each(|tenant| self.queue.back(tenant));
        job.asks.iter().filter_map(|ask| self.asks.remove(ask)).map(|asked| asked.answer).collect()
    }

    /// Nobody asks for it any more; what nobody else asks for either is not done, unless it is in hand.
    fn forget(&mut self, ask: Ask) -> Option<A> {
        let Asked { answer, job: number, .. } = self.asks.remove(&ask)?;
        if let Some(job) = self.jobs.get_mut(&number) {
            job.asks.retain(|other| *other != ask);
            if job.asks.is_empty() && !job.is_in_hand {
                self.drop_work(number);
            }
        }
        if self.queue.is_empty() {
            self.waiting_since = None;
        }
        Some(answer)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}
