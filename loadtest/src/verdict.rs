//! ◇ What was measured, beside what was wanted.

use crate::measure::Pace;
use crate::scenario::Budget;

/// What a run measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Calls begun.
    pub calls: u32,
    /// Calls answered.
    pub answered: u32,
    /// Calls whose caller heard the receptionist.
    pub heard_by_caller: u32,
    /// Calls in which the receptionist's record has the caller's words.
    pub heard_by_receptionist: u32,
    /// Calls with a closed record.
    pub recorded: u32,
    /// Share of one core that the node used while all calls were up, in percent, for all calls together.
    pub node_cpu_percent: f64,
    /// The same by the names of its threads, the dearest first.
    pub threads_cpu_percent: Vec<(String, f64)>,
    /// How fast the machine was.
    pub pace: Pace,
    /// Share of one core that this harness used meanwhile, in percent.
    pub harness_cpu_percent: f64,
    /// Share of one core that the node used before the first call, in percent.
    pub idle_cpu_percent: f64,
    /// The node's resident memory before the first call, in kilobytes.
    pub memory_before_kb: f64,
    /// The same while all calls were up.
    pub memory_during_kb: f64,
    /// From INVITE to 200 for each answered call, in milliseconds, sorted.
    pub set_up_ms: Vec<f64>,
}

/// One line of the verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What was measured.
    pub what: &'static str,
    /// The figure.
    pub measured: f64,
    /// The budget; the figure keeps it where it is not above it.
    pub budget: f64,
    /// The unit.
    pub unit: &'static str,
}

impl Line {
    /// Whether the figure keeps its budget.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.measured <= self.budget
    }
}

impl Measured {
    /// What one call cost the node, in percent of a core, the idle share taken off.
    #[must_use]
    pub fn cpu_percent_per_call(&self) -> f64 {
        per_call(self.node_cpu_percent - self.idle_cpu_percent, self.answered)
    }

    /// The same without what recognises speech: the budget is for what a call takes beside inference, and the scripted
    /// engine of a scenario stands for inference that another processor may do.
    #[must_use]
    pub fn cpu_percent_per_call_without_inference(&self) -> f64 {
        let listening = self.threads_cpu_percent.iter().filter(|(name, _)| name.starts_with("listen"));
        self.cpu_percent_per_call() - per_call(listening.map(|(_, percent)| percent).sum(), self.answered)
    }

    /// What one call cost the node, in kilobytes.
    #[must_use]
    pub fn memory_kb_per_call(&self) -> f64 {
        per_call(self.memory_during_kb - self.memory_before_kb, self.answered)
    }

    /// The set-up time that so many percent of the calls kept, in milliseconds; 0 without calls.
    #[must_use]
    pub fn set_up_percentile_ms(&self, percent: usize) -> f64 {
        let last = self.set_up_ms.len().saturating_sub(1);
        self.set_up_ms.get(last * percent / 100).copied().unwrap_or_default()
    }

    /// Every call was answered, heard both ways and recorded.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let all = self.calls;
        [self.answered, self.heard_by_caller, self.heard_by_receptionist, self.recorded]
            .iter()
            .all(|count| *count == all)
    }

    /// The figures beside their budgets.
    #[must_use]
    pub fn beside(&self, budget: &Budget) -> Vec<Line> {
        vec![
            Line {
                what: "cpu per call, without what recognises",
                measured: self.cpu_percent_per_call_without_inference(),
                budget: budget.cpu_percent_per_call,
                unit: "% of a core",
            },
            Line {
                what: "memory per call",
                measured: self.memory_kb_per_call(),
                budget: budget.memory_kb_per_call,
                unit: "KB",
            },
            Line {
                what: "set-up p95",
                measured: self.set_up_percentile_ms(95),
                budget: budget.set_up_p95_ms,
                unit: "ms",
            },
        ]
    }
}

fn per_call(all: f64, calls: u32) -> f64 {
    all / f64::from(calls.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_not_heard_spoils_the_run() {
        let whole = Measured {
            calls: 2,
            answered: 2,
            heard_by_caller: 2,
            heard_by_receptionist: 2,
            recorded: 2,
            ..Measured::default()
        };
        assert!(whole.is_whole());
        assert!(!Measured { heard_by_receptionist: 1, ..whole }.is_whole());
    }

    #[test]
    fn the_idle_node_is_not_charged_to_the_calls() {
        let measured =
            Measured { answered: 100, node_cpu_percent: 12.0, idle_cpu_percent: 2.0, ..Measured::default() };
        assert!((measured.cpu_percent_per_call() - 0.1).abs() < 1e-9);
    }

    #[test]
    fn what_recognises_is_not_in_the_budget() {
        let threads = [("media", 9.0), ("listen-scripted", 1.5), ("tokio-rt-worker", 1.5)];
        let measured = Measured {
            answered: 100,
            node_cpu_percent: 12.0,
            threads_cpu_percent: threads.map(|(name, percent)| (name.to_owned(), percent)).to_vec(),
            ..Measured::default()
        };
        assert!((measured.cpu_percent_per_call() - 0.12).abs() < 1e-9);
        assert!((measured.cpu_percent_per_call_without_inference() - 0.105).abs() < 1e-9);
    }

    #[test]
    fn percentiles_come_from_the_sorted_list() {
        let measured = Measured { set_up_ms: (0..=100).map(f64::from).collect(), ..Measured::default() };
        assert!((measured.set_up_percentile_ms(95) - 95.0).abs() < 1e-9);
        assert!(Measured::default().set_up_percentile_ms(95).abs() < 1e-9);
    }
}
