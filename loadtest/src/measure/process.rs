//! One process's time and memory, from `/proc` (proc(5)).

use std::fs;

/// Clock ticks a second in `/proc/<pid>/stat`; fixed at 100 for every Linux architecture's user interface.
const TICKS_PER_S: f64 = 100.0;

/// What a process has cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Processor time of all its threads, user and system, in seconds.
    pub cpu_s: f64,
    /// Resident memory that it allocated, in kilobytes. Pages of its program and of other files are not in it: they
    /// come in when they are first used, and the system takes them back as it likes.
    pub memory_kb: f64,
}

/// Reads what process `pid` has cost; `None` where it is gone.
#[must_use]
pub fn cost_of(pid: u32) -> Option<Cost> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let memory_kb = resident.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(Cost { cpu_s: ticks_of(&stat)?, memory_kb })
}

/// User and system time in seconds of a process or thread by its `stat`.
pub(super) fn ticks_of(stat: &str) -> Option<f64> {
    // The second field is the program's name in parentheses and may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_costs_something() {
        let cost = cost_of(std::process::id()).expect("our own numbers");
        assert!(cost.memory_kb > 100.0);
        assert_eq!(cost_of(u32::MAX), None);
    }
}
