//! How many durable call records the embedded store writes in a second, through its interface.
//!
//! `cargo run --release -p actors --example store_writes -- [FOLDER] [SECONDS] [WRITERS]`. Prints figures; asserts
//! none.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actors::storage::embedded::Settings;
use actors::storage::{Embedded, Storage};
use actors::types::{
    CallId, CallQuality, CallRecord, CallResult, EndReason, Heading, Outcome, PhoneNumber, Private, TenantId,
    TurnLatency,
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The design's budget, in writes per second.
const BUDGET: u64 = 5_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let writers: u64 = arguments.next().map_or(Ok(256), |text| text.parse())?;
    let path = folder.join(format!("store-writes-{}.redb", std::process::id()));
    let store = Arc::new(Embedded::open(&path, &Settings::default())?);
    let called = PhoneNumber::parse("1000").ok_or("no number")?;
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (store, called) = (Arc::clone(&store), called.clone());
            tokio::spawn(async move {
                let mut took_us = Vec::new();
                let mut number = 0;
                while Instant::now() < until {
                    let record = record(&called, writer, number);
                    let before = Instant::now();
                    store.put_call(&record).await?;
                    took_us.push(u64::try_from(before.elapsed().as_micros()).unwrap_or(u64::MAX));
                    number += 1;
                }
                Ok::<_, actors::storage::Error>(took_us)
            })
        })
        .collect();
    let mut took_us = Vec::new();
    for task in tasks {
        took_us.extend(task.await??);
    }
    let elapsed = began.elapsed();
    took_us.sort_unstable();
    report(&took_us, elapsed);
    store.close();
    println!("file         {:>10} KiB", std::fs::metadata(&path)?.len() / 1_024);
    std::fs::remove_file(&path)?;
    Ok(())
}

fn report(took_us: &[u64], elapsed: Duration) {
    let writes = took_us.len() as u64;
    let per_second = writes * 1_000 / u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let percentile = |hundredths: usize| {
        let at = (took_us.len() * hundredths / 10_000).min(took_us.len().saturating_sub(1));
        took_us.get(at).copied().unwrap_or_default() as f64 / 1_000.0
    };
    println!("call records {writes:>10} in {:.1} s", elapsed.as_secs_f64());
    println!("per second   {per_second:>10} (budget {BUDGET})");
    for (name, hundredths) in [("p50", 5_000), ("p95", 9_500), ("p99", 9_900), ("p99.9", 9_990)] {
        println!("{name:<12} {:>10.2} ms", percentile(hundredths));
    }
}

/// A record as a call of a few turns leaves it: about 1.2 KB.
fn record(called: &PhoneNumber, writer: u64, number: u64) -> CallRecord {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(i64::try_from(number).unwrap_or_default());
    let caller = format!("+44770090{:04}", writer % 10_000);
    CallRecord {
        id: CallId::new(uuid::Uuid::from_u128(u128::from(number) << 64 | u128::from(writer))),
        tenant: TenantId::new(format!("tenant-{}", writer % 16)),
        business_version: 1,
        caller: PhoneNumber::parse(&caller).map(Private::new),
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
    }
}
