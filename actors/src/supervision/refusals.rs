//! Records of calls that were refused, so many per second.

use parking_lot::Mutex;
use tokio::time::Instant;

/// A bucket that fills by `per_s` each second and holds as many.
pub(super) struct Refusals {
    per_s: f64,
    bucket: Mutex<Bucket>,
}

struct Bucket {
    left: f64,
    at: Instant,
}

impl Refusals {
    pub(super) fn new(per_s: u32, now: Instant) -> Self {
        let per_s = f64::from(per_s);
        Self { per_s, bucket: Mutex::new(Bucket { left: per_s, at: now }) }
    }

    /// Whether one more may be recorded.
    pub(super) fn may_record(&self, now: Instant) -> bool {
        let bucket = &mut *self.bucket.lock();
        let filled = (now - bucket.at).as_secs_f64() * self.per_s;
        bucket.left = (bucket.left + filled).min(self.per_s);
        bucket.at = now;
        let may = bucket.left >= 1.0;
        if may {
            bucket.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ms;

    #[tokio::test(start_paused = true)]
    async fn so_many_per_second_and_no_more() {
        let start = Instant::now();
        let refusals = Refusals::new(10, start);
        assert_eq!((0..50).filter(|_| refusals.may_record(start)).count(), 10);
        assert_eq!((0..50).filter(|_| refusals.may_record(start + ms(500))).count(), 5);
    }
}
