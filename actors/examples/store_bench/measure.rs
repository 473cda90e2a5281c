//! Figures.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Failure;

/// How long each act took, shortest first.
pub(crate) struct Took {
    each: Vec<Duration>,
    whole: Duration,
}

impl Took {
    /// Does `act` with 0, 1, 2, … from `at_once` tasks until it was done `times` times.
    pub(crate) async fn of<F>(
        at_once: u64,
        times: u64,
        act: impl Fn(u64) -> F + Send + Sync + 'static,
    ) -> Result<Self, Failure>
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let act = Arc::new(act);
        let began = Instant::now();
        let tasks: Vec<_> = (0..at_once)
            .map(|task| {
                let act = Arc::clone(&act);
                tokio::spawn(async move {
                    let mut each = Vec::new();
                    for number in (task..times).step_by(usize::try_from(at_once)?) {
                        let before = Instant::now();
                        act(number).await?;
                        each.push(before.elapsed());
                    }
                    Ok::<_, Failure>(each)
                })
            })
            .collect();
        let mut each = Vec::new();
        for task in tasks {
            each.extend(task.await??);
        }
        let whole = began.elapsed();
        each.sort_unstable();
        Ok(Self { each, whole })
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.each.len() as f64 / self.whole.as_secs_f64()
    }

    fn percentile_ms(&self, hundredths: usize) -> f64 {
        let at = (self.each.len() * hundredths / 100).min(self.each.len().saturating_sub(1));
        self.each.get(at).map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
    }

    pub(crate) fn print(&self, name: &str) {
        println!(
            "{name:<28} {:>9.0}/s   p50 {:>8.3} ms   p99 {:>8.3} ms",
            self.per_second(),
            self.percentile_ms(50),
            self.percentile_ms(99)
        );
    }
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// A process's memory, in KiB; this one's where none is named.
pub(crate) fn resident_kib(process: Option<u32>) -> Result<u64, Failure> {
    let process = process.map_or_else(|| "self".to_owned(), |id| id.to_string());
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// How many processes wanted to run, on the average of a minute: what else the machine did.
pub(crate) fn load_average() -> Result<String, Failure> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}
