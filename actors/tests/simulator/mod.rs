//! Thousands of calls that nobody wrote: a random caller, random failures, virtual time, and rules that hold in
//! each of them. A seed is a call: `SEED=7 cargo nextest run -p actors simulator --no-capture` plays one again
//! and prints every effect; `CALLS=100000` plays more of them, `FROM=5000` others.

mod call;
mod chance;

use std::sync::Arc;

use self::call::{Setting, simulate};
use crate::golden::{scripts, setting};

/// So many calls in a usual run.
const CALLS: u64 = 2_000;
/// Every so many calls, one is played again and must be the same.
const REPLAYED_EVERY: u64 = 10;
/// The first failures that are shown.
const SHOWN: usize = 5;

fn number(name: &str) -> Option<u64> {
    setting(name).map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

/// What callers say: the sentences of the golden calls, and what they never say there.
fn sentences() -> Vec<String> {
    let mut sentences: Vec<String> = scripts()
        .iter()
        .flat_map(|(_, script)| script.said())
        .chain(
            ["yes", "no", "mm-hm", "okay", "", "[cough]", "[noise 3s]", "sorry what", "er [2s] um"]
                .map(str::to_owned),
        )
        .collect();
    sentences.sort();
    sentences.dedup();
    sentences
}

#[test]
fn simulator_finds_no_broken_rule() {
    let setting =
        Arc::new(Setting { business: crate::import::business("barbers.toml"), sentences: sentences() });
    let (from, calls) = match number("SEED") {
        Some(seed) => (seed, 1),
        None => (number("FROM").unwrap_or(0), number("CALLS").unwrap_or(CALLS)),
    };
    let mut broken = Vec::new();
    let mut endings = std::collections::BTreeMap::<String, u64>::new();
    let mut largest = 0;
    for seed in from..from + calls {
        let call = simulate(&setting, seed);
        let mut violations = call.violations;
        if seed % REPLAYED_EVERY == 1 && simulate(&setting, seed).fingerprint != call.fingerprint {
            violations.push("played again it is another call".to_owned());
        }
        *endings.entry(call.ending).or_default() += 1;
        largest = largest.max(call.state_bytes_max);
        if calls == 1 {
            eprintln!("{}", call.effects.join("\n"));
        }
        if !violations.is_empty() {
            let command = format!("SEED={seed} cargo nextest run -p actors simulator --no-capture");
            broken.push(format!("seed {seed}: {}\n  {command}", violations.join("\n  ")));
        }
    }
    eprintln!("{calls} calls, largest state {largest} bytes, endings {endings:?}");
    let shown = broken.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(broken.is_empty(), "{} of {calls} calls break a rule\n{shown}", broken.len());
}
