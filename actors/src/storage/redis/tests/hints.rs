//! Hints while the server goes away and comes back.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Make, PATIENCE, Server, connected, on_each_make, opened, settings, works_again};
use crate::storage::coordination::{Coordination, Heard, Hints};

on_each_make! {
    hints_are_heard_again_after_a_restart_and_the_gap_is_told,
    hints_are_heard_although_listening_began_before_the_server_did,
    a_listening_connection_that_is_dead_and_quiet_is_made_anew,
}

/// Says it again and again until it is heard; gaps on the way are counted.
async fn heard(shared: &dyn Coordination, hints: &mut Hints, text: &[u8]) -> usize {
    let (until, mut gaps) = (Instant::now() + PATIENCE, 0);
    while Instant::now() < until {
        // While the server is away this fails.
        let _ = shared.publish("tenants", text).await;
        match timeout(Duration::from_millis(100), hints.next()).await {
            Ok(Some(Heard::Hint(hint))) if hint == text => return gaps,
            Ok(Some(Heard::Gap)) => gaps += 1,
            _ => {}
        }
    }
    panic!("not heard in {PATIENCE:?}");
}

async fn hints_are_heard_again_after_a_restart_and_the_gap_is_told(make: Make) {
    let mut server = Server::start_as(make, &[]);
    let shared = connected(&settings(&server.url())).await;
    let mut hints = shared.subscribe("tenants").await.expect("listens");
    heard(shared.as_ref(), &mut hints, b"before").await;
    server.kill();
    server.start_again();
    works_again(&shared).await;
    assert!(heard(shared.as_ref(), &mut hints, b"after").await > 0, "something may have been missed");
}

async fn hints_are_heard_although_listening_began_before_the_server_did(make: Make) {
    let mut server = Server::start_as(make, &[]);
    server.kill();
    let shared = opened(&settings(&server.url()));
    let mut hints = shared.subscribe("tenants").await.expect("listens");
    server.start_again();
    works_again(&shared).await;
    heard(shared.as_ref(), &mut hints, b"at last").await;
}

async fn a_listening_connection_that_is_dead_and_quiet_is_made_anew(make: Make) {
    let server = Server::start_as(make, &[]);
    let shared = connected(&settings(&server.url())).await;
    let mut hints = shared.subscribe("tenants").await.expect("listens");
    heard(shared.as_ref(), &mut hints, b"before").await;
    server.freeze();
    tokio::time::sleep(Duration::from_secs(4)).await;
    server.thaw();
    works_again(&shared).await;
    assert!(heard(shared.as_ref(), &mut hints, b"after").await > 0, "something may have been missed");
}
