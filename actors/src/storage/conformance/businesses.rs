//! Businesses and numbers.

use super::*;
use crate::storage::{Error, Page};

pub(crate) async fn a_business_is_written_where_its_version_is_the_expected_one(store: Store) {
    let (first, second) = (business("barbers", 1, &["1000"]), business("barbers", 2, &["1000"]));
    let conflict = Err(Error::Conflict { what: "business" });
    assert_eq!(store.business(&first.id).await, Ok(None));
    assert_eq!(store.put_business(&second, Some(1)).await, conflict, "it does not exist yet");
    assert_eq!(store.put_business(&first, None).await, Ok(()));
    assert_eq!(store.put_business(&second, None).await, conflict, "it exists");
    assert_eq!(store.put_business(&second, Some(7)).await, conflict, "not that version");
    assert_eq!(store.business(&first.id).await, Ok(Some(first.clone())));
    assert_eq!(store.put_business(&second, Some(1)).await, Ok(()));
    assert_eq!(store.business(&first.id).await, Ok(Some(second)));
}

pub(crate) async fn a_number_belongs_to_one_business(store: Store) {
    let barbers = business("barbers", 1, &["1000", "+442079460100"]);
    store.put_business(&barbers, None).await.expect("written");
    let clinic = business("clinic", 1, &["2000", "1000"]);
    assert_eq!(store.put_business(&clinic, None).await, Err(Error::Conflict { what: "number" }));
    assert_eq!(store.business(&clinic.id).await, Ok(None), "nothing was changed");
    assert_eq!(store.tenant_of(&number("2000")).await, Ok(None), "nothing was changed");
    assert_eq!(store.tenant_of(&number("+44 20 7946 0100")).await, Ok(Some(barbers.id.clone())));
    // A number that is given up is free.
    store.put_business(&business("barbers", 2, &["+442079460100"]), Some(1)).await.expect("written");
    assert_eq!(store.tenant_of(&number("1000")).await, Ok(None));
    store.put_business(&clinic, None).await.expect("written");
    assert_eq!(store.tenant_of(&number("1000")).await, Ok(Some(clinic.id)));
}

pub(crate) async fn businesses_are_listed_by_id(store: Store) {
    for id in ["clinic", "barbers", "plumber"] {
        store.put_business(&business(id, 1, &[]), None).await.expect("written");
    }
    let first = store.businesses(Page::first(2)).await.expect("listed");
    let names: Vec<&str> = first.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["barbers", "clinic"]);
    let rest = store.businesses(Page { after: first.next, limit: 2 }).await.expect("listed");
    assert_eq!((rest.rows.len(), rest.next), (1, None));
}

pub(crate) async fn a_business_is_changed_by_one_of_many_at_once(store: Store) {
    store.put_business(&business("barbers", 1, &[]), None).await.expect("written");
    let tasks: Vec<_> = (0..32)
        .map(|index| {
            let (store, mut change) = (store.clone(), business("barbers", 2, &[]));
            change.name = format!("change {index}");
            tokio::spawn(async move { (store.put_business(&change, Some(1)).await, change) })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        match task.await.expect("no panic") {
            (Ok(()), change) => winners.push(change),
            (Err(error), _) => assert_eq!(error, Error::Conflict { what: "business" }),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(store.business(&tenant("barbers")).await, Ok(winners.pop()));
}
