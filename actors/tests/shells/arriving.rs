//! What happens before the receptionist has a call, in the shells: who is turned away, whose telephone rings, and that
//! the caller is never left alone.

use std::sync::Arc;

use actors::call::leg::{Event, Exchange, Reached, Refusal};
use actors::storage::Storage;
use actors::types::{
    Arrived, CallEventKind, CallRecord, Destination, EndReason, HandOverOutcome, Heading, Route, SpamSign,
};

use super::hand_over::{People, until};
use super::phone::Phone;
use super::world::{NUMBER, World, id, seconds};

const CALLER: Option<&str> = Some("+447700900123");

fn connect(world: &World) -> Arc<People> {
    let people = Arc::new(People::default());
    world.supervision.connect(Arc::clone(&people) as Arc<dyn Exchange>);
    people
}

/// The next telephone that rings, and whose it is.
async fn rings(people: &People) -> (String, Phone) {
    until("called", || !people.called.lock().is_empty()).await;
    let (outgoing, phone) = people.called.lock().remove(0);
    let Destination::Number(number) = outgoing.to else { panic!("a number") };
    (number.as_str().to_owned(), phone)
}

async fn call(world: &World, number: u32) -> Phone {
    world.call_from(number, CALLER).await.expect("taken")
}

fn arrived(record: &CallRecord) -> Arrived {
    record.arrived.clone().unwrap_or_default()
}

/// Who was tried, and what became of it.
async fn tried(world: &World, call: u32) -> Vec<(String, HandOverOutcome)> {
    let events = world.store.memory.events(id(call)).await.expect("read");
    let of = |kind| match kind {
        CallEventKind::HandOver { to, outcome: Some(outcome) } => Some((to, outcome)),
        _ => None,
    };
    events.into_iter().filter_map(|event| of(event.kind)).collect()
}

const RING_ALL: &str = "[ring_first]\npeople = [\"the manager\", \"bookings\"]\nat_once = true\nring = 15\n";

#[tokio::test(start_paused = true)]
async fn of_all_whose_telephones_ring_the_first_to_press_the_key_speaks_with_the_caller() {
    let world = World::with_rules(RING_ALL).await;
    let people = connect(&world);
    let caller = call(&world, 1).await;
    let ((one, manager), (other, bookings)) = (rings(&people).await, rings(&people).await);
    assert_eq!((one.as_str(), other.as_str()), ("2001", "2002"));
    assert!(caller.commands().is_empty(), "the caller hears it ring");
    manager.tell(Event::Ringing);
    bookings.tell(Event::Established);
    until("told", || bookings.count("play") == 1).await;
    assert!(caller.commands().is_empty() && !manager.is_over());
    bookings.tell(Event::Digit('1'));
    until("together", || (caller.count("bridge"), bookings.count("bridge")) == (1, 1)).await;
    assert!(manager.is_over(), "the other telephone stops ringing");
    assert_eq!(caller.commands()[0], "answer");
    assert_eq!((caller.count("listen"), caller.count("record"), world.ears.open()), (0, 0, 0), "in peace");
    seconds(300).await;
    assert_eq!(caller.count("play"), 0, "nobody talks in between");
    bookings.hang_up(EndReason::CallerHungUp);
    until("over", || caller.is_over()).await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Transferred);
    let record = world.record(1).await;
    assert_eq!((arrived(&record).route, record.heading), (Route::RingFirst, Heading::Transferred));
    assert_eq!(record.summary.reveal(), "Taken by bookings before the receptionist answered.");
    assert!(record.answered_at.is_some() && record.sip_status == 200);
    assert_eq!(tried(&world, 1).await, [("bookings".to_owned(), HandOverOutcome::Answered)]);
    drop((manager, bookings));
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn one_after_the_other_past_a_mailbox_and_then_the_receptionist_answers() {
    let world =
        World::with_rules("[ring_first]\npeople = [\"the manager\", \"bookings\"]\nring = 15\n").await;
    let people = connect(&world);
    let caller = call(&world, 1).await;
    let (_, manager) = rings(&people).await;
    assert!(people.called.lock().is_empty(), "one at a time");
    manager.tell(Event::Established);
    until("told", || manager.count("play") == 1).await;
    // A mailbox says its sentence and presses no key.
    let (_, bookings) = rings(&people).await;
    assert!(manager.is_over() && caller.commands().is_empty());
    // Nobody picks up.
    until("answered", || caller.count("answer") == 1).await;
    assert!(bookings.is_over());
    until("greeted", || caller.count("play") > 0).await;
    let expected = [
        ("the manager".to_owned(), HandOverOutcome::Voicemail),
        ("bookings".to_owned(), HandOverOutcome::NoAnswer),
    ];
    assert_eq!(tried(&world, 1).await, expected);
    // However long it rang, the greeting has all its time.
    seconds(5).await;
    assert!(!caller.is_over());
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::CallerHungUp);
    drop((manager, bookings));
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn a_forwarded_call_is_whoever_s_answers_and_is_ours_again_where_they_can_t_be_had() {
    for fails in [None, Some(486), Some(404), Some(603)] {
        let world = World::with_rules("[forwarding]\nalways = \"+442079460109\"\n").await;
        let people = connect(&world);
        let caller = call(&world, 1).await;
        let (number, person) = rings(&people).await;
        assert_eq!(number, "+442079460109");
        let Some(status) = fails else {
            person.tell(Event::Established);
            until("together", || (caller.count("bridge"), person.count("bridge")) == (1, 1)).await;
            assert_eq!(person.count("play"), 0, "as a network forwards: without a word");
            caller.hang_up(EndReason::CallerHungUp);
            until("let go", || person.is_over()).await;
            world.settle().await;
            assert_eq!(world.end_of(1).await, EndReason::Transferred);
            continue;
        };
        person.tell(Event::Refused(status));
        person.hang_up(EndReason::Refused);
        until("greeted", || caller.count("answer") == 1 && caller.count("play") > 0).await;
        assert_eq!(arrived(&world.record(1).await).route, Route::ForwardedAlways);
        caller.hang_up(EndReason::CallerHungUp);
        world.settle().await;
        drop(person);
        world.expect_nothing_left(&[caller]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_way_to_call_anybody_the_receptionist_answers_at_once() {
    let world = World::with_rules("[forwarding]\nalways = \"+449098790000\"\n").await;
    // Premium rates may not be called.
    let people = connect(&world);
    let caller = call(&world, 1).await;
    until("greeted", || caller.count("answer") == 1 && caller.count("play") > 0).await;
    assert!(people.called.lock().is_empty());
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_stops_all_telephones_and_is_on_record_as_missed() {
    let world = World::with_rules(RING_ALL).await;
    let people = connect(&world);
    let caller = call(&world, 1).await;
    let ((_, one), (_, other)) = (rings(&people).await, rings(&people).await);
    other.tell(Event::Established);
    seconds(1).await;
    caller.hang_up(EndReason::Cancelled);
    until("let go", || one.is_over() && other.is_over()).await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Cancelled);
    let record = world.record(1).await;
    assert_eq!((record.sip_status, record.answered_at), (487, None));
    assert_eq!(record.summary.reveal(), "The caller hung up before anybody answered.");
    drop((one, other));
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_rings_nobody_any_more() {
    let world = World::with_rules(RING_ALL).await;
    let people = connect(&world);
    let caller = call(&world, 1).await;
    let ((_, one), (_, other)) = (rings(&people).await, rings(&people).await);
    let left = world.supervision.stop(std::time::Duration::from_secs(5)).await;
    assert_eq!((left.calls, left.unwritten), (0, 0));
    assert!(caller.is_over() && one.is_over() && other.is_over());
    assert_eq!(world.end_of(1).await, EndReason::NodeStopped);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_finds_no_room_goes_elsewhere_and_is_answered_all_the_same_where_nobody_is_there() {
    let world = World::with_rules_and_limit("[forwarding]\nbusy = \"+442079460109\"\n", 1).await;
    let people = connect(&world);
    let first = call(&world, 1).await;
    until("greeted", || first.count("play") > 0).await;
    let second = call(&world, 2).await;
    let (_, person) = rings(&people).await;
    person.tell(Event::Refused(486));
    person.hang_up(EndReason::Refused);
    until("answered", || second.count("answer") == 1 && second.count("play") > 0).await;
    assert_eq!(arrived(&world.record(2).await).route, Route::ForwardedBusy);
    // There is an end to it.
    let mut more = Vec::new();
    for number in 3..7 {
        more.push(call(&world, number).await);
    }
    let refused = world.call_from(7, CALLER).await.err();
    assert_eq!(refused, Some(Refusal::TenantFull { limit: 1 }));
    more.extend([first, second]);
    for caller in &more {
        caller.hang_up(EndReason::CallerHungUp);
    }
    world.settle().await;
    people.called.lock().clear();
    drop(person);
    world.expect_nothing_left(&more).await;
}

const SCREENED: &str = r#"
[screening]
blocked = ["+447700900666"]
vip = ["+447700900001"]
anonymous = "reject"
spam_gets = "declined"
after_hours_hear = "We are closed now."
"#;

#[tokio::test(start_paused = true)]
async fn who_is_not_wanted_is_refused_with_the_status_and_the_record_says_why() {
    let world = World::with_rules(SCREENED).await;
    for (number, caller, status, route) in
        [(1, Some("+447700900666"), 607, Route::Blocked), (2, None, 433, Route::TurnedAsAnonymous)]
    {
        let refused = world.call_from(number, caller).await.err();
        assert_eq!(refused, Some(Refusal::Screened { status }));
        world.settle().await;
        let record = world.record(number).await;
        assert_eq!((record.sip_status, arrived(&record).route), (status, route));
        assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::Refused));
    }
    // Calls again and again, and is turned away from the time on that it is a pattern.
    let mut taken = 0;
    let refused = loop {
        match world.call_from(10 + taken, CALLER).await {
            Ok(phone) => phone.hang_up(EndReason::CallerHungUp),
            Err(refused) => break refused,
        }
        world.settle().await;
        taken += 1;
    };
    assert_eq!((taken, refused), (6, Refusal::Screened { status: 603 }));
    world.settle().await;
    let spam = arrived(&world.record(16).await).spam.expect("said why");
    assert_eq!((spam.score, spam.reasons), (80, vec![SpamSign::ManyCalls, SpamSign::HangsUpAtOnce]));
    // It is forgotten.
    seconds(700).await;
    let phone = call(&world, 30).await;
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(world.record(30).await.arrived, None);
}

#[tokio::test(start_paused = true)]
async fn after_hours_a_message_is_said_and_nothing_else_whatever_the_caller_says() {
    let world = World::with_rules_at(SCREENED, "2026-03-10T22:00:00Z").await;
    let caller = call(&world, 1).await;
    until("spoken to", || caller.count("play") == 1).await;
    caller.speak().await;
    until("over", || caller.is_over()).await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    let said = world.said(1).await;
    assert_eq!(said, ["We are closed now."]);
    assert_eq!(arrived(&world.record(1).await).route, Route::Message);
    // Who is always welcome is greeted.
    let welcome = world.call_from(2, Some("+447700900001")).await.expect("taken");
    until("greeted", || welcome.count("play") > 0).await;
    seconds(4).await;
    welcome.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert!(world.said(2).await.concat().contains("How can I help you?"), "{:?}", world.said(2).await);
    assert!(arrived(&world.record(2).await).vip);
    world.expect_nothing_left(&[caller, welcome]).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_shows_no_number_is_asked_for_it() {
    let world = World::with_rules("[screening]\nanonymous = \"ask\"\n").await;
    let caller = world.call_from(1, None).await.expect("taken");
    until("asked", || caller.heard().len() >= 2).await;
    for key in "02079460123#".chars() {
        caller.tell(Event::Digit(key));
    }
    seconds(6).await;
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    let said = world.said(1).await.join(" ");
    assert!(
        said.contains("What number can we reach you on?") && said.contains("What can I do for you?"),
        "{said}"
    );
    assert_eq!(arrived(&world.record(1).await).route, Route::AskedNumber);
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_greets_by_itself_and_stands_on_the_record() {
    let line =
        format!("[[line]]\nnumber = \"{NUMBER}\"\nlabel = \"the salon\"\ngreeting = \"The salon, hello?\"\n");
    let world = World::with_rules(&line).await;
    let caller = call(&world, 1).await;
    until("greeted", || !caller.heard().is_empty()).await;
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(world.said(1).await, ["The salon, hello?"]);
    let record = world.record(1).await;
    assert_eq!((arrived(&record).line.as_deref(), record.called.as_str()), (Some("the salon"), NUMBER));
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn where_nothing_can_ring_the_receptionist_answers_at_once() {
    let world = World::with_rules(RING_ALL).await;
    let people = connect(&world);
    let caller = world.call_that_can_not_ring(1).await;
    until("greeted", || caller.count("answer") == 1 && caller.count("play") > 0).await;
    assert!(people.called.lock().is_empty());
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(world.record(1).await.arrived, None);
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_hears_the_line_that_they_are_forwarded_to_and_then_the_receptionist() {
    let world = World::with_rules("[forwarding]\nalways = \"+442079460109\"\n").await;
    let people = connect(&world);
    let caller = call(&world, 1).await;
    let (_, person) = rings(&people).await;
    person.tell(Event::Ringing);
    seconds(1).await;
    assert!(caller.commands().is_empty(), "the caller's own network lets them hear it ring");
    person.tell(Event::EarlyMedia);
    until("heard", || caller.count("bridge") == 1).await;
    assert_eq!((caller.commands(), person.count("bridge")), (vec!["progress", "bridge"], 1));
    person.tell(Event::Refused(486));
    person.hang_up(EndReason::Refused);
    until("greeted", || caller.count("answer") == 1 && caller.count("play") > 0).await;
    let after: Vec<&str> = caller.commands()[2..].to_vec();
    assert_eq!(after[..3], ["part", "wait", "wait no more"], "it rings by us until it is answered");
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    drop(person);
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_told_what_the_business_wants_them_told_while_it_rings() {
    let world = World::with_rules(&format!("{RING_ALL}announcement = \"Please hold the line.\"\n")).await;
    let people = connect(&world);
    let caller = call(&world, 1).await;
    let ((_, manager), (_, bookings)) = (rings(&people).await, rings(&people).await);
    until("told", || caller.count("play") == 1).await;
    assert_eq!(caller.commands(), ["progress", "wait", "play"]);
    // Those who are asked first are not heard before they have answered.
    manager.tell(Event::EarlyMedia);
    seconds(1).await;
    assert_eq!((caller.count("bridge"), caller.count("answer")), (0, 0));
    bookings.tell(Event::Established);
    until("told of it", || bookings.count("play") == 1).await;
    bookings.tell(Event::Digit('1'));
    until("together", || caller.count("bridge") == 1).await;
    assert_eq!(caller.count("answer"), 1);
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Transferred);
    drop((manager, bookings));
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn where_the_callers_network_calls_people_whoever_takes_the_call_has_it_without_us() {
    let world = World::with_rules(&format!("{RING_ALL}announcement = \"Please hold the line.\"\n")).await;
    let people = connect(&world);
    let caller = world.call_by(Phone::by_network(10), 1).await;
    until("told whom to call", || caller.count("reach") == 1).await;
    let reach = caller.reach().expect("told");
    assert_eq!((reach.people.len(), reach.announcement.as_deref()), (2, Some("Please hold the line.")));
    let words = reach.words.expect("they are asked");
    assert!(words.contains("Fleet Street Barbers") && words.contains("Press 1"), "{words}");
    seconds(5).await;
    caller.tell(Event::Reached(Reached::Joined(1)));
    seconds(60).await;
    assert_eq!(caller.commands(), ["reach"], "it is not answered by us");
    assert!(people.called.lock().is_empty(), "nor is anybody called");
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    let record = world.record(1).await;
    assert_eq!(world.end_of(1).await, EndReason::Transferred);
    assert!(record.answered_at.is_some() && record.summary.reveal().contains("Taken by"), "{record:?}");
    assert_eq!(arrived(&record).route, Route::RingFirst);
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn where_the_callers_network_reaches_nobody_the_receptionist_answers() {
    let world = World::with_rules(RING_ALL).await;
    let _people = connect(&world);
    let caller = world.call_by(Phone::by_network(1), 1).await;
    for (round, outcome) in [(1, HandOverOutcome::Busy), (2, HandOverOutcome::Voicemail)] {
        until("told whom to call", || caller.count("reach") == round).await;
        assert_eq!(caller.reach().expect("told").people.len(), 1, "one after the other");
        seconds(2).await;
        caller.tell(Event::Reached(Reached::Nobody(outcome)));
    }
    until("greeted", || caller.count("answer") == 1 && caller.count("play") > 0).await;
    // What comes late is passed over.
    caller.tell(Event::Reached(Reached::Joined(0)));
    seconds(1).await;
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(arrived(&world.record(1).await).route, Route::RingFirst);
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn a_network_is_told_to_call_nobody_whom_the_business_may_not_call() {
    let world = World::with_rules("[forwarding]\nalways = \"+449098790000\"\n").await;
    let _people = connect(&world);
    let caller = world.call_by(Phone::by_network(10), 1).await;
    until("greeted", || caller.count("answer") == 1 && caller.count("play") > 0).await;
    assert_eq!(caller.count("reach"), 0, "premium rates");
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    world.expect_nothing_left(&[caller]).await;
}
