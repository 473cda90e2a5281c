//! The audit, and the keys it tells of.

use super::*;
use crate::storage::{AuditAct, AuditActor, AuditEntry, Cursor, Erased, Error, Page, SealedKey, broken_link};

pub(crate) fn entry(minute: i64) -> AuditEntry {
    AuditEntry {
        at: at(minute),
        by: AuditActor::Operator,
        act: AuditAct::EraseCaller,
        erased: Erased { calls: 2, ..Erased::default() },
        live: 0,
    }
}

pub(crate) async fn an_audit_is_a_chain(store: Store) {
    for minute in 0..5 {
        let row = store.append_audit(&tenant("barbers"), &entry(minute)).await.expect("appended");
        assert_eq!((row.seq, &row.entry), (u64::try_from(minute).expect("few"), &entry(minute)));
    }
    // A clock that goes back changes no order.
    store.append_audit(&tenant("barbers"), &entry(-60)).await.expect("appended");
    store.append_audit(&tenant("clinic"), &entry(0)).await.expect("appended");
    let all = store.audit(&tenant("barbers"), Page::first(9)).await.expect("listed").rows;
    assert_eq!(all.iter().map(|row| row.seq).collect::<Vec<_>>(), [5, 4, 3, 2, 1, 0]);
    assert_eq!(broken_link(&all), None);
    let first: Vec<_> = store.audit(&tenant("barbers"), Page::first(2)).await.expect("listed").rows;
    assert_eq!(first, all[..2]);
    let mut changed = all.clone();
    changed[3].entry.erased.calls = 1;
    assert_eq!(broken_link(&changed), Some(3));
    let mut cut = all;
    cut.remove(2);
    assert_eq!(broken_link(&cut), Some(4));
}

pub(crate) async fn of_many_rows_at_once_each_has_its_number(store: Store) {
    let tasks: Vec<_> = (0..24)
        .map(|minute| {
            let store = store.clone();
            tokio::spawn(async move { store.append_audit(&tenant("barbers"), &entry(minute)).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("appended");
    }
    let rows = store.audit(&tenant("barbers"), Page::first(99)).await.expect("listed").rows;
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), (0..24).rev().collect::<Vec<u64>>());
    assert_eq!(broken_link(&rows), None);
}

pub(crate) async fn keys_are_listed_replaced_and_dropped(store: Store) {
    for owner in ["clinic", "barbers", "a\0b"] {
        store.keep_key(&tenant(owner), owner.as_bytes()).await.expect("kept");
    }
    let (mut found, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let listing = store.keys(Page { after, limit: 2 }).await.expect("listed");
        found.extend(listing.rows);
        after = listing.next;
        if after.is_none() {
            break;
        }
    }
    found.sort_by(|one, other| one.tenant.cmp(&other.tenant));
    let expected = ["a\0b", "barbers", "clinic"]
        .map(|owner| SealedKey { tenant: tenant(owner), sealed: owner.as_bytes().to_vec() });
    assert_eq!(found, expected);
    let barbers = tenant("barbers");
    assert_eq!(store.replace_key(&barbers, b"barbers", b"anew").await, Ok(()));
    let conflict = Err(Error::Conflict { what: "business's key" });
    assert_eq!(store.replace_key(&barbers, b"barbers", b"again").await, conflict);
    assert_eq!(store.key(&barbers).await, Ok(Some(b"anew".to_vec())));
    assert_eq!(store.drop_key(&barbers).await, Ok(true));
    assert_eq!(store.drop_key(&barbers).await, Ok(false));
    assert_eq!(store.key(&barbers).await, Ok(None));
    assert_eq!(store.replace_key(&barbers, b"anew", b"more").await, conflict, "a dropped key stays dropped");
}
