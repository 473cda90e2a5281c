//! Users and their e-mail addresses.

use super::*;
use crate::storage::{Error, Page};
use crate::types::{Private, User, UserId};

const TAKEN: Result<(), Error> = Err(Error::Conflict { what: "e-mail address" });
const CHANGED: Result<(), Error> = Err(Error::Conflict { what: "user" });

pub(crate) async fn an_email_address_is_one_users(store: Store) {
    let ada = user("barbers", 1, "Ada@Example.com");
    assert_eq!(store.user(&ada.tenant, ada.id).await, Ok(None));
    assert_eq!(store.user_by_email(&ada.email).await, Ok(None));
    assert_eq!(store.create_user(&ada).await, Ok(()));
    assert_eq!(store.create_user(&ada).await, Ok(()), "as they are already");
    // However it is written, and whichever the business.
    for (owner, text) in [("barbers", "ada@example.com"), ("clinic", "ADA@EXAMPLE.COM")] {
        let twin = user(owner, 2, text);
        assert_eq!(store.create_user(&twin).await, TAKEN);
        assert_eq!(store.user(&twin.tenant, twin.id).await, Ok(None), "nothing was changed");
    }
    let other = user("barbers", 1, "other@example.com");
    assert_eq!(store.create_user(&other).await, CHANGED, "her identity is taken");
    assert_eq!(store.user_by_email(&other.email).await, Ok(None), "nothing was changed");
    assert_eq!(store.create_user(&user("clinic", 1, "other@example.com")).await, Ok(()));
    assert_eq!(store.user_by_email(&ada.email).await, Ok(Some(ada.clone())));
    assert_eq!(store.user(&ada.tenant, ada.id).await, Ok(Some(ada)));
}

pub(crate) async fn of_many_users_at_once_one_gets_the_address(store: Store) {
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let owner = if number % 2 == 0 { "barbers" } else { "clinic" };
            let (store, user) = (store.clone(), user(owner, number, "one@example.com"));
            tokio::spawn(async move { (store.create_user(&user).await, user) })
        })
        .collect();
    let (mut winners, mut all) = (Vec::new(), Vec::new());
    for task in tasks {
        let (answer, user) = task.await.expect("no panic");
        match answer {
            Ok(()) => winners.push(user.clone()),
            refused => assert_eq!(refused, TAKEN),
        }
        all.push(user);
    }
    assert_eq!(winners.len(), 1);
    for user in all {
        let expected = Some(user.clone()).filter(|user| winners.contains(user));
        assert_eq!(store.user(&user.tenant, user.id).await, Ok(expected));
    }
    assert_eq!(store.user_by_email(&winners[0].email).await, Ok(winners.pop()));
}

pub(crate) async fn a_user_is_changed_where_their_version_is_the_expected_one(store: Store) {
    let first = user("barbers", 1, "ada@example.com");
    let second = User { name: Private::from("Ada Lovelace"), ..next(&first, "ada@example.com") };
    assert_eq!(store.change_user(&second, 1).await, CHANGED, "she is not there yet");
    store.create_user(&first).await.expect("kept");
    assert_eq!(store.change_user(&second, 7).await, CHANGED, "not that version");
    assert_eq!(store.user(&first.tenant, first.id).await, Ok(Some(first.clone())));
    assert_eq!(store.change_user(&second, 1).await, Ok(()));
    assert_eq!(store.change_user(&second, 1).await, Ok(()), "as she is already");
    assert_eq!(store.user_by_email(&first.email).await, Ok(Some(second)));
}

pub(crate) async fn a_changed_address_is_taken_and_the_old_one_is_free(store: Store) {
    let (ada, ben) = (user("barbers", 1, "ada@example.com"), user("clinic", 2, "ben@example.com"));
    store.create_user(&ada).await.expect("kept");
    store.create_user(&ben).await.expect("kept");
    assert_eq!(store.change_user(&next(&ada, "ben@example.com"), 1).await, TAKEN);
    assert_eq!(store.user(&ada.tenant, ada.id).await, Ok(Some(ada.clone())), "nothing was changed");
    let moved = next(&ada, "new@example.com");
    assert_eq!(store.change_user(&moved, 1).await, Ok(()));
    assert_eq!(store.user_by_email(&ada.email).await, Ok(None));
    assert_eq!(store.user_by_email(&moved.email).await, Ok(Some(moved.clone())));
    assert_eq!(store.create_user(&user("clinic", 3, "new@example.com")).await, TAKEN);
    // Somebody else has her old one at once, and she can't have it back.
    let heir = user("clinic", 3, "ada@example.com");
    assert_eq!(store.create_user(&heir).await, Ok(()));
    assert_eq!(store.change_user(&next(&moved, "ada@example.com"), 2).await, TAKEN);
    // There and back again.
    let third = next(&moved, "third@example.com");
    assert_eq!(store.change_user(&third, 2).await, Ok(()));
    let back = next(&third, "new@example.com");
    assert_eq!(store.change_user(&back, 3).await, Ok(()));
    assert_eq!(store.user_by_email(&third.email).await, Ok(None));
    assert_eq!(store.user_by_email(&back.email).await, Ok(Some(back)));
    assert_eq!(store.user_by_email(&heir.email).await, Ok(Some(heir)));
}

pub(crate) async fn a_user_is_changed_by_one_of_many_at_once(store: Store) {
    let ada = user("barbers", 1, "ada@example.com");
    store.create_user(&ada).await.expect("kept");
    let tasks: Vec<_> = (0..24)
        .map(|number| {
            let (store, change) = (store.clone(), next(&ada, &format!("ada{number}@example.com")));
            tokio::spawn(async move { (store.change_user(&change, 1).await, change) })
        })
        .collect();
    let (mut winners, mut losers) = (Vec::new(), Vec::new());
    for task in tasks {
        match task.await.expect("no panic") {
            (Ok(()), change) => winners.push(change),
            (Err(error), change) => {
                assert_eq!(error, Error::Conflict { what: "user" });
                losers.push(change);
            }
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(store.user(&ada.tenant, ada.id).await, Ok(winners.pop()));
    // What was claimed for nothing is free, and her old address, too.
    for (number, email) in losers.into_iter().map(|user| user.email).chain([ada.email]).enumerate() {
        assert_eq!(store.user_by_email(&email).await, Ok(None));
        let number = 100 + u32::try_from(number).expect("few");
        let heir = User { email, ..user("clinic", number, "x@example.com") };
        assert_eq!(store.create_user(&heir).await, Ok(()));
    }
}

pub(crate) async fn addresses_are_swapped_over_and_over_and_never_two_users(store: Store) {
    let emails = ["one@example.com", "two@example.com", "three@example.com"];
    let tasks: Vec<_> = (0..4_u32)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut now = user("barbers", number, &format!("own{number}@example.com"));
                store.create_user(&now).await.expect("kept");
                for round in 0..12 {
                    let wanted = emails[(round + number as usize) % emails.len()];
                    let change = next(&now, wanted);
                    match store.change_user(&change, now.version).await {
                        Ok(()) => now = change,
                        taken => assert_eq!(taken, TAKEN),
                    }
                }
                now
            })
        })
        .collect();
    let mut seen = std::collections::HashSet::new();
    for task in tasks {
        let now = task.await.expect("no panic");
        assert!(seen.insert(now.email.reveal().clone()), "each address is one user's");
        assert_eq!(store.user(&now.tenant, now.id).await, Ok(Some(now.clone())));
        assert_eq!(store.user_by_email(&now.email).await, Ok(Some(now)));
    }
    for email in emails.map(|text| user("barbers", 9, text).email) {
        let holder = store.user_by_email(&email).await.expect("read");
        assert_eq!(holder.is_some(), seen.contains(email.reveal()), "what nobody has leads to nobody");
    }
}

pub(crate) async fn users_are_listed_by_identity(store: Store) {
    for number in [3, 1, 2, 5, 4] {
        store.create_user(&user("barbers", number, &format!("u{number}@example.com"))).await.expect("kept");
    }
    store.create_user(&user("clinic", 9, "u9@example.com")).await.expect("kept");
    let (mut seen, mut page) = (Vec::new(), Page::first(2));
    loop {
        let listing = store.users(&tenant("barbers"), page).await.expect("listed");
        assert!(listing.rows.len() <= 2);
        seen.extend(listing.rows.into_iter().map(|user| user.id));
        match listing.next {
            Some(next) => page = Page { after: Some(next), limit: 2 },
            None => break,
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5].map(|number| UserId::new(uuid(number))));
    assert_eq!(store.users(&tenant("clinic"), Page::first(9)).await.expect("listed").rows.len(), 1);
    assert_eq!(store.users(&tenant("nobody"), Page::first(9)).await.expect("listed").rows, []);
}

pub(crate) async fn a_deleted_users_address_is_free(store: Store) {
    let ada = user("barbers", 1, "ada@example.com");
    store.create_user(&ada).await.expect("kept");
    assert_eq!(store.delete_user(&tenant("clinic"), ada.id).await, Ok(false), "not theirs");
    assert_eq!(store.delete_user(&ada.tenant, ada.id).await, Ok(true));
    assert_eq!(store.delete_user(&ada.tenant, ada.id).await, Ok(false));
    assert_eq!(store.user(&ada.tenant, ada.id).await, Ok(None));
    assert_eq!(store.user_by_email(&ada.email).await, Ok(None));
    assert_eq!(store.users(&ada.tenant, Page::first(9)).await.expect("listed").rows, []);
    assert_eq!(store.change_user(&next(&ada, "new@example.com"), 1).await, CHANGED, "she is gone");
    assert_eq!(store.create_user(&user("clinic", 2, "ada@example.com")).await, Ok(()));
    assert_eq!(store.create_user(&ada).await, TAKEN);
    let other = user("barbers", 1, "other@example.com");
    assert_eq!(store.create_user(&other).await, Ok(()), "her identity may come again");
}

/// The user with another address, their version raised.
fn next(user: &User, email: &str) -> User {
    User { version: user.version + 1, email: super::user("barbers", 0, email).email, ..user.clone() }
}
