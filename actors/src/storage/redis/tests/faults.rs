//! One server in trouble: every answer comes in time, says what is known, and all is well again after it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    LONG_MS, Make, PATIENCE, Proxy, Server, call, connected, node, on_each_make, opened, settings, tenant,
    works_again,
};
use crate::clock::Clock;
use crate::storage::coordination::{
    Acquired, Admission, Coordination, Error, Lease, Rate, RateLimiter, Settings, Spent, WhenAway,
};

on_each_make! {
    a_server_that_stands_still_answers_in_time_as_unknown,
    a_server_restarted_empty_is_used_on_and_tokens_still_grow,
    scripts_are_given_again_to_a_server_that_forgot_them,
    a_line_cut_every_50_ms_counts_nothing_twice,
    a_slow_line_is_waited_for_up_to_the_deadline,
    a_server_out_of_memory_changes_nothing_and_says_so,
    a_server_whose_disk_takes_nothing_changes_nothing_and_says_so,
    a_server_that_comes_late_is_found,
    a_password_opens_and_a_wrong_one_does_not,
    more_than_may_be_under_way_fails_at_once,
    rate_limits_hold_per_node_while_the_server_is_away,
}

/// More than the deadline of the settings, and less than anybody would wait.
const IN_TIME: Duration = Duration::from_millis(1_500);

/// Asks for something that changes nothing twice, and for something that would.
async fn both(shared: &dyn Coordination) -> (Result<Admission, Error>, Result<Spent, Error>) {
    let began = Instant::now();
    let rate = Rate { requests: 1, period_ms: 1_000, burst: 1_000 };
    let tenant = tenant();
    let answers = tokio::join!(shared.admit(&tenant, call(1), 10, LONG_MS), shared.spend("texts", rate));
    assert!(began.elapsed() < IN_TIME, "after {:?}: {answers:?}", began.elapsed());
    answers
}

fn failed<T>(answer: &Result<T, Error>, kinds: &[&str]) -> bool {
    answer.as_ref().is_err_and(|error| kinds.contains(&error.kind()))
}

async fn a_server_that_stands_still_answers_in_time_as_unknown(make: Make) {
    let server = Server::start_as(make, &[]);
    let shared = connected(&settings(&server.url())).await;
    server.freeze();
    let (first, spent) = both(shared.as_ref()).await;
    assert!(failed(&first, &["unknown"]) && failed(&spent, &["unknown"]), "{first:?} {spent:?}");
    // Once the connection counts as dead nothing is even sent.
    let until = Instant::now() + PATIENCE;
    while !failed(&both(shared.as_ref()).await.1, &["unavailable"]) {
        assert!(Instant::now() < until, "it is still taken for alive");
    }
    let began = Instant::now();
    assert!(failed(&both(shared.as_ref()).await.0, &["unavailable"]));
    assert!(began.elapsed() < Duration::from_millis(300), "without a wait: {:?}", began.elapsed());
    server.thaw();
    let thawed = Instant::now();
    works_again(&shared).await;
    println!("works {:?} after it goes on", thawed.elapsed());
    // Whether it was done is truly unknown; asked for again, it is done once.
    let again = shared.admit(&tenant(), call(1), 10, LONG_MS).await;
    assert_eq!(again, Ok(Admission::Granted { in_use: 1 }));
}

async fn a_server_restarted_empty_is_used_on_and_tokens_still_grow(make: Make) {
    let mut server = Server::start_as(make, &[]);
    let shared = connected(&settings(&server.url())).await;
    let mut last = 0;
    for round in 0..3 {
        let owner = node(&round.to_string());
        let Ok(Acquired::Granted(Lease { token })) = shared.acquire("timer", &owner, LONG_MS).await else {
            panic!("it is empty")
        };
        assert!(token > last, "{token} after {last}");
        last = token;
        assert_eq!(shared.admit(&tenant(), call(1), 1, LONG_MS).await, Ok(Admission::Granted { in_use: 1 }));
        server.kill();
        let (first, spent) = both(shared.as_ref()).await;
        assert!(failed(&first, &["unavailable", "unknown"]), "{first:?}");
        assert!(failed(&spent, &["unavailable", "unknown"]), "{spent:?}");
        server.start_again();
        works_again(&shared).await;
        assert_eq!(shared.places_taken(&tenant()).await, Ok(0), "it is empty");
        shared.hold_places(&tenant(), &[call(1)], LONG_MS).await.expect("told again");
        assert_eq!(shared.renew("timer", &owner, token, LONG_MS).await, Ok(false), "the lease is lost");
        shared.leave(&tenant(), call(1)).await.expect("left");
    }
}

async fn scripts_are_given_again_to_a_server_that_forgot_them(make: Make) {
    let server = Server::start_as(make, &[]);
    let shared = connected(&settings(&server.url())).await;
    let rate = Rate { requests: 1, period_ms: 60_000, burst: 3 };
    for left in [2, 1, 0] {
        assert!(server.say(&["script", "flush"]).contains("OK"));
        // It counts once, although it is sent twice.
        assert_eq!(shared.spend("texts", rate).await, Ok(Spent::Allowed { left }));
    }
}

/// How many requests a limit has counted, by what it keeps.
fn counted(server: &Server, rate: Rate, now_us: u64) -> u64 {
    let kept = server.say(&["get", "strowger:{limit:texts}:empty_us"]);
    let empty_us: u64 = kept.trim().parse().unwrap_or_else(|_| panic!("{kept}"));
    let interval = rate.interval_us();
    (empty_us - now_us + interval / 2) / interval
}

async fn a_line_cut_every_50_ms_counts_nothing_twice(make: Make) {
    let server = Server::start_as(make, &[]);
    let proxy = Proxy::start(server.port());
    let shared = connected(&settings(&proxy.url())).await;
    let rate = Rate { requests: 1, period_ms: 1_000_000, burst: 4_000_000 };
    let began_us = u64::try_from(jiff_now_us()).expect("after 1970");
    let cutting = proxy.cut_every(Duration::from_millis(50));
    let until = Instant::now() + Duration::from_secs(5);
    let tasks: Vec<_> = (0..16_u128)
        .map(|task| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let mut spent = BTreeMap::<&str, u64>::new();
                let mut granted = Vec::new();
                for round in 0.. {
                    if Instant::now() > until {
                        break;
                    }
                    let answer = shared.spend("texts", rate).await;
                    *spent.entry(answer.as_ref().map_or_else(Error::kind, |_| "ok")).or_default() += 1;
                    let call = call(task * 1_000_000 + round);
                    if let Ok(Admission::Granted { .. }) =
                        shared.admit(&tenant(), call, 1_000_000, LONG_MS).await
                    {
                        granted.push(call);
                    }
                    if answer.is_err() {
                        sleep(Duration::from_millis(5)).await;
                    }
                }
                (spent, granted)
            })
        })
        .collect();
    let (mut spent, mut granted) = (BTreeMap::<&str, u64>::new(), Vec::new());
    for task in tasks {
        let (its, calls) = task.await.expect("no panic");
        its.into_iter().for_each(|(kind, count)| *spent.entry(kind).or_default() += count);
        granted.extend(calls);
    }
    drop(cutting);
    works_again(&shared).await;
    let (allowed, unknown) =
        (spent.get("ok").copied().unwrap_or(0), spent.get("unknown").copied().unwrap_or(0));
    let counted = counted(&server, rate, began_us);
    println!("{} cuts; spent: {spent:?}; counted: {counted}; admitted: {}", proxy.cuts(), granted.len());
    assert!(proxy.cuts() > 20 && unknown > 0 && allowed > 100, "the line was cut under way: {spent:?}");
    assert!((allowed..=allowed + unknown).contains(&counted), "{counted} were counted: {spent:?}");
    assert!(!spent.contains_key("refused"), "{spent:?}");
    let taken = shared.places_taken(&tenant()).await.expect("answers");
    assert!(taken as usize >= granted.len(), "{taken} of {} that were promised", granted.len());
}

fn jiff_now_us() -> i64 {
    Clock::system().now().as_microsecond()
}

async fn a_slow_line_is_waited_for_up_to_the_deadline(make: Make) {
    let server = Server::start_as(make, &[]);
    let proxy = Proxy::start(server.port());
    let shared = connected(&settings(&proxy.url())).await;
    proxy.delay_ms(40);
    let (first, spent) = both(shared.as_ref()).await;
    assert!(first.is_ok() && spent.is_ok(), "{first:?} {spent:?}");
    proxy.delay_ms(700);
    let (first, spent) = both(shared.as_ref()).await;
    assert!(failed(&first, &["unknown"]) && failed(&spent, &["unknown"]), "{first:?} {spent:?}");
    proxy.delay_ms(0);
    works_again(&shared).await;
}

async fn a_server_out_of_memory_changes_nothing_and_says_so(make: Make) {
    let server = Server::start_as(make, &["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"]);
    let shared = connected(&settings(&server.url())).await;
    shared.admit(&tenant(), call(1), 10, LONG_MS).await.expect("there is room");
    assert!(server.say(&["config", "set", "maxmemory", "1"]).contains("OK"));
    // A script that has removed something may add something again: whoever asks for a place gets one.
    let (first, spent) = both(shared.as_ref()).await;
    assert!(first.is_ok() && failed(&spent, &["unavailable"]), "{first:?} {spent:?}");
    let written = shared.put_checkpoint(call(1), 1, b"state", LONG_MS).await;
    assert!(failed(&written, &["unavailable"]), "{written:?}");
    assert_eq!(shared.places_taken(&tenant()).await, Ok(1), "it is read all the same");
    assert_eq!(shared.leave(&tenant(), call(1)).await, Ok(()), "and forgets");
    assert!(server.say(&["config", "set", "maxmemory", "0"]).contains("OK"));
    works_again(&shared).await;
}

async fn a_server_whose_disk_takes_nothing_changes_nothing_and_says_so(make: Make) {
    let words = ["--save", "3600 1", "--appendonly", "no", "--stop-writes-on-bgsave-error", "yes"];
    let server = Server::start_with(make, &words, None);
    let shared = connected(&settings(&server.url())).await;
    shared.admit(&tenant(), call(1), 10, LONG_MS).await.expect("there is room");
    std::fs::remove_dir_all(server.folder()).expect("its folder goes");
    server.say(&["bgsave"]);
    let until = Instant::now() + PATIENCE;
    while !server.say(&["info", "persistence"]).contains("rdb_last_bgsave_status:err") {
        assert!(Instant::now() < until, "saving fails");
        sleep(Duration::from_millis(20)).await;
    }
    let (first, spent) = both(shared.as_ref()).await;
    assert!(failed(&first, &["unavailable"]) && failed(&spent, &["unavailable"]), "{first:?} {spent:?}");
    assert_eq!(shared.places_taken(&tenant()).await, Ok(1), "it is read all the same");
    std::fs::create_dir(server.folder()).expect("its folder is back");
    server.say(&["config", "set", "stop-writes-on-bgsave-error", "no"]);
    works_again(&shared).await;
}

async fn a_server_that_comes_late_is_found(make: Make) {
    let mut server = Server::start_as(make, &[]);
    server.kill();
    let shared = opened(&settings(&server.url()));
    let (first, spent) = both(shared.as_ref()).await;
    assert!(failed(&first, &["unavailable"]) && failed(&spent, &["unavailable"]), "{first:?} {spent:?}");
    sleep(Duration::from_secs(6)).await;
    // By now the client has been made anew as well.
    server.start_again();
    works_again(&shared).await;
}

async fn a_password_opens_and_a_wrong_one_does_not(make: Make) {
    let server = Server::start_as(make, &["--requirepass", "sesame"]);
    let right = Settings { password: "sesame".into(), ..settings(&server.url()) };
    let wrong = Settings { password: "hunter2".into(), ..settings(&server.url()) };
    assert_eq!(connected(&right).await.check().await, Ok(()));
    let shared = opened(&wrong);
    sleep(Duration::from_millis(300)).await;
    let answer = shared.check().await;
    assert!(answer.is_err_and(|error| !error.to_string().contains("hunter2")));
}

async fn more_than_may_be_under_way_fails_at_once(make: Make) {
    let server = Server::start_as(make, &[]);
    let few = Settings { in_flight_max: 8, ..settings(&server.url()) };
    let shared = connected(&few).await;
    server.freeze();
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let began = Instant::now();
                let answer = shared.admit(&tenant(), call(number), 10, LONG_MS).await;
                (failed(&answer, &["unavailable"]), began.elapsed())
            })
        })
        .collect();
    let mut at_once = 0;
    for task in tasks {
        let (refused, took) = task.await.expect("no panic");
        at_once += usize::from(refused && took < Duration::from_millis(100));
    }
    assert_eq!(at_once, 42);
    server.thaw();
    works_again(&shared).await;
}

async fn rate_limits_hold_per_node_while_the_server_is_away(make: Make) {
    let server = Server::start_as(make, &[]);
    let rate = Rate { requests: 1, period_ms: 60_000, burst: 3 };
    let shared = connected(&settings(&server.url())).await;
    let nodes: Vec<_> = (0..2).map(|_| RateLimiter::new(Arc::clone(&shared), Clock::system(), 100)).collect();
    // Together they have what one has.
    for (which, left) in [(0, 2), (1, 1), (0, 0)] {
        let spent = nodes[which].spend("logins", rate, WhenAway::Refuse).await;
        assert_eq!(spent, Ok(Spent::Allowed { left }));
    }
    assert!(matches!(nodes[1].spend("logins", rate, WhenAway::Refuse).await, Ok(Spent::Limited { .. })));
    server.freeze();
    let login = nodes[0].spend("logins", rate, WhenAway::Refuse).await;
    assert!(login.is_err(), "closed: {login:?}");
    for node in &nodes {
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(node.spend("calls", rate, WhenAway::CountAlone).await);
        }
        let allowed = answers.iter().filter(|answer| matches!(answer, Ok(Spent::Allowed { .. }))).count();
        assert_eq!(allowed, 3, "each node by itself: {answers:?}");
        assert!(matches!(answers.last(), Some(Ok(Spent::Limited { .. }))), "{answers:?}");
    }
    server.thaw();
}
