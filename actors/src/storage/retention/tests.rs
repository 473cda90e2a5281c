use std::sync::Arc;

use jiff::SignedDuration;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use tempfile::TempDir;

use super::*;
use crate::clock::Clock;
use crate::storage::conformance::{at, booking, business, call, key, message, number, tenant, written};
use crate::storage::recordings::{MasterKey, Recordings};
use crate::storage::{AuditAct, AuditActor, Memory, Page, Storage, broken_link};
use crate::types::{CallId, CallRecord, Private, TenantId};

struct Archive {
    _folder: TempDir,
    storage: Arc<dyn Storage>,
    eraser: Eraser,
}

impl Archive {
    /// So many days after the first call, less an hour.
    async fn on_day(day: i64, settings: Settings) -> Self {
        let folder = TempDir::new().expect("a folder");
        let storage: Arc<dyn Storage> = Arc::new(Memory::new());
        let master = MasterKey::open(&folder.path().join("master.key")).expect("a key");
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let recordings = Recordings::new(objects, master, Arc::clone(&storage));
        let clock = Clock::starting_at(at(0) + SignedDuration::from_hours(24 * day - 1));
        let eraser = Eraser::new(Arc::clone(&storage), recordings, settings, clock);
        let archive = Self { _folder: folder, storage, eraser };
        archive.fill().await;
        archive
    }

    /// Three businesses with a call on each of ten days: one keeps seven days, one keeps all, one must.
    async fn fill(&self) {
        for (owner, days, held) in [("barbers", 7, false), ("clinic", 0, false), ("plumber", 7, true)] {
            let mut one = business(owner, 1, &[]);
            one.policy.retention_days = days;
            one.policy.legal_hold = held;
            self.storage.put_business(&one, None).await.expect("written");
            for day in 0..10_u32 {
                let id = day + 100 * days + 1_000 * u32::from(held);
                let record = call(owner, id, i64::from(day) * 1_440);
                self.storage.put_call(&record).await.expect("written");
                let left = message(owner, id, i64::from(day) * 1_440);
                self.storage.put_message(&left, &key(&format!("{}/0", record.id))).await.expect("kept");
            }
        }
        let (mut made, time) = booking(700, 0, 30);
        made.call = call("barbers", 700, 0).id;
        written(self.storage.book(&made, &time, &key("x/1")).await.expect("answered"));
    }

    async fn calls(&self, owner: &str) -> Vec<CallRecord> {
        self.storage.calls(&tenant(owner), Page::first(99)).await.expect("listed").rows
    }
}

#[tokio::test]
async fn calls_past_their_time_are_swept_and_written_down() {
    let archive = Archive::on_day(12, Settings::default()).await;
    let swept = archive.eraser.sweep().await.expect("swept");
    assert_eq!((swept.businesses, swept.erased.calls, swept.erased.messages), (1, 5, 5));
    assert!(!swept.more);
    let oldest = archive.calls("barbers").await.pop().expect("some are left").started_at;
    assert_eq!(oldest, at(5 * 1_440), "seven days are kept");
    assert_eq!((archive.calls("clinic").await.len(), archive.calls("plumber").await.len()), (10, 10));
    let messages = archive.storage.messages(&tenant("barbers"), Page::first(99)).await.expect("listed");
    assert_eq!(messages.rows.len(), 5);
    let made = archive.storage.booking(&tenant("barbers"), booking(700, 0, 30).0.id).await.expect("read");
    assert!(made.is_some(), "appointments stand");
    let audit = archive.storage.audit(&tenant("barbers"), Page::first(9)).await.expect("listed").rows;
    let told: Vec<_> =
        audit.iter().map(|row| (row.entry.by, row.entry.act, row.entry.erased.calls)).collect();
    assert_eq!(told, [(AuditActor::Retention, AuditAct::Sweep, 5)]);
    assert_eq!(archive.eraser.sweep().await.expect("swept").erased.calls, 0);
    let again = archive.storage.audit(&tenant("barbers"), Page::first(9)).await.expect("listed").rows;
    assert_eq!(again.len(), 1, "a sweep that erased nothing says nothing");
}

#[tokio::test]
async fn a_sweep_is_bounded_and_goes_on_where_it_ended() {
    let archive = Archive::on_day(30, Settings { calls_max: 4, ..Settings::default() }).await;
    let mut erased = Vec::new();
    for _ in 0..4 {
        erased.push(archive.eraser.sweep().await.expect("swept").erased.calls);
    }
    assert_eq!(erased, [4, 4, 2, 0]);
    let audit = archive.storage.audit(&tenant("barbers"), Page::first(9)).await.expect("listed").rows;
    assert_eq!((audit.len(), broken_link(&audit)), (3, None));
}

#[tokio::test]
async fn erasing_is_written_down_and_a_hold_is_kept() {
    let archive = Archive::on_day(1, Settings { work_ms: 0, ..Settings::default() }).await;
    let caller = Private::new(number("+447700900001"));
    let held = Err(Error::Held { tenant: tenant("plumber") });
    assert_eq!(archive.eraser.erase_caller(&tenant("plumber"), &caller, None).await, held);
    assert_eq!(archive.eraser.erase_tenant(&tenant("plumber"), None).await, held);
    let of_plumber = archive.calls("plumber").await[0].id;
    assert_eq!(archive.eraser.erase_call(of_plumber).await, held);
    assert_eq!(archive.eraser.erase_call(call("x", 9_999, 0).id).await, Err(Error::NotFound));
    let mut own = business("clinic", 2, &["+447700900001"]);
    own.policy.retention_days = 0;
    archive.storage.put_business(&own, Some(1)).await.expect("written");
    let refused = archive.eraser.erase_caller(&tenant("clinic"), &caller, None).await;
    assert_eq!(refused, Err(Error::OwnNumber { tenant: tenant("clinic") }));
    // One step at a time, as a slow store would have it.
    let (mut after, mut calls, mut steps) = (None, 0, 0);
    loop {
        let done = archive.eraser.erase_tenant(&tenant("barbers"), after).await.expect("erased");
        calls += done.erasure.erased.calls;
        steps += 1;
        assert_eq!(done.objects_left, 0);
        after = done.erasure.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(calls, 10);
    assert_eq!(archive.calls("barbers").await, []);
    let audit = archive.storage.audit(&tenant("barbers"), Page::first(99)).await.expect("listed").rows;
    assert_eq!((audit.len(), broken_link(&audit)), (steps, None));
    let told: u64 = audit.iter().map(|row| row.entry.erased.calls).sum();
    assert_eq!((told, audit[0].entry.act), (10, AuditAct::EraseTenant));
}

/// An index that remembers what it was told to forget, and can be away.
#[derive(Default)]
struct Forgetful {
    calls: parking_lot::Mutex<Vec<CallId>>,
    businesses: parking_lot::Mutex<Vec<TenantId>>,
    is_away: std::sync::atomic::AtomicBool,
}

#[async_trait::async_trait]
impl Index for Forgetful {
    async fn forget_calls(&self, calls: Vec<CallId>) -> std::result::Result<(), String> {
        if self.is_away.load(std::sync::atomic::Ordering::Relaxed) {
            return Err("it is away".to_owned());
        }
        self.calls.lock().extend(calls);
        Ok(())
    }

    async fn forget_business(&self, tenant: &TenantId) -> std::result::Result<(), String> {
        self.businesses.lock().push(tenant.clone());
        Ok(())
    }
}

#[tokio::test]
async fn the_index_is_told_of_every_call_that_is_gone() {
    let archive = Archive::on_day(10, Settings::default()).await;
    let index = Arc::new(Forgetful::default());
    let eraser = archive.eraser.clone().with_index(Some(Arc::clone(&index) as Arc<dyn Index>));
    let before: Vec<CallId> = archive.calls("barbers").await.iter().map(|call| call.id).collect();
    eraser.sweep().await.expect("swept");
    let left: Vec<CallId> = archive.calls("barbers").await.iter().map(|call| call.id).collect();
    let mut gone: Vec<CallId> = before.into_iter().filter(|call| !left.contains(call)).collect();
    gone.sort_unstable();
    index.calls.lock().sort_unstable();
    assert!(!gone.is_empty() && *index.calls.lock() == gone);

    eraser.erase_call(left[0]).await.expect("erased");
    assert!(index.calls.lock().contains(&left[0]));
    eraser.erase_tenant(&tenant("barbers"), None).await.expect("erased");
    assert_eq!(*index.businesses.lock(), [tenant("barbers")]);
    assert!(left.iter().all(|call| index.calls.lock().contains(call)));

    index.is_away.store(true, std::sync::atomic::Ordering::Relaxed);
    let other = archive.calls("clinic").await.first().expect("a call").id;
    let error = eraser.erase_call(other).await.expect_err("not all is gone");
    assert!(error.to_string().contains("calls reindex"), "{error}");
    assert_eq!(archive.storage.call(other).await, Ok(None), "and the store's part is done");
}
