//! A backup that is taken while others write is restored, and sound.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::storage::backup::{Item, KeySource, Mended, Mending, Options, Reader, write};
use crate::storage::conformance::{at, call, cancelled, event, moved};
use crate::storage::embedded;
use crate::storage::recordings::{MasterKey, Recordings};
use crate::storage::{Embedded, Fence, Page, Part};
use crate::types::CallRecord;

/// Appointments that are made, moved about in a few hours and cancelled, by one writer of many.
async fn appointments(store: Arc<Scylla>, stop: Arc<AtomicBool>, own: u32) -> u32 {
    let mut done = 0;
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let id = own * 10_000 + round;
        let (mut standing, time) = booking(id, i64::from((own * 3 + round) % 12) * 20, 15);
        let by = |step: u32| key(&format!("{id}/{step}"));
        if !matches!(store.book(&standing, &time, &by(0)).await, Ok(BookingWrite::Written(_))) {
            continue;
        }
        for step in 1..4 {
            let (new, time) = moved(&standing, i64::from((own * 5 + round + step * 7) % 12) * 20);
            if let Ok(BookingWrite::Written(written)) = store.rebook(&new, &time, &by(step)).await {
                standing = written;
            }
        }
        // Some stay, so that there is much to read.
        if round % 8 > 0 {
            let _ = store.cancel(&cancelled(&standing), &by(9)).await;
        }
        done += 1;
    }
    done
}

async fn calls(store: Arc<Scylla>, stop: Arc<AtomicBool>) -> u32 {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return number;
        }
        let over = call("barbers", 500_000 + number, i64::from(number));
        let begun = CallRecord { ended_at: None, ..over.clone() };
        store.begin_call(&begun).await.expect("written");
        store.append_events(over.id, &[event(0, "said"), event(1, "said")]).await.expect("appended");
        store.put_checkpoint(over.id, Fence::of(&over), b"state").await.expect("kept");
        store.put_call(&over).await.expect("written");
        store.drop_checkpoint(over.id, Fence::of(&over)).await.expect("dropped");
    }
    0
}

/// Restores as the command does: what was mended.
async fn restored(backup: &Path, key: &KeySource, to: &Path) -> Mended {
    let mut mending = Mending::of(backup, key).expect("readable").expect("it is not of one moment");
    let mut reader = Reader::open(backup, key).expect("readable");
    let copy = Embedded::open(to, &embedded::Settings::default()).expect("made");
    while let Some(item) = reader.next_item().expect("whole") {
        if let Item::Rows(rows) = item {
            copy.import(&mending.mend(rows)).await.expect("imported");
        }
    }
    for rows in mending.added() {
        copy.import(&rows).await.expect("imported");
    }
    let examined = copy.freeze().expect("held").expect("it can").examine().expect("read");
    assert_eq!((examined.faults_total, examined.faults), (0, Vec::new()));
    assert!(!copy.export(Part::Bookings, Page::first(9)).await.expect("exported").rows.is_empty());
    mending.mended().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_a_backup_of_cassandra_under_writes_is_restored_and_sound() {
    let (ring, folder) = (Ring::start(1), tempfile::tempdir().expect("a folder"));
    let store = Arc::new(store(&settings(&ring, "backed_up")).await);
    let master = MasterKey::open(&folder.path().join("master.key")).expect("a key");
    let recordings =
        Recordings::in_folder(&folder.path().join("audio"), master, store.clone()).expect("a folder");
    let file = folder.path().join("backup.key");
    std::fs::write(&file, "0f".repeat(32)).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("closed");
    let key = KeySource::KeyFile(file);
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for own in 1..5 {
        writers.push(tokio::spawn(appointments(store.clone(), stop.clone(), own)));
    }
    writers.push(tokio::spawn(calls(store.clone(), stop.clone())));
    tokio::time::sleep(Duration::from_secs(3)).await;
    for round in 0..4 {
        let to = folder.path().join(format!("backup-{round}"));
        let options =
            Options { to: to.clone(), key: key.clone(), recordings: false, master_key: None, now: at(0) };
        write(&*store, &recordings, options).await.expect("made");
        let mended = restored(&to, &key, &folder.path().join(format!("restored-{round}"))).await;
        println!("{mended:?}");
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        let written = writer.await.expect("no panic");
        println!("{written} written meanwhile");
        assert!(written > 0);
    }
}
