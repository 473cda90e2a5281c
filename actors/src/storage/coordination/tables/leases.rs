//! Leases with fencing tokens (M. Kleppmann, "How to do distributed locking", 2016): a token is greater than every
//! one before, so that what is written under an old one can be told and refused.

use super::Full;
use super::expiring::Expiring;
use crate::storage::coordination::{Acquired, Lease, NodeRun};

/// Who holds what.
#[derive(Debug)]
pub(in crate::storage::coordination) struct Leases {
    held: Expiring<String, (NodeRun, u64)>,
    last_token: u64,
}

impl Leases {
    pub(in crate::storage::coordination) const fn new(max: usize) -> Self {
        Self { held: Expiring::new(max), last_token: 0 }
    }

    /// `seed` is the time of day in milliseconds: tokens start from it, so that they grow even where everything
    /// that was known is lost with the process.
    pub(in crate::storage::coordination) fn acquire(
        &mut self,
        now_ms: u64,
        seed: u64,
        lease: &str,
        owner: &NodeRun,
        ttl_ms: u64,
    ) -> Result<Acquired, Full> {
        let name = lease.to_owned();
        let token = match self.held.get(now_ms, &name) {
            Some((by, token)) if by == owner => *token,
            Some((by, _)) => {
                let for_ms = self.held.left_ms(now_ms, &name).unwrap_or(1);
                return Ok(Acquired::Held { by: by.clone(), for_ms });
            }
            None => seed.max(self.last_token.saturating_add(1)),
        };
        self.held.put(now_ms, name, (owner.clone(), token), ttl_ms)?;
        self.last_token = self.last_token.max(token);
        Ok(Acquired::Granted(Lease { token }))
    }

    pub(in crate::storage::coordination) fn renew(
        &mut self,
        now_ms: u64,
        lease: &str,
        owner: &NodeRun,
        token: u64,
        ttl_ms: u64,
    ) -> Result<bool, Full> {
        if !self.holds(now_ms, lease, owner, token) {
            return Ok(false);
        }
        self.held.put(now_ms, lease.to_owned(), (owner.clone(), token), ttl_ms).map(|()| true)
    }

    pub(in crate::storage::coordination) fn release(
        &mut self,
        now_ms: u64,
        lease: &str,
        owner: &NodeRun,
        token: u64,
    ) -> bool {
        let holds = self.holds(now_ms, lease, owner, token);
        if holds {
            self.held.remove(&lease.to_owned());
        }
        holds
    }

    fn holds(&self, now_ms: u64, lease: &str, owner: &NodeRun, token: u64) -> bool {
        self.held.get(now_ms, &lease.to_owned()).is_some_and(|(by, held)| by == owner && *held == token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever happens, and although the time of day jumps: tokens of one lease grow from holder to holder,
        /// and never two hold it.
        #[test]
        fn tokens_grow(
            steps in prop::collection::vec((0_u8..3, 0_u8..4, 0_u64..30, 0_u64..1_000), 1..100),
        ) {
            let (mut leases, mut now) = (Leases::new(10), 0);
            let mut holder: Option<(NodeRun, u64, u64)> = None;
            let mut greatest = 0;
            for (node, what, later, seed) in steps {
                now += later;
                holder = holder.filter(|(_, _, until)| now < *until);
                let node = NodeRun::new(node.to_string());
                if what == 0 {
                    let token = holder.as_ref().map_or(0, |(_, token, _)| *token);
                    let ours = holder.as_ref().is_some_and(|(by, _, _)| *by == node);
                    prop_assert_eq!(leases.release(now, "x", &node, token), ours);
                    holder = holder.filter(|_| !ours);
                    continue;
                }
                match leases.acquire(now, seed, "x", &node, 50).expect("room") {
                    Acquired::Granted(Lease { token }) => {
                        match &holder {
                            Some((by, held, _)) => prop_assert_eq!((by, *held), (&node, token)),
                            None => prop_assert!(token > greatest),
                        }
                        greatest = token;
                        holder = Some((node, token, now + 50));
                    }
                    Acquired::Held { by, for_ms } => {
                        let (holds, _, until) = holder.clone().expect("somebody holds it");
                        prop_assert_eq!((by, for_ms), (holds, until - now));
                    }
                }
            }
        }
    }
}
