//! The conversation of the product in its shell.

use std::time::Duration;

use actors::storage::{Page, Storage};
use actors::types::{CallEventKind, EndReason, Heading, Speaker};

use super::engines::{Speak, Turn};
use super::phone::Phone;
use super::store::Mood;
use super::world::{World, id, seconds, tenant};

async fn said(world: &World, number: u32) -> Vec<(Speaker, String)> {
    let events = world.store.memory.events(id(number)).await.expect("read");
    let said = |kind| match kind {
        CallEventKind::Said { speaker, text, .. } => Some((speaker, text.into_inner())),
        _ => None,
    };
    events.into_iter().filter_map(|event| said(event.kind)).collect()
}

async fn speak_thrice(phone: &Phone) {
    for _ in 0..3 {
        seconds(4).await;
        phone.speak().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_taken_and_the_transcript_has_what_was_heard() {
    let world = World::conversing().await;
    world.ears.hear(&[Turn::Heard("take a message"), Turn::Heard("bye")]);
    let phone = world.call(1).await;
    seconds(4).await;
    phone.speak().await;
    seconds(4).await;
    phone.speak().await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    let caller = |text: &str| (Speaker::Caller, text.to_owned());
    let ours = |text: &str| (Speaker::Receptionist, text.to_owned());
    let expected = [
        ours("good morning"),
        ours("how can I help"),
        caller("take a message"),
        ours("message_taken"),
        caller("bye"),
        ours("goodbye"),
    ];
    assert_eq!(said(&world, 1).await, expected);
    let record = world.record(1).await;
    assert_eq!(record.messages.len(), 1);
    assert_eq!(record.latencies.len(), 2);
    assert!(record.latencies.iter().all(|latency| latency.turn_ended_ms >= 500), "{record:?}");
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_hang_up_at_any_moment() {
    for step in 0..110_u64 {
        let world = World::conversing().await;
        world.mouth.always(Speak::After(120));
        world.ears.hear(&[Turn::Heard("take a message"), Turn::Heard("tell me more"), Turn::Heard("bye")]);
        let phone = world.call(1).await;
        let caller = phone.clone();
        let speaking = tokio::spawn(async move { speak_thrice(&caller).await });
        tokio::time::sleep(Duration::from_millis(step * 170)).await;
        phone.hang_up(EndReason::CallerHungUp);
        speaking.await.expect("no panic");
        world.settle().await;
        let reason = world.end_of(1).await;
        let fine = [
            EndReason::Cancelled,
            EndReason::CallerHungUp,
            EndReason::CallerHungUpMidway,
            EndReason::Completed,
        ];
        assert!(fine.contains(&reason), "{step}: {reason:?}");
        world.expect_nothing_left(&[phone]).await;
        world.supervision.stop(Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_tool_did_after_the_caller_hung_up_is_in_the_record() {
    let world = World::conversing().await;
    world.ears.hear(&[Turn::Heard("take a message")]);
    let phone = world.call(1).await;
    seconds(4).await;
    phone.tell(actors::call::leg::Event::SpeechStarted);
    seconds(1).await;
    world.store.be(Mood::Silent);
    phone.tell(actors::call::leg::Event::SpeechStopped);
    // The tool is asked after 800 ms, and its first try gets no answer.
    seconds(2).await;
    phone.hang_up(EndReason::CallerHungUp);
    world.store.be(Mood::Up);
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::CallerHungUpMidway);
    let record = world.record(1).await;
    let kept = world.store.memory.messages(&tenant(), Page::first(10)).await.expect("read").rows;
    assert_eq!((record.messages.len(), kept.len()), (1, 1), "the record says what the store has");
    assert_eq!(record.heading, Heading::Message);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_engine_fails_the_call_ends_in_a_record() {
    let faults: [&[Turn]; 3] = [
        &[Turn::Fails, Turn::Hangs, Turn::Fails],
        &[Turn::Hangs, Turn::Hangs, Turn::Hangs],
        &[Turn::Heard(""), Turn::Heard("bye")],
    ];
    let voices: [&[Speak]; 3] = [
        &[Speak::Hangs, Speak::Hangs, Speak::Hangs],
        &[Speak::Fails, Speak::Refuses, Speak::Fails, Speak::Refuses],
        &[Speak::After(1_400), Speak::After(2_000), Speak::Hangs],
    ];
    for turns in faults {
        for voice in voices {
            let world = World::conversing().await;
            world.ears.hear(turns);
            world.mouth.next(voice);
            let phone = world.call(1).await;
            speak_thrice(&phone).await;
            world.settle().await;
            assert!(phone.is_over());
            assert_ne!(world.end_of(1).await, EndReason::Crashed);
            world.expect_nothing_left(&[phone]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_neither_voice_nor_ears_a_call_still_ends() {
    let world = World::conversing().await;
    world.ears.refuse(usize::MAX);
    world.mouth.always(Speak::Refuses);
    let phone = world.call(1).await;
    world.settle().await;
    assert!(phone.is_over());
    assert_eq!(world.end_of(1).await, EndReason::EngineFailed);
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn a_stopping_node_says_goodbye() {
    let world = World::conversing().await;
    let phone = world.call(1).await;
    seconds(4).await;
    let left = world.supervision.stop(Duration::from_secs(8)).await;
    assert_eq!((left.calls, left.unwritten), (0, 0));
    assert_eq!(world.end_of(1).await, EndReason::NodeStopped);
    assert_eq!(phone.count("hang_up"), 1);
}

/// One caller's words, turn by turn, to the whole product but its telephone and its senses.
async fn talk(world: &World, number: u32, words: &[&'static str]) -> Phone {
    world.ears.hear(&words.iter().map(|words| Turn::Heard(words)).collect::<Vec<_>>());
    let phone = world.call(number).await;
    for _ in words {
        seconds(12).await;
        phone.speak().await;
    }
    world.settle().await;
    phone
}

#[tokio::test(start_paused = true)]
async fn an_appointment_is_booked_from_the_first_ring_to_the_record() {
    let world = World::seeded(1).await;
    let words = [
        "i'd like to book a men's haircut",
        "tomorrow at three",
        "sam taylor",
        "yes",
        "yes please",
        "no thank you goodbye",
    ];
    let phone = talk(&world, 1, &words).await;
    let all = said(&world, 1).await;
    let reason = world.end_of(1).await;
    assert!(matches!(reason, EndReason::Completed | EndReason::CallerHungUp), "{reason:?} {all:?}");

    let record = world.record(1).await;
    assert_eq!(record.heading, Heading::Booked, "{all:?}");
    let (from, until) = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z");
    let (from, until) = (from.parse().expect("a time"), until.parse().expect("a time"));
    let kept = world.store.memory.bookings(&tenant(), from, until, Page::first(10)).await.expect("read").rows;
    assert_eq!(kept.len(), 1, "{all:?}");
    assert_eq!(record.bookings, [kept[0].id]);
    assert_eq!(kept[0].slot.start, "2026-03-03T15:00:00Z".parse().expect("a time"));
    assert_eq!(kept[0].call, id(1));
    assert!(!record.summary.reveal().is_empty());
    let tools = world.store.memory.events(id(1)).await.expect("read");
    let asked = tools.iter().filter(|event| matches!(event.kind, CallEventKind::ToolCalled { .. })).count();
    let answered =
        tools.iter().filter(|event| matches!(event.kind, CallEventKind::ToolAnswered { .. })).count();
    assert!(asked > 0 && asked == answered, "{asked} asked, {answered} answered");
    assert!(!record.latencies.is_empty());
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_announced_as_recorded_and_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, recorder) = World::recording_into(folder.path()).await;
    let phone = world.call(1).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(world.mouth.spoken().first().map(String::as_str), Some("This call is recorded."));
    assert_eq!(phone.count("record"), 1);
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    let recording = world.record(1).await.recording.expect("it was recorded");
    recorder.stop().await;
    let row = world.store.memory.recording(recording).await.expect("read").expect("kept");
    assert_eq!(row.call, id(1));
    assert!(row.finished.is_some(), "it is finished with its call");
    let events = world.store.memory.events(id(1)).await.expect("read");
    let announced =
        |kind: &CallEventKind| matches!(kind, CallEventKind::RecordingStarted { announced: true, .. });
    assert!(events.iter().any(|event| announced(&event.kind)));
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_can_not_be_recorded_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, recorder) = World::recording_into(folder.path()).await;
    recorder.stop().await;
    let phone = world.call(1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::CallerHungUp);
    assert_eq!(world.record(1).await.recording, None);
    assert_eq!(phone.count("record"), 0);
}
