//! The generic cell rate algorithm (ITU-T I.371, the virtual scheduling form): one number per limit, the time at
//! which it is empty again.

use super::Full;
use super::expiring::Expiring;
use crate::storage::coordination::{Rate, Spent};

/// When each limit is empty again, in microseconds.
#[derive(Debug)]
pub(in crate::storage::coordination) struct Rates(Expiring<String, u64>);

impl Rates {
    pub(in crate::storage::coordination) const fn new(max: usize) -> Self {
        Self(Expiring::new(max))
    }

    pub(in crate::storage::coordination) fn spend(
        &mut self,
        now_ms: u64,
        limit: &str,
        rate: Rate,
    ) -> Result<Spent, Full> {
        let name = limit.to_owned();
        let now_us = now_ms.saturating_mul(1_000);
        let (empty_us, spent) = spend(self.0.get(now_ms, &name).copied(), now_us, rate);
        if matches!(spent, Spent::Allowed { .. }) {
            self.0.put(now_ms, name, empty_us, empty_us.saturating_sub(now_us).div_ceil(1_000))?;
        }
        Ok(spent)
    }
}

/// When the limit is empty again after this request, and whether it was within it.
fn spend(empty_us: Option<u64>, now_us: u64, rate: Rate) -> (u64, Spent) {
    let empty_us = empty_us.unwrap_or(now_us).max(now_us);
    let next_us = empty_us.saturating_add(rate.interval_us());
    let ahead_us = next_us - now_us;
    match ahead_us.checked_sub(rate.burst_us()) {
        None | Some(0) => {
            let left = (rate.burst_us() - ahead_us) / rate.interval_us();
            (next_us, Spent::Allowed { left: u32::try_from(left).unwrap_or(u32::MAX) })
        }
        Some(over_us) => (empty_us, Spent::Limited { retry_ms: over_us.div_ceil(1_000).max(1) }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However requests come: in no span of time are more allowed than the burst and the rate give, and after
        /// the wait that was told the next one is.
        #[test]
        fn never_more_than_the_rate(
            gaps in prop::collection::vec(0_u64..400, 1..200),
            requests in 1_u32..20,
            burst in 1_u32..5,
        ) {
            let rate = Rate { requests, period_ms: 1_000, burst };
            let (mut rates, mut now, mut allowed) = (Rates::new(10), 0, Vec::<u64>::new());
            for gap in gaps {
                now += gap;
                match rates.spend(now, "x", rate).expect("room") {
                    Spent::Allowed { .. } => allowed.push(now),
                    Spent::Limited { retry_ms } => {
                        now += retry_ms;
                        let after_it = rates.spend(now, "x", rate).expect("room");
                        prop_assert!(!matches!(after_it, Spent::Limited { .. }), "not yet");
                        allowed.push(now);
                    }
                }
            }
            for (first, from) in allowed.iter().enumerate() {
                for (last, until) in allowed.iter().enumerate().skip(first) {
                    let most = u64::from(burst) * 1_000 + (until - from) * u64::from(requests) + 1_000;
                    prop_assert!((last - first + 1) as u64 * 1_000 <= most);
                }
            }
        }
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let rate = Rate { requests: 10, period_ms: 1_000, burst: 3 };
        let mut rates = Rates::new(1);
        let left: Vec<_> = (0..3).map(|_| rates.spend(0, "a", rate)).collect();
        assert_eq!(left, [2, 1, 0].map(|left| Ok(Spent::Allowed { left })));
        assert_eq!(rates.spend(0, "a", rate), Ok(Spent::Limited { retry_ms: 100 }));
        assert_eq!(rates.spend(99, "a", rate), Ok(Spent::Limited { retry_ms: 1 }));
        assert_eq!(rates.spend(100, "a", rate), Ok(Spent::Allowed { left: 0 }));
        assert_eq!(rates.spend(100, "b", rate), Err(Full), "it is bounded");
        assert_eq!(
            rates.spend(1_000, "b", rate),
            Ok(Spent::Allowed { left: 2 }),
            "and the first has expired"
        );
    }

    #[test]
    fn zeros_count_as_ones() {
        let mut rates = Rates::new(1);
        let none = Rate { requests: 0, period_ms: 0, burst: 0 };
        assert_eq!(rates.spend(5, "a", none), Ok(Spent::Allowed { left: 0 }));
        assert_eq!(rates.spend(5, "a", none), Ok(Spent::Limited { retry_ms: 1 }));
    }
}
