use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::storage::conformance::{
    Store, at, booking, call, conformance, event, key, message, tenant, written,
};
use crate::storage::{BookingWrite, Page, Storage};

fn open(folder: &TempDir) -> Embedded {
    Embedded::open(&folder.path().join("data/store.redb"), &Settings::default()).expect("opened")
}

fn store() -> (Store, TempDir) {
    let folder = TempDir::new().expect("a folder");
    (Arc::new(open(&folder)), folder)
}

conformance!(store());

#[tokio::test]
async fn what_was_written_is_there_after_the_store_is_opened_again() {
    let folder = TempDir::new().expect("a folder");
    let store = open(&folder);
    let (appointment, time) = booking(1, 0, 30);
    store.put_call(&call("barbers", 1, 0)).await.expect("written");
    written(store.book(&appointment, &time, &key("a/0")).await.expect("answered"));
    store.put_message(&message("barbers", 1, 0), &key("a/1")).await.expect("kept");
    drop(store);
    let store = open(&folder);
    assert_eq!(store.calls(&tenant("barbers"), Page::first(9)).await.expect("listed").rows.len(), 1);
    assert_eq!(store.messages(&tenant("barbers"), Page::first(9)).await.expect("listed").rows.len(), 1);
    let (other, other_time) = booking(2, 10, 30);
    assert_eq!(store.book(&other, &other_time, &key("b/0")).await, Ok(BookingWrite::Taken));
    let again = store.book(&other, &other_time, &key("a/0")).await.expect("answered");
    assert_eq!(written(again), appointment);
}

#[tokio::test]
async fn what_nobody_waits_for_is_written_with_others() {
    let folder = TempDir::new().expect("a folder");
    let settings = Settings { soon_ms: 3_600_000, soon_enough: 4, ..Settings::default() };
    let store = Arc::new(Embedded::open(&folder.path().join("store.redb"), &settings).expect("opened"));
    let append = |number: u32| {
        let store = Arc::clone(&store);
        let call = call("barbers", number, 0).id;
        tokio::spawn(async move { store.append_events(call, &[event(0, "noise")]).await })
    };
    let pause = || tokio::time::sleep(std::time::Duration::from_millis(100));
    let events = async |number: u32| store.events(call("barbers", number, 0).id).await.expect("read").len();
    // Enough of them begin at once.
    let first: Vec<_> = (0..3).map(append).collect();
    pause().await;
    assert_eq!(events(0).await, 0, "one comes along within the hour");
    let fourth = append(3);
    for task in first.into_iter().chain([fourth]) {
        assert_eq!(task.await.expect("no panic"), Ok(()));
    }
    // Whoever is waited for takes along who is not.
    let patient = append(4);
    pause().await;
    assert_eq!(events(4).await, 0);
    store.put_call(&call("barbers", 4, 0)).await.expect("written");
    assert_eq!(patient.await.expect("no panic"), Ok(()));
    // Nothing is lost where the store is closed meanwhile.
    let last = append(5);
    pause().await;
    store.close();
    assert_eq!(last.await.expect("no panic"), Ok(()));
    let again = Embedded::open(&folder.path().join("store.redb"), &Settings::default()).expect("opened");
    assert_eq!(again.events(call("barbers", 5, 0).id).await.expect("read").len(), 1);
}

#[tokio::test]
async fn its_file_is_its_owners_alone() {
    let folder = TempDir::new().expect("a folder");
    let _store = open(&folder);
    let file = std::fs::metadata(folder.path().join("data/store.redb")).expect("there");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_in_use_is_waited_for_and_then_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("store.redb");
    let first = Embedded::open(&path, &Settings::default()).expect("opened");
    let hasty = Settings { open_wait_ms: 10, ..Settings::default() };
    let refused = Embedded::open(&path, &hasty).expect_err("in use").to_string();
    assert!(refused.contains("in use by another process"), "{refused}");
    let waiting = std::thread::spawn({
        let path = path.clone();
        move || Embedded::open(&path, &Settings::default()).map(drop)
    });
    std::thread::sleep(std::time::Duration::from_millis(150));
    drop(first);
    assert_eq!(waiting.join().expect("no panic"), Ok(()));
}

#[tokio::test]
async fn what_is_no_store_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("store.redb");
    std::fs::write(&path, [7_u8; 100_000]).expect("written");
    assert!(Embedded::open(&path, &Settings::default()).is_err());
    assert_eq!(std::fs::read(&path).expect("there").len(), 100_000, "and left as it was");
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_loses_nothing_it_took() {
    let folder = TempDir::new().expect("a folder");
    let settings = Settings { queue_max: 4, batch_max: 2, ..Settings::default() };
    let store = Arc::new(Embedded::open(&folder.path().join("store.redb"), &settings).expect("opened"));
    // The first job holds up the writer until the queue is full.
    let (release, held) = std::sync::mpsc::sync_channel::<()>(0);
    let holding = store.write(move |_| {
        let _ = held.recv();
        Ok(())
    });
    let mut waiting = Vec::new();
    let mut refused = 0;
    for number in 0..40 {
        let store = Arc::clone(&store);
        let (sent, taken) = oneshot::channel();
        let task = tokio::spawn(async move {
            let _ = sent.send(());
            store.put_call(&call("barbers", number, i64::from(number))).await
        });
        taken.await.expect("started");
        waiting.push((number, task));
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    release.send(()).expect("held");
    holding.await.expect("made");
    for (number, task) in waiting {
        let record = call("barbers", number, 0).id;
        match task.await.expect("no panic") {
            Ok(()) => assert!(store.call(record).await.expect("read").is_some()),
            Err(error) => {
                assert!(matches!(error, Error::Unavailable { .. }), "{error}");
                assert_eq!(store.call(record).await, Ok(None), "nothing was changed");
                refused += 1;
            }
        }
    }
    assert!((30..40).contains(&refused), "{refused} were refused");
}

#[tokio::test]
async fn writers_at_once_share_a_commit_and_a_lone_one_waits_for_nobody() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("store.redb");
    let patient = Settings { gather_ms: 3_600_000, ..Settings::default() };
    let store = Embedded::open(&path, &patient).expect("opened");
    for number in 0..5 {
        store.put_call(&call("barbers", number, 0)).await.expect("written, and not after an hour");
    }
    drop(store);
    let store = Arc::new(Embedded::open(&path, &Settings { gather_ms: 2_000, ..patient }).expect("opened"));
    // Two that wait while a third holds up the writer share the next commit.
    let (release, held) = std::sync::mpsc::sync_channel::<()>(0);
    let holding = store.write(move |_| {
        let _ = held.recv();
        Ok(())
    });
    let (first, second) = (call("barbers", 5, 0), call("barbers", 6, 0));
    let both = tokio::spawn({
        let store = Arc::clone(&store);
        async move { tokio::join!(store.put_call(&first), store.put_call(&second)) }
    });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    release.send(()).expect("held");
    holding.await.expect("made");
    assert_eq!(both.await.expect("no panic"), (Ok(()), Ok(())));
    // Whoever writes now waits for others to come along.
    let late = call("barbers", 7, 0);
    let writing = tokio::spawn({
        let (store, late) = (Arc::clone(&store), late.clone());
        async move { store.put_call(&late).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(store.call(late.id).await, Ok(None));
    assert_eq!(writing.await.expect("no panic"), Ok(()));
    assert!(store.call(late.id).await.expect("read").is_some());
}

#[tokio::test]
async fn a_change_that_panics_takes_only_its_batch_along() {
    let (_, folder) = ((), TempDir::new().expect("a folder"));
    let store = open(&folder);
    let broken = store
        .write(|rows| -> Result<()> {
            rows.put(crate::storage::ordered::Table::Probe, b"half", b"a change")?;
            panic!("on purpose")
        })
        .await;
    assert!(broken.is_err());
    let half = store.read(|rows| rows.get(crate::storage::ordered::Table::Probe, b"half"));
    assert_eq!(half, Ok(None));
    store.put_call(&call("barbers", 1, 0)).await.expect("the writer goes on");
}

#[tokio::test]
async fn after_closing_everything_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let store = open(&folder);
    store.put_call(&call("barbers", 1, 0)).await.expect("written");
    store.close();
    store.close();
    assert!(matches!(store.put_call(&call("barbers", 2, 0)).await, Err(Error::Unavailable { .. })));
    assert!(matches!(store.call(call("barbers", 1, 0).id).await, Err(Error::Unavailable { .. })));
    assert!(store.check().await.is_err());
    let again = open(&folder);
    assert_eq!(
        again.call(call("barbers", 1, 0).id).await.expect("read").map(|row| row.started_at),
        Some(at(0))
    );
}
