//! How many operations per second a coordination server and its client do, one after the other and many at once:
//! `cargo run --release -p actors --features redis --example coordination_bench -- redis://127.0.0.1:6379`.
#![allow(clippy::expect_used, reason = "an example says what it expects")]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actors::chance::Chance;
use actors::clock::Clock;
use actors::storage::coordination::{self, Coordination, LiveCall, NodeRun, Rate, Settings};
use actors::types::{CallId, TenantId};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

/// How long each figure is taken.
const FOR: Duration = Duration::from_secs(3);
/// Tasks that ask at once.
const AT_ONCE: usize = 64;
const LIFE_MS: u64 = 30_000;

type Shared = Arc<dyn Coordination>;

fn call(number: u128) -> CallId {
    CallId::new(uuid::Uuid::from_u128(number))
}

/// Operations per second of so many tasks.
async fn rate<Doing>(tasks: usize, act: impl Fn(u128) -> Doing + Clone + Send + 'static) -> f64
where
    Doing: Future<Output = bool> + Send,
{
    let began = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let act = act.clone();
            tokio::spawn(async move {
                let mut done = 0_u32;
                while began.elapsed() < FOR {
                    let number = (task as u128) << 64 | u128::from(done % 1_000);
                    assert!(act(number).await, "an operation failed");
                    done += 1;
                }
                f64::from(done)
            })
        })
        .collect();
    let mut done = 0.0;
    for task in running {
        done += task.await.expect("no panic");
    }
    done / began.elapsed().as_secs_f64()
}

async fn both<Doing>(name: &str, act: impl Fn(u128) -> Doing + Clone + Send + 'static)
where
    Doing: Future<Output = bool> + Send + 'static,
{
    let alone = rate(1, act.clone()).await;
    let many = rate(AT_ONCE, act).await;
    println!("{name:<16} {alone:>10.0}/s one at a time {many:>10.0}/s {AT_ONCE} at once");
}

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap_or_else(|| Settings::LOCAL.to_owned());
    let settings = Settings { url, prefix: "bench".to_owned(), ..Settings::default() };
    let shared: Shared = coordination::open(&settings, &Clock::system(), &Chance::system())
        .expect("settings that can be used");
    while shared.check().await.is_err() {
        sleep(Duration::from_millis(50)).await;
    }
    measure(&shared).await;
}

async fn measure(shared: &Shared) {
    let (tenant, node) = (TenantId::new("bench"), NodeRun::new("bench"));
    let its = || (Arc::clone(shared), tenant.clone(), node.clone());
    both("admit", {
        let (shared, tenant, _) = its();
        move |number| {
            let (shared, tenant) = (Arc::clone(&shared), tenant.clone());
            async move { shared.admit(&tenant, call(number), u32::MAX, LIFE_MS).await.is_ok() }
        }
    })
    .await;
    both("put_calls (1)", {
        let (shared, tenant, node) = its();
        move |number| {
            let shared = Arc::clone(&shared);
            let since = Timestamp::UNIX_EPOCH;
            let live = LiveCall { call: call(number), node: node.clone(), tenant: tenant.clone(), since };
            async move { shared.put_calls(&[live], LIFE_MS).await.is_ok() }
        }
    })
    .await;
    both("checkpoint 4 KB", {
        let (shared, _, _) = its();
        move |number| {
            let shared = Arc::clone(&shared);
            async move { shared.put_checkpoint(call(number), 1, &[7; 4_096], LIFE_MS).await.is_ok() }
        }
    })
    .await;
    both("renew", {
        let (shared, _, node) = its();
        move |_| {
            let (shared, node) = (Arc::clone(&shared), node.clone());
            async move { shared.renew("bench", &node, 1, LIFE_MS).await.is_ok() }
        }
    })
    .await;
    both("spend", {
        let (shared, _, _) = its();
        move |_| {
            let shared = Arc::clone(&shared);
            let rate = Rate { requests: 1_000_000, period_ms: 1_000, burst: 1_000 };
            async move { shared.spend("bench", rate).await.is_ok() }
        }
    })
    .await;
    both("publish", {
        let (shared, _, _) = its();
        move |_| {
            let shared = Arc::clone(&shared);
            async move { shared.publish("bench", b"hint").await.is_ok() }
        }
    })
    .await;
}
