//! A master with a replica and three sentinels, and its end.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    LONG_MS, Make, PATIENCE, Server, call, connected, node, on_each_make, settings, tenant, works_again,
};
use crate::storage::coordination::{Acquired, Admission, Lease};

on_each_make! {
    after_a_fail_over_by_sentinels_commands_go_on,
    a_server_that_becomes_a_replica_is_left_for_another,
}

async fn after_a_fail_over_by_sentinels_commands_go_on(make: Make) {
    let mut master = Server::start_as(make, &[]);
    let of = master.port().to_string();
    let replica = Server::start_as(make, &["--replicaof", "127.0.0.1", &of]);
    let file = format!(
        "sentinel monitor calls 127.0.0.1 {of} 2\n\
         sentinel down-after-milliseconds calls 500\nsentinel failover-timeout calls 3000\n"
    );
    let sentinels: Vec<_> = (0..3).map(|_| Server::start_with(make, &["--sentinel"], Some(&file))).collect();
    let until = Instant::now() + PATIENCE;
    // They find each other, and the replica, over the master.
    while !sentinels.iter().all(|sentinel| {
        let known = sentinel.say(&["sentinel", "master", "calls"]);
        let value =
            |name: &str| known.lines().skip_while(|line| *line != name).nth(1).unwrap_or_default().to_owned();
        (value("num-slaves"), value("num-other-sentinels")) == ("1".to_owned(), "2".to_owned())
    }) || !replica.say(&["info", "replication"]).contains("master_link_status:up")
    {
        assert!(Instant::now() < until, "the sentinels find everything");
        sleep(Duration::from_millis(100)).await;
    }
    let ports: Vec<_> = sentinels.iter().map(Server::port).collect();
    let url = format!(
        "redis-sentinel://127.0.0.1:{}?node=127.0.0.1:{}&node=127.0.0.1:{}&sentinelServiceName=calls",
        ports[0], ports[1], ports[2]
    );
    let shared = connected(&settings(&url)).await;
    let Ok(Acquired::Granted(Lease { token })) = shared.acquire("timer", &node("a"), LONG_MS).await else {
        panic!("it is free")
    };
    master.kill();
    let killed = Instant::now();
    let until = killed + PATIENCE;
    while shared.admit(&tenant(), call(2), 10, LONG_MS).await.is_err() {
        assert!(Instant::now() < until, "commands go on");
        sleep(Duration::from_millis(50)).await;
    }
    println!("commands go on {:?} after the master's death", killed.elapsed());
    works_again(&shared).await;
    assert!(replica.say(&["info", "replication"]).contains("role:master"));
    // Whether the replica had heard of the lease or not: who holds it next has a greater token.
    let released = shared.release("timer", &node("a"), token).await.expect("answers");
    println!("the lease was known to the replica: {released}");
    let Ok(Acquired::Granted(next)) = shared.acquire("timer", &node("b"), LONG_MS).await else {
        panic!("it is free")
    };
    assert!(next.token > token);
    let again = shared.admit(&tenant(), call(2), 10, LONG_MS).await;
    assert!(matches!(again, Ok(Admission::Granted { .. })), "{again:?}");
}

/// The old master comes back as a replica of the new one, while connections to it stand: what it refuses then must
/// lead to the new one.
async fn a_server_that_becomes_a_replica_is_left_for_another(make: Make) {
    let old = Server::start_as(make, &[]);
    let file = format!(
        "sentinel monitor calls 127.0.0.1 {} 1\nsentinel down-after-milliseconds calls 60000\n",
        old.port()
    );
    let sentinel = Server::start_with(make, &["--sentinel"], Some(&file));
    let url = format!("redis-sentinel://127.0.0.1:{}?sentinelServiceName=calls", sentinel.port());
    let shared = connected(&settings(&url)).await;
    let new = Server::start_as(make, &[]);
    let port = new.port().to_string();
    assert!(sentinel.say(&["sentinel", "remove", "calls"]).contains("OK"));
    assert!(sentinel.say(&["sentinel", "monitor", "calls", "127.0.0.1", &port, "1"]).contains("OK"));
    // No connection is closed by this.
    assert!(old.say(&["replicaof", "127.0.0.1", &port]).contains("OK"));
    works_again(&shared).await;
    shared.admit(&tenant(), call(1), 10, LONG_MS).await.expect("answers");
    assert!(new.say(&["keys", "*"]).contains("barbers"), "it is at the new one");
}
