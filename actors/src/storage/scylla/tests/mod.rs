//! The store against real Apache Cassandra.

mod backing_up;
#[path = "../../../../tests/cassandra/mod.rs"]
mod cassandra;
mod connection;
mod contract;
mod erasing;
mod examine;
mod nodes;
mod proxy;
mod ring;
mod security;
mod stalls;
mod users;

use std::sync::Arc;
use std::time::Duration;

use cassandra::Ring;
use scylla::value::{CqlValue, Row};
use tokio::time::Instant;

use super::{Scylla, Settings, connect, cql, migrate, schema};
use crate::storage::conformance::{booking, key, tenant};
use crate::storage::{BookingWrite, Error, Storage};
use crate::types::{Booking, ResourceId};

/// Settings for a ring; deadlines for a machine that runs the ring as well.
fn settings(ring: &Ring, prefix: &str) -> Settings {
    Settings {
        contact_points: ring.contact_points(),
        keyspace_prefix: prefix.to_owned(),
        copies: u32::try_from(ring.contact_points().len()).expect("few"),
        call_path_ms: 3_000,
        call_path_total_ms: 10_000,
        total_ms: 30_000,
        settle_ms: 4_000,
        lwt_ms: 5_000,
        ..Settings::default()
    }
}

async fn store(settings: &Settings) -> Scylla {
    migrate(settings).await.expect("migrated");
    Scylla::open(settings).await.expect("opened")
}

/// Takes everything out of all tables.
async fn empty(settings: &Settings) {
    let (session, _) = connect::session(settings).await.expect("connected");
    for step in schema::STEPS {
        let name = step.trim_start_matches("CREATE TABLE IF NOT EXISTS ").split(' ').next().expect("a name");
        let name = cql::in_keyspaces(name, &settings.keyspace_prefix);
        let some = session.query_unpaged(format!("SELECT * FROM {name} LIMIT 1"), ()).await.expect("read");
        // What was deleted of a call would hide another test's call that has its identity and began earlier.
        let hides = name.ends_with("calls") || name.contains("calls_by");
        let hides = hides || name.ends_with("buckets") || name.ends_with("checkpoints");
        if hides || some.into_rows_result().expect("rows").rows_num() > 0 {
            session.query_unpaged(format!("TRUNCATE {name}"), ()).await.expect("emptied");
        }
    }
}

/// Every row of every table.
pub(super) async fn everything(store: &Scylla) -> crate::storage::Everything {
    let mut everything = crate::storage::Everything::default();
    let live = store.cluster.live.load_full();
    for step in schema::STEPS {
        let name = step.trim_start_matches("CREATE TABLE IF NOT EXISTS ").split(' ').next().expect("a name");
        // These hold nothing of a call that is over and was not erased.
        if !["open_calls", "open_days", "removals", "probes", "owners"]
            .iter()
            .any(|other| name.ends_with(other))
        {
            everything.tables.push(name.to_owned());
        }
        let table = cql::in_keyspaces(name, &store.cluster.settings.keyspace_prefix);
        let answer = live.session.query_unpaged(format!("SELECT * FROM {table}"), ()).await.expect("read");
        let rows = answer.into_rows_result().expect("rows");
        for row in rows.rows::<Row>().expect("typed") {
            let mut bytes = Vec::new();
            for column in row.expect("a row").columns.into_iter().flatten() {
                match column {
                    CqlValue::Text(text) => bytes.extend(text.into_bytes()),
                    CqlValue::Blob(blob) => bytes.extend(blob),
                    CqlValue::Uuid(uuid) => bytes.extend(uuid.as_bytes()),
                    _ => {}
                }
                bytes.push(b' ');
            }
            everything.rows.push((name.to_owned(), bytes));
        }
    }
    everything
}

/// The appointment of a number; those of different numbers do not overlap.
fn appointment(number: u32) -> (Booking, crate::storage::Occupied) {
    booking(number, i64::from(number) * 60, 30)
}

/// Books with one key until it is known to be booked: how often it was asked.
async fn book_for_sure(store: &Scylla, number: u32) -> u32 {
    let (new, time) = appointment(number);
    for asked in 1..=600 {
        match store.book(&new, &time, &key(&format!("{number}/0"))).await {
            Ok(BookingWrite::Written(written)) => {
                assert_eq!(written, new);
                return asked;
            }
            Ok(other) => panic!("{number}: {other:?}"),
            Err(Error::Unavailable { .. } | Error::Unknown { .. }) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{number}: {error}"),
        }
    }
    panic!("{number} was not booked")
}

/// These appointments stand, each once, and nothing else takes time.
async fn check_booked(store: &Scylla, numbers: impl Iterator<Item = u32>) {
    let mut expected = Vec::new();
    for number in numbers {
        let (new, time) = appointment(number);
        assert_eq!(store.booking(&new.tenant, new.id).await, Ok(Some(new)));
        expected.push(time);
    }
    let (from, until) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
    let spans = store.occupied(&tenant("barbers"), &ResourceId::new("sam"), from, until).await;
    expected.sort_by_key(|span| span.from);
    assert_eq!(spans, Ok(expected));
}

/// What an act came to, and that it came within its time.
async fn within<T>(most: Duration, act: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let answer = tokio::time::timeout(most * 4, act).await.expect("an answer");
    assert!(began.elapsed() <= most, "{:?}, at most {most:?}", began.elapsed());
    answer
}

fn in_trouble<T: std::fmt::Debug>(answer: Result<T, Error>) {
    assert!(matches!(answer, Err(Error::Unavailable { .. } | Error::Unknown { .. })), "{answer:?}");
}

/// Tries until the store works again.
async fn recovered(store: &Arc<Scylla>, most: Duration) -> Duration {
    let began = Instant::now();
    while let Err(error) = store.check().await {
        assert!(began.elapsed() < most, "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    began.elapsed()
}
