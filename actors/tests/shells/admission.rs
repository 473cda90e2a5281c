//! Who is let in.

use std::sync::Arc;

use actors::call::leg::Refusal;
use actors::config::Settings;
use actors::storage::{Page, Storage};
use actors::types::{EndReason, TenantId};
use std::time::Duration;

use super::engines::Places;
use super::store::Mood;
use super::world::{NUMBER, World, business, id, seconds, tenant};

#[tokio::test(start_paused = true)]
async fn of_a_hundred_at_once_exactly_the_limit_is_let_in() {
    let world = Arc::new(World::with(37, Settings::default()).await);
    let offers: Vec<_> = (0..100)
        .map(|number| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.try_call(id(number), NUMBER).await })
        })
        .collect();
    let (mut phones, mut refused) = (Vec::new(), 0);
    for offer in offers {
        match offer.await.expect("no panic") {
            Ok(phone) => phones.push(phone),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::TenantFull { limit: 37 });
                refused += 1;
            }
        }
    }
    assert_eq!((phones.len(), refused), (37, 63));
    assert_eq!(world.supervision.counts().calls, 37);
    seconds(1).await;
    for phone in &phones {
        phone.hang_up(EndReason::CallerHungUp);
    }
    world.expect_nothing_left(&phones).await;
    let records = world.store.memory.calls(&tenant(), Page::first(200)).await.expect("read").rows;
    let busy = records.iter().filter(|record| record.sip_status == 486).count();
    // Only so many refusals are written per second.
    assert_eq!((records.len() - busy, busy), (37, 50));
    assert!(world.try_call(id(1_000), NUMBER).await.is_ok(), "there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_full_node_says_when_to_try_again() {
    let mut settings = Settings::default();
    settings.supervision.calls_max = 1;
    let world = World::with(20, settings).await;
    let phone = world.call(1).await;
    let refused = world.try_call(id(2), NUMBER).await.err();
    assert_eq!(refused, Some(Refusal::NodeFull { retry_after_s: 5 }));
    phone.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    assert_eq!(world.record(2).await.sip_status, 503);
    assert_eq!(world.record(2).await.outcome.expect("ended").reason, EndReason::Refused);
    assert!(world.try_call(id(3), NUMBER).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_number_that_nobody_has_is_refused_and_recorded() {
    let world = World::new().await;
    let refused = world.try_call(id(1), "+15550100").await.err();
    assert_eq!(refused, Some(Refusal::UnknownNumber));
    world.settle().await;
    let record = world.record(1).await;
    assert_eq!((record.sip_status, record.tenant), (404, TenantId::default()));
    assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::Refused));
}

#[tokio::test(start_paused = true)]
async fn without_its_store_a_node_answers_for_those_it_knows() {
    let world = World::new().await;
    world.store.be(Mood::Down);
    assert!(matches!(world.try_call(id(1), NUMBER).await, Err(Refusal::StoreAway { .. })), "not known yet");
    world.store.be(Mood::Up);
    let first = world.call(2).await;
    for (number, mood) in [(3, Mood::Down), (4, Mood::Silent)] {
        world.store.be(mood);
        seconds(10).await;
        world.call(number).await.hang_up(EndReason::CallerHungUp);
    }
    world.store.be(Mood::Up);
    first.hang_up(EndReason::CallerHungUp);
    world.settle().await;
    for number in [2, 3, 4] {
        assert_eq!(world.end_of(number).await, EndReason::CallerHungUp);
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_taken_from_a_business_is_noticed() {
    let world = World::new().await;
    world.call(1).await.hang_up(EndReason::CallerHungUp);
    let mut changed = business(2, 20);
    changed.numbers.clear();
    world.store.memory.put_business(&changed, Some(1)).await.expect("kept");
    seconds(3).await;
    assert_eq!(world.try_call(id(2), NUMBER).await.err(), Some(Refusal::UnknownNumber));
    world.settle().await;
}

#[tokio::test(start_paused = true)]
async fn draining_lets_nobody_in_and_stopping_says_goodbye() {
    let world = World::new().await;
    let (polite, deaf) = (world.call(1).await, world.call(2).await);
    seconds(5).await;
    world.supervision.drain();
    assert!(matches!(world.try_call(id(3), NUMBER).await, Err(Refusal::NodeFull { .. })));
    assert_eq!(world.supervision.counts().calls, 2, "those under way go on");
    deaf.go_deaf();
    let left = world.supervision.stop(Duration::from_secs(3)).await;
    assert_eq!((left.calls, left.tenants, left.unwritten), (0, 0, 0));
    assert!(world.mouth.spoken().contains(&"we are closing goodbye".to_owned()));
    for number in [1, 2] {
        assert_eq!(world.end_of(number).await, EndReason::NodeStopped);
    }
    assert_eq!(polite.heard().len(), 3, "the goodbye was heard");
    assert_eq!(deaf.count("hang_up"), 2, "asked, then told");
    assert!(matches!(world.try_call(id(4), NUMBER).await, Err(Refusal::NodeFull { .. })));
}

#[tokio::test(start_paused = true)]
async fn who_would_not_be_heard_is_not_answered() {
    let world = World::new().await;
    world.ears.keep(Places::Only(2));
    let (first, second) = (world.call(1).await, world.call(2).await);
    seconds(1).await;
    let refused = world.try_call(id(3), NUMBER).await.err();
    assert_eq!(refused, Some(Refusal::NodeFull { retry_after_s: 5 }));
    seconds(1).await;
    assert_eq!(world.record(3).await.sip_status, 503);
    assert_eq!((world.ears.kept(), world.ears.open()), (2, 2));
    let opened = world.ears.opened();
    world.ears.die();
    seconds(1).await;
    assert_eq!(world.ears.opened(), opened + 1, "heard again");
    assert_eq!((world.ears.kept(), world.ears.open()), (2, 2), "at the same place");
    first.hang_up(EndReason::CallerHungUp);
    seconds(1).await;
    assert_eq!(world.ears.kept(), 1, "its place is free when a call is over");
    let third = world.call(4).await;
    for phone in [&second, &third] {
        phone.hang_up(EndReason::CallerHungUp);
    }
    world.expect_nothing_left(&[first, second, third]).await;
    assert_eq!(world.ears.kept(), 0);
    assert_eq!(world.supervision.counts().calls, 0, "nor any place on the node");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_behind_or_silent_gets_no_more_callers() {
    let world = World::new().await;
    let full = Some(Refusal::NodeFull { retry_after_s: 5 });
    world.ears.keep(Places::Behind);
    assert_eq!(world.try_call(id(1), NUMBER).await.err(), full);
    world.ears.keep(Places::Silent);
    let asked = tokio::time::Instant::now();
    assert_eq!(world.try_call(id(2), NUMBER).await.err(), full);
    assert_eq!(asked.elapsed(), Duration::from_millis(1_500), "as long as the settings say");
    world.ears.answer();
    assert_eq!(world.ears.kept(), 0, "a place that comes too late goes back");
    world.ears.keep(Places::Endless);
    world.mouth.fill(true);
    assert_eq!(world.try_call(id(3), NUMBER).await.err(), full, "nobody would speak to them");
    world.mouth.fill(false);
    let phone = world.call(4).await;
    seconds(1).await;
    phone.hang_up(EndReason::CallerHungUp);
    world.expect_nothing_left(&[phone]).await;
    for number in 1..4 {
        assert_eq!(world.record(number).await.sip_status, 503);
    }
}
