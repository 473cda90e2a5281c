//! Rows out of a store and into another.

use super::*;
use crate::storage::{
    AuditAct, AuditActor, AuditEntry, Erased, Error, Extent, Fence, FinishedRecording, Memory, Page, Part,
    Recording, Storage, StoredRow, Users,
};
use crate::types::{CallId, Private, RecordingId, ResourceId, ToolOutcome};

/// Writes something of every kind, by the contract's own words.
pub(crate) async fn fill(store: &dyn Storage) {
    for (id, number) in [("barbers", "1000"), ("clinic", "2000"), ("odd\0name", "3000")] {
        store.put_business(&business(id, 1, &[number]), None).await.expect("written");
        store.keep_key(&tenant(id), id.as_bytes()).await.expect("kept");
    }
    store.put_business(&business("clinic", 2, &["2001", "2002"]), Some(1)).await.expect("written");
    for (owner, number) in [("barbers", 1), ("barbers", 2), ("clinic", 3)] {
        store.create_user(&user(owner, number, &format!("u{number}@example.com"))).await.expect("kept");
    }
    let mut changed = user("barbers", 2, "changed@example.com");
    changed.version = 2;
    store.change_user(&changed, 1).await.expect("changed");
    for number in 1..=5 {
        let owner = if number == 4 { "clinic" } else { "barbers" };
        let mut record = call(owner, number, i64::from(number));
        if number == 5 {
            (record.ended_at, record.caller) = (None, None);
            store.put_checkpoint(record.id, Fence::of(&record), b"\0where it was\xff").await.expect("kept");
        }
        store.put_call(&record).await.expect("written");
        let events = [event(0, "first"), event(1, "second"), event(700, "last")];
        store.append_events(record.id, &events).await.expect("appended");
    }
    let (stands, time) = booking(1, 0, 30);
    written(store.book(&stands, &time, &key("1/0")).await.expect("answered"));
    let (goes, time) = booking(2, 60, 30);
    written(store.book(&goes, &time, &key("2/0")).await.expect("answered"));
    let (gone, time) = moved(&goes, 120);
    written(store.rebook(&gone, &time, &key("2/1")).await.expect("answered"));
    let (dropped, time) = booking(3, 180, 30);
    written(store.book(&dropped, &time, &key("3/0")).await.expect("answered"));
    written(store.cancel(&cancelled(&dropped), &key("3/1")).await.expect("answered"));
    for number in 1..=3 {
        let left = message("barbers", number, i64::from(number));
        store.put_message(&left, &key(&format!("{number}/9"))).await.expect("kept");
    }
    store.remember_outcome(&key("1/0"), &ToolOutcome::NotFound).await.expect("remembered");
    let finished =
        FinishedRecording { segments: 3, samples: 24_000, lost_segments: vec![1], cut_short: true };
    for (number, finished) in [(1, Some(finished)), (2, None)] {
        store.put_recording(&recording(number, finished)).await.expect("written");
    }
    let mut erased = call("barbers", 6, 6);
    erased.recording = Some(RecordingId::new(uuid(6)));
    store.put_call(&erased).await.expect("written");
    store.put_recording(&Recording { call: erased.id, ..recording(6, None) }).await.expect("written");
    store.erase_call(erased.id, Extent::Everything).await.expect("erased");
    for minute in [1, 2] {
        let entry = AuditEntry {
            at: at(minute),
            by: AuditActor::Operator,
            act: AuditAct::EraseCall,
            erased: Erased::default(),
            live: 0,
        };
        store.append_audit(&tenant("barbers"), &entry).await.expect("written");
    }
}

fn recording(number: u32, finished: Option<FinishedRecording>) -> Recording {
    Recording {
        id: RecordingId::new(uuid(number)),
        tenant: tenant("barbers"),
        call: CallId::new(uuid(number)),
        started_at: at(0),
        sealed_key: vec![0, 255, 7],
        rate_hz: 8_000,
        segment_samples: 16_000,
        finished,
        merged: None,
    }
}

/// All rows of a part, read in pages of `limit`.
pub(crate) async fn rows_of(store: &dyn Storage, part: Part, limit: usize) -> Vec<StoredRow> {
    let (mut rows, mut page) = (Vec::new(), Page::first(limit));
    loop {
        let listing = store.export(part, page).await.expect("exported");
        assert!(listing.rows.len() <= limit && listing.rows.iter().all(|row| row.part() == part));
        rows.extend(listing.rows);
        match listing.next {
            Some(next) => page = Page { after: Some(next), limit },
            None => return rows,
        }
    }
}

/// All rows as text, in an order that is no store's own.
async fn everything(store: &dyn Storage, limit: usize) -> Vec<String> {
    let mut all = Vec::new();
    for part in Part::ALL {
        let rows = rows_of(store, part, limit).await;
        assert!(!rows.is_empty(), "{part}");
        all.extend(rows.iter().map(|row| serde_json::to_string(row).expect("small")));
    }
    all.sort();
    all
}

async fn copy(from: &dyn Storage, to: &dyn Storage, limit: usize) {
    for part in Part::ALL {
        for page in rows_of(from, part, limit).await.chunks(limit) {
            to.import(page).await.expect("imported");
        }
    }
}

pub(crate) async fn everything_is_exported_once(store: Store) {
    fill(&*store).await;
    let all = everything(&*store, 2).await;
    assert_eq!(all, everything(&*store, 500).await, "whatever the pages");
    let mut once = all.clone();
    once.dedup();
    assert_eq!(once.len(), all.len());
    let counts: Vec<usize> = {
        let mut counts = Vec::new();
        for part in Part::ALL {
            counts.push(rows_of(&*store, part, 9).await.len());
        }
        counts
    };
    assert_eq!(counts, [3, 3, 3, 5, 15, 1, 3, 5, 3, 1, 2, 1, 2]);
}

pub(crate) async fn what_was_exported_makes_the_same_store(store: Store) {
    let (source, back) = (Memory::new(), Memory::new());
    fill(&source).await;
    copy(&source, &*store, 2).await;
    copy(&*store, &back, 500).await;
    assert_eq!(everything(&*store, 3).await, everything(&source, 3).await);
    assert_eq!(everything(&back, 3).await, everything(&source, 3).await);
    // What the contract finds by other ways than the row itself is found.
    let barbers = tenant("barbers");
    assert_eq!(store.tenant_of(&number("2002")).await, Ok(Some(tenant("clinic"))));
    assert_eq!(store.tenant_of(&number("2000")).await, Ok(None), "a number that was given up");
    let page = || Page::first(99);
    assert_eq!(store.users(&barbers, page()).await, source.users(&barbers, page()).await);
    let email = user("barbers", 2, "changed@example.com").email;
    assert_eq!(store.user_by_email(&email).await, source.user_by_email(&email).await);
    let given_up = user("barbers", 2, "u2@example.com").email;
    assert_eq!(store.user_by_email(&given_up).await, Ok(None), "an address that was given up");
    assert_eq!(store.calls(&barbers, page()).await, source.calls(&barbers, page()).await);
    assert_eq!(store.open_calls(page()).await, source.open_calls(page()).await);
    let caller = Private::new(number("+447700900001"));
    assert_eq!(
        store.calls_by_caller(&barbers, &caller, page()).await,
        source.calls_by_caller(&barbers, &caller, page()).await
    );
    let sam = ResourceId::new("sam");
    assert_eq!(
        store.occupied(&barbers, &sam, at(-99), at(999)).await,
        source.occupied(&barbers, &sam, at(-99), at(999)).await
    );
    assert_eq!(
        store.bookings(&barbers, at(-99), at(999), page()).await,
        source.bookings(&barbers, at(-99), at(999), page()).await
    );
    assert_eq!(store.audit(&barbers, page()).await, source.audit(&barbers, page()).await);
    assert_eq!(store.removals(page()).await, source.removals(page()).await);
    assert_eq!(store.messages(&barbers, page()).await, source.messages(&barbers, page()).await);
    // And what is asked for a second time is not done a second time.
    let (other, time) = booking(8, 300, 30);
    let again = store.book(&other, &time, &key("1/0")).await.expect("answered");
    assert_eq!(written(again), booking(1, 0, 30).0);
    let left = store.put_message(&message("barbers", 8, 8), &key("1/9")).await;
    assert_eq!(left, Ok(message("barbers", 1, 1)));
}

pub(crate) async fn importing_again_changes_nothing(store: Store) {
    let source = Memory::new();
    fill(&source).await;
    copy(&source, &*store, 7).await;
    let once = everything(&*store, 50).await;
    copy(&source, &*store, 4).await;
    assert_eq!(everything(&*store, 50).await, once);
    // The same row twice in one go, too.
    let rows = rows_of(&source, Part::Bookings, 9).await;
    store.import(&[rows.clone(), rows].concat()).await.expect("imported");
    assert_eq!(everything(&*store, 50).await, once);
}

pub(crate) async fn another_row_of_the_same_identity_is_refused(store: Store) {
    fill(&*store).await;
    let before = everything(&*store, 50).await;
    let mut other_call = call("barbers", 1, 1);
    other_call.sip_status = 486;
    let (mut other_booking, _) = booking(1, 0, 30);
    other_booking.version = 9;
    let (first, first_time) = booking(1, 0, 30);
    let others = [
        ("business", StoredRow::Business(business("barbers", 7, &["1000"]))),
        ("business's key", StoredRow::Key { tenant: tenant("barbers"), sealed: vec![1] }),
        ("user", StoredRow::User(user("barbers", 1, "free@example.com"))),
        ("call", StoredRow::Call(other_call)),
        ("call event", StoredRow::Event { call: CallId::new(uuid(1)), event: event(1, "other") }),
        ("checkpoint", StoredRow::Checkpoint { call: CallId::new(uuid(5)), state: vec![1] }),
        ("appointment", StoredRow::Booking { booking: other_booking.clone(), occupied: Some(first_time) }),
        ("appointment", StoredRow::Booking { booking: first, occupied: None }),
        ("written appointment", StoredRow::Written { key: key("1/0"), booking: other_booking }),
        ("message", StoredRow::Message { key: key("1/9"), message: message("barbers", 2, 2) }),
        (
            "tool outcome",
            StoredRow::Outcome { key: key("1/0"), outcome: ToolOutcome::Refused { why: "no".to_owned() } },
        ),
        ("recording", StoredRow::Recording(recording(1, None))),
    ];
    for (what, row) in others {
        assert_eq!(store.import(&[row]).await, Err(Error::Conflict { what }));
    }
    assert_eq!(everything(&*store, 50).await, before, "nothing was changed");
}

pub(crate) async fn imported_time_and_numbers_are_given_once(store: Store) {
    fill(&*store).await;
    let (late, time) = booking(9, 20, 30);
    let taken = StoredRow::Booking { booking: late.clone(), occupied: Some(time) };
    assert_eq!(store.import(&[taken]).await, Err(Error::Conflict { what: "occupied span" }));
    assert_eq!(store.booking(&late.tenant, late.id).await, Ok(None));
    let twin = StoredRow::Business(business("twin", 1, &["1000"]));
    assert_eq!(store.import(&[twin]).await, Err(Error::Conflict { what: "number" }));
    let twin = StoredRow::User(user("clinic", 9, "u1@example.com"));
    assert_eq!(store.import(&[twin]).await, Err(Error::Conflict { what: "e-mail address" }));
    // A cancelled appointment's time is free for another's.
    let (next, time) = booking(10, 180, 30);
    let free = StoredRow::Booking { booking: next.clone(), occupied: Some(time) };
    assert_eq!(store.import(&[free]).await, Ok(()));
    assert_eq!(store.booking(&next.tenant, next.id).await, Ok(Some(next)));
}
