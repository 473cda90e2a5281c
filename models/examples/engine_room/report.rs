//! What was checked and measured, for people and for programs.

use std::fmt::{Display, Formatter, Result};

use serde::Serialize;

/// A check and what came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) what: String,
    pub(crate) passed: bool,
    /// False where this machine can't show it either way.
    pub(crate) shown: bool,
    pub(crate) seen: String,
}

/// What the machine can do at best.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) threads: usize,
    /// Bytes read and written each second, in GB.
    pub(crate) bandwidth_gb: f64,
    /// Floating-point operations of a large product each second, in billions.
    pub(crate) f32_gflop: f64,
    pub(crate) bf16_gflop: f64,
}

/// Steps of one size.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) shape: String,
    pub(crate) precision: String,
    pub(crate) chunk_ms: usize,
    pub(crate) streams: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of a step, of all threads: on a busy machine this, and not the clock, says what it costs.
    pub(crate) processor_ms: f64,
    /// Tokens that a stream says in a second of its audio.
    pub(crate) tokens_per_second: f64,
    /// The p99 as a part of the chunk's period, in percent.
    pub(crate) busy_percent: f64,
    /// The least time in which the machine could read the bytes, or do the arithmetic, as a part of the p50.
    pub(crate) roofline_percent: f64,
    /// Which of the two it is.
    pub(crate) bound: &'static str,
}

/// How many streams keep real time.
#[derive(Debug, Serialize)]
pub(crate) struct Capacity {
    pub(crate) shape: String,
    pub(crate) precision: String,
    pub(crate) chunk_ms: usize,
    /// The largest size measured whose p99 is at most 70 % of the period; `more` if no larger was tried.
    pub(crate) streams: usize,
    pub(crate) more: bool,
    pub(crate) memory_per_stream_mb: f64,
    pub(crate) tokens_per_second: f64,
}

/// Embeddings of one batch size.
#[derive(Debug, Serialize)]
pub(crate) struct Texts {
    pub(crate) batch: usize,
    pub(crate) per_second: f64,
}

/// What batching itself costs, without a model.
#[derive(Debug, Serialize)]
pub(crate) struct Overhead {
    /// Rows of a step, and requests of a pass.
    pub(crate) size: usize,
    pub(crate) step_ns: f64,
    pub(crate) pass_ns: f64,
}

/// One pause of 8 s, judged by itself on the processor.
#[derive(Debug, Serialize)]
pub(crate) struct Pauses {
    pub(crate) p50_ms: f64,
    pub(crate) processor_ms: f64,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) checks: Vec<Check>,
    pub(crate) steps: Vec<Step>,
    pub(crate) capacity: Vec<Capacity>,
    pub(crate) texts: Vec<Texts>,
    pub(crate) overhead: Vec<Overhead>,
    pub(crate) pauses: Option<Pauses>,
}

impl Report {
    pub(crate) fn check(&mut self, what: impl Into<String>, passed: bool, seen: impl Into<String>) {
        self.checks.push(Check { what: what.into(), passed, shown: true, seen: seen.into() });
    }

    /// What would be checked could not be on this machine, and why.
    pub(crate) fn not_shown(&mut self, what: impl Into<String>, seen: impl Into<String>) {
        self.checks.push(Check { what: what.into(), passed: true, shown: false, seen: seen.into() });
    }

    pub(crate) fn failed(&self) -> usize {
        self.checks.iter().filter(|check| !check.passed).count()
    }
}

impl Display for Report {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let machine = &self.machine;
        writeln!(to, "{}, {} threads", machine.processor, machine.threads)?;
        writeln!(
            to,
            "{:.1} GB/s copied, {:.0} GFLOP/s in 32 bits, {:.0} in bfloat16\n",
            machine.bandwidth_gb, machine.f32_gflop, machine.bf16_gflop
        )?;
        for check in &self.checks {
            writeln!(
                to,
                "{:6} {:58} {}",
                match (check.passed, check.shown) {
                    (true, true) => "ok",
                    (true, false) => "-",
                    (false, _) => "FAILED",
                },
                check.what,
                check.seen
            )?;
        }
        writeln!(
            to,
            "\nshape  bits  chunk ms  streams   p50 ms   p99 ms  processor ms  tokens/s  of period  of roofline"
        )?;
        for step in &self.steps {
            writeln!(
                to,
                "{:5}  {:4}  {:8}  {:7}  {:7.2}  {:7.2}  {:12.1}  {:8.1}  {:7.0} %  {:5.0} % ({})",
                step.shape,
                step.precision,
                step.chunk_ms,
                step.streams,
                step.p50_ms,
                step.p99_ms,
                step.processor_ms,
                step.tokens_per_second,
                step.busy_percent,
                step.roofline_percent,
                step.bound
            )?;
        }
        writeln!(to, "\nshape  bits  chunk ms  streams at p99 <= 70 %  MB a stream  tokens a second")?;
        for one in &self.capacity {
            let more = if one.more { ", no more tried" } else { "" };
            writeln!(
                to,
                "{:5}  {:4}  {:8}  {:22}  {:11.1}  {:15.1}{more}",
                one.shape,
                one.precision,
                one.chunk_ms,
                one.streams,
                one.memory_per_stream_mb,
                one.tokens_per_second
            )?;
        }
        for one in &self.texts {
            writeln!(to, "\nembeddings in batches of {}: {:.0} a second", one.batch, one.per_second)?;
        }
        if let Some(Pauses { p50_ms, processor_ms }) = &self.pauses {
            writeln!(to, "a pause judged in {p50_ms:.1} ms, {processor_ms:.1} ms of processor time")?;
        }
        self.tell_overhead(to)
    }
}

impl Report {
    fn tell_overhead(&self, to: &mut Formatter<'_>) -> Result {
        writeln!(to, "\nbatching itself: slots   step ns  per row ns   pass ns  per request ns")?;
        for Overhead { size, step_ns, pass_ns } in &self.overhead {
            let each = |all: &f64| all / *size as f64;
            writeln!(
                to,
                "{size:22}  {step_ns:8.0}  {:10.0}  {pass_ns:8.0}  {:14.0}",
                each(step_ns),
                each(pass_ns)
            )?;
        }
        Ok(())
    }
}
