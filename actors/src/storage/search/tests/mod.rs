//! The search over a store in memory: what is found, what is not, and what is found again after a fall.

mod finding;
mod forgetting;
mod surviving;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::{Filters, Found, Order, Question, Result, Search, Settings};
use crate::clock::Clock;
use crate::storage::conformance as sample;
use crate::storage::{Memory, Page, Storage};
use crate::types::{
    Attestation, CallEvent, CallEventKind, CallId, CallRecord, CallResult, CallTime, EndReason, Heading,
    Outcome, PhoneNumber, Private, Speaker, TenantId,
};

/// How long a test waits for what comes by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bounds under which things happen while one watches.
fn quick() -> Settings {
    Settings { commit_ms: 20, retry_ms: 20, late_s: 0, writer_bytes: 15_000_000, ..Settings::default() }
}

struct World {
    folder: TempDir,
    store: Arc<Memory>,
    settings: Settings,
    search: Search,
    /// What time it is for the search; the machine's where absent.
    time: Option<Timestamp>,
}

impl World {
    async fn new(settings: Settings) -> Self {
        let store = Arc::new(Memory::new());
        for tenant in ["barbers", "plumbers"] {
            store.put_business(&sample::business(tenant, 1, &[]), None).await.expect("writes");
        }
        let folder = tempfile::tempdir().expect("a directory");
        let search = search(folder.path(), &settings, &store, Clock::system());
        Self { folder, store, settings, search, time: None }
    }

    /// Stops the search, or kills it, and starts it again on its files.
    async fn again(&mut self, killed: bool) {
        if killed {
            self.search.kill().await
        } else {
            self.search.stop().await
        }
        let clock = self.time.map_or_else(Clock::system, Clock::starting_at);
        self.search = search(self.folder.path(), &self.settings, &self.store, clock);
    }

    /// Everything that ended can be found.
    async fn settles(&self) {
        let settled = tokio::time::timeout(PATIENCE, self.search.settle()).await;
        assert_eq!(settled.map_err(|_| self.search.state()), Ok(Ok(())));
    }

    async fn write(&self, record: &CallRecord, lines: &[&str]) {
        self.store.append_events(record.id, &events(lines)).await.expect("writes");
        self.store.put_call(record).await.expect("writes");
    }

    /// A call that ends as calls do: in the store first, then told.
    async fn ends(&self, record: &CallRecord, lines: &[&str]) {
        self.write(record, lines).await;
        self.search.ended(record);
    }

    async fn ask(&self, tenant: &str, words: &str, filters: Filters) -> Result<Found> {
        let question = Question {
            tenant: TenantId::new(tenant),
            words: words.into(),
            filters,
            order: Order::Newest,
            page: Page::first(100),
        };
        self.search.find(question).await
    }

    /// The numbers of the calls that are found, in ascending order.
    async fn found(&self, tenant: &str, words: &str) -> BTreeSet<u128> {
        numbers(&self.ask(tenant, words, Filters::default()).await.expect("an answer"))
    }

    async fn wait_for(&self, words: &str, expected: &[u128]) {
        let expected: BTreeSet<u128> = expected.iter().copied().collect();
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                if self
                    .ask("barbers", words, Filters::default())
                    .await
                    .is_ok_and(|found| numbers(&found) == expected)
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(waited.await.is_ok(), "{words}: {:?} not found, {:?}", expected, self.search.state());
    }
}

fn search(folder: &Path, settings: &Settings, store: &Arc<Memory>, clock: Clock) -> Search {
    let store: Arc<dyn Storage> = Arc::clone(store) as Arc<dyn Storage>;
    Search::start(folder, settings.clone(), store, clock).expect("starts")
}

fn numbers(found: &Found) -> BTreeSet<u128> {
    found.hits.iter().map(|hit| hit.record.id.as_uuid().as_u128()).collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

fn number(text: &str) -> Private<PhoneNumber> {
    PhoneNumber::parse(text).expect("a number").into()
}

/// A call that is over; it began `id` seconds after the epoch.
fn call(tenant: &str, id: u128) -> CallRecord {
    let began = at(i64::try_from(id).expect("small"));
    CallRecord {
        id: CallId::new(uuid::Uuid::from_u128(id)),
        caller: Some(number("+441632960123")),
        attestation: Attestation::Absent,
        started_at: began,
        answered_at: Some(began),
        ended_at: Some(began),
        outcome: Some(Outcome { result: CallResult::Success, reason: EndReason::Completed }),
        heading: Heading::Question,
        ..sample::call(tenant, 0, 0)
    }
}

fn events(lines: &[&str]) -> Vec<CallEvent> {
    (0..)
        .zip(lines)
        .map(|(seq, line)| CallEvent {
            seq,
            at: CallTime::from_ms(u64::from(seq) * 1_000),
            kind: CallEventKind::Said {
                speaker: if seq % 2 == 0 { Speaker::Caller } else { Speaker::Receptionist },
                text: (*line).into(),
                interrupted: false,
                confidence: None,
            },
        })
        .collect()
}
