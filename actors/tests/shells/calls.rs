//! Calls that go as they should.

use actors::call::Checkpoint;
use actors::call::leg::Event;
use actors::storage::{Page, Storage};
use actors::types::{CallEventKind, CallResult, EndReason, Heading};
use std::time::Duration;

use super::engines::{Speak, Turn};
use super::world::{World, business, id, seconds, start_of_time, tenant};

#[tokio::test(start_paused = true)]
async fn a_caller_leaves_a_message_and_says_goodbye() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("take a message"), Turn::Heard("bye")]);
    let phone = world.call(1).await;
    seconds(5).await;
    phone.speak().await;
    seconds(5).await;
    phone.speak().await;
    world.settle().await;

    assert_eq!(world.mouth.spoken(), ["good morning", "how can I help", "message_taken", "goodbye"]);
    assert_eq!(phone.heard(), [0, 1, 2, 3], "in order");
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    let record = world.record(1).await;
    assert_eq!(record.outcome.map(|outcome| outcome.result), Some(CallResult::Success));
    assert_eq!((record.sip_status, record.heading), (200, Heading::Message));
    assert_eq!(record.summary.reveal(), "2 turns");
    assert_eq!(record.quality.packets_received, 50);
    assert_eq!(record.latencies.len(), 2, "both turns were answered");
    assert!(record.answered_at >= Some(start_of_time()));
    let messages = world.store.memory.messages(&tenant(), Page::first(10)).await.expect("read").rows;
    assert_eq!(messages.len(), 1);
    assert_eq!(record.messages, [messages[0].id]);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn utterances_play_in_order_though_their_audio_comes_out_of_order() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("tell me more")]);
    let phone = world.call(1).await;
    seconds(5).await;
    world.mouth.next(&[Speak::After(900), Speak::After(100), Speak::After(500)]);
    phone.speak().await;
    seconds(5).await;
    assert_eq!(phone.heard(), [0, 1, 2, 3, 4]);
    phone.hang_up(EndReason::CallerHungUp);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn audio_that_comes_after_a_barge_in_is_not_played() {
    let world = World::new().await;
    world.mouth.always(Speak::After(500));
    let phone = world.call(1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    phone.tell(Event::SpeechStarted);
    seconds(3).await;
    assert_eq!(phone.count("play"), 0);
    assert_eq!(phone.count("stop"), 1);
    phone.hang_up(EndReason::CallerHungUp);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn a_live_call_can_be_looked_at_and_its_state_is_kept() {
    let world = World::new().await;
    world.ears.hear(&[Turn::Heard("take a message")]);
    let phone = world.call(1).await;
    seconds(5).await;
    phone.speak().await;
    seconds(1).await;

    assert_eq!(world.supervision.live_calls().len(), 1);
    let snapshot = world.supervision.snapshot(id(1)).await.expect("a live call");
    assert_eq!((snapshot.call, snapshot.listening, snapshot.ending), (id(1), true, false));
    assert!(snapshot.record.ended_at.is_none());
    let seen = Checkpoint::from_bytes(&snapshot.state).expect("readable");
    assert_eq!((seen.call, seen.conversation), (id(1), vec![1, 2, 3]));
    let json = serde_json::to_string(&snapshot).expect("serialisable");
    assert!(json.contains("\"events\""));
    let kept = world.store.memory.checkpoint(id(1)).await.expect("read").expect("kept before the tool");
    assert_eq!(Checkpoint::from_bytes(&kept).expect("readable").business_version, 1);
    assert_eq!(world.supervision.snapshot(id(2)).await, None);

    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(world.supervision.snapshot(id(1)).await, None);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_version_of_the_business_is_for_new_calls() {
    let world = World::new().await;
    let phone = world.call(1).await;
    seconds(1).await;
    world.store.memory.put_business(&business(2, 20), Some(1)).await.expect("kept");
    world.supervision.refresh(&tenant());
    let second = world.call(2).await;
    seconds(1).await;
    for phone in [&phone, &second] {
        phone.hang_up(EndReason::CallerHungUp);
    }
    world.settle().await;
    assert_eq!(world.record(1).await.business_version, 1);
    assert_eq!(world.record(2).await.business_version, 2);
    assert_eq!(world.supervision.tenants()[0].version, 2);
    world.expect_nothing_left(&[phone, second]).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_hang_up_at_any_moment() {
    // Every 150 ms of a call of about fourteen seconds: ringing, greeting, speaking, in a tool, in an answer.
    for step in 0..95_u64 {
        let world = World::new().await;
        world.mouth.always(Speak::After(120));
        world.ears.hear(&[Turn::Heard("take a message"), Turn::Heard("tell me more"), Turn::Heard("bye")]);
        let phone = world.call(1).await;
        let caller = phone.clone();
        let speaking = tokio::spawn(async move {
            for _ in 0..3 {
                seconds(3).await;
                caller.speak().await;
            }
        });
        tokio::time::sleep(Duration::from_millis(step * 150)).await;
        phone.hang_up(EndReason::CallerHungUp);
        let _ = speaking.await;
        world.settle().await;
        let reason = world.end_of(1).await;
        assert!(matches!(reason, EndReason::CallerHungUp | EndReason::Completed), "{step}: {reason:?}");
        world.expect_nothing_left(&[phone]).await;
        world.supervision.stop(Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_caller_is_let_go_by_the_timer() {
    let world = World::new().await;
    let phone = world.call(1).await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Silence);
    let record = world.record(1).await;
    let lasted = record.ended_at.expect("ended").duration_since(record.started_at);
    assert_eq!(lasted.as_secs(), 60);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn keys_pressed_one_by_one_are_never_dropped() {
    let world = World::new().await;
    let phone = world.call(1).await;
    for _ in 0..1_000 {
        phone.tell(Event::Digit('5'));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(keys(&world).await, 1_000);
}

async fn keys(world: &World) -> usize {
    let events = world.store.memory.events(id(1)).await.expect("read");
    events.iter().filter(|event| matches!(event.kind, CallEventKind::Digits { .. })).count()
}

#[tokio::test(start_paused = true)]
async fn partial_words_collapse_and_a_flood_of_keys_is_bounded() {
    let world = World::new().await;
    let phone = world.call(1).await;
    seconds(5).await;
    world.ears.partial(0, "good", 10_000);
    for _ in 0..10_000 {
        phone.tell(Event::Digit('5'));
    }
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::CallerHungUp, "the end is never dropped");
    assert_eq!(keys(&world).await, 255, "the partial words and as many keys as fit");
    world.expect_nothing_left(&[phone]).await;
}
