//! Backups and copies that are made while others write are sound.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::storage::backup::{self, Item, KeySource, Mended, Options, Whole, write};
use crate::storage::conformance::{at, call, cancelled, event, moved};
use crate::storage::copy::{Progress, Spool, compare_with, copy_live};
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
    let mut whole = Whole::open(backup, key).expect("readable");
    assert!(!whole.head().one_moment);
    let copy = Embedded::open(to, &embedded::Settings::default()).expect("made");
    while let Some(item) = whole.next_item().expect("whole") {
        if let Item::Rows(rows) = item {
            copy.import(&rows).await.expect("imported");
        }
    }
    let examined = copy.freeze().expect("held").expect("it can").examine().expect("read");
    assert_eq!((examined.faults_total, examined.faults), (0, Vec::new()));
    assert!(!copy.export(Part::Bookings, Page::first(9)).await.expect("exported").rows.is_empty());
    whole.mended()
}

/// Copies as the command does, and is stopped after some steps, again and again: what was mended. The copy is sound.
async fn copied(from: &Scylla, to: &dyn Storage, spool: &Spool) -> Mended {
    let mut progress = Progress::none("one".to_owned(), "other".to_owned());
    for run in 0_u32.. {
        assert!(run < 1_000, "it comes to an end");
        let mut steps = 0;
        let stop = |_: &Progress| {
            steps += 1;
            if steps > 3 { Err(backup::Error::Stopped { why: "killed".to_owned() }) } else { Ok(()) }
        };
        let copied = match copy_live(from, to, spool, 100, &mut progress, stop).await {
            Ok(copied) => copied,
            Err(backup::Error::Stopped { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        assert!(run > 0, "it was stopped");
        for (part, from, to) in compare_with(&copied.rows, to).await.expect("compared") {
            assert_eq!(from, to, "{part}");
        }
        spool.remove().expect("removed");
        let found = match to.freeze().expect("asked") {
            Some(frozen) => frozen.examine().expect("read"),
            None => to.examine().await.expect("read").expect("examined"),
        };
        assert_eq!((found.faults_total, found.faults), (0, Vec::new()));
        return copied.mended;
    }
    Mended::default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_backups_and_copies_of_cassandra_under_writes_are_sound() {
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
    let spool = Spool::beside(&folder.path().join("copying.json"));
    let embedded = Embedded::open(&folder.path().join("copied"), &embedded::Settings::default());
    println!("{:?}", copied(&store, &embedded.expect("made"), &spool).await);
    let other = self::store(&settings(&ring, "copied")).await;
    println!("{:?}", copied(&store, &other, &spool).await);
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        let written = writer.await.expect("no panic");
        println!("{written} written meanwhile");
        assert!(written > 0);
    }
}
