//! Backups of a store that is changed between any two looks at it: each is restored, and sound.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::storage::conformance::{
    booking, business, call, cancelled, event, key, moved, portable, tenant, user,
};
use crate::storage::{Extent, Fence, Memory, Page, Part, Storage, StoredRow, Users};
use crate::types::{Booking, BookingState, CallRecord};

/// What happens between two looks.
#[derive(Debug, Clone, Copy)]
enum Act {
    Book(u32, i64),
    Move(u32, i64),
    Cancel(u32),
    Call(u32),
    End(u32),
    Erase(u32),
    HandOver(bool),
}

fn act() -> impl Strategy<Value = Act> {
    let (id, time) = (0..6_u32, 0..5_i64);
    prop_oneof![
        4 => (id.clone(), time.clone()).prop_map(|(id, time)| Act::Book(id, time * 20)),
        4 => (id.clone(), time).prop_map(|(id, time)| Act::Move(id, time * 20)),
        1 => id.clone().prop_map(Act::Cancel),
        1 => id.clone().prop_map(Act::Call),
        1 => id.clone().prop_map(Act::End),
        1 => id.prop_map(Act::Erase),
        1 => any::<bool>().prop_map(Act::HandOver),
    ]
}

/// Does it, or nothing where it can't be done.
async fn act_on(store: &Memory, act: Act, step: u32) {
    let own = |id: u32| booking(id, 0, 30).0;
    let step = key(&format!("{step}/0"));
    match act {
        Act::Book(id, minute) => {
            let (new, time) = booking(id, minute, 30);
            if store.booking(&new.tenant, new.id).await.expect("read").is_none() {
                store.book(&new, &time, &step).await.expect("answered");
            }
        }
        Act::Move(id, minute) => {
            let Some(before) = store.booking(&tenant("barbers"), own(id).id).await.expect("read") else {
                return;
            };
            let (new, time) = moved(&before, minute);
            store.rebook(&new, &time, &step).await.expect("answered");
        }
        Act::Cancel(id) => {
            let Some(before) = store.booking(&tenant("barbers"), own(id).id).await.expect("read") else {
                return;
            };
            store.cancel(&cancelled(&before), &step).await.expect("answered");
        }
        Act::Call(id) => {
            let begun = CallRecord { ended_at: None, ..call("barbers", id, 0) };
            store.put_call(&begun).await.expect("written");
            store.append_events(begun.id, &[event(0, "said")]).await.expect("appended");
            store.put_checkpoint(begun.id, Fence::of(&begun), b"state").await.expect("kept");
        }
        Act::End(id) => {
            let over = call("barbers", id, 0);
            store.append_events(over.id, &[event(1, "said")]).await.expect("appended");
            store.put_call(&over).await.expect("written");
            store.drop_checkpoint(over.id, Fence::of(&over)).await.expect("dropped");
        }
        Act::Erase(id) => {
            store.erase_call(call("barbers", id, 0).id, Extent::Everything).await.expect("erased");
        }
        Act::HandOver(to_clinic) => hand_over(store, to_clinic).await,
    }
}

/// A number and an address change hands.
async fn hand_over(store: &Memory, to_clinic: bool) {
    let (from, to) = if to_clinic { ("barbers", "clinic") } else { ("clinic", "barbers") };
    for (id, numbers) in [(from, &[][..]), (to, &["1000"])] {
        let before = store.business(&tenant(id)).await.expect("read").map(|before| before.version);
        let new = business(id, before.unwrap_or(0) + 1, numbers);
        store.put_business(&new, before).await.expect("written");
    }
    let (one, other) = (user("barbers", 1, "shared@example.com"), user("clinic", 2, "shared@example.com"));
    let (gone, new) = if to_clinic { (one, other) } else { (other, one) };
    store.delete_user(&gone.tenant, gone.id).await.expect("deleted");
    if store.user(&new.tenant, new.id).await.expect("read").is_none() {
        store.create_user(&new).await.expect("kept");
    }
}

/// Exports a page of `rows` rows at a time, with an act before each, and mends what came of it.
async fn backed_up(store: &Memory, acts: &[Act], rows: usize) -> (Vec<Vec<StoredRow>>, Mending) {
    let (mut acts, step) = (acts.iter(), AtomicU32::new(1_000));
    let (mut pages, mut mending) = (Vec::new(), Mending::default());
    for part in Part::ALL {
        let mut page = Page::first(rows);
        loop {
            if let Some(act) = acts.next() {
                act_on(store, *act, step.fetch_add(1, Ordering::Relaxed)).await;
            }
            let listing = store.export(part, page).await.expect("exported");
            mending.look(&listing.rows);
            pages.push(listing.rows);
            let Some(next) = listing.next else { break };
            page = Page { after: Some(next), limit: rows };
        }
    }
    mending.settle();
    (pages, mending)
}

/// Restores it, looks whether all of it is sound, and gives the rows that are there with what was mended.
async fn restored(pages: Vec<Vec<StoredRow>>, mut mending: Mending) -> (Memory, Mended) {
    let copy = Memory::new();
    for page in pages {
        copy.import(&mending.mend(page)).await.expect("imported");
    }
    for page in mending.added() {
        copy.import(&page).await.expect("imported");
    }
    let examined = copy.freeze().expect("held").expect("it can").examine().expect("read");
    assert_eq!((examined.faults_total, examined.faults), (0, Vec::new()));
    let mut calls = HashSet::new();
    for row in portable::rows_of(&copy, Part::Calls, 100).await {
        if let StoredRow::Call(record) = row {
            calls.insert(record.id);
        }
    }
    for row in portable::rows_of(&copy, Part::Events, 100).await {
        assert!(matches!(row, StoredRow::Event { call, .. } if calls.contains(&call)));
    }
    (copy, mending.mended().clone())
}

#[test]
fn whatever_happens_while_it_is_made_it_is_restored_and_sound() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (before, during) = (proptest::collection::vec(act(), 0..24), proptest::collection::vec(act(), 0..60));
    let mut runner = TestRunner::default();
    runner
        .run(&(before, during, 1..4_usize), |(before, during, rows)| {
            runtime.block_on(async {
                let store = Memory::new();
                for (step, act) in before.into_iter().enumerate() {
                    act_on(&store, act, u32::try_from(step).expect("few")).await;
                }
                let (pages, mending) = backed_up(&store, &during, rows).await;
                restored(pages, mending).await;
            });
            Ok(())
        })
        .expect("every one");
}

/// Nothing is changed of what fits.
#[tokio::test]
async fn a_whole_backup_is_given_on_as_it_is() {
    let store = Memory::new();
    portable::fill(&store).await;
    let (pages, mending) = backed_up(&store, &[], 3).await;
    let (copy, mended) = restored(pages, mending).await;
    assert_eq!(mended, Mended::default());
    for part in Part::ALL {
        assert_eq!(portable::rows_of(&copy, part, 100).await, portable::rows_of(&store, part, 100).await);
    }
}

/// The one that was moved away is where it was moved to, and the one that came later has its time.
#[tokio::test]
async fn an_appointment_that_was_moved_is_restored_where_it_went() {
    let store = Memory::new();
    let ((first, time), (second, _)) = (booking(1, 0, 30), booking(2, 0, 30));
    store.book(&first, &time, &key("1/0")).await.expect("booked");
    let mut pages = vec![store.export(Part::Bookings, Page::first(9)).await.expect("exported").rows];
    let (away, free) = moved(&first, 60);
    store.rebook(&away, &free, &key("1/1")).await.expect("moved");
    let (_, time) = booking(2, 0, 30);
    store.book(&second, &time, &key("2/0")).await.expect("booked");
    let (late, at_late) = booking(3, 120, 30);
    store.book(&late, &at_late, &key("3/0")).await.expect("booked");
    pages.push(vec![StoredRow::Booking { booking: second.clone(), occupied: Some(time) }]);
    pages.push(store.export(Part::Written, Page::first(9)).await.expect("exported").rows);
    let mut mending = Mending::default();
    pages.iter().for_each(|page| mending.look(page));
    mending.settle();
    let (copy, mended) = restored(pages, mending).await;
    assert_eq!((mended.appointments_renewed, mended.appointments_added), (1, 1));
    assert_eq!(mended.appointments_without_time, []);
    for expected in [away, second, late] {
        assert_eq!(copy.booking(&expected.tenant, expected.id).await, Ok(Some(expected)));
    }
    // Where nothing tells where it went, it is kept as cancelled, and told.
    let ((first, one), (second, other)) = (booking(1, 0, 30), booking(2, 10, 30));
    let pages = vec![vec![
        StoredRow::Booking { booking: first.clone(), occupied: Some(one) },
        StoredRow::Booking { booking: second.clone(), occupied: Some(other) },
    ]];
    let mut mending = Mending::default();
    mending.look(&pages[0]);
    mending.settle();
    let (copy, mended) = restored(pages, mending).await;
    assert_eq!(mended.appointments_without_time, [(first.tenant.clone(), first.id)]);
    let kept = copy.booking(&first.tenant, first.id).await.expect("read").expect("kept");
    assert_eq!(kept, Booking { state: BookingState::Cancelled, ..first });
    assert_eq!(copy.booking(&second.tenant, second.id).await, Ok(Some(second)));
}
