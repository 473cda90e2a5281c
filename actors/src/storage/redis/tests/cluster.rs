//! A Redis Cluster of three masters with a replica each.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{LONG_MS, Make, PATIENCE, Server, call, connected, on_each_make, settings};
use crate::storage::coordination::conformance::{calls, checkpoints, hints, leases, places, rates};
use crate::storage::coordination::{Coordination, Settings};
use crate::types::TenantId;

on_each_make! {
    a_cluster_keeps_what_one_server_keeps,
    after_a_fail_over_in_a_cluster_commands_go_on,
}

fn servers(make: Make) -> Vec<Server> {
    let words =
        ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"];
    let servers: Vec<_> = (0..6).map(|_| Server::start_as(make, &words)).collect();
    let addresses: Vec<_> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port())).collect();
    let mut words = vec!["--cluster", "create"];
    words.extend(addresses.iter().map(String::as_str));
    words.extend(["--cluster-replicas", "1", "--cluster-yes"]);
    let made = make.say(&words);
    assert!(made.contains("All 16384 slots covered"), "{made}");
    let until = Instant::now() + PATIENCE;
    // A replica that never had what its master had does not take over.
    let together = |server: &Server| {
        let replication = server.say(&["info", "replication"]);
        let follows = replication.contains("role:master") || replication.contains("master_link_status:up");
        follows && server.say(&["cluster", "info"]).contains("cluster_state:ok")
    };
    while !servers.iter().all(together) {
        assert!(Instant::now() < until, "the cluster comes together");
        std::thread::sleep(Duration::from_millis(50));
    }
    servers
}

fn reached(servers: &[Server], prefix: &str) -> Settings {
    let url = format!(
        "redis-cluster://127.0.0.1:{}?node=127.0.0.1:{}&node=127.0.0.1:{}",
        servers[0].port(),
        servers[1].port(),
        servers[2].port()
    );
    Settings { prefix: prefix.to_owned(), ..settings(&url) }
}

async fn anew(servers: &[Server], prefix: &str) -> Arc<dyn Coordination> {
    connected(&reached(servers, prefix)).await
}

async fn a_cluster_keeps_what_one_server_keeps(make: Make) {
    let servers = servers(make);
    places::calls_under_way_are_counted_above_the_limit(anew(&servers, "a").await).await;
    places::of_sixty_four_at_once_exactly_the_limit_get_in(anew(&servers, "b").await).await;
    places::tenants_have_their_own_places(anew(&servers, "c").await).await;
    calls::another_node_s_call_stays_its_own(anew(&servers, "d").await).await;
    calls::a_node_s_calls_are_listed(anew(&servers, "e").await).await;
    calls::a_removed_call_is_gone_with_its_state(anew(&servers, "f").await).await;
    calls::a_dead_node_s_call_is_claimed_by_one(anew(&servers, "g").await).await;
    checkpoints::of_many_writers_the_newest_wins(anew(&servers, "h").await).await;
    leases::tokens_grow_from_holder_to_holder(anew(&servers, "i").await).await;
    leases::of_sixty_four_at_once_one_gets_it(anew(&servers, "j").await).await;
    rates::of_sixty_four_at_once_exactly_the_burst_is_allowed(anew(&servers, "k").await).await;
    rates::limits_are_apart(anew(&servers, "l").await).await;
    hints::everybody_who_listens_hears_it(anew(&servers, "m").await).await;
    let kept: Vec<usize> = servers
        .iter()
        .map(|server| server.say(&["dbsize"]).trim().trim_start_matches("(integer) ").parse().unwrap_or(0))
        .collect();
    println!("keys per server: {kept:?}");
    assert!(kept.iter().filter(|keys| **keys > 10).count() >= 3, "they are spread: {kept:?}");
}

/// Whether every one of these tenants' places, which lie all over the cluster, can be asked for.
async fn all_answer(shared: &dyn Coordination) -> bool {
    for number in 0..30_u32 {
        let tenant = TenantId::new(format!("tenant-{number}"));
        if shared.admit(&tenant, call(1), 10, LONG_MS).await.is_err() {
            return false;
        }
    }
    true
}

async fn after_a_fail_over_in_a_cluster_commands_go_on(make: Make) {
    let mut servers = servers(make);
    let shared = anew(&servers, "a").await;
    assert!(all_answer(shared.as_ref()).await);
    servers[0].kill();
    let killed = Instant::now();
    while !all_answer(shared.as_ref()).await {
        assert!(
            killed.elapsed() < PATIENCE * 2,
            "commands go on: {:?}\n{}",
            shared.check().await,
            servers[1].say(&["cluster", "nodes"])
        );
        sleep(Duration::from_millis(50)).await;
    }
    println!("all commands go on {:?} after a master's death", killed.elapsed());
}
