//! A circuit breaker: after a row of failures nothing is sent for a while, then one probe decides.

use tokio::time::Instant;

use super::Settings;
use crate::clock::ms;

/// Whether requests may be sent.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: State,
}

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen { probe_until: Instant },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Whether a request may be sent now. After the pause one probe may, and until it has answered nothing else.
    pub(crate) fn admits(&mut self, now: Instant, settings: &Settings) -> bool {
        match self.state {
            State::Closed { .. } => true,
            State::Open { until } | State::HalfOpen { probe_until: until } if now < until => false,
            State::Open { .. } | State::HalfOpen { .. } => {
                self.state = State::HalfOpen { probe_until: now + ms(settings.deadline_ms) };
                true
            }
        }
    }

    /// Takes note of an answer; `true` where the breaker opened by it.
    pub(crate) fn note(&mut self, works: bool, now: Instant, settings: &Settings) -> bool {
        let failures = match (&self.state, works) {
            (_, true) => 0,
            (State::Closed { failures }, false) => failures + 1,
            (State::HalfOpen { .. }, false) => settings.breaker_failures,
            (State::Open { .. }, false) => return false,
        };
        let opens = failures >= settings.breaker_failures.max(1);
        self.state = if opens {
            State::Open { until: now + ms(settings.breaker_pause_ms) }
        } else {
            State::Closed { failures }
        };
        opens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_pauses_and_lets_one_probe_through() {
        let settings = Settings { breaker_failures: 3, breaker_pause_ms: 1_000, ..Settings::default() };
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        assert!(!breaker.note(false, start, &settings));
        assert!(!breaker.note(true, start, &settings), "a success forgets the failures before it");
        assert!(!breaker.note(false, start, &settings));
        assert!(!breaker.note(false, start, &settings));
        assert!(breaker.note(false, start, &settings));
        assert!(!breaker.admits(start + ms(999), &settings));
        assert!(breaker.admits(start + ms(1_000), &settings), "the probe");
        assert!(!breaker.admits(start + ms(1_001), &settings), "one probe at a time");
        assert!(breaker.note(false, start + ms(1_002), &settings), "a failed probe opens it again");
        assert!(breaker.admits(start + ms(2_002), &settings));
        assert!(!breaker.note(true, start + ms(2_003), &settings));
        assert!(breaker.admits(start + ms(2_003), &settings));
        assert!(!breaker.note(false, start + ms(2_003), &settings), "closed: it counts from the start");
    }
}
