//! Several of our own nodes on one cluster, at once.

use super::*;
use crate::storage::conformance::{at, business, call, event, moved, number, written};
use crate::storage::{Occupied, Page};
use crate::types::BookingState;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_many_nodes_share_one_cassandra() {
    let ring = Ring::start(1);
    let settings = settings(&ring, "nodes");
    a_wrong_layout_is_refused(&settings).await;
    let (one, other) = (open(&settings).await, open(&settings).await);
    time_is_given_once_by_all_nodes(&one, &other).await;
    ends_are_exact_and_midnight_is_no_border(&one).await;
    a_number_is_given_once_by_all_nodes(&one, &other).await;
    an_abandoned_claim_is_taken_over(&settings).await;
    ownership_has_one_owner_per_epoch(&one, &other).await;
    what_is_written_late_changes_nothing(&one, &other).await;
    events_live_as_long_as_the_business_says(&one).await;
    nothing_is_given_up_while_a_session_is_made_anew(&one).await;
}

async fn open(settings: &Settings) -> Arc<Scylla> {
    Arc::new(Scylla::open(settings).await.expect("opened"))
}

async fn a_wrong_layout_is_refused(settings: &Settings) {
    let refused = Scylla::open(settings).await.expect_err("no tables").to_string();
    assert!(refused.contains("strowger store migrate"), "{refused}");
    let migrations: Vec<_> = (0..6)
        .map(|_| {
            let settings = settings.clone();
            tokio::spawn(async move { migrate(&settings).await })
        })
        .collect();
    for migration in migrations {
        assert_eq!(migration.await.expect("no panic"), Ok(()));
    }
    assert_eq!(migrate(settings).await, Ok(()), "again");
    let (session, _) = connect::session(settings).await.expect("connected");
    let note = |version: i32| {
        let text = format!("UPDATE nodes_lwt.layout SET version = {version} WHERE name = 'tables' IF EXISTS");
        session.query_unpaged(text, ())
    };
    note(schema::LAYOUT + 1).await.expect("noted");
    let refused = Scylla::open(settings).await.expect_err("too new").to_string();
    assert!(refused.contains("use a newer one"), "{refused}");
    assert!(migrate(settings).await.is_err());
    // A node that died before it noted its last step: the step is taken again.
    note(schema::LAYOUT - 1).await.expect("noted");
    assert!(Scylla::open(settings).await.is_err());
    migrate(settings).await.expect("migrated");
}

async fn time_is_given_once_by_all_nodes(one: &Arc<Scylla>, other: &Arc<Scylla>) {
    let tasks: Vec<_> = (0..32_u32)
        .map(|task| {
            let store = Arc::clone(if task % 2 == 0 { one } else { other });
            tokio::spawn(async move {
                let mut standing = Vec::new();
                for step in 0..4 {
                    let minute = i64::from((task * 37 + step * 101) % 240);
                    let (new, time) = booking(task * 100 + step, minute, 30);
                    match store.book(&new, &time, &key(&format!("{task}/{step}"))).await.expect("answered") {
                        BookingWrite::Written(booking) => standing.push(booking),
                        BookingWrite::Taken => {}
                        BookingWrite::Stale => panic!("nobody else changes it"),
                    }
                    if let Some(last) = standing.last_mut() {
                        let (new, time) = moved(last, i64::from((task * 53 + step * 29) % 240));
                        if let BookingWrite::Written(booking) = store
                            .rebook(&new, &time, &key(&format!("{task}/{step}/m")))
                            .await
                            .expect("answered")
                        {
                            *last = booking;
                        }
                    }
                }
                standing
            })
        })
        .collect();
    let mut standing: Vec<Booking> = Vec::new();
    for task in tasks {
        standing.extend(task.await.expect("no panic"));
    }
    let mut expected: Vec<Occupied> = standing.iter().map(crate::storage::conformance::time_of).collect();
    expected.sort_by_key(|span| span.from);
    let spans = one.occupied(&tenant("barbers"), &ResourceId::new("sam"), at(-9), at(999)).await;
    assert_eq!(spans, Ok(expected.clone()));
    assert!(!expected.is_empty() && expected.windows(2).all(|pair| pair[0].until <= pair[1].from));
    assert!(standing.iter().all(|booking| booking.state == BookingState::Confirmed));
}

/// Spans that are no multiple of anything touch and overlap by a nanosecond, over midnight.
async fn ends_are_exact_and_midnight_is_no_border(store: &Scylla) {
    let midnight: jiff::Timestamp = "2026-12-01T00:00:00Z".parse().expect("a time");
    let (nanosecond, hour) = (jiff::SignedDuration::from_nanos(1), jiff::SignedDuration::from_hours(1));
    let span = |id: u32, from, until| {
        let (mut new, mut time) = booking(id, 0, 30);
        (new.tenant, new.slot.start, new.slot.end) = (tenant("night"), from, until);
        (time.from, time.until) = (from, until);
        (new, time)
    };
    let odd = jiff::SignedDuration::from_nanos(1_234_567_891);
    for (id, from, until, is_free) in [
        (9_001, midnight - hour, midnight + odd, true),
        (9_002, midnight + odd - nanosecond, midnight + hour, false),
        (9_003, midnight + odd, midnight + hour, true),
        (9_004, midnight - hour - hour, midnight - hour + nanosecond, false),
        (9_005, midnight - hour - odd, midnight - hour, true),
        (9_006, midnight - hour * 48, midnight + hour * 48, false),
    ] {
        let (new, time) = span(id, from, until);
        let answer = store.book(&new, &time, &key(&id.to_string())).await.expect("answered");
        assert_eq!(matches!(answer, BookingWrite::Written(_)), is_free, "{id}: {answer:?}");
    }
}

async fn a_number_is_given_once_by_all_nodes(one: &Arc<Scylla>, other: &Arc<Scylla>) {
    for round in 0..8_u32 {
        let text = format!("70{round:02}");
        let tasks: Vec<_> = (0..6_u32)
            .map(|task| {
                let store = Arc::clone(if task % 2 == 0 { one } else { other });
                let name = format!("round-{round}-{task}");
                let wanted = business(&name, 1, &[&text, &format!("8{round:02}{task}")]);
                tokio::spawn(async move { (store.put_business(&wanted, None).await, wanted.id) })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tasks {
            match task.await.expect("no panic") {
                (Ok(()), id) => winners.push(id),
                (Err(error), _) => assert_eq!(error, Error::Conflict { what: "number" }),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(one.tenant_of(&number(&text)).await, Ok(winners.pop()));
    }
}

async fn an_abandoned_claim_is_taken_over(settings: &Settings) {
    let patient = open(settings).await;
    let hasty = open(&Settings { claim_ms: 0, ..settings.clone() }).await;
    let (ghost, next) = (business("ghost", 1, &["7900"]), business("next", 1, &["7900"]));
    // A node that died between its claim and its business, and one that has been slow since it read.
    let before = patient.decided(&ghost.id).await.expect("read");
    let claim = patient.claim(&ghost.id, &ghost.numbers[0]).await.expect("answered");
    assert!(claim.is_some());
    assert_eq!(patient.tenant_of(&number("7900")).await, Ok(None), "nobody lists it");
    assert_eq!(patient.put_business(&next, None).await, Err(Error::Conflict { what: "number" }));
    hasty.put_business(&next, None).await.expect("taken over");
    assert_eq!(patient.tenant_of(&number("7900")).await, Ok(Some(next.id.clone())));
    let after = patient.decided(&ghost.id).await.expect("read");
    assert!(after.fence > before.fence, "what the slow one compares has changed");
    assert_eq!(patient.put_business(&ghost, None).await, Err(Error::Conflict { what: "number" }));
    // A number that is in use is never taken, however old its claim.
    assert_eq!(hasty.put_business(&ghost, None).await, Err(Error::Conflict { what: "number" }));
    // One that is given up is free at once, and its old holder may have it back when it is given up again.
    patient.put_business(&business("next", 2, &[]), Some(1)).await.expect("written");
    assert_eq!(hasty.put_business(&ghost, None).await, Ok(()));
    assert_eq!(patient.tenant_of(&number("7900")).await, Ok(Some(ghost.id)));
}

async fn ownership_has_one_owner_per_epoch(one: &Arc<Scylla>, other: &Arc<Scylla>) {
    assert_eq!(one.owner("tenant", "barbers").await, Ok(None));
    let tasks: Vec<_> = (0..12_u32)
        .map(|task| {
            let store = Arc::clone(if task % 2 == 0 { one } else { other });
            tokio::spawn(
                async move { store.take_ownership("tenant", "barbers", &format!("node-{task}")).await },
            )
        })
        .collect();
    let mut owners = Vec::new();
    for answer in tasks {
        owners.push(answer.await.expect("no panic").expect("answered"));
    }
    owners.sort_by_key(|owner| owner.epoch);
    assert_eq!(owners.iter().map(|owner| owner.epoch).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
    assert_eq!(other.owner("tenant", "barbers").await, Ok(owners.pop()));
}

/// A process is frozen after it has looked at a call's row and before it writes it. Meanwhile the call is claimed
/// and closed. Its write is made then, with whatever time it may have: it changes nothing.
async fn what_is_written_late_changes_nothing(one: &Arc<Scylla>, other: &Arc<Scylla>) {
    use crate::storage::{Claim, ordered::encode};
    use crate::types::{CallRecord, Holder, Life};
    let (frozen, next) = (Life::new("london", "1"), Life::new("london", "2"));
    let began = one.cluster.clock.now();
    let mut record = call("barbers", 9_950, 0);
    (record.started_at, record.ended_at) = (began, None);
    record.held_by = Some(Holder::first(frozen.clone()));
    one.put_call(&record).await.expect("written");
    let claim = other.claim_call(record.id, Some(&frozen), &next).await.expect("answered");
    let Claim::Granted(mut closed) = claim else { panic!("{claim:?}") };
    closed.ended_at = Some(began);
    other.put_call(&closed).await.expect("written");
    let ended = CallRecord { ended_at: Some(began), summary: "Late.".into(), ..record.clone() };
    for late in [record, ended] {
        for days in [0, 1, 30] {
            let now = began + jiff::SignedDuration::from_hours(24 * days);
            let at = super::super::claims::time_of(&late, now, None);
            let value = encode("call", &late).expect("encodes");
            let values = (late.id.as_uuid(), late.tenant.as_str(), value);
            one.cluster.write(cql::Statement::PutCall, values, Some(at)).await.expect("written");
        }
    }
    assert_eq!(one.call(closed.id).await, Ok(Some(*closed)));
}

async fn events_live_as_long_as_the_business_says(store: &Scylla) {
    for (name, days, number) in [("brief", 1, 801), ("forever", 0, 802)] {
        let mut kept = business(name, 1, &[]);
        kept.policy.retention_days = days;
        store.put_business(&kept, None).await.expect("written");
        let record = call(name, number, 0);
        store.put_call(&record).await.expect("written");
        store.append_events(record.id, &[event(0, "one")]).await.expect("appended");
        store.append_events(record.id, &[event(1, "two"), event(2, "three")]).await.expect("appended");
        let text = "SELECT TTL(value) FROM nodes_data.call_events WHERE call = ?";
        let live = store.cluster.live.load_full();
        let answer = live.session.query_unpaged(text, (record.id.as_uuid(),)).await.expect("read");
        let rows = answer.into_rows_result().expect("rows");
        let ttls: Vec<Option<i32>> =
            rows.rows::<(Option<i32>,)>().expect("typed").map(|row| row.expect("a row").0).collect();
        assert_eq!(ttls.len(), 3);
        for ttl in ttls {
            let is_right = if days == 0 {
                ttl.is_none()
            } else {
                ttl.is_some_and(|ttl| (172_000..=172_800).contains(&ttl))
            };
            assert!(is_right, "{name}: {ttl:?}");
        }
    }
}

async fn nothing_is_given_up_while_a_session_is_made_anew(store: &Arc<Scylla>) {
    let before = store.calls(&tenant("brief"), Page::first(5)).await;
    let anew = super::connect::Live::open(&store.cluster.settings).await.expect("opened");
    store.cluster.live.store(Arc::new(anew));
    assert_eq!(store.calls(&tenant("brief"), Page::first(5)).await, before);
    let (late, time) = booking(9_900, 9_000, 30);
    written(store.book(&late, &time, &key("late")).await.expect("answered"));
}
