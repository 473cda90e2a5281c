//! Which servers are passed over for a while because they failed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::Target;
use crate::sip::destination::Transport;
use crate::sip::wheel::Moment;

/// Servers that failed, until when they are tried last. Bounded: where it is full, the one that would be back first
/// is forgotten.
#[derive(Debug, Default)]
pub struct Health {
    until: BTreeMap<(SocketAddr, Transport), Moment>,
    most: usize,
}

impl Health {
    /// One that remembers so many servers.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { until: BTreeMap::new(), most }
    }

    /// A server has failed, and is tried last until then.
    pub fn failed(&mut self, now: Moment, target: &Target, until: Moment) {
        self.until.retain(|_, until| *until > now);
        if self.until.len() >= self.most
            && let Some(first) = self.until.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key)
        {
            self.until.remove(&first);
        }
        if until > now && self.most > 0 {
            self.until.insert((target.address, target.transport), until);
        }
    }

    /// A server works.
    pub fn works(&mut self, target: &Target) {
        self.until.remove(&(target.address, target.transport));
    }

    /// The same servers, those that failed lately at the end. They stay: where all have failed, all are tried.
    #[must_use]
    pub fn ordered(&self, now: Moment, targets: Vec<Target>) -> Vec<Target> {
        let (ill, mut well): (Vec<Target>, Vec<Target>) = targets.into_iter().partition(|target| {
            self.until.get(&(target.address, target.transport)).is_some_and(|until| *until > now)
        });
        well.extend(ill);
        well
    }
}
