//! Nothing that ended is missed: by restarts, kills, full queues, damaged and foreign files, a store that is away.

use proptest::prelude::*;

use super::*;

const WORDS: &[&str] = &["haircut", "monday", "beard", "umbrella", "kettle", "violin"];

#[derive(Debug, Clone)]
enum Step {
    /// A call with these words; told or not, as where the process dies in between.
    Ends { words: Vec<usize>, told: bool, open: bool },
    /// The process stops in order, or dies.
    Again { killed: bool },
    /// Time passes, enough for a commit or not.
    Waits { ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let words = proptest::collection::vec(0..WORDS.len(), 0..4);
    prop_oneof![
        5 => (words, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(words, told, open)| Step::Ends { words, told, open }),
        2 => any::<bool>().prop_map(|killed| Step::Again { killed }),
        2 => (0_u64..40).prop_map(|ms| Step::Waits { ms }),
    ]
}

/// Between two lives of the process, longer than any row of a call is late.
const LIFE_S: i64 = 1_000;

async fn play(steps: Vec<Step>) -> std::result::Result<(), TestCaseError> {
    let settings = Settings { commit_ms: 10, page_calls: 3, queue_max: 2, late_s: 10, ..quick() };
    let (mut world, mut now) = (World::new(settings).await, LIFE_S);
    world.time = Some(at(now));
    world.again(false).await;
    let (mut expected, mut open) = (vec![BTreeSet::new(); WORDS.len()], Vec::new());
    for (id, step) in (1..).zip(steps) {
        match step {
            Step::Ends { words, told, open: goes_on } => {
                let tenant = if id % 5 == 0 { "plumbers" } else { "barbers" };
                let record = CallRecord { started_at: at(now), ..call(tenant, id) };
                let lines: Vec<&str> = words.iter().map(|word| WORDS[*word]).collect();
                if goes_on {
                    let ringing = CallRecord { ended_at: None, outcome: None, ..record.clone() };
                    world.store.put_call(&ringing).await.expect("writes");
                    open.push((record.clone(), lines));
                } else {
                    world.write(&record, &lines).await;
                    if told {
                        world.search.ended(&record);
                    }
                }
                if id % 5 != 0 {
                    for word in words {
                        expected[word].insert(id);
                    }
                }
            }
            Step::Again { killed } => {
                now += LIFE_S;
                world.time = Some(at(now));
                world.again(killed).await;
                // Some of the calls that went on have ended meanwhile, and nobody was told.
                for (record, lines) in open.drain(..open.len() / 2) {
                    world.write(&record, &lines).await;
                }
            }
            Step::Waits { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
    }
    for (record, lines) in open {
        world.write(&record, &lines).await;
    }
    // What a mark has passed by mistake is not seen again by then.
    world.time = Some(at(now + LIFE_S));
    world.again(true).await;
    world.settles().await;
    for (word, expected) in WORDS.iter().zip(expected) {
        prop_assert_eq!(&world.found("barbers", word).await, &expected, "{}", word);
    }
    world.search.stop().await;
    Ok(())
}

#[test]
fn a_search_finds_exactly_the_calls_that_have_the_word() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let steps = proptest::collection::vec(step(), 1..25);
    proptest!(ProptestConfig::with_cases(24), |(steps in steps)| runtime.block_on(play(steps))?);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_found_within_the_commit_s_time_without_a_sweep() {
    let world = World::new(quick()).await;
    world.settles().await;
    world.ends(&call("barbers", 1), &["haircut"]).await;
    world.wait_for("haircut", &[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_fit_into_the_queue_is_found_by_itself() {
    let world = World::new(Settings { queue_max: 1, ..quick() }).await;
    world.settles().await;
    let all: Vec<u128> = (1..60).collect();
    for id in &all {
        world.write(&call("barbers", *id), &["haircut"]).await;
    }
    for id in &all {
        world.search.ended(&call("barbers", *id));
    }
    world.wait_for("haircut", &all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_call_that_ends_after_a_kill_is_found() {
    let mut world = World::new(quick()).await;
    let long = call("barbers", 1);
    world.store.put_call(&CallRecord { ended_at: None, ..long.clone() }).await.expect("writes");
    world.ends(&call("barbers", 500), &["beard"]).await;
    world.settles().await;
    world.again(true).await;
    world.settles().await;
    assert_eq!(world.found("barbers", "haircut").await, [].into());
    world.search.kill().await;
    world.write(&long, &["haircut"]).await;
    world.again(true).await;
    world.wait_for("haircut", &[1]).await;
    assert_eq!(world.found("barbers", "beard").await, [500].into());
}

async fn indexed() -> World {
    let world = World::new(quick()).await;
    for id in 1..5 {
        world.ends(&call("barbers", id), &["haircut"]).await;
    }
    world.settles().await;
    world.search.stop().await;
    world
}

type Damage = (&'static str, fn(&World));

fn index(world: &World) -> std::path::PathBuf {
    world.folder.path().join("index")
}

fn of_kind(world: &World, kind: &str) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(index(world)).expect("reads").flatten().map(|entry| entry.path());
    files.filter(|file| file.extension().is_some_and(|end| end == kind)).collect()
}

fn change(file: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(file).expect("reads");
    change(&mut bytes);
    std::fs::write(file, bytes).expect("writes");
}

fn damages() -> Vec<Damage> {
    vec![
        ("a byte of the terms", |world| {
            for file in of_kind(world, "term") {
                change(&file, |bytes| bytes[3] ^= 0xff);
            }
        }),
        ("a file cut short", |world| {
            for file in of_kind(world, "idx") {
                change(&file, |bytes| bytes.truncate(bytes.len() / 2));
            }
        }),
        ("a file that is missing", |world| {
            for file in of_kind(world, "fast") {
                std::fs::remove_file(file).expect("removes");
            }
        }),
        ("no list of segments", |world| {
            std::fs::write(index(world).join("meta.json"), "{").expect("writes");
        }),
        ("another version", |world| {
            change(&index(world).join("meta.json"), |bytes| {
                let text = String::from_utf8(bytes.clone()).expect("text");
                *bytes = text.replace("\\\"format\\\":", "\\\"format\\\":9").into_bytes();
            });
        }),
        ("another schema", |world| {
            change(&index(world).join("meta.json"), |bytes| {
                *bytes =
                    String::from_utf8(bytes.clone()).expect("text").replace("id_low", "id_old").into_bytes();
            });
        }),
        ("no key", |world| {
            std::fs::remove_file(world.folder.path().join("caller.key")).expect("removes");
        }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_foreign_or_incomplete_files_are_built_anew() {
    let all = [1, 2, 3, 4];
    for (what, damage) in damages() {
        let mut world = indexed().await;
        damage(&world);
        world.again(false).await;
        world.settles().await;
        assert_eq!(world.found("barbers", "haircut").await, all.into(), "{what}");
        let filters = Filters { caller: Some(number("+441632960123")), ..Filters::default() };
        let found = world.ask("barbers", "", filters).await.expect("an answer");
        assert_eq!(numbers(&found), all.into(), "{what}");
        assert_eq!(world.search.state().trouble, None, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_built_anew_when_that_is_asked_for() {
    let mut world = indexed().await;
    world.again(false).await;
    world.settles().await;
    world.write(&call("barbers", 2), &["nothing more"]).await;
    world.search.rebuild().await.expect("begins");
    world.settles().await;
    let state = world.search.state();
    assert!(state.complete && state.calls == 4 && state.trouble.is_none(), "{state:?}");
    assert_eq!(world.found("barbers", "haircut").await, [1, 2, 3, 4].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_on_the_same_files_do_not_spoil_them() {
    let world = World::new(quick()).await;
    world.settles().await;
    let second = search(world.folder.path(), &world.settings, &world.store, Clock::system());
    world.ends(&call("barbers", 1), &["haircut"]).await;
    world.wait_for("haircut", &[1]).await;
    assert!(second.state().trouble.is_some() && !second.state().complete);
    world.search.stop().await;
    second.settle().await.expect("goes on when the first has stopped");
    assert!(second.state().complete && second.state().trouble.is_none(), "{:?}", second.state());
}
