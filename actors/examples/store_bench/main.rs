//! The store through its interface beside the raw driver, in one run: durable writes of calls, each as it begins and
//! as it ends, then the two listings that a dashboard reads, at 150,000 calls.
//!
//! `cargo run --release -p actors --example store_bench -- [URL] [CALLS] [WRITES] [WRITERS] [ROUNDS]`. `URL` names the
//! backend: `redb:FOLDER` (the default, in the temporary folder); with `--features scylla` also `scylla:start`, which
//! starts an Apache Cassandra as the tests do, and `scylla://HOST:PORT/PREFIX`, a cluster where it makes the keyspaces
//! of `PREFIX`, `PREFIX_raw` and `PREFIX_ordered` and leaves them. `CALLS` in all, of which each arm writes `WRITES` in
//! each of `ROUNDS`, by `WRITERS` at once. Prints figures; asserts none.
//!
//! The driver by itself is measured in two ways: all rows of a call at once, and in the order that a crash needs, as
//! the interface writes them. The first says what safety costs, the second what this program's code costs.

mod backend;
#[cfg(feature = "scylla")]
#[path = "../../tests/cassandra/mod.rs"]
#[allow(clippy::expect_used, clippy::panic, reason = "where it can't be started nothing can be measured")]
mod cassandra;
mod measure;
mod raw;

use std::sync::Arc;

use actors::storage::{Page, Storage};
use actors::types::{
    Attestation, CallId, CallQuality, CallRecord, CallResult, EndReason, Heading, Holder, Life, Outcome,
    PhoneNumber, Private, TenantId, TurnLatency,
};
use jiff::{SignedDuration, Timestamp};

use backend::Backend;
use measure::{Took, load_average, median, resident_kib};
use raw::Raw;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Businesses that share the calls.
const TENANTS: u64 = 16;
/// Callers of each.
const CALLERS: u64 = 1_000;
/// How often each listing is read.
const READS: u64 = 2_000;
/// The goal: at most so many times slower than the raw driver.
const GOAL: f64 = 1.3;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let temporary = || format!("redb:{}", std::env::temp_dir().display());
    let url = arguments.next().unwrap_or_else(temporary);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (calls, writes) = (number(150_000)?, number(20_000)?);
    let (writers, rounds) = (number(256)?, number(2)?);
    let backend = Backend::open(&url).await?;
    let called = PhoneNumber::parse("1000").ok_or("no number")?;
    println!("{:<28} {:>9} KiB", "memory at the start", resident_kib(None)?);
    let (mut at_once, mut in_order) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let took = round_of(&backend, &called, (writers, writes, round)).await?;
        at_once.push(took.at_once.per_second() / took.interface.per_second());
        in_order.extend(took.in_order.map(|alone| alone.per_second() / took.interface.per_second()));
    }
    print_ratio("slower than all at once", at_once);
    if !in_order.is_empty() {
        print_ratio("slower than in order", in_order);
    }
    println!("{:<28} {:>9}", "load average", load_average()?);
    let filled = write(&backend, &called, writers, rounds * writes..calls.max(rounds * writes)).await?;
    filled.print("writes up to all calls");
    read(&backend.storage).await?;
    println!("{:<28} {:>9} KiB, {calls} calls", "memory", resident_kib(None)?);
    if let Some(server) = backend.server() {
        println!("{:<28} {:>9} KiB", "memory of the server", resident_kib(Some(server))?);
    }
    backend.close()
}

/// What each arm took in a round.
struct Round {
    at_once: Took,
    in_order: Option<Took>,
    interface: Took,
}

/// All arms in turn: what else the machine does meets each. They change places from round to round, so that what one
/// leaves to the server to do does not always meet the same.
async fn round_of(
    backend: &Backend,
    called: &PhoneNumber,
    (writers, writes, round): (u64, u64, u64),
) -> Result<Round, Failure> {
    let numbers = round * writes..(round + 1) * writes;
    let (mut at_once, mut in_order, mut interface) = (None, None, None);
    for turn in 0..3 {
        match (round + turn) % 3 {
            0 => at_once = Some(write_raw(&backend.raw, called, writers, numbers.clone()).await?),
            1 => {
                if let Some(raw) = &backend.in_order {
                    in_order = Some(write_raw(raw, called, writers, numbers.clone()).await?);
                }
            }
            _ => interface = Some(write(backend, called, writers, numbers.clone()).await?),
        }
    }
    let missing = "an arm was left out";
    let took = Round { at_once: at_once.ok_or(missing)?, in_order, interface: interface.ok_or(missing)? };
    took.at_once.print("writes, raw, all at once");
    if let Some(in_order) = &took.in_order {
        in_order.print("writes, raw, in order");
    }
    took.interface.print("writes, interface");
    Ok(took)
}

fn print_ratio(name: &str, figures: Vec<f64>) {
    let rounds = figures.len();
    println!("{name:<28} {:>9.2} times (median of {rounds}, goal {GOAL})", median(figures));
}

/// Writes the calls of these numbers by the driver alone.
async fn write_raw(
    raw: &Arc<dyn Raw>,
    called: &PhoneNumber,
    writers: u64,
    numbers: std::ops::Range<u64>,
) -> Result<Took, Failure> {
    let (raw, called) = (Arc::clone(raw), called.clone());
    Took::of(writers, numbers.end - numbers.start, move |at| {
        let (raw, record) = (Arc::clone(&raw), record(&called, numbers.start + at));
        async move {
            raw.begin(&opened(&record)).await?;
            raw.end(&record).await
        }
    })
    .await
}

/// Writes the calls of these numbers through the interface.
async fn write(
    backend: &Backend,
    called: &PhoneNumber,
    writers: u64,
    numbers: std::ops::Range<u64>,
) -> Result<Took, Failure> {
    let (storage, called) = (Arc::clone(&backend.storage), called.clone());
    Took::of(writers, numbers.end - numbers.start, move |at| {
        let (storage, record) = (Arc::clone(&storage), record(&called, numbers.start + at));
        async move {
            storage.begin_call(&opened(&record)).await?;
            Ok(storage.put_call(&record).await?)
        }
    })
    .await
}

/// Reads a business's newest 50 calls and a caller's newest 10, one reader at a time.
async fn read(storage: &Arc<dyn Storage>) -> Result<(), Failure> {
    let store = Arc::clone(storage);
    let latest = Took::of(1, READS, move |at| {
        let store = Arc::clone(&store);
        async move {
            let found = store.calls(&tenant(at), Page::first(50)).await?.rows.len();
            if found == 50 { Ok(()) } else { Err(format!("{found} calls instead of 50").into()) }
        }
    });
    latest.await?.print("latest 50 of a business");
    let store = Arc::clone(storage);
    let history = Took::of(1, READS, move |at| {
        let store = Arc::clone(&store);
        async move {
            let caller = caller(at).ok_or("no number")?;
            store.calls_by_caller(&tenant(at), &caller, Page::first(10)).await?;
            Ok(())
        }
    });
    history.await?.print("latest 10 of a caller");
    Ok(())
}

fn tenant(number: u64) -> TenantId {
    TenantId::new(format!("tenant-{}", number % TENANTS))
}

fn caller(number: u64) -> Option<Private<PhoneNumber>> {
    PhoneNumber::parse(&format!("+44770090{:04}", number / TENANTS % CALLERS)).map(Private::new)
}

/// The record of the same call when it began.
fn opened(record: &CallRecord) -> CallRecord {
    CallRecord {
        answered_at: None,
        ended_at: None,
        outcome: None,
        sip_status: 0,
        heading: Heading::Nothing,
        summary: Private::default(),
        latencies: Vec::new(),
        ..record.clone()
    }
}

/// A record as a call of a few turns leaves it: about 1.2 KB.
fn record(called: &PhoneNumber, number: u64) -> CallRecord {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::try_from(number).unwrap_or_default());
    CallRecord {
        id: CallId::new(uuid::Uuid::from_u128(u128::from(number) + 1)),
        tenant: tenant(number),
        business_version: 1,
        caller: caller(number),
        attestation: Attestation::Absent,
        called: called.clone(),
        started_at: at,
        answered_at: Some(at),
        ended_at: Some(at),
        outcome: Some(Outcome { result: CallResult::Success, reason: EndReason::Completed }),
        sip_status: 200,
        heading: Heading::Booked,
        summary: Private::new("They booked a haircut with Sam for tomorrow at three. ".repeat(6)),
        bookings: Vec::new(),
        messages: Vec::new(),
        recording: None,
        quality: CallQuality::default(),
        latencies: vec![TurnLatency::default(); 6],
        held_by: Some(Holder::first(Life::new("london", "1"))),
        arrived: None,
        call_back: None,
    }
}
