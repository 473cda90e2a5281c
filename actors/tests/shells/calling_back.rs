//! Who was missed or cut off is called back, in the shells: when, how often, and what the records say.

use std::sync::Arc;
use std::time::Duration;

use actors::call::leg::{Event, Exchange};
use actors::storage::{Page, Storage};
use actors::types::{CallBackResult, CallRecord, Destination, EndReason, Private, Route};

use super::hand_over::{People, until};
use super::phone::Phone;
use super::world::{World, id, seconds, tenant};

const RULES: &str =
    "[ring_first]\npeople = [\"the manager\"]\nring = 15\n[call_back]\nafter = \"5 minutes\"\n";
const CALLER: &str = "+447700900123";

fn connect(world: &World) -> Arc<People> {
    let people = Arc::new(People::default());
    world.supervision.connect(Arc::clone(&people) as Arc<dyn Exchange>);
    people
}

/// The telephone of the one who is called next, within so many seconds; none where nobody is called.
async fn rings(people: &People, within: u64) -> Option<(String, Phone)> {
    for _ in 0..within {
        if let Some((outgoing, phone)) = people.called.lock().pop() {
            let Destination::Number(number) = outgoing.to else { panic!("a number") };
            return Some((number.as_str().to_owned(), phone));
        }
        seconds(1).await;
    }
    None
}

/// A caller who gives up while the manager's telephone rings.
async fn missed(world: &World, people: &People, number: u32, caller: &str) {
    let phone = world.call_from(number, Some(caller)).await.expect("taken");
    let (whose, _manager) = rings(people, 5).await.expect("rings");
    assert_eq!(whose, "2001");
    seconds(3).await;
    phone.hang_up(EndReason::Cancelled);
    world.settle().await;
}

/// The record of the latest call back.
async fn back(world: &World) -> CallRecord {
    let calls = world.store.memory.calls(&tenant(), Page::first(10)).await.expect("read").rows;
    let is_back = |record: &CallRecord| {
        record.arrived.as_ref().is_some_and(|arrived| arrived.route == Route::CalledBack)
    };
    calls.into_iter().find(is_back).expect("a call back")
}

async fn note(world: &World, number: u32) -> (u32, CallBackResult) {
    let note = world.record(number).await.call_back.unwrap_or_default();
    (note.attempts, note.result)
}

#[tokio::test(start_paused = true)]
async fn who_gave_up_is_called_after_five_minutes_and_told_why() {
    let world = World::with_rules(RULES).await;
    let people = connect(&world);
    missed(&world, &people, 1, CALLER).await;
    assert!(rings(&people, 290).await.is_none(), "not yet");
    let (number, phone) = rings(&people, 20).await.expect("called back");
    assert_eq!(number, CALLER);
    phone.tell(Event::Ringing);
    seconds(4).await;
    assert_eq!(phone.commands(), Vec::<&str>::new(), "nobody speaks to a telephone that rings");
    phone.tell(Event::Established);
    until("spoken to", || phone.heard().len() >= 2).await;
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    let record = back(&world).await;
    assert_eq!(record.caller.as_ref().map(Private::reveal).map(|number| number.as_str()), Some(CALLER));
    assert_eq!(record.arrived.as_ref().and_then(|arrived| arrived.calls_back), Some(id(1)));
    assert!(record.answered_at.is_some());
    let said = world.said_in(record.id).await.join(" ");
    assert!(
        said.contains("Fleet Street Barbers") && said.contains("you called and nobody answered"),
        "{said}"
    );
    seconds(2).await;
    assert_eq!(note(&world, 1).await, (1, CallBackResult::Reached));
    assert!(rings(&people, 2_000).await.is_none(), "once is enough");
    world.expect_nothing_left(&[phone]).await;
}

#[tokio::test(start_paused = true)]
async fn who_was_cut_off_is_told_so() {
    let world = World::with_rules("[call_back]\nafter = 2\n").await;
    let people = connect(&world);
    let caller = world.call_from(1, Some(CALLER)).await.expect("taken");
    until("greeted", || caller.count("play") > 0).await;
    caller.hang_up(EndReason::MediaTimeout);
    let (_, phone) = rings(&people, 200).await.expect("called back");
    phone.tell(Event::Established);
    until("spoken to", || phone.heard().len() >= 2).await;
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    let said = world.said_in(back(&world).await.id).await.join(" ");
    assert!(said.contains("your call to us was cut off"), "{said}");
    world.expect_nothing_left(&[caller, phone]).await;
}

#[tokio::test(start_paused = true)]
async fn where_nobody_answers_it_is_tried_as_often_as_may_be_and_no_more() {
    let world = World::with_rules(RULES).await;
    let people = connect(&world);
    missed(&world, &people, 1, CALLER).await;
    for attempt in 1..3 {
        let (_, phone) = rings(&people, 400).await.expect("called back");
        phone.tell(Event::Refused(486));
        phone.hang_up(EndReason::Refused);
        world.settle().await;
        seconds(2).await;
        assert_eq!(note(&world, 1).await, (attempt, CallBackResult::NotReached));
    }
    assert!(rings(&people, 4_000).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_telephone_that_rings_on_is_let_go() {
    let world = World::with_rules(RULES).await;
    let people = connect(&world);
    missed(&world, &people, 1, CALLER).await;
    let (_, phone) = rings(&people, 400).await.expect("called back");
    phone.tell(Event::Ringing);
    until("let go", || phone.is_over()).await;
    world.settle().await;
    seconds(2).await;
    assert_eq!(note(&world, 1).await, (1, CallBackResult::NotReached));
}

#[tokio::test(start_paused = true)]
async fn who_has_called_again_is_left_in_peace() {
    let world = World::with_rules(RULES).await;
    let people = connect(&world);
    missed(&world, &people, 1, CALLER).await;
    seconds(60).await;
    let again = world.call_now(2, CALLER).await;
    let (_, manager) = rings(&people, 5).await.expect("rings");
    manager.tell(Event::Established);
    until("told", || manager.count("play") == 1).await;
    manager.tell(Event::Digit('1'));
    until("together", || again.count("bridge") == 1).await;
    again.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert!(rings(&people, 2_000).await.is_none());
    assert_eq!(note(&world, 1).await, (0, CallBackResult::GivenUp));
}

#[tokio::test(start_paused = true)]
async fn who_gave_up_three_times_is_called_once() {
    let world = World::with_rules(RULES).await;
    let people = connect(&world);
    for call in 1..=3 {
        missed(&world, &people, call, CALLER).await;
        seconds(30).await;
    }
    let (_, phone) = rings(&people, 400).await.expect("called back");
    phone.tell(Event::Established);
    until("spoken to", || phone.heard().len() >= 2).await;
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert!(rings(&people, 2_000).await.is_none(), "once is enough");
    assert_eq!(note(&world, 1).await, (0, CallBackResult::GivenUp));
    assert_eq!(note(&world, 2).await, (0, CallBackResult::GivenUp));
    assert_eq!(note(&world, 3).await, (1, CallBackResult::Reached));
}

#[tokio::test(start_paused = true)]
async fn who_is_on_the_line_again_is_not_called() {
    let world = World::with_rules(RULES).await;
    let people = connect(&world);
    missed(&world, &people, 1, CALLER).await;
    // The manager's telephone rings for them when their call back is due.
    seconds(290).await;
    let again = world.call_now(2, CALLER).await;
    assert_eq!(rings(&people, 5).await.map(|(whose, _)| whose).as_deref(), Some("2001"));
    seconds(14).await;
    assert!(people.called.lock().is_empty(), "they hear it ring");
    again.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(note(&world, 1).await, (0, CallBackResult::GivenUp));
}

#[tokio::test(start_paused = true)]
async fn who_declines_is_not_asked_again() {
    let world = World::with_rules(RULES).await;
    let people = connect(&world);
    missed(&world, &people, 1, CALLER).await;
    let (_, phone) = rings(&people, 400).await.expect("called back");
    phone.tell(Event::Refused(603));
    phone.hang_up(EndReason::Refused);
    world.settle().await;
    assert!(rings(&people, 4_000).await.is_none());
    assert_eq!(note(&world, 1).await, (1, CallBackResult::GivenUp));
}

#[tokio::test(start_paused = true)]
async fn numbers_that_may_not_be_called_are_not() {
    let world = World::with_rules(RULES).await;
    let people = connect(&world);
    missed(&world, &people, 1, "+449098790000").await;
    missed(&world, &people, 2, "+33142685300").await;
    assert!(rings(&people, 2_000).await.is_none());
    assert_eq!(note(&world, 1).await, (1, CallBackResult::GivenUp), "premium rates, by the node's bounds");
    assert_eq!(note(&world, 2).await, (0, CallBackResult::Waiting), "another country");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_again_calls_whom_the_one_before_it_missed() {
    let world = World::with_rules(RULES).await;
    let people = connect(&world);
    missed(&world, &people, 1, CALLER).await;
    world.supervision.stop(Duration::from_secs(1)).await;
    seconds(1_000).await;
    assert!(people.called.lock().is_empty(), "nobody is called by a node that has stopped");
    let world = World::again(&world, RULES, "2026-03-10T11:20:00Z").await;
    // Its trunk comes up later.
    seconds(10).await;
    let people = connect(&world);
    let (number, phone) = rings(&people, 60).await.expect("called back");
    assert_eq!(number, CALLER);
    phone.tell(Event::Established);
    until("spoken to", || phone.heard().len() >= 2).await;
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    seconds(2).await;
    assert_eq!(note(&world, 1).await, (1, CallBackResult::Reached));
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_is_told_by_its_beep_and_hears_what_the_business_wants_it_to() {
    for told in [None, Some("This is the barber. Please call again.")] {
        let line = told.map(|text| format!("mailbox = \"{text}\"\n")).unwrap_or_default();
        let world = World::with_rules(&format!("{RULES}{line}")).await;
        let people = connect(&world);
        missed(&world, &people, 1, CALLER).await;
        let (_, phone) = rings(&people, 400).await.expect("called back");
        phone.tell(Event::Established);
        until("listened to", || phone.count("record") == 1).await;
        seconds(1).await;
        phone.beep();
        until("over", || phone.is_over()).await;
        world.settle().await;
        let record = back(&world).await;
        assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::Mailbox));
        let said = world.said_in(record.id).await.join(" ");
        assert_eq!(said.ends_with("Please call again."), told.is_some(), "{said}");
        seconds(2).await;
        assert_eq!(note(&world, 1).await, (1, CallBackResult::Mailbox));
        assert!(rings(&people, 2_000).await.is_none(), "once is enough");
        world.expect_nothing_left(&[phone]).await;
    }
}
