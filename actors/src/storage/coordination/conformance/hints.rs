//! Hints.

use tokio::time::{Instant, timeout, timeout_at};

use super::*;
use crate::storage::coordination::{Heard, Hints};

/// How long a hint may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Long enough for a hint that should not come.
const SILENCE: Duration = Duration::from_millis(200);

fn hint(text: &str) -> Heard {
    Heard::Hint(text.as_bytes().to_vec())
}

async fn next(hints: &mut Hints) -> Heard {
    timeout(PATIENCE, hints.next()).await.expect("something is heard").expect("it goes on")
}

/// Waits until the connection that hints come by is made: until then nothing is heard, and a gap afterwards, one for
/// each server where there are several.
async fn settled(shared: &Shared) {
    let mut hints = shared.subscribe("settling").await.expect("listens");
    let until = Instant::now() + PATIENCE;
    let mut heard = false;
    loop {
        assert!(Instant::now() < until, "nothing is heard, or gaps have no end");
        shared.publish("settling", b"?").await.expect("said");
        let quiet = Instant::now() + SILENCE;
        while let Ok(told) = timeout_at(quiet, hints.next()).await {
            heard = told.expect("it goes on") != Heard::Gap;
        }
        if heard {
            return;
        }
    }
}

pub(in crate::storage) async fn everybody_who_listens_hears_it(shared: Shared) {
    settled(&shared).await;
    let mut first = shared.subscribe("tenants").await.expect("listens");
    let mut second = shared.subscribe("tenants").await.expect("listens");
    let mut other = shared.subscribe("voices").await.expect("listens");
    for text in ["barbers", "clinic"] {
        shared.publish("tenants", text.as_bytes()).await.expect("said");
    }
    for hints in [&mut first, &mut second] {
        assert_eq!(next(hints).await, hint("barbers"));
        assert_eq!(next(hints).await, hint("clinic"));
    }
    assert!(timeout(SILENCE, other.next()).await.is_err());
    drop(first);
    shared.publish("tenants", b"bakers").await.expect("said");
    assert_eq!(next(&mut second).await, hint("bakers"));
}

pub(in crate::storage) async fn who_comes_late_has_missed_it(shared: Shared) {
    settled(&shared).await;
    let mut early = shared.subscribe("tenants").await.expect("listens");
    shared.publish("tenants", b"one").await.expect("said");
    assert_eq!(next(&mut early).await, hint("one"));
    let mut late = shared.subscribe("tenants").await.expect("listens");
    shared.publish("tenants", b"two").await.expect("said");
    assert_eq!(next(&mut late).await, hint("two"));
}

pub(in crate::storage) async fn who_does_not_keep_up_hears_of_a_gap(shared: Shared) {
    settled(&shared).await;
    let mut slow = shared.subscribe("tenants").await.expect("listens");
    let mut quick = shared.subscribe("tenants").await.expect("listens");
    for number in 0..20_u8 {
        shared.publish("tenants", &[number]).await.expect("said");
        assert_eq!(next(&mut quick).await, Heard::Hint(vec![number]));
    }
    assert_eq!(next(&mut slow).await, Heard::Gap);
    for number in 0..8_u8 {
        assert_eq!(next(&mut slow).await, Heard::Hint(vec![number]), "eight of them waited");
    }
    assert!(timeout(SILENCE, slow.next()).await.is_err(), "the others are lost");
}

pub(in crate::storage) async fn nobody_has_to_listen(shared: Shared) {
    for text in [&b""[..], b"\0\xff", &[7; 10_000]] {
        assert_eq!(shared.publish("nobody", text).await, Ok(()));
    }
}

pub(in crate::storage) async fn it_works_and_says_so(shared: Shared) {
    for _ in 0..2 {
        assert_eq!(shared.check().await, Ok(()));
    }
}
