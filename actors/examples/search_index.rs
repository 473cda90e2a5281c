//! How fast transcripts are indexed and searched, and in how much memory.
//!
//! `cargo run --release -p actors --features search --example search_index -- [FOLDER] [CALLS] [WORDS]`. The calls lie
//! in a store in memory, so that the figures are the search's. Prints figures; asserts none.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actors::clock::Clock;
use actors::storage::search::{Filters, Order, Question, Search, Settings};
use actors::storage::{Memory, Page, Storage};
use actors::tenant::import;
use actors::types::{
    Attestation, Business, CallEvent, CallEventKind, CallId, CallQuality, CallRecord, CallResult, CallTime,
    EndReason, Heading, Outcome, PhoneNumber, Private, Speaker, TenantId,
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Businesses that share the calls.
const TENANTS: usize = 16;
/// Words that are spoken; the nth is spoken in proportion to 1/n, as in speech (Zipf).
const VOCABULARY: usize = 8_000;
/// Words in one line.
const LINE_WORDS: usize = 12;
/// Questions of each kind.
const QUESTIONS: usize = 2_000;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let calls: usize = arguments.next().map_or(Ok(30_000), |text| text.parse())?;
    let words: usize = arguments.next().map_or(Ok(300), |text| text.parse())?;
    let store = Arc::new(Memory::new());
    fill(&store, calls, words).await?;
    let before_kib = resident_kib()?;
    let folder = folder.join(format!("search-index-{}", std::process::id()));
    let began = Instant::now();
    let search = Search::start(&folder, Settings::default(), store.clone(), Clock::system())?;
    search.settle().await?;
    let seconds = began.elapsed().as_secs_f64();
    println!("indexed      {calls:>10} calls of {words} words in {seconds:.1} s");
    println!("per second   {:>10.0}", calls as f64 / seconds);
    println!("index        {:>10} KiB", size(&folder)? / 1_024);
    println!(
        "memory       {:>10} KiB more than the store in memory",
        resident_kib()?.saturating_sub(before_kib)
    );
    for (name, ask, order) in [
        ("two words", "{} {}", Order::Newest),
        ("best of two", "{} {}", Order::Best),
        ("a phrase", "\"{} {}\"", Order::Newest),
        ("one or other", "{} OR {}", Order::Newest),
    ] {
        report(name, &questions(&search, ask, order).await?);
    }
    let began = Instant::now();
    search.forget(actors::storage::search::Forget::Tenant(tenant(0))).await?;
    println!("forget a business of {} calls: {:.1} s", calls / TENANTS, began.elapsed().as_secs_f64());
    search.stop().await;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// A row of numbers that is the same in every run (Knuth's multiplicative generator).
struct Row(u64);

impl Row {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// A word, commoner ones more often.
    fn word(&mut self) -> String {
        let share = self.next() as f64 / f64::from(u32::MAX >> 1);
        let rank = (VOCABULARY as f64).powf(share) as u64;
        // Letters that no English ending is made of, so that each stays a word of its own.
        let mut letters = String::from("w");
        let mut left = rank;
        while left > 0 {
            letters.push(char::from(b"bkmptvz"[(left % 7) as usize]));
            letters.push(char::from(b"aou"[(left / 7 % 3) as usize]));
            left /= 21;
        }
        letters
    }
}

fn tenant(number: usize) -> TenantId {
    TenantId::new(format!("tenant-{number}"))
}

async fn fill(store: &Memory, calls: usize, words: usize) -> Result<(), Failure> {
    let file = include_str!("../../ops/config/demo.toml");
    let business =
        import::read(file, &import::Settings::default()).map_err(|mistakes| mistakes.to_string())?;
    for number in 0..TENANTS {
        let business = Business { id: tenant(number), numbers: Vec::new(), ..business.clone() };
        store.put_business(&business, None).await?;
    }
    let mut row = Row(1);
    for number in 0..calls {
        let record = record(number)?;
        let mut events = Vec::new();
        for (seq, from) in (0..).zip((0..words).step_by(LINE_WORDS)) {
            let line: Vec<String> = (from..words.min(from + LINE_WORDS)).map(|_| row.word()).collect();
            let kind = CallEventKind::Said {
                speaker: if seq % 2 == 0 { Speaker::Caller } else { Speaker::Receptionist },
                text: line.join(" ").into(),
                interrupted: false,
                confidence: None,
            };
            events.push(CallEvent { seq, at: CallTime::from_ms(u64::from(seq) * 4_000), kind });
        }
        store.append_events(record.id, &events).await?;
        store.put_call(&record).await?;
    }
    Ok(())
}

fn record(number: usize) -> Result<CallRecord, Failure> {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::try_from(number)?);
    Ok(CallRecord {
        id: CallId::new(uuid::Uuid::from_u128(number as u128 + 1)),
        tenant: tenant(number % TENANTS),
        business_version: 1,
        caller: PhoneNumber::parse(&format!("+44770090{:04}", number % 10_000)).map(Private::new),
        attestation: Attestation::Absent,
        called: PhoneNumber::parse("1000").ok_or("no number")?,
        started_at: at,
        answered_at: Some(at),
        ended_at: Some(at),
        outcome: Some(Outcome { result: CallResult::Success, reason: EndReason::Completed }),
        sip_status: 200,
        heading: Heading::Question,
        summary: Private::default(),
        bookings: Vec::new(),
        messages: Vec::new(),
        recording: None,
        quality: CallQuality::default(),
        latencies: Vec::new(),
        held_by: None,
        arrived: None,
        call_back: None,
    })
}

/// Asks, and returns how long each answer of 20 calls took, records and lines included.
async fn questions(search: &Search, ask: &str, order: Order) -> Result<Vec<Duration>, Failure> {
    let (mut took, mut row) = (Vec::new(), Row(2));
    for number in 0..QUESTIONS {
        let words = ask.replacen("{}", &row.word(), 1).replacen("{}", &row.word(), 1);
        let tenant = tenant(number % TENANTS);
        let question = Question {
            tenant,
            words: words.into(),
            filters: Filters::default(),
            order,
            page: Page::first(20),
        };
        let before = Instant::now();
        search.find(question).await?;
        took.push(before.elapsed());
    }
    took.sort_unstable();
    Ok(took)
}

fn report(name: &str, took: &[Duration]) {
    let at =
        |share: usize| took.get(took.len() * share / 100).map_or(0.0, |took| took.as_secs_f64() * 1_000.0);
    println!("{name:<12} p50 {:>7.2} ms, p99 {:>7.2} ms", at(50), at(99));
}

fn resident_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

fn size(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
