//! The store through its interface beside the raw driver, in one run: durable writes, then the two listings that a
//! dashboard reads, at 150,000 calls.
//!
//! `cargo run --release -p actors --example store_bench -- [URL] [CALLS] [WRITES] [WRITERS]`. `URL` names the backend:
//! `redb:FOLDER` (the default, in the temporary folder). Prints figures; asserts none.

mod measure;
mod raw;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actors::storage::embedded::Settings;
use actors::storage::{Embedded, Page, Storage};
use actors::types::{
    CallId, CallQuality, CallRecord, CallResult, EndReason, Heading, Outcome, PhoneNumber, Private, TenantId,
    TurnLatency,
};
use jiff::{SignedDuration, Timestamp};

use measure::{Took, resident_kib};
use raw::Raw;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Businesses that share the calls.
const TENANTS: u64 = 16;
/// Callers of each.
const CALLERS: u64 = 1_000;
/// How often each listing is read.
const READS: u64 = 5_000;
/// The goal: at most so many times slower than the raw driver.
const GOAL: f64 = 1.3;

/// A backend that can be measured. A further one is another arm of [`Backend::open`].
struct Backend {
    storage: Arc<dyn Storage>,
    raw: Raw,
    folder: PathBuf,
}

impl Backend {
    fn open(url: &str) -> Result<Self, Failure> {
        match url.split_once(':') {
            Some(("redb", folder)) => {
                let folder = Path::new(folder).join(format!("store-bench-{}", std::process::id()));
                std::fs::create_dir_all(&folder)?;
                let storage = Arc::new(Embedded::open(&folder.join("interface.redb"), &Settings::default())?);
                let raw = Raw::open(&folder.join("raw.redb"))?;
                Ok(Self { storage, raw, folder })
            }
            _ => Err(format!("no backend is named by {url}; write redb:FOLDER").into()),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let temporary = || format!("redb:{}", std::env::temp_dir().display());
    let url = arguments.next().unwrap_or_else(temporary);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (calls, writes, writers) = (number(150_000)?, number(20_000)?, number(256)?);
    let Backend { storage, raw, folder } = Backend::open(&url)?;
    let called = PhoneNumber::parse("1000").ok_or("no number")?;
    let raw = Arc::new(raw);
    // Twice each, in turn: what else the machine does meets both.
    for round in 0..2 {
        let (to, number) = (Arc::clone(&raw), called.clone());
        let alone = Took::of(writers, writes, move |at| {
            let (to, record) = (Arc::clone(&to), record(&number, round * writes + at));
            async move { to.put(&record).await }
        })
        .await?;
        let (to, number) = (Arc::clone(&storage), called.clone());
        let through = Took::of(writers, writes, move |at| {
            let (to, record) = (Arc::clone(&to), record(&number, round * writes + at));
            async move { Ok(to.put_call(&record).await?) }
        })
        .await?;
        alone.print("writes, raw driver");
        through.print("writes, interface");
        println!("{:<28} {:>9.2} (goal {GOAL})", "times slower", alone.per_second() / through.per_second());
    }
    let (to, number) = (Arc::clone(&storage), called.clone());
    let filled = Took::of(writers, calls.saturating_sub(2 * writes), move |at| {
        let (to, record) = (Arc::clone(&to), record(&number, 2 * writes + at));
        async move { Ok(to.put_call(&record).await?) }
    });
    filled.await?.print("writes up to all calls");
    read(&storage).await?;
    println!("{:<28} {:>9} KiB, {calls} calls", "memory", resident_kib()?);
    drop(storage);
    Arc::into_inner(raw).ok_or("the raw driver is in use")?.close()?;
    println!("{:<28} {:>9} KiB", "file", std::fs::metadata(folder.join("interface.redb"))?.len() / 1_024);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
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

/// A record as a call of a few turns leaves it: about 1.2 KB.
fn record(called: &PhoneNumber, number: u64) -> CallRecord {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::try_from(number).unwrap_or_default());
    CallRecord {
        id: CallId::new(uuid::Uuid::from_u128(u128::from(number) + 1)),
        tenant: tenant(number),
        business_version: 1,
        caller: caller(number),
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
        held_by: None,
    }
}
