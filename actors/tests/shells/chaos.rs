//! Calls in which anything may go wrong, by a seed that replays exactly.

use std::time::Duration;

use actors::call::leg::Event;
use actors::storage::Storage;
use actors::types::{CallEvent, CallRecord, EndReason};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep};

use super::engines::{Speak, Turn};
use super::phone::Phone;
use super::store::Mood;
use super::world::{World, id};

const CALLS: u32 = 3;

/// What recognisers make of it.
const SAID: [&str; 12] = [
    "hello",
    "take a message",
    "tell me more",
    "i'd like a haircut tomorrow at three",
    "yes",
    "no",
    "my name is bob",
    "o seven seven double o nine hundred one two three",
    "what time do you open",
    "i want to talk to a person",
    "",
    "bye",
];

fn any_turn(chance: &mut StdRng) -> Turn {
    match chance.random_range(0..12) {
        0 => Turn::Fails,
        1 => Turn::Hangs,
        _ => Turn::Heard(SAID.choose(chance).expect("one")),
    }
}

fn any_speech(chance: &mut StdRng) -> Speak {
    match chance.random_range(0..14) {
        0 => Speak::Fails,
        1 => Speak::Refuses,
        2 => Speak::Hangs,
        _ => Speak::After(chance.random_range(0..400)),
    }
}

/// One thing that happens to a call or to the node.
async fn happen(world: &World, phone: &Phone, chance: &mut StdRng) {
    match chance.random_range(0..40) {
        0..20 => {
            phone.tell(Event::SpeechStarted);
            if chance.random_bool(0.5) {
                world.ears.partial(chance.random_range(0..4), "well", 3);
            }
            sleep(Duration::from_millis(chance.random_range(50..2_500))).await;
            phone.tell(Event::SpeechStopped);
        }
        20..24 => phone.tell(Event::Digit(*['1', '5', '#', '*'].choose(chance).expect("one"))),
        24 => world.ears.die(),
        25 => world.ears.refuse(chance.random_range(1..4)),
        26 => world.store.be(Mood::Down),
        27 => world.store.be(Mood::Silent),
        28 => world.store.be(Mood::PanicsOnMessages),
        29..32 => world.store.be(Mood::Up),
        32 => phone.tell(Event::Held(chance.random_bool(0.5))),
        33 => phone.tell(Event::TransferProgress(*[100, 200, 486].choose(chance).expect("one"))),
        34 => phone.hang_up(*[EndReason::CallerHungUp, EndReason::MediaTimeout].choose(chance).expect("one")),
        35 => phone.go_deaf(),
        36 => world.supervision.drain(),
        _ => sleep(Duration::from_secs(chance.random_range(1..12))).await,
    }
}

/// Everything that remains of one seed's calls.
async fn play(seed: u64) -> Vec<(CallRecord, Vec<CallEvent>)> {
    let mut chance = StdRng::seed_from_u64(seed);
    let world = World::seeded(seed).await;
    world.ears.hear(&(0..30).map(|_| any_turn(&mut chance)).collect::<Vec<_>>());
    world.mouth.next(&(0..60).map(|_| any_speech(&mut chance)).collect::<Vec<_>>());
    let mut phones = Vec::new();
    for number in 0..CALLS {
        phones.push(world.call(number).await);
    }
    for _ in 0..chance.random_range(5..60) {
        sleep(Duration::from_millis(chance.random_range(0..1_500))).await;
        let phone = phones.choose(&mut chance).expect("one").clone();
        happen(&world, &phone, &mut chance).await;
    }
    world.store.be(Mood::Up);
    // Half of the seeds stop the node, the others let the calls run their course.
    if seed.is_multiple_of(2) {
        let left = world.supervision.stop(Duration::from_secs(6)).await;
        assert_eq!((left.calls, left.unwritten), (0, 0), "seed {seed}");
    } else {
        let began = Instant::now();
        while world.supervision.counts().calls > 0 {
            assert!(began.elapsed() < Duration::from_secs(3_600), "seed {seed}: it does not end");
            sleep(Duration::from_secs(1)).await;
        }
    }
    world.settle().await;
    assert_eq!(world.ears.open(), 0, "seed {seed}");
    assert!(world.supervision.tenants().iter().all(|tenant| tenant.calls == 0), "seed {seed}");
    world.supervision.stop(Duration::from_secs(1)).await;
    let mut remains = Vec::new();
    for number in 0..CALLS {
        assert_ne!(world.end_of(number).await, EndReason::Crashed, "seed {seed}");
        let events = world.store.memory.events(id(number)).await.expect("read");
        remains.push((world.record(number).await, events));
    }
    remains
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_every_call_ends_in_one_record() {
    for seed in 0..150 {
        play(seed).await;
    }
}

#[test]
fn a_seed_replays_exactly() {
    let once = |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(play(seed))
    };
    for seed in 0..15 {
        assert_eq!(once(seed), once(seed), "seed {seed}");
    }
}
