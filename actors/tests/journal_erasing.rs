//! What waits in a journal is listed among the store's rows, and erased as they are.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::chance::Chance;
use actors::clock::Clock;
use actors::storage::journal::{Journalled, Log, LogError, Settings, Synced, Volatile};
use actors::storage::{Error, Extent, Memory, Page, Storage};
use actors::types::{
    CallEventKind, CallId, CallRecord, Message, PhoneNumber, Private, TenantId, ToolOutcome,
};
use tempfile::TempDir;

use crate::journal::{
    Store, at, call, ended, event, fence, id, journal, key, message, recording, rows, settings, store, uuid,
};
use crate::store_failures::{acknowledged, child, told};

const THEIRS: &str = "+447700900001";
const ANOTHERS: &str = "+447700900002";

fn number(text: &str) -> Private<PhoneNumber> {
    Private::new(PhoneNumber::parse(text).unwrap())
}

fn barbers() -> TenantId {
    TenantId::new("barbers")
}

fn of(caller: &str, record: CallRecord) -> CallRecord {
    CallRecord { caller: Some(number(caller)), ..record }
}

fn holds(path: &Path, words: &str) -> bool {
    std::fs::read(path).unwrap().windows(words.len()).any(|bytes| bytes == words.as_bytes())
}

/// A call of the caller that is over, one of another who left a message with the caller's number, and one of the
/// caller that goes on; of the first, the beginning is in the store.
async fn three_calls(store: &Store, journal: &Journalled) {
    journal.begin_call(&of(THEIRS, call(1))).await.unwrap();
    store.fail_before();
    let mut said = event(0);
    said.kind = CallEventKind::Trouble { what: "a secret that was said".to_owned() };
    journal.append_events(id(1), &[said, event(1)]).await.unwrap();
    journal.put_checkpoint(id(1), fence(), b"a secret state").await.unwrap();
    journal.put_recording(&recording(1)).await.unwrap();
    let note = Message { text: "a secret note".into(), ..message(1) };
    journal.put_message(&note, &key(&format!("{}/0", id(1)))).await.unwrap();
    let refused = ToolOutcome::Refused { why: "a secret refusal".to_owned() };
    journal.remember_outcome(&key(&format!("{}/1", id(1))), &refused).await.unwrap();
    let over =
        CallRecord { summary: "a secret summary".into(), recording: Some(recording(1).id), ..ended(1) };
    journal.put_call(&of(THEIRS, over)).await.unwrap();
    journal.drop_checkpoint(id(1), fence()).await.unwrap();

    journal.begin_call(&of(ANOTHERS, call(2))).await.unwrap();
    let note = Message { call: id(2), text: format!("They secretly know {THEIRS}.").into(), ..message(2) };
    journal.put_message(&note, &key(&format!("{}/0", id(2)))).await.unwrap();
    journal.put_call(&of(ANOTHERS, ended(2))).await.unwrap();
    journal.begin_call(&of(THEIRS, call(3))).await.unwrap();
}

async fn erase_caller(storage: &dyn Storage) -> Result<(u64, u64), Error> {
    let (mut calls, mut live, mut after) = (0, 0, None);
    loop {
        let step = storage.erase_caller(&barbers(), &number(THEIRS), after).await?;
        (calls, live, after) = (calls + step.erased.calls, live + step.live, step.next);
        if after.is_none() {
            return Ok((calls, live));
        }
    }
}

#[tokio::test]
async fn what_waits_of_an_erased_caller_is_gone_at_once_and_from_the_store_later() {
    let (folder, store) = (TempDir::new().unwrap(), store());
    let path = folder.path().join("journal");
    let first = Journalled::open(
        store.clone(),
        &path,
        Settings { drain_write_ms: 100, ..settings() },
        Clock::system(),
        Chance::system(),
    );
    let first = first.unwrap();
    three_calls(&store, &first).await;
    assert!(holds(&path, "secret"));
    // The store takes nothing, so that not all of it is done.
    assert!(matches!(erase_caller(&first).await, Err(Error::Unavailable { .. })));
    assert!(!holds(&path, "secret"), "what was said is not on the disk");
    let seen = |journal: Arc<Journalled>| async move {
        assert_eq!(journal.call(id(1)).await, Ok(None));
        assert_eq!(journal.events(id(1)).await, Ok(Vec::new()));
        assert_eq!(journal.recording(recording(1).id).await, Ok(None));
        let listed = journal.calls(&barbers(), Page::first(9)).await.unwrap().rows;
        assert_eq!(listed, [of(THEIRS, call(3)), of(ANOTHERS, ended(2))]);
        assert_eq!(journal.messages(&barbers(), Page::first(9)).await.unwrap().rows, []);
        let open = journal.open_calls(Page::first(9)).await.unwrap().rows;
        assert_eq!(open, [of(THEIRS, call(3))]);
        // What comes late of it is not kept.
        journal.append_events(id(1), &[event(7)]).await.unwrap();
        assert_eq!(journal.update_recording(&recording(1)).await, Ok(false));
    };
    let first = Arc::new(first);
    seen(first.clone()).await;
    // Its process dies; the next one knows as much.
    drop(first);
    let second = Arc::new(journal(&store, &path));
    seen(second.clone()).await;
    store.work();
    second.all_written().await;
    let left = rows(&*store).await;
    assert!(!format!("{:?}", left.iter().map(serde_json::to_string).collect::<Vec<_>>()).contains("secret"));
    assert_eq!(store.call(id(1)).await, Ok(None));
    assert_eq!(store.call(id(2)).await, Ok(Some(of(ANOTHERS, ended(2)))));
    let removals = store.removals(Page::first(9)).await.unwrap().rows;
    assert_eq!(removals.iter().map(|removal| removal.recording).collect::<Vec<_>>(), [recording(1).id]);
    // Again, and all of it is done but what goes on.
    assert_eq!(erase_caller(&*second).await, Ok((0, 1)));
    second.put_call(&of(THEIRS, ended(3))).await.unwrap();
    assert_eq!(erase_caller(&*second).await, Ok((1, 0)));
}

#[tokio::test]
async fn nothing_is_left_of_an_erased_business_wherever_it_waits() {
    let (folder, store) = (TempDir::new().unwrap(), store());
    let path = folder.path().join("journal");
    let journal = Arc::new(journal(&store, &path));
    for round in 0..20 {
        three_calls(&store, &journal).await;
        journal.put_call(&of(THEIRS, ended(3))).await.unwrap();
        let others = CallRecord { tenant: TenantId::new("clinic"), ..ended(4) };
        journal.put_call(&others).await.unwrap();
        // The store is back, and takes what waits while it is erased.
        store.work();
        if round % 3 > 0 {
            tokio::time::sleep(Duration::from_millis(round)).await;
        }
        let mut after = None;
        loop {
            let step = journal.erase_tenant(&barbers(), after).await.unwrap();
            assert_eq!(step.live, 0);
            after = step.next;
            if after.is_none() {
                break;
            }
        }
        journal.all_written().await;
        assert_eq!(store.calls(&barbers(), Page::first(9)).await.unwrap().rows, []);
        let left: Vec<String> =
            rows(&*store).await.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
        let theirs = |row: &&String| row.contains("barbers") && !row.starts_with("{\"removal");
        assert_eq!(left.iter().find(theirs), None, "{round}");
        assert_eq!(store.call(id(4)).await, Ok(Some(others)));
        for removal in store.removals(Page::first(9)).await.unwrap().rows {
            store.forget_removal(removal.recording).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_waits_is_listed_where_it_belongs() {
    let (folder, store) = (TempDir::new().unwrap(), store());
    let journal = journal(&store, &folder.path().join("journal"));
    for number in 0..6 {
        store.put_call(&of(THEIRS, ended(number * 2))).await.unwrap();
        let note = Message { taken_at: at(i64::from(number) * 2), ..message(number * 2) };
        store.put_message(&note, &key(&format!("{number}/0"))).await.unwrap();
    }
    // One has changed, others are not there yet.
    store.fail_before();
    let changed = |number| CallRecord { summary: "It waits.".into(), ..of(THEIRS, ended(number)) };
    for number in [4, 3, 7, 13] {
        journal.put_call(&changed(number)).await.unwrap();
        let note = Message { call: id(number), taken_at: at(number.into()), ..message(number) };
        journal.put_message(&note, &key(&format!("{number}/9"))).await.unwrap();
    }
    let expected: Vec<CallId> = [13, 10, 8, 7, 6, 4, 3, 2, 0].map(id).into();
    for limit in 1..=10 {
        let mut listed = [Vec::new(), Vec::new(), Vec::new()];
        for (which, listed) in listed.iter_mut().enumerate() {
            let mut page = Page::first(limit);
            loop {
                let found = match which {
                    0 => journal.calls(&barbers(), page).await,
                    1 => journal.calls_by_caller(&barbers(), &number(THEIRS), page).await,
                    _ => journal.old_calls(&barbers(), at(100), page).await,
                };
                let found = found.unwrap();
                assert!(found.rows.len() <= limit);
                listed.extend(found.rows);
                let Some(next) = found.next else { break };
                page = Page { after: Some(next), limit };
            }
        }
        listed[2].reverse();
        for listed in listed {
            assert_eq!(listed.iter().map(|record| record.id).collect::<Vec<_>>(), expected, "{limit}");
            let waits = listed.iter().filter(|record| record.summary.reveal() == "It waits.").count();
            assert_eq!(waits, 4);
        }
    }
    let notes = journal.messages(&barbers(), Page::first(20)).await.unwrap().rows;
    let times: Vec<_> = notes.iter().map(|note| note.taken_at).collect();
    assert_eq!(times, [13, 10, 8, 7, 6, 4, 3, 2, 0].map(at), "one that is there and waits, once");
    // What is past its time goes, wherever it is.
    let erased = journal.erase_call(id(7), Extent::Conversation).await.unwrap();
    assert_eq!((erased.erased.calls, erased.erased.messages, erased.calls), (1, 1, vec![id(7)]));
    store.work();
    journal.all_written().await;
    assert_eq!(store.call(id(7)).await, Ok(None));
    assert_eq!(store.calls(&barbers(), Page::first(20)).await.unwrap().rows.len(), 8);
}

/// A log that can't be written anew while it is told so.
struct Stubborn(Volatile, Arc<AtomicBool>);

impl Log for Stubborn {
    fn append(&self, bytes: Vec<u8>) -> Synced {
        self.0.append(bytes)
    }

    fn replace(&self, bytes: Vec<u8>) -> Synced {
        if !self.1.load(Ordering::SeqCst) {
            return self.0.replace(bytes);
        }
        let (tell, told) = tokio::sync::oneshot::channel();
        let _ = tell.send(Err(LogError::Disk("no room".to_owned())));
        told
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    fn is_suspect(&self) -> bool {
        false
    }

    fn close(&self) {}
}

/// Nobody is told that something is gone which is still in the file, however often they ask.
#[tokio::test]
async fn an_erasure_that_is_not_on_the_disk_is_none() {
    let (store, is_full) = (store(), Arc::new(AtomicBool::new(true)));
    let log = Box::new(Stubborn(Volatile::default(), is_full.clone()));
    let quick = Settings { drain_write_ms: 50, ..settings() };
    let journal = Journalled::in_log(store.clone(), log, quick, Clock::system(), Chance::system());
    store.fail_before();
    journal.put_call(&of(THEIRS, ended(1))).await.unwrap();
    for _ in 0..3 {
        let error = journal.erase_call(id(1), Extent::Everything).await.unwrap_err();
        assert!(error.to_string().contains("still in the journal's file"), "{error}");
        assert_eq!(journal.call(id(1)).await, Ok(None));
    }
    is_full.store(false, Ordering::SeqCst);
    store.work();
    journal.erase_call(id(1), Extent::Everything).await.unwrap();
    journal.all_written().await;
    assert_eq!(store.call(id(1)).await, Ok(None));
}

/// In a process of its own: keeps calls and erases them, and says so, for ever.
#[test]
fn child_erases_what_waits() {
    let Some(path) = told() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(crate::failing::Failing::new(Memory::new()));
        store.fail_before();
        let quick = Settings { drain_write_ms: 1, write_ms: 20, ..settings() };
        let journal = Journalled::open(store, &path, quick, Clock::system(), Chance::system()).unwrap();
        for number in 0.. {
            let words = format!("secret {number};");
            let over = CallRecord { summary: words.into(), id: CallId::new(uuid(number)), ..ended(1) };
            journal.put_call(&of(THEIRS, over)).await.unwrap();
            journal.put_call(&of(ANOTHERS, ended(1_000_000 + number))).await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "acked 0 {number}").unwrap();
            out.flush().unwrap();
            drop(out);
            journal.erase_call(CallId::new(uuid(number)), Extent::Everything).await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "acked 1 {number}").unwrap();
            out.flush().unwrap();
        }
    });
}

#[tokio::test]
async fn peer_what_was_erased_stays_so_and_the_rest_is_kept_when_the_process_is_killed() {
    let folder = TempDir::new().unwrap();
    let mut all = 0;
    for round in 0..4 {
        let path = folder.path().join(format!("journal-{round}"));
        let mut child = child("journal_erasing::child_erases_what_waits", "", &path);
        tokio::time::sleep(Duration::from_millis(250 + 90 * round)).await;
        child.kill().unwrap();
        let acked = acknowledged(&mut child);
        child.wait().unwrap();
        let last = |what: u32| acked.iter().filter(|(of, _)| *of == what).map(|(_, number)| *number).max();
        let (Some(kept), Some(erased)) = (last(0), last(1)) else { continue };
        for number in 0..=erased {
            assert!(!holds(&path, &format!("secret {number};")), "{number} of {erased}");
        }
        let store = store();
        let journal = journal(&store, &path);
        journal.all_written().await;
        for number in 0..=kept {
            let other = store.call(id(1_000_000 + number)).await.unwrap();
            assert_eq!(other, Some(of(ANOTHERS, ended(1_000_000 + number))));
            let stays = store.call(CallId::new(uuid(number))).await.unwrap().is_some();
            assert!(!stays || number > erased, "{number} of {erased} came back");
        }
        all += erased;
    }
    assert!(all > 8, "the children erased: {all}");
}
