//! How much one source may send: a token bucket per address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

/// The buckets. Not shared: who reads a socket has its own.
#[derive(Debug)]
pub(super) struct Sources {
    per_second: f64,
    burst: f64,
    most: usize,
    buckets: HashMap<IpAddr, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Sources {
    pub(super) fn new(per_second: u32, burst: u32, most: usize) -> Self {
        Self {
            per_second: f64::from(per_second),
            burst: f64::from(burst.max(1)),
            most,
            buckets: HashMap::new(),
        }
    }

    /// Whether this source may send one more message now.
    pub(super) fn admit(&mut self, source: IpAddr, now: Instant) -> bool {
        if !self.buckets.contains_key(&source) && self.buckets.len() >= self.most {
            self.forget(now);
            // A flood from more addresses than can be told apart: those that are known go first.
            if self.buckets.len() >= self.most {
                return false;
            }
        }
        let (per_second, burst) = (self.per_second, self.burst);
        let bucket = self.buckets.entry(source).or_insert(Bucket { tokens: burst, at: now });
        let elapsed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = elapsed.mul_add(per_second, bucket.tokens).min(burst);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    /// Forgets the sources whose buckets have filled up again: they are as good as new.
    fn forget(&mut self, now: Instant) {
        let (per_second, burst) = (self.per_second, self.burst);
        self.buckets.retain(|_, bucket| {
            let elapsed = now.saturating_duration_since(bucket.at).as_secs_f64();
            elapsed.mul_add(per_second, bucket.tokens) < burst
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn one_source_is_held_back_and_another_is_not() {
        let start = crate::clock::monotonic();
        let mut sources = Sources::new(10, 5, 2);
        let (one, other, third): (IpAddr, IpAddr, IpAddr) =
            ([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), [192, 0, 2, 3].into());
        let admitted = (0..20).filter(|_| sources.admit(one, start)).count();
        assert_eq!(admitted, 5);
        assert!(sources.admit(other, start));
        assert!(!sources.admit(third, start), "there is room for two");
        let later = start + Duration::from_millis(250);
        assert_eq!((0..20).filter(|_| sources.admit(one, later)).count(), 2);
        assert!(sources.admit(third, later), "the other's bucket is full again");
    }
}
