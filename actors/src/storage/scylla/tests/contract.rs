//! The whole contract, case by case, each in the emptied keyspaces of one server.

use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;

use super::*;
use crate::storage::conformance::{Store, conformance};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_cassandra_passes_the_conformance_suite() {
    let ring = Ring::start(1);
    let mut failed = Vec::new();
    let mut number = 0;
    let mut run = Runner { ring: &ring, failed: &mut failed, number: &mut number };
    macro_rules! one {
        ($name:expr, $case:path) => {
            run.case($name, $case)
        };
    }
    conformance!(in_turn one);
    assert!(number >= 40, "{number} cases were run");
    assert!(failed.is_empty(), "failed: {failed:?}\n{}", ring.log(0));
}

struct Runner<'r> {
    ring: &'r Ring,
    failed: &'r mut Vec<&'static str>,
    number: &'r mut u32,
}

impl Runner<'_> {
    async fn case<F>(&mut self, name: &'static str, case: fn(Store) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        *self.number += 1;
        let began = Instant::now();
        let settings = settings(self.ring, "contract");
        let store: Store = Arc::new(store(&settings).await);
        empty(&settings).await;
        let made = began.elapsed();
        let ended = tokio::spawn(case(store)).await;
        println!(
            "{name}: {} in {:?}, made in {made:?}",
            if ended.is_ok() { "passes" } else { "FAILS" },
            began.elapsed()
        );
        if ended.is_err() {
            self.failed.push(name);
        }
    }
}
