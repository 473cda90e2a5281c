//! A run's figures, for a person and for a file.

use std::fmt::Write;

use crate::scenario::Scenario;
use crate::verdict::Measured;

/// What the figures were measured on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Processor model.
    pub processor: String,
    /// Logical cores.
    pub cores: usize,
    /// Linux release.
    pub kernel: String,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| {
                line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim().to_owned())
            })
            .unwrap_or_else(|| "unknown".to_owned());
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { processor, cores, kernel: read("/proc/sys/kernel/osrelease").trim().to_owned() }
    }
}

/// The report as Markdown.
#[must_use]
pub fn markdown(name: &str, scenario: &Scenario, measured: &Measured, machine: &Machine) -> String {
    let mut text = format!("# {name}: {}\n\n", scenario.about);
    let _ = writeln!(
        text,
        "Machine: {}, {} cores shared by node and harness, Linux {}.\n",
        machine.processor, machine.cores, machine.kernel
    );
    let codec = scenario.codec.map_or("all codecs offered", |codec| codec.name());
    let _ = writeln!(text, "Audio: {codec}{}.\n", if scenario.srtp { ", by SRTP" } else { "" });
    let _ = writeln!(
        text,
        "{} calls begun, {} answered, {} heard by the caller, {} heard by the receptionist, {} recorded.\n",
        measured.calls,
        measured.answered,
        measured.heard_by_caller,
        measured.heard_by_receptionist,
        measured.recorded
    );
    text.push_str("| what | measured | budget | |\n|---|---|---|---|\n");
    for line in measured.beside(&scenario.budget) {
        let verdict = if line.keeps() {
            "kept".to_owned()
        } else {
            format!("missed, {:.1} times the budget", line.measured / line.budget)
        };
        let _ = writeln!(
            text,
            "| {} | {:.3} {unit} | {} {unit} | {verdict} |",
            line.what,
            line.measured,
            line.budget,
            unit = line.unit
        );
    }
    let _ = writeln!(
        text,
        "\nSet-up p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms. Processor: node {:.1} % of a core ({:.1} % idle before the \
         calls), harness {:.1} %; each call {:.3} % of a core with what recognises. \
         Memory of the node: {:.0} KB before, {:.0} KB with all calls up.",
        measured.set_up_percentile_ms(50),
        measured.set_up_percentile_ms(95),
        measured.set_up_percentile_ms(99),
        measured.node_cpu_percent,
        measured.idle_cpu_percent,
        measured.harness_cpu_percent,
        measured.cpu_percent_per_call(),
        measured.memory_before_kb,
        measured.memory_during_kb
    );
    let calls = f64::from(measured.answered.max(1));
    let threads = measured.threads_cpu_percent.iter().filter(|(_, percent)| *percent >= 0.1);
    let threads: Vec<String> =
        threads.map(|(name, percent)| format!("{name} {:.4}", percent / calls)).collect();
    let _ = writeln!(text, "\nPer call by thread, in percent of a core: {}.", threads.join(", "));
    let _ = writeln!(
        text,
        "\nThe machine's pace before the run: {:.2} us for a datagram sent and received over loopback (50 each way a \
         second, a call's, are {:.4} % of a core), {:.1} us for 10,000 steps that wait for each other, {:.0} us for \
         1,000 reads across 16 MiB that wait for each other.",
        measured.pace.datagram_us,
        // 50 come and 50 go: each is half of what was measured.
        50.0 * measured.pace.datagram_us / 1e4,
        measured.pace.steps_us,
        measured.pace.reads_us
    );
    text
}
