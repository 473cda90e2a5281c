//! The embedded store against a process that is killed and a disk that is full.
//!
//! The store runs in a child process: this test binary again, at one of the tests below, told by an argument
//! where its file is.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use actors::storage::embedded::Settings;
use actors::storage::{BookingWrite, Embedded, Error, IdempotencyKey, Occupied, Page, Storage};
use actors::types::{
    Booking, BookingId, BookingState, CallEvent, CallEventKind, CallId, CallTime, Contact, ResourceId,
    ServiceId, Slot, TenantId,
};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

const CHILD_TASKS: u32 = 8;

fn id(task: u32, number: u32) -> uuid::Uuid {
    uuid::Uuid::from_u128(u128::from(task) << 64 | u128::from(number))
}

fn event(number: u32) -> CallEvent {
    let what = format!("event {number} {}", "x".repeat(200));
    CallEvent { seq: number, at: CallTime::from_ms(u64::from(number)), kind: CallEventKind::Trouble { what } }
}

/// An appointment of half an hour at the `number`th half hour.
fn booking(task: u32, number: u32) -> (Booking, Occupied) {
    let start: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    let start = start + SignedDuration::from_mins(i64::from(number) * 30);
    let slot = Slot {
        service: ServiceId::new("haircut"),
        resource: ResourceId::new(format!("resource-{task}")),
        start,
        end: start + SignedDuration::from_mins(30),
    };
    let booking = Booking {
        id: BookingId::new(id(task, number)),
        tenant: TenantId::new("barbers"),
        slot: slot.clone(),
        contact: Contact::default(),
        call: CallId::new(id(task, 0)),
        state: BookingState::Confirmed,
        version: 1,
        made_at: start,
    };
    let occupied =
        Occupied { resource: slot.resource, from: slot.start, until: slot.end, booking: booking.id };
    (booking, occupied)
}

fn key(task: u32, number: u32) -> IdempotencyKey {
    IdempotencyKey(format!("{task}/{number}"))
}

/// What begins the argument that tells a child where its file is. The test runner takes it for one more filter.
const CHILD: &str = "child-with-its-store-in:";

/// Starts this binary at one test, under a shell that has run `first`.
pub(crate) fn child(test: &str, first: &str, path: &Path) -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!("{first} exec \"$0\" \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args([test.to_owned(), format!("{CHILD}{}", path.display())])
        .args(["--exact", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Where this process's store is, if it is a child.
pub(crate) fn told() -> Option<PathBuf> {
    std::env::args().find_map(|argument| argument.strip_prefix(CHILD).map(PathBuf::from))
}

/// The lines "acked TASK NUMBER" of a child that has ended.
pub(crate) fn acknowledged(child: &mut Child) -> Vec<(u32, u32)> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let (task, number) = line.strip_prefix("acked ")?.split_once(' ')?;
            Some((task.parse().ok()?, number.parse().ok()?))
        })
        .collect()
}

fn open(path: &Path) -> Embedded {
    Embedded::open(path, &Settings::default()).unwrap()
}

/// Everything that was acknowledged is there, whole.
async fn check(store: &Embedded, acked: &[(u32, u32)]) {
    for task in 0..CHILD_TASKS {
        let events = store.events(CallId::new(id(task, 0))).await.unwrap();
        for number in acked.iter().filter(|(of, _)| *of == task).map(|(_, number)| *number) {
            assert!(events.contains(&event(number)), "event {number} of {task} is lost");
            let (booking, occupied) = booking(task, number);
            assert_eq!(store.booking(&booking.tenant, booking.id).await.unwrap().as_ref(), Some(&booking));
            assert_eq!(
                store.written(&booking.tenant, &key(task, number)).await.unwrap(),
                Some(booking.clone())
            );
            let taken = store.occupied(&booking.tenant, &occupied.resource, occupied.from, occupied.until);
            assert_eq!(taken.await.unwrap(), std::slice::from_ref(&occupied));
            // Asked again after the crash, it is the same act; some are asked, since each is a commit.
            if number % 16 == 0 {
                let again = store.book(&booking, &occupied, &key(task, number)).await.unwrap();
                assert_eq!(again, BookingWrite::Written(booking));
            }
        }
    }
}

/// Does nothing but in a child of the test below.
#[test]
fn child_writes_until_it_is_killed() {
    let Some(path) = told() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(open(&path));
        let tasks: Vec<_> = (0..CHILD_TASKS)
            .map(|task| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let call = CallId::new(id(task, 0));
                    let first = store.events(call).await.unwrap().last().map_or(0, |event| event.seq + 1);
                    for number in first.. {
                        store.append_events(call, &[event(number)]).await.unwrap();
                        let (booking, occupied) = booking(task, number);
                        let made = store.book(&booking, &occupied, &key(task, number)).await.unwrap();
                        assert!(matches!(made, BookingWrite::Written(_)));
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "acked {task} {number}").unwrap();
                        out.flush().unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[tokio::test]
async fn peer_nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    let mut chance = StdRng::seed_from_u64(2);
    let mut all = Vec::new();
    for round in 0..10 {
        let mut child = child("store_failures::child_writes_until_it_is_killed", "", &path);
        tokio::time::sleep(Duration::from_millis(chance.random_range(150..500))).await;
        child.kill().unwrap();
        let acked = acknowledged(&mut child);
        child.wait().unwrap();
        let store = open(&path);
        store.check().await.unwrap();
        check(&store, &acked).await;
        println!("round {round}: {} acknowledged, none lost", acked.len());
        all.extend(acked);
    }
    assert!(all.len() > 50, "the children wrote: {}", all.len());
    check(&open(&path), &all).await;
}

/// Does nothing but in a child of the test below: writes until the file may not grow, then lets it grow and goes
/// on, in one process.
#[test]
fn child_fills_its_disk() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Some(path) = told() else { return };
    let (_, most) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&path);
        setrlimit(Resource::RLIMIT_FSIZE, 1 << 20, most).unwrap();
        let (mut number, mut failures, mut room) = (0, 0, false);
        while number < 60_000 {
            let result = store.append_events(CallId::new(id(0, 0)), &[event(number)]).await;
            let result = match result {
                Ok(()) => {
                    let (booking, occupied) = booking(0, number);
                    store.book(&booking, &occupied, &key(0, number)).await.map(drop)
                }
                error => error,
            };
            match result {
                Ok(()) => {
                    println!("acked 0 {number}");
                    number += 1;
                    if room && number % 50 == 0 {
                        break;
                    }
                }
                Err(Error::Unavailable { .. } | Error::Unknown { .. }) => {
                    failures += 1;
                    // What is there can be read, and goes on being readable once the file is open again.
                    let read = store.events(CallId::new(id(0, 0))).await;
                    assert!(matches!(read, Ok(_) | Err(Error::Unavailable { .. })), "{read:?}");
                    if failures == 20 {
                        assert!(number > 100, "some were written: {number}");
                        setrlimit(Resource::RLIMIT_FSIZE, most, most).unwrap();
                        room = true;
                        tokio::time::sleep(Duration::from_millis(300)).await;
                    }
                    assert!(failures < 40, "it works again when there is room");
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(room, "the disk was full");
        println!("went on");
    });
}

#[tokio::test]
async fn peer_a_full_disk_loses_nothing_and_is_survived() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    // A process that writes beyond its limit is sent SIGXFSZ; ignored, it gets an error as from a full disk.
    let mut child = child("store_failures::child_fills_its_disk", "trap '' XFSZ;", &path);
    let output = {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut text).unwrap();
        text
    };
    assert!(child.wait().unwrap().success(), "{}", output.lines().last().unwrap_or_default());
    assert!(output.contains("went on"));
    let acked: Vec<(u32, u32)> = output
        .lines()
        .filter_map(|line| line.strip_prefix("acked 0 ")?.parse().ok())
        .map(|number| (0, number))
        .collect();
    let store = open(&path);
    check(&store, &acked).await;
    println!("{} acknowledged around a full disk, none lost", acked.len());
}

/// A wall clock that jumps back or far ahead between writes changes no order within a call and loses no row.
#[tokio::test]
async fn a_clock_that_jumps_loses_no_row() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("store.redb"));
    for (number, jump_hours) in [(0, 0), (1, 48), (2, -48), (3, -400_000), (4, 1)].into_iter() {
        let (mut booking, mut occupied) = booking(1, number * 10);
        booking.slot.start += SignedDuration::from_hours(jump_hours);
        booking.slot.end += SignedDuration::from_hours(jump_hours);
        (occupied.from, occupied.until) = (booking.slot.start, booking.slot.end);
        let made = store.book(&booking, &occupied, &key(1, number)).await.unwrap();
        assert!(matches!(made, BookingWrite::Written(_)));
    }
    let barbers = TenantId::new("barbers");
    let all = store.bookings(&barbers, Timestamp::MIN, Timestamp::MAX, Page::first(9));
    let rows = all.await.unwrap().rows;
    assert_eq!(rows.len(), 5);
    assert!(rows.windows(2).all(|pair| pair[0].slot.start < pair[1].slot.start));
}
