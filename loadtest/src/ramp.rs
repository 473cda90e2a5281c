//! ◇ Faster and faster: the steps of a ramp, and where it breaks.

use serde::Deserialize;

/// A ramp, read from `loadtest/ramps/<name>.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// What it shows, in one sentence.
    pub about: String,
    /// The rates of its steps, in calls a second.
    pub calls_per_s: Vec<f64>,
    /// How long a step lasts, in seconds.
    pub step_s: u64,
    /// How long it rests between two steps, in seconds.
    pub rest_s: u64,
    /// A call that is not answered after so long has failed, in milliseconds.
    pub answer_ms_max: u64,
    /// When a step counts as held.
    pub held: Held,
}

/// When a step counts as held.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// So many of its calls are answered, in percent.
    pub answered_percent: f64,
    /// From INVITE to 200, 95th percentile, in milliseconds, at most.
    pub set_up_p95_ms: f64,
    /// So many of its calls were begun in their second, in percent: below that, it is the generator that broke.
    pub paced_percent: f64,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Calls a second that were wanted.
    pub wanted_per_s: f64,
    /// Calls a second that were begun.
    pub begun_per_s: f64,
    /// Calls begun.
    pub calls: usize,
    /// From INVITE to 200 for each answered call, in milliseconds, sorted.
    pub set_up_ms: Vec<f64>,
    /// Share of one core that the node used, in percent.
    pub node_cpu_percent: f64,
    /// The same for the generator.
    pub generator_cpu_percent: f64,
}

/// Why a step was not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broke {
    /// Calls were not answered.
    Unanswered,
    /// They were, but late.
    Late,
    /// The generator could not begin as many.
    Generator,
}

impl Step {
    /// The set-up time that so many percent of the answered calls kept, in milliseconds; 0 without calls.
    #[must_use]
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let last = self.set_up_ms.len().saturating_sub(1);
        self.set_up_ms.get(last * percent / 100).copied().unwrap_or_default()
    }

    /// Calls answered, in percent.
    #[must_use]
    pub fn answered_percent(&self) -> f64 {
        self.set_up_ms.len() as f64 / self.calls.max(1) as f64 * 100.0
    }

    /// Why it was not held; none where it was.
    #[must_use]
    pub fn broke(&self, held: &Held) -> Option<Broke> {
        if self.begun_per_s < self.wanted_per_s * held.paced_percent / 100.0 {
            Some(Broke::Generator)
        } else if self.answered_percent() < held.answered_percent {
            Some(Broke::Unanswered)
        } else if self.percentile_ms(95) > held.set_up_p95_ms {
            Some(Broke::Late)
        } else {
            None
        }
    }
}

/// The knee: the last step before the first that was not held. None where not even the first was.
#[must_use]
pub fn knee<'a>(steps: &'a [Step], held: &Held) -> Option<&'a Step> {
    steps.iter().take_while(|step| step.broke(held).is_none()).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Held = Held { answered_percent: 99.9, set_up_p95_ms: 20.0, paced_percent: 98.0 };

    fn step(wanted_per_s: f64, begun_per_s: f64, answered: usize, ms: f64) -> Step {
        Step { wanted_per_s, begun_per_s, calls: 1_000, set_up_ms: vec![ms; answered], ..Step::default() }
    }

    #[test]
    fn the_knee_is_the_last_step_before_the_first_that_broke() {
        let steps = [
            step(100.0, 100.0, 1_000, 1.0),
            step(200.0, 199.0, 1_000, 2.0),
            step(400.0, 400.0, 990, 2.0),
            step(800.0, 800.0, 1_000, 2.0),
        ];
        assert_eq!(knee(&steps, &HELD).map(|step| step.wanted_per_s), Some(200.0));
        assert_eq!(steps[2].broke(&HELD), Some(Broke::Unanswered));
        assert_eq!(step(400.0, 400.0, 1_000, 21.0).broke(&HELD), Some(Broke::Late));
        assert_eq!(step(400.0, 300.0, 1_000, 1.0).broke(&HELD), Some(Broke::Generator));
        assert_eq!(knee(&steps[2..], &HELD), None);
    }
}
