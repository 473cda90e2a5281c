//! Which node is asked next: the less loaded of two that are well.
//!
//! A node that fails is out until it has answered a look. Looks at a node that is out come less and less often, also
//! where it answers them and fails again at once.

use std::time::Duration;

/// How long a node that fails stays out before it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::remote) struct Backoff {
    /// After its first failure in a row; doubled for each further one.
    pub(in crate::remote) first: Duration,
    /// The longest.
    pub(in crate::remote) most: Duration,
    /// How often a node that is well is looked at.
    pub(in crate::remote) every: Duration,
}

/// What a node said of one sense when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::remote) struct Load {
    /// Streams open, of everybody.
    pub(in crate::remote) open: usize,
    /// The most there may be; 0 where it has no such engine.
    pub(in crate::remote) most: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody has looked; it is tried in good faith.
    Unknown,
    Well,
    /// It answers, and takes nothing new.
    Resting,
    Out,
}

#[derive(Debug)]
struct Node {
    state: State,
    failures: u32,
    look_at: Duration,
    told: Option<Load>,
    /// Streams that we have there.
    ours: usize,
    /// Those of them that it did not know of when it told its load.
    since: usize,
    full: bool,
}

/// The nodes that one sense may work on.
#[derive(Debug)]
pub(in crate::remote) struct Nodes {
    backoff: Backoff,
    nodes: Vec<Node>,
}

impl Nodes {
    pub(in crate::remote) fn new(count: usize, backoff: Backoff) -> Self {
        let node = || Node {
            state: State::Unknown,
            failures: 0,
            look_at: Duration::ZERO,
            told: None,
            ours: 0,
            since: 0,
            full: false,
        };
        Self { backoff, nodes: std::iter::repeat_with(node).take(count).collect() }
    }

    /// The node to ask next, none of `tried`. Nodes that said they are full are asked last.
    pub(in crate::remote) fn pick(&self, dice: u64, tried: &[usize]) -> Option<usize> {
        let candidates = |full: bool| -> Vec<usize> {
            let fits = |(place, node): (usize, &Node)| {
                let takes = matches!(node.state, State::Unknown | State::Well) && node.full == full;
                (takes && !tried.contains(&place)).then_some(place)
            };
            self.nodes.iter().enumerate().filter_map(fits).collect()
        };
        let mut left = candidates(false);
        if left.is_empty() {
            left = candidates(true);
        }
        let count = left.len() as u64;
        let one = take(&mut left, dice.checked_rem(count)?)?;
        let Some(other) = (dice / count).checked_rem(left.len() as u64).and_then(|at| take(&mut left, at))
        else {
            return Some(one);
        };
        Some(if self.is_less_loaded(other, one) { other } else { one })
    }

    /// Whether one that is well is not full; none where none is well.
    pub(in crate::remote) fn has_room(&self) -> Option<bool> {
        let well = |node: &&Node| matches!(node.state, State::Unknown | State::Well);
        self.nodes.iter().filter(well).map(|node| !node.full).reduce(|one, other| one || other)
    }

    /// Whether `one` has a smaller part of its places taken than `other`.
    fn is_less_loaded(&self, one: usize, other: usize) -> bool {
        let load = |place: usize| {
            self.nodes.get(place).map_or((0, 1), |node| {
                let told = node.told.unwrap_or(Load { open: 0, most: 0 });
                let open = (told.open + node.since).max(node.ours) as u128;
                // Of a node that did not say how many it takes only the count is known.
                (open, told.most.max(1) as u128)
            })
        };
        let ((one_open, one_most), (other_open, other_most)) = (load(one), load(other));
        one_open * other_most < other_open * one_most
    }

    /// We have one more stream there.
    pub(in crate::remote) fn opened(&mut self, place: usize) {
        if let Some(node) = self.nodes.get_mut(place) {
            (node.ours, node.since) = (node.ours + 1, node.since + 1);
        }
    }

    /// A stream of ours is over.
    pub(in crate::remote) fn closed(&mut self, place: usize) {
        if let Some(node) = self.nodes.get_mut(place) {
            (node.ours, node.since) = (node.ours.saturating_sub(1), node.since.saturating_sub(1));
        }
    }

    /// It refused a stream for want of room.
    pub(in crate::remote) fn was_full(&mut self, place: usize) {
        if let Some(node) = self.nodes.get_mut(place) {
            node.full = true;
        }
    }

    /// It did not answer, or broke off. True where it was not out before.
    pub(in crate::remote) fn failed(&mut self, place: usize, now: Duration, dice: u64) -> bool {
        let backoff = self.backoff;
        let Some(node) = self.nodes.get_mut(place) else { return false };
        let was_in = node.state != State::Out;
        if was_in || now >= node.look_at {
            node.failures = node.failures.saturating_add(1);
            let doubled = backoff.first.saturating_mul(1 << (node.failures - 1).min(16)).min(backoff.most);
            // Up to a quarter more, so that not everybody looks at once.
            node.look_at = now + doubled + doubled.mul_f64((dice % 256) as f64 / 1_024.0);
        }
        node.state = State::Out;
        was_in
    }

    /// It answered a look. True where it comes back.
    pub(in crate::remote) fn looked(&mut self, place: usize, now: Duration, ready: bool, load: Load) -> bool {
        let every = self.backoff.every;
        let Some(node) = self.nodes.get_mut(place) else { return false };
        let was_out = node.state == State::Out;
        // One that answers looks and fails at its work would come back at once each time.
        node.failures = if was_out { node.failures } else { 0 };
        node.state = if ready && load.most > 0 { State::Well } else { State::Resting };
        node.look_at = now + every;
        (node.told, node.since) = (Some(load), 0);
        node.full = load.open >= load.most;
        was_out
    }

    /// Those that are to be looked at, each once: they are not named again before the look has an answer or
    /// `patience` is over.
    pub(in crate::remote) fn due(&mut self, now: Duration, patience: Duration) -> Vec<usize> {
        let mut due = Vec::new();
        for (place, node) in self.nodes.iter_mut().enumerate() {
            if now >= node.look_at {
                node.look_at = now + patience;
                due.push(place);
            }
        }
        due
    }

    /// How many may be asked.
    pub(in crate::remote) fn well(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node.state, State::Unknown | State::Well)).count()
    }
}

fn take(places: &mut Vec<usize>, at: u64) -> Option<usize> {
    let at = usize::try_from(at).ok().filter(|at| *at < places.len())?;
    Some(places.swap_remove(at))
}
