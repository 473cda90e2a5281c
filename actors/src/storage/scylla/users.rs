//! Users: each is compared and set by its version. How an address comes to be a user's is in `emails`.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use metrics::counter;
use uuid::Uuid;

use super::Scylla;
use super::ask::Tried;
use super::cql::{Statement, Use};
use super::emails::won;
use super::failure::{Failure, Meaning};
use super::listing::{self, Looked, Start};
use super::metrics::CONTENTION;
use super::open_calls::bytes;
use crate::storage::ordered::{decode, encode};
use crate::storage::{Error, Listing, Page, Result, Users};
use crate::types::{EmailAddress, Private, TenantId, User, UserId};

pub(super) const WHAT: &str = "user";
const EMAIL: &str = "e-mail address";
/// Users that one step of an erasure removes.
const USERS_PER_STEP: i32 = 16;

/// Which user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) tenant: TenantId,
    pub(super) id: UserId,
}

/// A user's row as it was decided.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub(super) version: Option<i64>,
    pub(super) user: Option<User>,
    /// The last claim that was made for them.
    pub(super) claim: Option<Uuid>,
    /// The address that it is for: their own, or one that they are to get, or had.
    pub(super) loose: Option<String>,
    /// Whether they are not to get it any more.
    pub(super) stopped: bool,
}

impl Standing {
    /// Whether there is a user, and this is their address.
    pub(super) fn has(&self, email: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.email.reveal().as_str() == email)
    }
}

/// What became of one try.
enum Put {
    Done,
    Conflict(&'static str),
}

#[async_trait]
impl Users for Scylla {
    async fn create_user(&self, user: &User) -> Result<()> {
        self.put_user_row(user, None).await
    }

    async fn change_user(&self, user: &User, expected: u64) -> Result<()> {
        self.put_user_row(user, Some(expected)).await
    }

    async fn user(&self, tenant: &TenantId, user: UserId) -> Result<Option<User>> {
        let key = (tenant.as_str(), bytes(user.as_uuid()));
        let row: Option<(Option<Vec<u8>>,)> = self.cluster.row(Statement::User, key).await?;
        row.and_then(|(value,)| value).map(|value| decode(WHAT, &value)).transpose()
    }

    async fn user_by_email(&self, email: &Private<EmailAddress>) -> Result<Option<User>> {
        let row: Option<(String, Vec<u8>)> =
            self.cluster.row(Statement::Email, (email.reveal().as_str(),)).await?;
        let Some((tenant, id)) = row else { return Ok(None) };
        let user = self.user(&TenantId::new(tenant), id_of(&id)?).await?;
        Ok(user.filter(|user| user.email == *email))
    }

    async fn users(&self, tenant: &TenantId, page: Page) -> Result<Listing<User>> {
        listing::fill(&page, Start::of(&page, 0)?, |from, most| async move {
            let rows = i32::try_from(most).unwrap_or(i32::MAX);
            let values = (tenant.as_str(), from.place, rows);
            let found: Vec<(Vec<u8>, Option<Vec<u8>>)> =
                self.cluster.rows(Statement::Users, values, most).await?;
            let start = |id: &[u8]| Start { bucket: 0, place: id.to_vec() };
            let next = found.last().filter(|_| found.len() >= most).map(|(id, _)| start(id));
            let users = found.into_iter().filter_map(|(id, value)| Some((start(&id), value?)));
            let row = |(start, value): (Start, Vec<u8>)| Ok((start, decode(WHAT, &value)?));
            Ok(Looked { rows: users.map(row).collect::<Result<_>>()?, next })
        })
        .await
    }

    async fn delete_user(&self, tenant: &TenantId, user: UserId) -> Result<bool> {
        let (who, doubt) = (Who { tenant: tenant.clone(), id: user }, AtomicBool::new(false));
        self.cluster.patiently(Use::Compare, || self.try_delete(&who, &doubt)).await
    }
}

fn id_of(bytes: &[u8]) -> Result<UserId> {
    let wrong = |_| Error::Corrupt { what: WHAT, why: "it has no identity".to_owned() };
    Uuid::from_slice(bytes).map(UserId::new).map_err(wrong)
}

impl Scylla {
    /// A user's row as it was decided, after all that is under way.
    pub(super) async fn standing(&self, who: &Who) -> Tried<Standing> {
        type Row = (Option<i64>, Option<Vec<u8>>, Option<Uuid>, Option<String>, Option<bool>);
        let key = (who.tenant.as_str(), bytes(who.id.as_uuid()));
        let rows: Vec<Row> = self.cluster.try_rows(Statement::UserDecided, &key, 1).await?;
        let Some((version, value, claim, loose, stopped)) = rows.into_iter().next() else {
            return Ok(Standing::default());
        };
        let user = value.map(|value| decode(WHAT, &value)).transpose()?;
        Ok(Standing { version, user, claim, loose, stopped: stopped == Some(true) })
    }

    pub(super) async fn put_user_row(&self, user: &User, expected: Option<u64>) -> Result<()> {
        let value = encode(WHAT, user)?;
        // Who is new contends for the address, who is there for their row.
        let id = user.id.to_string();
        let name = if expected.is_none() { user.email.reveal().as_str() } else { id.as_str() };
        let _turn = self.turn(name).await?;
        let doubt = AtomicBool::new(false);
        let put = || self.try_put_user(user, expected, &value, &doubt);
        match self.cluster.patiently(Use::Compare, put).await? {
            Put::Done => Ok(()),
            Put::Conflict(what) => Err(Error::Conflict { what }),
        }
    }

    /// `doubt`: whether an earlier try may have been carried out.
    async fn try_put_user(
        &self,
        user: &User,
        expected: Option<u64>,
        value: &[u8],
        doubt: &AtomicBool,
    ) -> Tried<Put> {
        let who = Who { tenant: user.tenant.clone(), id: user.id };
        let before = self.standing(&who).await?;
        if before.user.as_ref() == Some(user) {
            self.give_up(&who, before).await;
            return Ok(Put::Done);
        }
        if before.user.as_ref().map(|before| before.version) != expected {
            // Whoever has written over this has raised the version further.
            let is_over = before.user.as_ref().is_none_or(|before| before.version > user.version);
            return match doubt.load(Ordering::Relaxed) && is_over {
                true => {
                    Err(Failure::from(Error::Unknown { why: "they were changed again meanwhile".to_owned() }))
                }
                false => Ok(Put::Conflict(WHAT)),
            };
        }
        let email = user.email.reveal();
        let (tenant, id) = (who.tenant.as_str(), bytes(who.id.as_uuid()));
        let version = i64::try_from(user.version).unwrap_or(i64::MAX);
        if before.has(email.as_str()) {
            let values = (version, value, tenant, id, before.version, before.claim);
            self.finally(Statement::PutUser, &values, doubt).await?;
            return Ok(Put::Done);
        }
        let before = self.settle(&who, before).await?;
        let claim = self.cluster.chance.id(self.cluster.clock.now());
        let values = (claim, email.as_str(), tenant, &id, before.version, before.claim);
        won(self.cluster.compare(Statement::BeginEmail, &values).await?)?;
        let loose = Some(email.as_str().to_owned());
        let begun = Standing { claim: Some(claim), loose, stopped: false, ..before.clone() };
        if !self.claim_email(&who, email, claim).await? {
            self.give_up(&who, begun).await;
            return Ok(Put::Conflict(EMAIL));
        }
        // The address that they had is to be given up from here on.
        let old = before.user.as_ref().map(|before| before.email.reveal().as_str());
        let (left, left_claim) = match (old, before.claim) {
            (Some(old), Some(claim)) => (old, claim),
            _ => (email.as_str(), claim),
        };
        let values = (version, value, left_claim, left, old.is_some(), tenant, &id, before.version, claim);
        self.finally(Statement::EndEmail, &values, doubt).await?;
        let done = Standing {
            version: Some(version),
            user: Some(user.clone()),
            claim: Some(left_claim),
            loose: Some(left.to_owned()),
            stopped: old.is_some(),
        };
        self.give_up(&who, done).await;
        Ok(Put::Done)
    }

    /// The comparison that decides.
    async fn finally(
        &self,
        statement: Statement,
        values: &(impl scylla::serialize::row::SerializeRow + Sync),
        doubt: &AtomicBool,
    ) -> Tried<()> {
        match self.cluster.compare(statement, values).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                counter!(CONTENTION).increment(1);
                Err(Failure::undone("others change them, too"))
            }
            Err(failure) => {
                doubt.fetch_or(failure.meaning == Meaning::Unknown, Ordering::Relaxed);
                Err(failure)
            }
        }
    }

    /// Gives up what is not the user's own. Where this fails, whoever wants the address next does it.
    async fn give_up(&self, who: &Who, standing: Standing) {
        if let Err(failure) = self.settle(who, standing).await {
            tracing::debug!(why = %failure.why, "an address was not given up yet");
        }
    }

    async fn try_delete(&self, who: &Who, doubt: &AtomicBool) -> Tried<bool> {
        let standing = self.settle(who, self.standing(who).await?).await?;
        if standing.user.is_none() {
            return Ok(doubt.load(Ordering::Relaxed));
        }
        let left = self.leave_email(who, standing).await;
        if let Err(failure) = &left {
            doubt.fetch_or(failure.meaning == Meaning::Unknown, Ordering::Relaxed);
        }
        left.map(|()| true)
    }

    /// Removes users of a business, and what is left of such: how many, and whether there may be more.
    pub(super) async fn erase_users(&self, tenant: &TenantId) -> Result<(u64, bool)> {
        let values = (tenant.as_str(), Vec::<u8>::new(), USERS_PER_STEP);
        let found: Vec<(Vec<u8>, Option<Vec<u8>>)> =
            self.cluster.rows(Statement::Users, values, usize::MAX).await?;
        let mut count = 0;
        for (id, _) in &found {
            count += u64::from(self.delete_user(tenant, id_of(id)?).await?);
        }
        Ok((count, !found.is_empty()))
    }
}
