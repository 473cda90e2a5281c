//! The harness, tested on itself: a small run against a real node.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use std::path::PathBuf;

use loadtest::ramp::{Held, Ramp};
use loadtest::run::run;
use loadtest::scenario::{Scenario, read};
use loadtest::set_up;

/// The node's program, built beside this test by the same `cargo`.
fn strowger() -> PathBuf {
    let test = std::env::current_exe().expect("this test's own path");
    let profile = test.parent().and_then(|folder| folder.parent()).expect("target/<profile>/deps");
    let program = profile.join("strowger");
    assert!(program.exists(), "{} is missing: build the whole workspace first", program.display());
    program
}

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

#[test]
fn every_scenario_can_be_read() {
    let folder = top().join("loadtest/scenarios");
    let mut read = 0;
    for entry in std::fs::read_dir(&folder).expect("the scenarios") {
        let path = entry.expect("an entry").path();
        if path.file_name().is_some_and(|name| name != "business.toml") {
            let scenario = Scenario::read(&path).expect("a scenario");
            assert!(scenario.calls > 0 && !scenario.says.is_empty(), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 0, "no scenario in {}", folder.display());
}

#[test]
fn every_ramp_can_be_read_and_rises() {
    for entry in std::fs::read_dir(top().join("loadtest/ramps")).expect("the ramps") {
        let path = entry.expect("an entry").path();
        let ramp: Ramp = read(&path).expect("a ramp");
        assert!(ramp.calls_per_s.windows(2).all(|two| two[0] < two[1]), "{}", path.display());
    }
}

#[test]
fn a_mistake_in_a_scenario_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wrong.toml");
    std::fs::write(&path, "about = \"x\"\ncallers = 3\n").expect("a file");
    let why = Scenario::read(&path).expect_err("a mistake").to_string();
    assert!(why.contains("wrong.toml") && why.contains("callers"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_callers_are_answered_heard_and_recorded() {
    let mut scenario =
        Scenario::read(&top().join("loadtest/scenarios/smoke.toml")).expect("the smoke scenario");
    scenario.calls = 10;
    scenario.hold_s = 12;
    let measured = run(&scenario, &strowger()).await.expect("a run");
    assert!(measured.is_whole(), "{measured:?}");
    assert!(measured.node_cpu_percent > 0.0 && measured.memory_during_kb > 0.0, "{measured:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_a_ramp_counts_what_was_answered_and_how_fast() {
    let ramp = Ramp {
        about: "a small one".into(),
        calls_per_s: vec![5.0, 10.0],
        step_s: 2,
        rest_s: 1,
        answer_ms_max: 5_000,
        held: Held { answered_percent: 99.0, set_up_p95_ms: 5_000.0, paced_percent: 50.0 },
    };
    let steps = set_up::run(&ramp, &strowger()).await.expect("a run");
    assert_eq!(
        steps.iter().map(|step| (step.calls, step.set_up_ms.len())).collect::<Vec<_>>(),
        [(10, 10), (20, 20)]
    );
    assert!(
        steps.iter().all(|step| step.percentile_ms(95) > 0.0 && step.node_cpu_percent > 0.0),
        "{steps:?}"
    );
    // Where the node refuses nothing and the bar can't be met, it stops at the first step.
    let held = Held { set_up_p95_ms: 0.0, ..ramp.held };
    let steps = set_up::run(&Ramp { held, ..ramp }, &strowger()).await.expect("a run");
    assert_eq!(steps.len(), 1);
}
