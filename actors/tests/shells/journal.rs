//! Calls whose store goes away and comes back, with a journal between.

use std::time::Duration;

use actors::storage::{Page, Storage};
use actors::types::{CallEventKind, CallResult, EndReason};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio::time::sleep;

use super::engines::Turn;
use super::store::Mood;
use super::world::{World, id, seconds, tenant};

/// A whole call while the store is away: it goes on, ends, and nothing of it waits in the call's own memory. What
/// was kept is written when the store is back, the message once.
#[tokio::test(start_paused = true)]
async fn a_call_without_a_store_is_kept_and_written_later() {
    for mood in [Mood::Down, Mood::Silent] {
        let (world, journal) = World::journalled(1).await;
        world.ears.hear(&[Turn::Heard("hello"), Turn::Heard("bye")]);
        let phone = world.call(1).await;
        seconds(5).await;
        world.store.be(mood);
        phone.speak().await;
        seconds(8).await;
        phone.hang_up(EndReason::CallerHungUp);
        world.settle().await;
        assert_eq!(world.supervision.counts().unwritten, 0, "all of it is kept");
        assert!(journal.waiting().rows > 2, "{:?}", journal.waiting());
        assert!(world.store.refused() > 0);
        // What is asked of the call is answered by the journal; the store has it as open.
        let record = journal.call(id(1)).await.expect("read").expect("there");
        assert!(record.ended_at.is_some());
        assert_eq!(world.record(1).await.ended_at, None);
        assert_eq!(journal.checkpoint(id(1)).await, Ok(None), "nothing to go on with");
        world.store.be(Mood::Up);
        // Before the drain comes round to it.
        assert!(journal.open_calls(Page::first(9)).await.expect("read").rows.is_empty());
        journal.all_written().await;
        assert_eq!(journal.waiting().rows, 0);
        world.end_of(1).await;
        assert_eq!(world.record(1).await, record);
        world.expect_nothing_left(&[phone]).await;
    }
}

/// What recognisers make of it.
const SAID: [&str; 8] = [
    "hello",
    "can i leave a message",
    "please tell them i will be late",
    "my name is bob",
    "o seven seven double o nine hundred one two three",
    "yes",
    "what time do you open",
    "bye",
];

const CALLS: u32 = 4;

/// Calls whose store fails at random for a while. Returns how much was refused and how much was kept at most.
async fn play(seed: u64) -> (usize, usize) {
    let mut chance = StdRng::seed_from_u64(seed);
    let (world, journal) = World::journalled(seed).await;
    let turns: Vec<Turn> = (0..40).map(|_| Turn::Heard(SAID.choose(&mut chance).expect("one"))).collect();
    world.ears.hear(&turns);
    let (mut phones, mut kept_most) = (Vec::new(), 0);
    for number in 0..CALLS {
        phones.push(world.call(number).await);
        sleep(Duration::from_millis(chance.random_range(0..2_000))).await;
    }
    for _ in 0..chance.random_range(10..50) {
        let mood = [Mood::Up, Mood::Down, Mood::Silent, Mood::Down].choose(&mut chance).copied();
        if chance.random_bool(0.4) {
            world.store.be(mood.expect("one"));
        }
        let phone = phones.choose(&mut chance).expect("one");
        match chance.random_range(0..12) {
            0 => phone.hang_up(EndReason::CallerHungUp),
            1..8 => phone.speak().await,
            _ => sleep(Duration::from_millis(chance.random_range(0..4_000))).await,
        }
        kept_most = kept_most.max(journal.waiting().rows);
    }
    for phone in &phones {
        phone.hang_up(EndReason::CallerHungUp);
    }
    sleep(Duration::from_secs(60)).await;
    kept_most = kept_most.max(journal.waiting().rows);
    world.store.be(Mood::Up);
    world.settle().await;
    journal.all_written().await;
    let mut taken = 0;
    for number in 0..CALLS {
        world.end_of(number).await;
        let record = world.record(number).await;
        assert_ne!(record.outcome.map(|outcome| outcome.result), Some(CallResult::Indeterminate));
        let events = world.store.memory.events(id(number)).await.expect("read");
        assert!(events.windows(2).all(|pair| pair[0].at <= pair[1].at), "seed {seed}: in order");
        assert!(
            matches!(events.last().map(|event| &event.kind), Some(CallEventKind::Ended { .. })),
            "seed {seed}"
        );
        taken += record.messages.len();
    }
    let messages = world.store.memory.messages(&tenant(), Page::first(99)).await.expect("read").rows;
    assert_eq!(messages.len(), taken, "seed {seed}: each message once");
    (world.store.refused(), kept_most)
}

#[tokio::test(start_paused = true)]
async fn whatever_the_store_does_every_call_has_its_full_record() {
    let (mut refused, mut kept) = (0, 0);
    for seed in 0..60 {
        let (refused_now, kept_now) = play(seed).await;
        (refused, kept) = (refused + refused_now, kept + kept_now);
    }
    assert!(refused > 500 && kept > 500, "the store failed {refused} times, {kept} writes were kept");
}
