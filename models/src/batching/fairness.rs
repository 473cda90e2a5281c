//! Who is next: deficit round-robin between tenants (Shreedhar and Varghese, SIGCOMM 1995), and earliest deadline
//! first inside a tenant.
//!
//! Between two tenants that both have work waiting all the time, what they got in proportion to their weights
//! differs by less than one quantum and the cost of two pieces, however much either of them sends. Inside a tenant
//! nothing starves as long as deadlines are not later than a constant after arrival.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Whoever shares fairly with others: a number that the caller made of its tenant's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(pub u64);

impl Tenant {
    /// The number of a tenant's name (FNV-1a). Two names may share one: they then share what is fair.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }
}

/// Where something waits, to take it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    tenant: Tenant,
    at: At,
}

/// By deadline, then by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    deadline: Duration,
    order: u64,
}

/// Work of many tenants, each piece with a deadline and a cost.
#[derive(Debug)]
pub struct FairQueue<T> {
    quantum: u64,
    lines: BTreeMap<Tenant, Line<T>>,
    /// The tenants with something waiting, in the order of their turns.
    turns: VecDeque<Tenant>,
    waiting: usize,
    pushed: u64,
}

#[derive(Debug)]
struct Line<T> {
    weight: u64,
    /// Of everything that waits in it, with what it costs later.
    cost: u64,
    deficit: u64,
    /// Whether this turn's quantum was given.
    in_turn: bool,
    /// Pieces that were taken and come back: the line keeps its turn and its deficit for them, however short it is.
    away: usize,
    waiting: BTreeMap<At, Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    cost: u64,
    /// What it costs later, when it is back from this turn.
    rest: u64,
    value: T,
}

impl<T> Waiting<T> {
    const fn all(&self) -> u64 {
        self.cost + self.rest
    }
}

impl<T> Line<T> {
    fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.away == 0
    }
}

impl<T> FairQueue<T> {
    /// An empty queue. A tenant of weight 1 may spend `quantum` in one turn; it should be at least the cost of
    /// the dearest piece, so that every turn serves something.
    #[must_use]
    pub fn new(quantum: u32) -> Self {
        Self {
            quantum: u64::from(quantum.max(1)),
            lines: BTreeMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            pushed: 0,
        }
    }

    /// Queues `value`. Weight and cost count as at least 1; the last weight given for a tenant holds.
    pub fn push(&mut self, tenant: Tenant, weight: u32, deadline: Duration, cost: u32, value: T) -> Place {
        self.push_part(tenant, weight, deadline, (cost, 0), value)
    }

    /// Queues a part of something longer: what this turn costs, and what comes after it. Only this turn is paid now; the
    /// rest counts where somebody asks how much is before them.
    pub fn push_part(
        &mut self,
        tenant: Tenant,
        weight: u32,
        deadline: Duration,
        cost: (u32, u32),
        value: T,
    ) -> Place {
        let at = At { deadline, order: self.pushed };
        self.pushed += 1;
        self.put_back(Place { tenant, at }, weight, cost, value)
    }

    /// Queues the next part of something longer at the place that it had among its tenant's.
    pub fn put_back(&mut self, place: Place, weight: u32, (cost, rest): (u32, u32), value: T) -> Place {
        let Place { tenant, at } = place;
        self.waiting += 1;
        let turns = &mut self.turns;
        let line = self.lines.entry(tenant).or_insert_with(|| {
            turns.push_back(tenant);
            Line { weight: 1, cost: 0, deficit: 0, in_turn: false, away: 0, waiting: BTreeMap::new() }
        });
        line.weight = u64::from(weight.max(1));
        let waiting = Waiting { cost: u64::from(cost.max(1)), rest: u64::from(rest), value };
        line.cost += waiting.all();
        line.waiting.insert(at, waiting);
        place
    }

    /// Takes whoever is next. Of a part of something longer [`Self::back`] is to be told.
    pub fn take(&mut self) -> Option<T> {
        while self.waiting > 0 {
            let tenant = *self.turns.front()?;
            let line = self.lines.get_mut(&tenant)?;
            if !line.in_turn && !line.waiting.is_empty() {
                line.in_turn = true;
                line.deficit += self.quantum * line.weight;
            }
            let affordable = line.waiting.first_entry().filter(|first| first.get().cost <= line.deficit);
            if let Some(first) = affordable {
                let waiting = first.remove();
                line.deficit -= waiting.cost;
                line.cost -= waiting.all();
                line.away += usize::from(waiting.rest > 0);
                self.waiting -= 1;
                if line.is_over() {
                    self.turns.pop_front();
                    self.lines.remove(&tenant);
                }
                return Some(waiting.value);
            }
            line.in_turn = false;
            if line.waiting.is_empty() {
                // What it waits for is away: it saves no more than a turn meanwhile.
                line.deficit = line.deficit.min(self.quantum * line.weight);
            }
            self.turns.rotate_left(1);
        }
        None
    }

    /// A part of something longer that was taken is over: its next part was put back before, or there is none.
    pub fn back(&mut self, tenant: Tenant) {
        let Some(line) = self.lines.get_mut(&tenant) else { return };
        line.away = line.away.saturating_sub(1);
        if line.is_over() {
            self.forget(tenant);
        }
    }

    /// Takes back what waits at `place`, if it still does.
    pub fn remove(&mut self, place: Place) -> Option<T> {
        let line = self.lines.get_mut(&place.tenant)?;
        let removed = line.waiting.remove(&place.at)?;
        line.cost -= removed.all();
        if line.is_over() {
            self.forget(place.tenant);
        }
        self.waiting -= 1;
        Some(removed.value)
    }

    /// Takes everything whose deadline is before `now`.
    pub fn expire(&mut self, now: Duration) -> Vec<T> {
        let mut expired = Vec::new();
        for line in self.lines.values_mut() {
            let kept = line.waiting.split_off(&At { deadline: now, order: 0 });
            for late in std::mem::replace(&mut line.waiting, kept).into_values() {
                line.cost -= late.all();
                expired.push(late.value);
            }
        }
        self.waiting -= expired.len();
        let gone: Vec<Tenant> =
            self.lines.iter().filter(|(_, line)| line.is_over()).map(|(tenant, _)| *tenant).collect();
        for tenant in gone {
            self.forget(tenant);
        }
        expired
    }

    /// Takes back whatever of a tenant would be served last.
    pub fn take_last(&mut self, tenant: Tenant) -> Option<T> {
        let at = *self.lines.get(&tenant)?.waiting.last_key_value()?.0;
        self.remove(Place { tenant, at })
    }

    /// The tenants with something waiting, and how many pieces.
    pub fn lengths(&self) -> impl Iterator<Item = (Tenant, usize)> {
        self.lines.iter().map(|(tenant, line)| (*tenant, line.waiting.len()))
    }

    /// What is served, if nothing more comes, before a further piece of the tenant: of its own line whatever has no
    /// later deadline, and of each other as much as its turns allow meanwhile, give or take a turn. What is `away` comes
    /// back to its tenant's line.
    #[must_use]
    pub fn cost_before(
        &self,
        tenant: Tenant,
        weight: u32,
        deadline: Duration,
        cost: u32,
        away: &BTreeMap<Tenant, u64>,
    ) -> u64 {
        let before = At { deadline, order: u64::MAX };
        let of =
            |line: &Line<T>| line.waiting.range(..=before).map(|(_, waiting)| waiting.all()).sum::<u64>();
        let back = |tenant: &Tenant| away.get(tenant).copied().unwrap_or(0);
        let own = self.lines.get(&tenant).map_or(0, of) + back(&tenant);
        let (weight, all) = (u64::from(weight.max(1)), own + u64::from(cost.max(1)));
        let others = self.lines.iter().filter(|(other, _)| **other != tenant);
        let in_line = others
            .map(|(other, line)| (line.cost + back(other)).min((all * line.weight).div_ceil(weight)))
            .sum::<u64>();
        let elsewhere = away.iter().filter(|(other, _)| **other != tenant && !self.lines.contains_key(other));
        own + in_line + elsewhere.map(|(_, cost)| (*cost).min(all.div_ceil(weight))).sum::<u64>()
    }

    /// The earliest deadline of all that waits.
    #[must_use]
    pub fn earliest_deadline(&self) -> Option<Duration> {
        self.lines.values().filter_map(|line| line.waiting.keys().next()).map(|at| at.deadline).min()
    }

    /// How many pieces wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// How many pieces of one tenant wait.
    #[must_use]
    pub fn waiting_of(&self, tenant: Tenant) -> usize {
        self.lines.get(&tenant).map_or(0, |line| line.waiting.len())
    }

    fn forget(&mut self, tenant: Tenant) {
        self.lines.remove(&tenant);
        self.turns.retain(|other| *other != tenant);
    }
}
