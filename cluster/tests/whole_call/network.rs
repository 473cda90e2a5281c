//! A network that loses, delays, doubles and reorders datagrams, as a seed says.

use std::collections::BTreeMap;

use bytes::Bytes;
use cluster::sip::dialog::Moment;

use super::chance::Dice;

/// Who a datagram is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    Us,
    Caller,
}

pub(super) struct Network {
    dice: Dice,
    /// So many of a thousand are lost, and so many come twice.
    loss: u64,
    twice: u64,
    delay_ms: u64,
    spread_ms: u64,
    /// From here on everything is lost.
    pub(super) cut_at: Option<Moment>,
    under_way: BTreeMap<(Moment, u64), (To, Bytes)>,
    sent: u64,
}

impl Network {
    pub(super) fn new(mut dice: Dice) -> Self {
        let cut_at = dice.in_thousand(50).then(|| dice.below(90_000));
        Self {
            loss: *dice.one_of(&[0, 0, 50, 100, 150, 200]),
            twice: *dice.one_of(&[0, 20, 100]),
            delay_ms: 1 + dice.below(120),
            // More than T1 now and then, so that a repetition overtakes what it repeats.
            spread_ms: 1 + *dice.one_of(&[0, 20, 100, 700]),
            cut_at,
            under_way: BTreeMap::new(),
            sent: 0,
            dice,
        }
    }

    pub(super) fn is_cut(&self, now: Moment) -> bool {
        self.cut_at.is_some_and(|at| at <= now)
    }

    /// Sends a datagram, and says what becomes of it: how many copies arrive.
    pub(super) fn send(&mut self, now: Moment, to: To, bytes: &Bytes) -> usize {
        let copies = 1 + usize::from(self.dice.in_thousand(self.twice));
        let mut arriving = 0;
        for _ in 0..copies {
            let lost = self.dice.in_thousand(self.loss);
            let at = now + self.delay_ms + self.dice.below(self.spread_ms);
            if !lost && !self.is_cut(now) {
                self.sent += 1;
                self.under_way.insert((at, self.sent), (to, bytes.clone()));
                arriving += 1;
            }
        }
        arriving
    }

    pub(super) fn next_at(&self) -> Option<Moment> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn arrived(&mut self, now: Moment) -> Option<(To, Bytes)> {
        let key = *self.under_way.keys().next().filter(|(at, _)| *at <= now)?;
        self.under_way.remove(&key)
    }
}
