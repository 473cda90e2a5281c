//! A real server of every kind, in every kind of trouble.

mod cluster;
mod faults;
mod hints;
mod peer_redis;
mod peer_valkey;
mod proxy;
mod sentinel;
mod server;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Redis;
use crate::chance::Chance;
use crate::storage::coordination::{Coordination, NodeRun, Settings};
use crate::types::{CallId, TenantId};
use proxy::Proxy;
use server::{Make, Server};

/// One test of each case with a server of each make.
macro_rules! on_each_make {
    ($($case:ident),+ $(,)?) => {
        $crate::storage::redis::tests::on_each_make!(@ peer_redis Redis $($case)+);
        $crate::storage::redis::tests::on_each_make!(@ peer_valkey Valkey $($case)+);
    };
    (@ $module:ident $make:ident $($case:ident)+) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    super::$case($crate::storage::redis::tests::Make::$make).await;
                }
            )+
        }
    };
}
use on_each_make;

/// How long anything may take to come back.
const PATIENCE: Duration = Duration::from_secs(15);
/// A life long enough for any test.
const LONG_MS: u64 = 60_000;

fn settings(url: &str) -> Settings {
    Settings { url: url.to_owned(), checkpoint_bytes_max: 1_000, hints_waiting_max: 8, ..Settings::default() }
}

fn opened(settings: &Settings) -> Arc<dyn Coordination> {
    Arc::new(Redis::open(settings, Chance::system()).expect("settings that can be used"))
}

/// What is shared once the server answers.
async fn connected(settings: &Settings) -> Arc<dyn Coordination> {
    let shared = opened(settings);
    works_again(&shared).await;
    shared
}

async fn works_again(shared: &Arc<dyn Coordination>) {
    let until = Instant::now() + PATIENCE;
    loop {
        match shared.check().await {
            Ok(()) => return,
            Err(error) if Instant::now() > until => panic!("{error}"),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

fn tenant() -> TenantId {
    TenantId::new("barbers")
}

fn call(number: u128) -> CallId {
    CallId::new(uuid::Uuid::from_u128(number))
}

fn node(name: &str) -> NodeRun {
    NodeRun::new(name)
}
