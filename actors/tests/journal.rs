//! The journal before a store that fails, and its file after a process that died.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actors::chance::Chance;
use actors::clock::Clock;
use actors::storage::journal::{Journalled, Settings, Volatile};
use actors::storage::{
    Claim, Error, Fence, IdempotencyKey, Memory, Occupied, Page, Part, Recording, Storage, StoredRow,
};
use actors::types::{
    Attestation, Booking, BookingId, BookingState, CallEvent, CallEventKind, CallId, CallQuality, CallRecord,
    CallTime, Contact, Heading, Life, Message, MessageId, PhoneNumber, RecordingId, ResourceId, ServiceId,
    Slot, TenantId, ToolOutcome, Urgency,
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;

use crate::failing::Failing;
use crate::store_failures::{acknowledged, child, told};

pub(crate) type Store = Arc<Failing<Memory>>;

pub(crate) fn uuid(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) + 1)
}

pub(crate) fn id(number: u32) -> CallId {
    CallId::new(uuid(number))
}

pub(crate) fn at(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    start + SignedDuration::from_mins(minute)
}

pub(crate) fn call(number: u32) -> CallRecord {
    CallRecord {
        id: id(number),
        tenant: TenantId::new("barbers"),
        business_version: 1,
        caller: None,
        attestation: Attestation::Absent,
        called: PhoneNumber::parse("1000").unwrap(),
        started_at: at(i64::from(number)),
        answered_at: None,
        ended_at: None,
        outcome: None,
        sip_status: 200,
        heading: Heading::Nothing,
        summary: "".into(),
        bookings: Vec::new(),
        messages: Vec::new(),
        recording: None,
        quality: CallQuality::default(),
        latencies: Vec::new(),
        held_by: None,
        arrived: None,
        call_back: None,
    }
}

pub(crate) fn ended(number: u32) -> CallRecord {
    CallRecord { ended_at: Some(at(90)), summary: "They said hello.".into(), ..call(number) }
}

pub(crate) fn event(seq: u32) -> CallEvent {
    let kind = CallEventKind::Trouble { what: format!("event {seq}") };
    CallEvent { seq, at: CallTime::from_ms(u64::from(seq)), kind }
}

pub(crate) fn message(number: u32) -> Message {
    Message {
        id: MessageId::new(uuid(number)),
        tenant: TenantId::new("barbers"),
        call: id(1),
        recipient: None,
        from: Contact::default(),
        text: "Please call back.".into(),
        urgency: Urgency::Normal,
        taken_at: at(0),
    }
}

pub(crate) fn recording(call: u32) -> Recording {
    Recording {
        id: RecordingId::new(uuid(call)),
        tenant: TenantId::new("barbers"),
        call: id(call),
        started_at: at(0),
        sealed_key: vec![7],
        rate_hz: 8_000,
        segment_samples: 16_000,
        finished: None,
        merged: None,
    }
}

/// By which the process writes that its calls came to.
pub(crate) fn fence() -> Fence {
    Fence::of(&call(1))
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey(text.to_owned())
}

/// Quick to try again, so that a test on the real clock is over soon.
pub(crate) fn settings() -> Settings {
    Settings { retry_ms: 2, retry_max_ms: 10, ..Settings::default() }
}

pub(crate) fn journal(store: &Store, path: &Path) -> Journalled {
    Journalled::open(store.clone(), path, settings(), Clock::system(), Chance::system()).unwrap()
}

pub(crate) fn store() -> Store {
    Arc::new(Failing::new(Memory::new()))
}

/// What calls write, in the order in which they do.
async fn write_two_calls(storage: &dyn Storage) {
    for number in [1, 2] {
        storage.put_call(&call(number)).await.unwrap();
        storage.append_events(id(number), &[event(0), event(1)]).await.unwrap();
        storage.put_checkpoint(id(number), fence(), b"a state").await.unwrap();
        storage.put_recording(&recording(number)).await.unwrap();
        storage.put_checkpoint(id(number), fence(), b"a later state").await.unwrap();
        storage.append_events(id(number), &[event(2)]).await.unwrap();
    }
    assert_eq!(storage.put_message(&message(1), &key("1/0")).await, Ok(message(1)));
    assert_eq!(storage.put_message(&message(9), &key("1/0")).await, Ok(message(1)), "the first one");
    let refused = ToolOutcome::Refused { why: "We are closed.".to_owned() };
    assert_eq!(storage.remember_outcome(&key("1/1"), &refused).await, Ok(refused.clone()));
    assert_eq!(storage.remember_outcome(&key("1/1"), &ToolOutcome::NotFound).await, Ok(refused.clone()));
    assert_eq!(storage.outcome(&key("1/1")).await, Ok(Some(refused)));
    storage.put_call(&ended(1)).await.unwrap();
    storage.drop_checkpoint(id(1), fence()).await.unwrap();
}

pub(crate) async fn rows(store: &dyn Storage) -> Vec<StoredRow> {
    let mut rows = Vec::new();
    for part in Part::ALL {
        rows.extend(store.export(part, Page::first(1_000)).await.unwrap().rows);
    }
    rows
}

async fn expected() -> Vec<StoredRow> {
    let store = Memory::new();
    write_two_calls(&store).await;
    rows(&store).await
}

#[tokio::test]
async fn what_a_store_could_not_take_is_written_later_and_once() {
    let folder = TempDir::new().unwrap();
    for unknown in [false, true] {
        let (store, path) = (store(), folder.path().join(format!("journal-{unknown}")));
        let journal = journal(&store, &path);
        // Nobody knows whether it was written; or it was not.
        if unknown {
            store.fail_after()
        } else {
            store.fail_before()
        }
        write_two_calls(&journal).await;
        let waiting = journal.waiting();
        assert!(waiting.rows >= 13 && waiting.bytes > 1_000, "{waiting:?}");
        // The call is seen as it was last written.
        assert_eq!(journal.call(id(1)).await, Ok(Some(ended(1))));
        assert_eq!(journal.events(id(1)).await, Ok(vec![event(0), event(1), event(2)]));
        assert_eq!(journal.checkpoint(id(1)).await, Ok(None));
        assert_eq!(journal.checkpoint(id(2)).await, Ok(Some(b"a later state".to_vec())));
        assert_eq!(journal.recording(recording(1).id).await, Ok(Some(recording(1))));
        let open = journal.open_calls(Page::first(9)).await.unwrap().rows;
        assert_eq!(open, [call(2)]);
        store.work();
        journal.all_written().await;
        assert_eq!(rows(&*store).await, expected().await);
        assert_eq!(std::fs::read(&path).unwrap(), b"strwjrn1", "and the file is empty");
        journal.stop().await;
    }
}

#[tokio::test]
async fn a_journal_outlives_its_process_and_is_harmless_when_it_is_written_twice() {
    let folder = TempDir::new().unwrap();
    let (store, path) = (store(), folder.path().join("journal"));
    let before = journal(&store, &path);
    store.fail_before();
    write_two_calls(&before).await;
    drop(before);
    let kept = std::fs::read(&path).unwrap();
    // Down still, and started again: everything waits as before, and goes on being added to.
    let again = journal(&store, &path);
    assert_eq!(again.call(id(1)).await, Ok(Some(ended(1))));
    again.append_events(id(2), &[event(3)]).await.unwrap();
    store.work();
    again.all_written().await;
    let once = rows(&*store).await;
    assert_eq!(store.events(id(2)).await.unwrap().len(), 4);
    again.stop().await;
    // As if the process had died before it could mark what it wrote.
    std::fs::write(&path, kept).unwrap();
    let twice = journal(&store, &path);
    twice.all_written().await;
    assert_eq!(rows(&*store).await, once);
}

#[tokio::test]
async fn nothing_overtakes_what_waits() {
    let folder = TempDir::new().unwrap();
    let (store, path) = (store(), folder.path().join("journal"));
    let journal = journal(&store, &path);
    store.fail_before();
    journal.put_call(&call(1)).await.unwrap();
    store.work();
    // Directly, this would be written first and the one that waits over it.
    journal.put_call(&ended(1)).await.unwrap();
    journal.all_written().await;
    assert_eq!(store.call(id(1)).await, Ok(Some(ended(1))));
    assert!(store.open_calls(Page::first(9)).await.unwrap().rows.is_empty());
    // And what is written directly later is not written over after another start.
    journal.put_call(&CallRecord { summary: "Later.".into(), ..ended(1) }).await.unwrap();
    journal.stop().await;
    let again = self::journal(&store, &path);
    again.all_written().await;
    assert_eq!(store.call(id(1)).await.unwrap().unwrap().summary.reveal(), "Later.");
}

#[tokio::test]
async fn an_appointment_is_never_kept_for_later() {
    let folder = TempDir::new().unwrap();
    let (store, path) = (store(), folder.path().join("journal"));
    let journal = journal(&store, &path);
    store.fail_before();
    let slot = Slot {
        service: ServiceId::new("haircut"),
        resource: ResourceId::new("sam"),
        start: at(0),
        end: at(30),
    };
    let booking = Booking {
        id: BookingId::new(uuid(1)),
        tenant: TenantId::new("barbers"),
        slot: slot.clone(),
        contact: Contact::default(),
        call: id(1),
        state: BookingState::Confirmed,
        version: 1,
        made_at: at(0),
    };
    let time = Occupied { resource: slot.resource, from: at(0), until: at(30), booking: booking.id };
    let down = |answer: Result<_, Error>| assert!(matches!(answer, Err(Error::Unavailable { .. })));
    down(journal.book(&booking, &time, &key("1/0")).await.map(drop));
    down(journal.rebook(&booking, &time, &key("1/1")).await.map(drop));
    down(journal.cancel(&booking, &key("1/2")).await.map(drop));
    let booked = ToolOutcome::Booked { booking };
    down(journal.remember_outcome(&key("1/0"), &booked).await.map(drop));
    assert_eq!(journal.waiting().rows, 0);
}

#[tokio::test]
async fn a_full_journal_gives_the_stores_own_error() {
    let store = store();
    let bounded = |settings: Settings| {
        let log = Box::new(Volatile::default());
        Journalled::in_log(store.clone(), log, settings, Clock::system(), Chance::system())
    };
    store.fail_before();
    let told = Err(Error::Unavailable { why: "told to fail".to_owned() });
    let rows = bounded(Settings { rows_max: 1, ..settings() });
    rows.put_call(&call(1)).await.unwrap();
    assert!(matches!(rows.put_call(&call(2)).await, Err(Error::Unavailable { .. })));
    let bytes = bounded(Settings { bytes_max: 10, ..settings() });
    assert_eq!(bytes.put_call(&call(1)).await, told);
    let row = bounded(Settings { row_bytes_max: 10, ..settings() });
    assert_eq!(row.put_call(&call(1)).await, told);
    let age = bounded(Settings { age_max_s: 0, ..settings() });
    age.put_call(&call(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(age.put_call(&call(1)).await.is_err());
    // What was refused is not written later; what was kept is.
    store.work();
    for journal in [&rows, &bytes, &row, &age] {
        journal.all_written().await;
    }
    assert_eq!(store.call(id(1)).await, Ok(Some(call(1))));
    assert_eq!(store.call(id(2)).await, Ok(None));
}

#[tokio::test]
async fn a_file_cut_anywhere_gives_what_was_whole() {
    // Thousands of starts, each with its syncs: in memory where the machine has such a folder.
    let folder = if Path::new("/dev/shm").is_dir() { TempDir::new_in("/dev/shm") } else { TempDir::new() };
    let folder = folder.unwrap();
    let (down, path) = (store(), folder.path().join("journal"));
    let before = journal(&down, &path);
    down.fail_before();
    before.put_call(&call(1)).await.unwrap();
    before.append_events(id(1), &[event(0)]).await.unwrap();
    before.append_events(id(1), &[event(1)]).await.unwrap();
    before.put_call(&ended(1)).await.unwrap();
    drop(before);
    let kept = std::fs::read(&path).unwrap();
    let path = folder.path().join("cut");
    let mut seen = std::collections::BTreeSet::new();
    for length in 0..=kept.len() {
        std::fs::write(&path, &kept[..length]).unwrap();
        let store = store();
        let journal = journal(&store, &path);
        journal.all_written().await;
        let (record, events) = (store.call(id(1)).await.unwrap(), store.events(id(1)).await.unwrap());
        let state = (record.is_some(), events.len(), record.is_some_and(|record| record.ended_at.is_some()));
        seen.insert(state);
        // What is kept after a cut lies where it can be read again.
        drop(journal);
    }
    let all = [(false, 0, false), (true, 0, false), (true, 1, false), (true, 2, false), (true, 2, true)];
    assert_eq!(seen, all.into());
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_refused_and_left() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("journal");
    for garbage in [&b"strwjrn2 of a later version"[..], &[7; 100], b"x"] {
        std::fs::write(&path, garbage).unwrap();
        let opened = Journalled::open(store(), &path, settings(), Clock::system(), Chance::system());
        let error = opened.expect_err("garbage").to_string();
        assert!(error.contains("move it away"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), garbage);
    }
    // After a heading, anything is a torn end.
    std::fs::write(&path, [&b"strwjrn1"[..], &[9; 1_000]].concat()).unwrap();
    let store = store();
    let journal = journal(&store, &path);
    store.fail_before();
    journal.put_call(&call(1)).await.unwrap();
    store.work();
    journal.all_written().await;
    assert_eq!(store.call(id(1)).await, Ok(Some(call(1))));
}

/// Does nothing but in a child of the tests below: writes to a journal whose store is down, until it is killed;
/// or until the file may not grow, then lets it grow and goes on.
#[test]
fn child_keeps_writes() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Some(path) = told() else { return };
    let is_full = path.extension().is_some_and(|extension| extension == "full");
    let (_, most) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    if is_full {
        setrlimit(Resource::RLIMIT_FSIZE, 64 << 10, most).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = store();
        store.fail_before();
        let journal = Arc::new(journal(&store, &path));
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let journal = Arc::clone(&journal);
                tokio::spawn(async move {
                    let (mut number, mut failures) = (0, 0);
                    while !is_full || number < 400 {
                        match journal.append_events(id(task), &[event(number)]).await {
                            Ok(()) => {
                                let mut out = std::io::stdout().lock();
                                writeln!(out, "acked {task} {number}").unwrap();
                                out.flush().unwrap();
                                number += 1;
                            }
                            Err(Error::Unavailable { .. }) => {
                                failures += 1;
                                if failures == 20 {
                                    setrlimit(Resource::RLIMIT_FSIZE, most, most).unwrap();
                                    println!("it was full");
                                }
                                assert!(failures < 200, "it works again when there is room");
                                tokio::time::sleep(Duration::from_millis(5)).await;
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    println!("went on");
}

/// Everything that was acknowledged gets into the store of the next process.
async fn check(path: &Path, acked: &[(u32, u32)]) {
    let store = store();
    let journal = journal(&store, path);
    journal.all_written().await;
    for task in 0..4 {
        let events = store.events(id(task)).await.unwrap();
        assert!(events.iter().map(|event| event.seq).eq(0..events.len() as u32), "no gap");
        let last = acked.iter().filter(|(of, _)| *of == task).map(|(_, number)| *number).max();
        assert!(last.is_none_or(|last| events.len() as u32 > last), "{last:?} of {task} is lost");
    }
}

#[tokio::test]
async fn peer_nothing_kept_is_lost_when_the_process_is_killed() {
    let folder = TempDir::new().unwrap();
    let mut all = 0;
    for round in 0..5 {
        let path = folder.path().join(format!("journal-{round}"));
        let mut child = child("journal::child_keeps_writes", "", &path);
        tokio::time::sleep(Duration::from_millis(150 + 90 * round)).await;
        child.kill().unwrap();
        let acked = acknowledged(&mut child);
        child.wait().unwrap();
        check(&path, &acked).await;
        all += acked.len();
    }
    assert!(all > 50, "the children wrote: {all}");
}

#[tokio::test]
async fn peer_a_full_disk_loses_nothing_that_was_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("journal.full");
    // A process that writes beyond its limit is sent SIGXFSZ; ignored, it gets an error as from a full disk.
    let mut child = child("journal::child_keeps_writes", "trap '' XFSZ;", &path);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    assert!(text.contains("it was full") && text.contains("went on"), "{text}");
    let acked: Vec<(u32, u32)> = text
        .lines()
        .filter_map(|line| {
            let (task, number) = line.strip_prefix("acked ")?.split_once(' ')?;
            Some((task.parse().ok()?, number.parse().ok()?))
        })
        .collect();
    assert_eq!(acked.len(), 1_600);
    check(&path, &acked).await;
}

/// A node starts before its store is there: what calls write is kept, what can't wait is refused for the reason
/// that is known, and everything is in the store once that is there.
#[tokio::test]
async fn a_journal_without_a_store_keeps_what_calls_write() {
    let (folder, memory) = (TempDir::new().unwrap(), Arc::new(Memory::new()));
    let path = folder.path().join("journal");
    let open = || Journalled::open_alone(&path, settings(), Clock::system(), Chance::system()).unwrap();
    let first = open();
    write_two_calls(&first).await;
    first.has_not_arrived("nobody answers there".to_owned());
    let away = Err(Error::Unavailable { why: "nobody answers there".to_owned() });
    assert_eq!(first.tenant_of(&PhoneNumber::parse("1000").unwrap()).await, away);
    assert_eq!(first.call(id(1)).await, Ok(Some(ended(1))), "it knows what it keeps");
    // Its process dies, and the next one has no store either.
    first.stop().await;
    let second = open();
    assert!(second.waiting().rows > 0);
    second.arrived(memory.clone());
    second.all_written().await;
    let expected = Arc::new(Memory::new());
    write_two_calls(&*expected).await;
    assert_eq!(rows(&*memory).await, rows(&*expected).await);
}

/// What waits of a call is written before another process may have it.
#[tokio::test]
async fn a_call_whose_writes_wait_is_not_claimed() {
    let (folder, store) = (TempDir::new().unwrap(), store());
    let journal = journal(&store, &folder.path().join("journal"));
    store.fail_before();
    journal.put_call(&call(1)).await.unwrap();
    let next = Life::new("london", "2");
    assert!(matches!(journal.claim_call(id(1), None, &next).await, Err(Error::Unavailable { .. })));
    store.work();
    journal.all_written().await;
    assert!(matches!(journal.claim_call(id(1), None, &next).await, Ok(Claim::Granted(_))));
}
