//! What each of a process's threads costs, by name, from `/proc` (proc(5)).

use std::collections::BTreeMap;
use std::fs;

use super::process::ticks_of;

/// Processor time so far in seconds, by the threads' name without its number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ByThread(BTreeMap<String, f64>);

impl ByThread {
    /// What each cost since `before`, in seconds, the dearest first. A thread that ended in between took its time with
    /// it.
    #[must_use]
    pub fn since(&self, before: &Self) -> Vec<(String, f64)> {
        let spent = self.0.iter().map(|(name, now)| {
            let then = before.0.get(name).copied().unwrap_or_default();
            (name.clone(), (now - then).max(0.0))
        });
        let mut spent: Vec<(String, f64)> = spent.filter(|(_, seconds)| *seconds > 0.0).collect();
        spent.sort_by(|one, other| other.1.total_cmp(&one.1));
        spent
    }
}

/// Reads what the threads of process `pid` have cost; empty where it is gone.
#[must_use]
pub fn threads_of(pid: u32) -> ByThread {
    let mut all = BTreeMap::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        // One that ended since is not there any more.
        let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else { continue };
        if let Some((name, seconds)) = named(&stat) {
            *all.entry(name).or_default() += seconds;
        }
    }
    ByThread(all)
}

fn named(stat: &str) -> Option<(String, f64)> {
    let name = stat.split_once('(')?.1.rsplit_once(')')?.0;
    let kind = name.trim_end_matches(|end: char| end.is_ascii_digit()).trim_end_matches('-');
    Some((kind.to_owned(), ticks_of(stat)?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_thread_that_works_is_seen_by_its_name() {
        let before = threads_of(std::process::id());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let works = move || while !stopped.load(Ordering::Relaxed) {};
        let busy = std::thread::Builder::new().name("works-7".to_owned()).spawn(works).unwrap();
        let spent = loop {
            let spent = threads_of(std::process::id()).since(&before);
            if let Some((_, seconds)) = spent.iter().find(|(name, _)| name == "works") {
                break *seconds;
            }
        };
        stop.store(true, Ordering::Relaxed);
        busy.join().unwrap();
        assert!(spent > 0.0);
        assert_eq!(threads_of(u32::MAX), ByThread::default());
    }
}
