//! A caller handed over to a person, in the shells: a second telephone, words to it, and the two put together.

use std::sync::Arc;
use std::time::Duration;

use actors::call::leg::{Event, Events, Exchange, Leg, NotCalled, Outgoing};
use actors::storage::Storage;
use actors::types::{CallEventKind, Destination, EndReason, HandOverOutcome};
use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::engines::Turn;
use super::phone::Phone;
use super::world::{World, id, seconds};

/// Calls people whose telephones the test holds.
#[derive(Default)]
pub(super) struct People {
    pub(super) called: Mutex<Vec<(Outgoing, Phone)>>,
    has_no_way: bool,
}

#[async_trait]
impl Exchange for People {
    async fn call(&self, outgoing: Outgoing, events: Events) -> Result<Arc<dyn Leg>, NotCalled> {
        if self.has_no_way {
            return Err(NotCalled { why: "there is no trunk".to_owned() });
        }
        let phone = Phone::new();
        phone.connect(events);
        let leg = phone.leg();
        self.called.lock().push((outgoing, phone));
        Ok(leg)
    }
}

pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "never {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// A caller who has asked for the manager, and the telephone that rings for that.
async fn asking(world: &World, people: &Arc<People>) -> (Phone, Option<Phone>) {
    world.supervision.connect(Arc::clone(people) as Arc<dyn Exchange>);
    world.ears.hear(&[Turn::Heard("can i speak to the manager please"), Turn::Heard("bye")]);
    let caller = world.call(1).await;
    seconds(5).await;
    caller.speak().await;
    if people.has_no_way {
        return (caller, None);
    }
    until("called", || !people.called.lock().is_empty()).await;
    let (outgoing, person) = people.called.lock().remove(0);
    assert!(matches!(outgoing.to, Destination::Number(number) if number.as_str() == "2001"));
    (caller, Some(person))
}

/// What became of the hand-over, by the record.
async fn became(world: &World) -> Vec<Option<HandOverOutcome>> {
    let events = world.store.memory.events(id(1)).await.expect("read");
    let of = |kind| match kind {
        CallEventKind::HandOver { outcome, .. } => Some(outcome),
        _ => None,
    };
    events.into_iter().filter_map(|event| of(event.kind)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_person_is_told_who_is_there_and_takes_the_call_and_the_caller_comes_back_after() {
    let (world, people) = (World::handing_over().await, Arc::new(People::default()));
    let (caller, person) = asking(&world, &people).await;
    let person = person.expect("called");
    person.tell(Event::Ringing);
    person.tell(Event::Established);
    until("told", || person.count("play") == 1).await;
    assert_eq!((caller.count("bridge"), person.count("bridge")), (0, 0), "nobody has pressed a key");
    let waits = |caller: &Phone| caller.count("wait") - caller.count("wait no more");
    assert_eq!(waits(&caller), 1, "something is heard meanwhile");
    person.tell(Event::Digit('1'));
    until("together", || (caller.count("bridge"), person.count("bridge")) == (1, 1)).await;
    assert_eq!(world.ears.open(), 0, "nobody listens in");
    until("waiting no more", || waits(&caller) == 0).await;
    let (plays, listens) = (caller.count("play"), caller.count("listen"));
    seconds(120).await;
    assert_eq!(caller.count("play"), plays, "nobody talks in between");
    person.hang_up(EndReason::CallerHungUp);
    until("back", || caller.count("part") == 1 && caller.count("listen") == listens + 1).await;
    until("spoken to", || caller.count("play") > plays).await;
    seconds(8).await;
    caller.speak().await;
    world.settle().await;
    assert_eq!(world.end_of(1).await, EndReason::Completed);
    assert_eq!(became(&world).await, [None, Some(HandOverOutcome::Answered)]);
    drop(person);
    world.expect_nothing_left(&[caller]).await;
}

#[tokio::test(start_paused = true)]
async fn however_it_fails_the_caller_is_with_us_and_the_record_says_why() {
    for outcome in [
        HandOverOutcome::Busy,
        HandOverOutcome::NoAnswer,
        HandOverOutcome::Declined,
        HandOverOutcome::Voicemail,
        HandOverOutcome::Unreachable,
    ] {
        let has_no_way = outcome == HandOverOutcome::Unreachable;
        let (world, people) =
            (World::handing_over().await, Arc::new(People { has_no_way, ..People::default() }));
        let (caller, person) = asking(&world, &people).await;
        let plays = caller.count("play");
        match (outcome, &person) {
            (HandOverOutcome::Busy, Some(person)) => {
                person.tell(Event::Refused(486));
                person.hang_up(EndReason::Refused);
            }
            (HandOverOutcome::Declined | HandOverOutcome::Voicemail, Some(person)) => {
                person.tell(Event::Established);
                until("told", || person.count("play") == 1).await;
                seconds(5).await;
                if outcome == HandOverOutcome::Declined {
                    person.tell(Event::Digit('2'));
                }
            }
            // Nobody answers, or nobody was called.
            _ => {}
        }
        // Long enough for what has to happen, and not for the caller's silence to end the call.
        seconds(match outcome {
            HandOverOutcome::NoAnswer => 30,
            HandOverOutcome::Voicemail => 14,
            _ => 6,
        })
        .await;
        assert!(caller.count("play") > plays, "{outcome:?}: the caller is spoken to");
        if let Some(person) = &person {
            assert!(person.is_over(), "{outcome:?}: the person's line is free");
        }
        assert_eq!((caller.count("bridge"), caller.is_over()), (0, false), "{outcome:?}");
        assert_eq!(became(&world).await, [None, Some(outcome)]);
        caller.hang_up(EndReason::CallerHungUp);
        world.settle().await;
        drop(person);
        world.expect_nothing_left(&[caller]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_takes_the_person_along_at_every_moment() {
    for moment in 0..3 {
        let (world, people) = (World::handing_over().await, Arc::new(People::default()));
        let (caller, person) = asking(&world, &people).await;
        let person = person.expect("called");
        if moment > 0 {
            person.tell(Event::Established);
            until("told", || person.count("play") == 1).await;
        }
        if moment > 1 {
            person.tell(Event::Digit('1'));
            until("together", || person.count("bridge") == 1).await;
        }
        caller.hang_up(EndReason::CallerHungUp);
        until("let go", || person.is_over()).await;
        world.settle().await;
        let reason = world.end_of(1).await;
        let expected = if moment > 1 { EndReason::Transferred } else { EndReason::CallerHungUpMidway };
        assert!(
            reason == expected || moment < 2 && reason == EndReason::CallerHungUp,
            "{moment}: {reason:?}"
        );
        drop(person);
        world.expect_nothing_left(&[caller]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_beeps_is_not_waited_for() {
    let (world, people) = (World::handing_over().await, Arc::new(People::default()));
    let (caller, person) = asking(&world, &people).await;
    let person = person.expect("called");
    person.tell(Event::Established);
    until("told", || person.count("play") == 1).await;
    assert_eq!(person.count("record"), 1, "what answered is listened to");
    let began = Instant::now();
    person.beep();
    until("let go", || person.is_over()).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(became(&world).await, [None, Some(HandOverOutcome::Voicemail)]);
    caller.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    drop(person);
    world.expect_nothing_left(&[caller]).await;
}
