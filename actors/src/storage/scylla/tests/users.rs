//! Addresses whose change was cut short, wherever that was.

use uuid::Uuid;

use super::*;
use crate::storage::Users as _;
use crate::storage::conformance::user;
use crate::storage::ordered::encode;
use crate::storage::scylla::cql::Statement;
use crate::storage::scylla::open_calls::bytes;
use crate::types::User;

const TAKEN: Result<(), Error> = Err(Error::Conflict { what: "e-mail address" });
const CLAIM_MS: u64 = 3_000;

/// The steps of a writer that dies between them.
struct Dying<'s> {
    store: &'s Scylla,
    user: User,
    claim: Uuid,
}

impl Dying<'_> {
    fn email(&self) -> &str {
        self.user.email.reveal().as_str()
    }

    async fn begins(&self, version: Option<i64>, claim: Option<Uuid>) {
        let (tenant, id) = (self.user.tenant.as_str(), bytes(self.user.id.as_uuid()));
        let values = (self.claim, self.email(), tenant, id, version, claim);
        let begun = self.store.cluster.compare(Statement::BeginEmail, &values).await;
        assert!(begun.expect("an answer"), "begun");
    }

    async fn claims(&self) {
        let now_ms = self.store.cluster.clock.now().as_millisecond();
        let id = bytes(self.user.id.as_uuid());
        let values = (self.email(), self.user.tenant.as_str(), id, self.claim, now_ms);
        let claimed = self.store.cluster.compare(Statement::ClaimEmail, &values).await;
        assert!(claimed.expect("an answer"), "claimed");
    }

    /// Whether the user got the address. `old`: the one that is to be given up, and its claim.
    async fn ends(&self, version: Option<i64>, old: Option<(&str, Uuid)>) -> bool {
        let (tenant, id) = (self.user.tenant.as_str(), bytes(self.user.id.as_uuid()));
        let (loose, claim) = old.unwrap_or((self.email(), self.claim));
        let value = encode("user", &self.user).expect("small");
        let new = i64::try_from(self.user.version).expect("small");
        let values = (new, value, claim, loose, old.is_some(), tenant, id, version, self.claim);
        self.store.cluster.compare(Statement::EndEmail, &values).await.expect("an answer")
    }
}

fn dying<'s>(store: &'s Scylla, id: u32, email: &str) -> Dying<'s> {
    Dying { store, user: user("barbers", id, email), claim: Uuid::from_u128(u128::from(id)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_an_address_whose_claim_was_cut_short_is_neither_lost_nor_given_twice() {
    let ring = Ring::start(1);
    let store = store(&Settings { claim_ms: CLAIM_MS, ..settings(&ring, "users") }).await;
    dies_while_it_claims(&store).await;
    dies_after_the_change(&store).await;
    dies_while_it_deletes(&store).await;
    goes_with_the_business(&store).await;
}

async fn dies_while_it_claims(store: &Scylla) {
    // Dead before the claim: nothing is in the way.
    dying(store, 1, "a@example.com").begins(None, None).await;
    assert_eq!(store.create_user(&user("clinic", 11, "a@example.com")).await, Ok(()));

    // Dead after the claim: it counts for a while, and then is taken, also from one who was only slow.
    let slow = dying(store, 2, "b@example.com");
    slow.begins(None, None).await;
    slow.claims().await;
    let other = user("clinic", 12, "b@example.com");
    assert_eq!(store.create_user(&other).await, TAKEN, "it may be under way");
    tokio::time::sleep(Duration::from_millis(CLAIM_MS)).await;
    assert_eq!(store.create_user(&other).await, Ok(()));
    assert!(!slow.ends(None, None).await, "it comes too late");
    assert_eq!(store.user(&slow.user.tenant, slow.user.id).await, Ok(None));
    assert_eq!(store.user_by_email(&other.email).await, Ok(Some(other)));

    // The same user again, by another process: at once.
    let dead = dying(store, 3, "c@example.com");
    dead.begins(None, None).await;
    dead.claims().await;
    assert_eq!(store.create_user(&dead.user).await, Ok(()));
    assert!(!dead.ends(None, None).await, "it comes too late");
}

async fn dies_after_the_change(store: &Scylla) {
    // Dead after the change, before the old address was given up: it is free at once.
    let before = user("barbers", 4, "d@example.com");
    store.create_user(&before).await.expect("kept");
    let who = super::super::users::Who { tenant: before.tenant.clone(), id: before.id };
    let old = store.standing(&who).await.expect("read").claim.expect("claimed");
    let mut changing = dying(store, 4, "e@example.com");
    changing.user.version = 2;
    changing.begins(Some(1), Some(old)).await;
    changing.claims().await;
    assert!(changing.ends(Some(1), Some(("d@example.com", old))).await, "changed");
    assert_eq!(store.user_by_email(&before.email).await, Ok(None));
    assert_eq!(store.user_by_email(&changing.user.email).await, Ok(Some(changing.user.clone())));
    assert_eq!(store.create_user(&user("clinic", 14, "d@example.com")).await, Ok(()));
    assert_eq!(store.create_user(&user("clinic", 15, "e@example.com")).await, TAKEN);
}

async fn dies_while_it_deletes(store: &Scylla) {
    // Dead while it was deleted.
    let gone = user("barbers", 5, "f@example.com");
    store.create_user(&gone).await.expect("kept");
    let who = super::super::users::Who { tenant: gone.tenant.clone(), id: gone.id };
    let standing = store.standing(&who).await.expect("read");
    let (owner, id) = (CqlValue::Text("barbers".to_owned()), CqlValue::Blob(bytes(gone.id.as_uuid())));
    let leave = vec![
        Some(CqlValue::Text("f@example.com".to_owned())),
        Some(owner.clone()),
        Some(id.clone()),
        Some(CqlValue::BigInt(1)),
        standing.claim.map(CqlValue::Uuid),
    ];
    let half = [(Statement::LeaveEmail, leave), (Statement::EmptyUser, vec![Some(owner), Some(id)])];
    assert!(store.cluster.compare_together(&half).await.expect("an answer"));
    assert_eq!(store.user(&gone.tenant, gone.id).await, Ok(None));
    assert_eq!(store.user_by_email(&gone.email).await, Ok(None));
    assert_eq!(store.delete_user(&gone.tenant, user("barbers", 99, "z@example.com").id).await, Ok(false));
    assert_eq!(store.create_user(&user("clinic", 16, "f@example.com")).await, Ok(()));
}

async fn goes_with_the_business(store: &Scylla) {
    // What was cut short goes with the business, and nothing else does.
    let left = dying(store, 6, "g@example.com");
    left.begins(None, None).await;
    left.claims().await;
    let mut after = None;
    loop {
        after = store.erase_tenant(&tenant("barbers"), after).await.expect("erased").next;
        if after.is_none() {
            break;
        }
    }
    assert!(!left.ends(None, None).await, "it comes too late");
    let rows = everything(store).await.rows;
    let held = |row: &[u8], trace: &[u8]| row.windows(trace.len()).any(|window| window == trace);
    for trace in [&b"barbers"[..], b"c@example.com", b"e@example.com", b"g@example.com"] {
        let left: Vec<_> = rows.iter().filter(|(_, row)| held(row, trace)).map(|(table, _)| table).collect();
        assert!(left.is_empty(), "{} in {left:?}", String::from_utf8_lossy(trace));
    }
    for (id, email) in [(11, "a"), (12, "b"), (14, "d"), (16, "f")] {
        let user = user("clinic", id, &format!("{email}@example.com"));
        assert_eq!(store.user_by_email(&user.email).await, Ok(Some(user)));
    }
    assert!(
        store
            .users(&tenant("barbers"), crate::storage::Page::first(9))
            .await
            .expect("listed")
            .rows
            .is_empty()
    );
}
