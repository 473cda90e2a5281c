//! Whatever fails, the call has its end and its record, and the other calls don't notice.

use std::time::Duration;

use actors::call::leg::Event;
use actors::clock::Clock;
use actors::config::Settings;
use actors::storage::coordination::{self, Local};
use actors::storage::{Error, Page, Storage};
use actors::supervision::{Closed, Standing, begin_life, standing, start_again};
use actors::types::{CallEventKind, CallRecord, CallResult, EndReason, Heading, Holder, Life};
use tokio::time::sleep;

use super::engines::{Speak, Turn};
use super::store::Mood;
use super::world::{World, id, seconds, tenant};

#[tokio::test(start_paused = true)]
async fn a_panic_ends_its_own_call_alone() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("panic"), Turn::Heard("hello"), Turn::Heard("bye")]);
    let (broken, whole) = (world.call(1).await, world.call(2).await);
    seconds(3).await;
    broken.speak().await;
    seconds(1).await;
    assert!(broken.is_over(), "its leg was hung up");
    assert_eq!(world.supervision.counts().calls, 1);
    assert_eq!(world.supervision.tenants()[0].calls, 1, "its place is free");
    whole.speak().await;
    seconds(3).await;
    whole.speak().await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Crashed);
    assert_eq!(world.record(1).await.outcome.map(|outcome| outcome.result), Some(CallResult::Server));
    assert_eq!(world.end_of(2).await, EndReason::Completed);
    world.expect_nothing_left(&[broken, whole]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_call_that_hangs_is_ended_over_its_head() {
    let mut settings = Settings::default();
    (settings.supervision.watch_ms, settings.supervision.hung_ms) = (50, 300);
    let world = World::with(20, settings).await;
    world.ears.hear(&[Turn::Heard("hang")]);
    let (hung, whole) = (world.call(1).await, world.call(2).await);
    sleep(Duration::from_millis(200)).await;
    hung.tell(Event::SpeechStopped);
    sleep(Duration::from_millis(1_500)).await;
    // The brain still blocks its thread: it is let go of, not waited for.
    assert!(hung.is_over());
    assert_eq!(world.record(1).await.outcome.expect("ended").reason, EndReason::Crashed);
    assert_eq!(world.supervision.counts().calls, 1);
    assert_eq!(world.supervision.tenants()[0].calls, 1);
    whole.hang_up(EndReason::CallerHungUp);
    sleep(Duration::from_secs(2)).await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Crashed, "what it does later changes nothing");
    assert_eq!(world.end_of(2).await, EndReason::CallerHungUp);
    world.expect_nothing_left(&[hung, whole]).await;
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_fails_is_tried_again_and_then_reported() {
    let world = World::new().await;
    world.mouth.next(&[Speak::Fails, Speak::After(10), Speak::Refuses, Speak::Refuses]);
    let phone = world.call(1).await;
    seconds(3).await;
    // The first utterance failed once and came; the second failed twice. (The third try is the second's.)
    assert_eq!(phone.heard().len(), 1);
    world.mouth.next(&[Speak::Hangs]);
    world.ears.hear(&[Turn::Heard("hello"), Turn::Heard("bye")]);
    phone.speak().await;
    seconds(5).await;
    phone.speak().await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn a_recogniser_that_dies_is_opened_again() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("hello"), Turn::Fails, Turn::Heard("hello"), Turn::Heard("bye")]);
    let phone = world.call(1).await;
    for _ in 0..4 {
        seconds(3).await;
        phone.speak().await;
    }
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    assert_eq!(world.ears.opened(), 2);
    assert_eq!(world.ears.asked(), [0, 1, 0, 1], "a new session counts its turns from the start");
    assert_eq!(phone.count("listen"), 2, "the leg writes to the new one");
    let troubles: Vec<(u64, String)> = troubles(&world).await;
    assert_eq!(troubles.len(), 3, "{troubles:?}");
    assert!(troubles[2].0 - troubles[1].0 < 100, "at once");
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn a_recogniser_that_hangs_counts_as_dead() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Hangs, Turn::Heard("bye")]);
    let phone = world.call(1).await;
    seconds(3).await;
    phone.speak().await;
    seconds(4).await;
    assert_eq!(world.ears.opened(), 2);
    phone.speak().await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn a_recogniser_that_stays_away_is_given_up_after_bounded_tries() {
    let world = World::new().await;
    world.ears.refuse(1_000);
    let phone = world.call(1).await;
    seconds(30).await;
    assert_eq!(world.ears.opened(), 5);
    phone.hang_up(EndReason::CallerHungUp);
    world.expect_nothing_left(&[phone]).await;
    assert_eq!(world.end_of(1).await, EndReason::CallerHungUp);
}

#[tokio::test(start_paused = true)]
async fn a_recogniser_that_dies_in_mid_call_is_replaced_within_bounds() {
    let world = World::new().await;
    let phone = world.call(1).await;
    seconds(3).await;
    world.ears.refuse(2);
    world.ears.die();
    seconds(2).await;
    assert_eq!((world.ears.open(), world.ears.opened()), (1, 4));
    let troubles = troubles(&world).await;
    let silence = troubles.last().expect("restored").0 - troubles[1].0;
    assert!(silence <= 1_000, "{silence} ms");
    phone.hang_up(EndReason::CallerHungUp);
    world.expect_nothing_left(&[phone]).await;
}

async fn troubles(world: &World) -> Vec<(u64, String)> {
    let events = world.store.memory.events(id(1)).await.expect("read");
    let trouble = |kind| match kind {
        CallEventKind::Trouble { what } => Some(what),
        _ => None,
    };
    events.into_iter().filter_map(|event| Some((event.at.as_ms(), trouble(event.kind)?))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_ten_seconds_loses_nothing() {
    for mood in [Mood::Down, Mood::Silent] {
        let world = World::new().await;
        world.ears.hear(&[Turn::Heard("one"), Turn::Heard("two"), Turn::Heard("three"), Turn::Heard("bye")]);
        let phone = world.call(1).await;
        seconds(3).await;
        phone.speak().await;
        world.store.be(mood);
        for _ in 0..2 {
            seconds(4).await;
            phone.speak().await;
        }
        assert!(world.store.refused() > 0);
        assert_eq!(phone.heard().len(), 4, "the call went on");
        world.store.be(Mood::Up);
        seconds(4).await;
        phone.speak().await;
        world.settle().await;
        assert_eq!(world.end_of(1).await, EndReason::Completed);
        let events = world.store.memory.events(id(1)).await.expect("read");
        let said: Vec<String> = events
            .into_iter()
            .filter_map(|event| match event.kind {
                CallEventKind::Said { text, .. } => Some(text.into_inner()),
                _ => None,
            })
            .collect();
        assert_eq!(said, ["one", "two", "three", "bye"], "everything, once, in order");
        world.expect_nothing_left(&[phone]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_while_the_store_is_away_is_written_later() {
    let world = World::new().await;
    let phone = world.call(1).await;
    seconds(3).await;
    world.store.be(Mood::Down);
    phone.hang_up(EndReason::CallerHungUp);
    seconds(60).await;
    let counts = world.supervision.counts();
    assert_eq!((counts.calls, counts.unwritten), (0, 1), "the call is over, its record waits");
    world.store.be(Mood::Up);
    world.expect_nothing_left(&[phone]).await;
    assert_eq!(world.end_of(1).await, EndReason::CallerHungUp);
}

#[tokio::test(start_paused = true)]
async fn a_tool_without_an_answer_is_unknown_and_the_call_goes_on() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("take a message"), Turn::Heard("bye")]);
    let phone = world.call(1).await;
    seconds(3).await;
    world.store.be(Mood::Silent);
    phone.speak().await;
    seconds(10).await;
    assert_eq!(world.mouth.spoken().last().map(String::as_str), Some("unknown"));
    world.store.be(Mood::Up);
    phone.speak().await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_tool_does_after_its_call_crashed_is_in_the_record() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("take a message"), Turn::Heard("panic")]);
    let phone = world.call(1).await;
    seconds(3).await;
    world.store.be(Mood::Silent);
    phone.speak().await;
    seconds(1).await;
    phone.tell(Event::SpeechStopped);
    seconds(1).await;
    assert!(phone.is_over());
    world.store.be(Mood::Up);
    seconds(10).await;
    assert_eq!(world.end_of(1).await, EndReason::Crashed);
    let record = world.record(1).await;
    assert_eq!((record.messages.len(), record.heading), (1, Heading::Message));
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_is_kept_once_however_often_it_is_tried() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("take a message"), Turn::Heard("take a message"), Turn::Heard("bye")]);
    let phone = world.call(1).await;
    seconds(3).await;
    world.store.be(Mood::Down);
    phone.speak().await;
    sleep(Duration::from_millis(150)).await;
    world.store.be(Mood::Up);
    seconds(3).await;
    assert_eq!(world.mouth.spoken().last().map(String::as_str), Some("message_taken"), "by the second try");
    phone.speak().await;
    seconds(3).await;
    phone.speak().await;
    world.settle().await;
    let kept = world.store.memory.messages(&tenant(), Page::first(10)).await.expect("read").rows;
    assert_eq!(kept.len(), 2, "two steps, two messages");
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn an_integration_that_panics_is_started_again() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("take a message"), Turn::Heard("take a message"), Turn::Heard("bye")]);
    let phone = world.call(1).await;
    seconds(3).await;
    world.store.be(Mood::PanicsOnMessages);
    phone.speak().await;
    seconds(3).await;
    assert_eq!(world.mouth.spoken().last().map(String::as_str), Some("unknown"));
    world.store.be(Mood::Up);
    phone.speak().await;
    seconds(3).await;
    assert_eq!(world.mouth.spoken().last().map(String::as_str), Some("message_taken"));
    phone.speak().await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn a_leg_that_never_reports_its_end_is_given_up() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("bye")]);
    let phone = world.call(1).await;
    phone.go_deaf();
    seconds(3).await;
    phone.speak().await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    assert_eq!(world.supervision.tenants()[0].calls, 0);
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_dead_process_are_closed_when_a_node_starts_again() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("take a message")]);
    let phone = world.call(1).await;
    seconds(5).await;
    phone.speak().await;
    seconds(5).await;
    // The process dies here: what it leaves is what is in the store.
    let (store, next) = (&*world.store.memory, Life::new("alone", "next"));
    let coordination = Local::new(&coordination::Settings::default(), Clock::system());
    let other = Life::new("elsewhere", "other");
    begin_life(store, &other).await.expect("begun");
    assert_eq!(
        start_again(store, &coordination, &other).await,
        Ok(Closed::default()),
        "it is another node's"
    );
    begin_life(store, &next).await.expect("begun");
    assert_eq!(start_again(store, &coordination, &next).await, Ok(Closed { calls: 1, ..Closed::default() }));
    assert_eq!(world.end_of(1).await, EndReason::NodeDied);
    let record = world.record(1).await;
    assert_eq!(record.outcome.map(|outcome| outcome.result), Some(CallResult::Indeterminate));
    assert_eq!(
        start_again(store, &coordination, &next).await,
        Ok(Closed::default()),
        "nothing is left to close"
    );
    // The process was only frozen: it ends its call now, and the record stays as it was closed.
    phone.hang_up(EndReason::CallerHungUp);
    seconds(5).await;
    assert_eq!(world.record(1).await, record);
    // One that was superseded closes nothing.
    let record = CallRecord { id: id(9), ended_at: None, ..record };
    store
        .put_call(&CallRecord { held_by: Some(Holder::first(next.clone())), ..record })
        .await
        .expect("written");
    begin_life(store, &Life::new("alone", "last")).await.expect("begun");
    assert_eq!(standing(store, &next).await, Ok(Standing::Superseded));
    let frozen = Life::new("alone", "frozen");
    assert_eq!(start_again(store, &coordination, &frozen).await, Err(Error::Conflict { what: "node" }));
}
