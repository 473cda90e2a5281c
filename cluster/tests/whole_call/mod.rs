//! Whole calls that nobody wrote, from the INVITE to the last transaction: two dialogs with their transactions on
//! a network that loses and reorders, the conversation with its playbook and calendar, a store that fails,
//! engines that fail, and a random caller. All on virtual time; a seed is a call.
//!
//! `SEED=7 cargo nextest run -p cluster whole_call --no-capture` plays one again and prints its log;
//! `CALLS=100000` plays more of them, `FROM=5000` others. Media are not here: the caller's words reach the
//! recogniser as words, and a table of ports stands for the sockets.

mod call;
mod caller;
#[path = "../../../actors/tests/simulator/chance.rs"]
mod chance;
#[path = "../../../actors/tests/failing.rs"]
mod failing;
mod faults;
mod network;
mod rules;
mod side;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use actors::types::Business;

use self::call::{Played, play};

/// So many calls in a usual run.
const CALLS: u64 = 1_000;
/// Every so many calls, one is played again and must be the same.
const REPLAYED_EVERY: u64 = 20;
/// So many threads play.
const THREADS: usize = 4;
/// The first failures that are shown.
const SHOWN: usize = 5;
/// Where the two sides are.
const OURS: &str = "192.0.2.9:5060";
const CALLER: &str = "192.0.2.1:5070";

/// What all calls share.
struct Setting {
    business: Business,
    /// What callers of the golden calls say, call by call.
    scripts: Vec<Vec<String>>,
    /// Those of them that end with an appointment.
    bookings: Vec<Vec<String>>,
}

#[expect(clippy::disallowed_methods, reason = "a test's switches come from its environment")]
fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../actors/tests").join(name)
}

/// The callers' lines of the golden calls with this business, where the call holds these words.
fn scripts(words: &str) -> Vec<Vec<String>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder("conversations"))
        .expect("the folder of golden calls")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    let said = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| line.strip_prefix("> "))
            .filter(|line| !line.contains(['{', '(']))
            .map(str::to_owned)
            .collect()
    };
    let scripts: Vec<Vec<String>> = files
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("a golden call"))
        .filter(|text| text.contains("business: barbers") && text.contains(words))
        .map(|text| said(&text))
        .filter(|lines| !lines.is_empty())
        .collect();
    assert!(scripts.len() > 5, "the golden calls are there");
    scripts
}

fn setting() -> Setting {
    let text = std::fs::read_to_string(folder("businesses/barbers.toml")).expect("a business's file");
    let business = actors::tenant::import::read(&text, &actors::tenant::import::Settings::default())
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    Setting { business, scripts: scripts(""), bookings: scripts("= booked") }
}

/// Plays a call; one that panics has broken a rule too.
fn played(setting: &Setting, seed: u64) -> Played {
    catch_unwind(AssertUnwindSafe(|| play(setting, seed))).unwrap_or_else(|_| Played {
        violations: vec!["it panicked; see above".to_owned()],
        ..Played::default()
    })
}

/// Plays a call, and some of them again.
fn examine(setting: &Setting, seed: u64, is_shown: bool) -> Played {
    let mut one = played(setting, seed);
    if (is_shown || seed % REPLAYED_EVERY == 1) && played(setting, seed).fingerprint != one.fingerprint {
        one.violations.push("played again it is another call".to_owned());
    }
    let log = std::mem::take(&mut one.log);
    if is_shown {
        eprintln!("{}\nfingerprint {:016x}", log.join("\n"), one.fingerprint);
    }
    one
}

#[test]
fn whole_call_simulator_finds_no_broken_rule() {
    let setting = setting();
    let (from, calls) = match number("SEED") {
        Some(seed) => (seed, 1),
        None => (number("FROM").unwrap_or(0), number("CALLS").unwrap_or(CALLS)),
    };
    let seeds: Vec<u64> = (from..from + calls).collect();
    let plays: Vec<Played> = std::thread::scope(|scope| {
        let setting = &setting;
        let workers: Vec<_> = seeds
            .chunks(seeds.len().div_ceil(THREADS).max(1))
            .map(|seeds| {
                scope.spawn(move || seeds.iter().map(|seed| examine(setting, *seed, calls == 1)).collect())
            })
            .collect();
        workers.into_iter().flat_map(|worker| -> Vec<Played> { worker.join().expect("it ends") }).collect()
    });
    let mut broken = Vec::new();
    let mut seen = BTreeMap::<String, u64>::new();
    for (seed, one) in seeds.iter().zip(plays) {
        for what in one.seen {
            *seen.entry(what).or_default() += 1;
        }
        if !one.violations.is_empty() {
            let command = format!("SEED={seed} cargo nextest run -p cluster whole_call --no-capture");
            broken.push(format!("seed {seed}: {}\n  {command}", one.violations.join("\n  ")));
        }
    }
    eprintln!("{calls} calls: {seen:#?}");
    let shown = broken.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(broken.is_empty(), "{} of {calls} calls break a rule\n{shown}", broken.len());
    // Rules that are never put to the test prove nothing.
    for what in ["invite 200", "invite 487", "invite timeout", "booked", "resumed", "hold", "cut"] {
        assert!(calls < CALLS || seen.contains_key(what), "no call of {calls} saw: {what}");
    }
}
