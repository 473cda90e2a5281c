//! Whose an e-mail address is. The truth is the user who has it; a row here keeps others from having it, too.
//!
//! Two partitions can't be changed as one. So a user's row says first which address is claimed for them and by which
//! claim, then the claim is made, and then the user gets the address if their row still says the same. Whoever finds
//! a claim whose user does not have the address makes the row say that it is stopped, before they take it: a writer
//! who has been slow fails in its comparison then. An address that is given up goes the same way back: the row says
//! so in the act that takes it from the user. So an address is never two users', whatever stops when, whatever the
//! clocks, and none is claimed that no user's row tells of.

use scylla::value::CqlValue;
use uuid::Uuid;

use super::Scylla;
use super::ask::Tried;
use super::cql::Statement;
use super::failure::Failure;
use super::open_calls::bytes;
use super::users::{Standing, Who};
use crate::types::{EmailAddress, TenantId, UserId};

/// An address as it is claimed.
pub(super) struct Claimed {
    pub(super) by: Who,
    pub(super) claim: Uuid,
    at_ms: i64,
}

impl Scylla {
    /// Who has claimed an address, after all that is under way.
    pub(super) async fn claimed(&self, email: &str) -> Tried<Option<Claimed>> {
        type Row = (String, Vec<u8>, Uuid, Option<i64>);
        let rows: Vec<Row> = self.cluster.try_rows(Statement::EmailDecided, &(email,), 1).await?;
        let claimed = |(tenant, id, claim, at_ms): Row| {
            let id = UserId::new(Uuid::from_slice(&id).unwrap_or_default());
            Claimed { by: Who { tenant: TenantId::new(tenant), id }, claim, at_ms: at_ms.unwrap_or(0) }
        };
        Ok(rows.into_iter().next().map(claimed))
    }

    /// Claims an address for a user whose row names the claim. Whether it is theirs now.
    pub(super) async fn claim_email(&self, who: &Who, email: &EmailAddress, claim: Uuid) -> Tried<bool> {
        let (cluster, email) = (&self.cluster, email.as_str());
        let (tenant, id) = (who.tenant.as_str(), bytes(who.id.as_uuid()));
        let now_ms = cluster.clock.now().as_millisecond();
        let Some(held) = self.claimed(email).await? else {
            let values = (email, tenant, id, claim, now_ms);
            return won(cluster.compare(Statement::ClaimEmail, &values).await?);
        };
        if held.claim == claim {
            return Ok(true);
        }
        let mut left = None;
        if held.by != *who {
            let mut standing = self.standing(&held.by).await?;
            if standing.has(email) {
                return Ok(false);
            }
            if standing.claim == Some(held.claim) {
                let age_ms = now_ms.saturating_sub(held.at_ms).unsigned_abs();
                if !standing.stopped && age_ms < cluster.settings.claim_ms {
                    return Ok(false);
                }
                self.stop(&held.by, &mut standing).await?;
                left = Some(standing);
            }
        }
        let values = (tenant, id, claim, now_ms, email, held.claim);
        let taken = won(cluster.compare(Statement::TakeEmail, &values).await?)?;
        if let Some(standing) = left
            && let Err(failure) = self.settle(&held.by, standing).await
        {
            tracing::debug!(why = %failure.why, "a claim that was cut short was not cleared away");
        }
        Ok(taken)
    }

    /// Keeps a user from getting the address that is claimed for them.
    async fn stop(&self, who: &Who, standing: &mut Standing) -> Tried<()> {
        if standing.stopped {
            return Ok(());
        }
        let values = (who.tenant.as_str(), bytes(who.id.as_uuid()), standing.version, standing.claim);
        won(self.cluster.compare(Statement::StopEmail, &values).await?)?;
        standing.stopped = true;
        Ok(())
    }

    /// Gives up an address that the row names beside the user's own, and the row where there is no user.
    pub(super) async fn settle(&self, who: &Who, mut standing: Standing) -> Tried<Standing> {
        let (Some(loose), Some(claim)) = (standing.loose.clone(), standing.claim) else {
            return Ok(standing);
        };
        if standing.has(&loose) {
            return Ok(standing);
        }
        self.stop(who, &mut standing).await?;
        // Where another claim is there it is not this user's any more, or is theirs for good.
        self.cluster.compare(Statement::DropEmail, &(loose.as_str(), claim)).await?;
        let (tenant, id) = (who.tenant.as_str(), bytes(who.id.as_uuid()));
        let Some(user) = &standing.user else {
            let values = (tenant, id, standing.version, claim);
            won(self.cluster.compare(Statement::DropUser, &values).await?)?;
            return Ok(Standing::default());
        };
        let email = user.email.reveal().as_str();
        let own = self.claimed(email).await?.filter(|held| held.by == *who).map_or(claim, |held| held.claim);
        let values = (own, email, tenant, id, standing.version, claim);
        won(self.cluster.compare(Statement::BeginEmail, &values).await?)?;
        let loose = Some(email.to_owned());
        Ok(Standing { claim: Some(own), loose, stopped: false, ..standing })
    }

    /// Takes a user's address from them, and them from the business, in one act.
    pub(super) async fn leave_email(&self, who: &Who, standing: Standing) -> Tried<()> {
        let text = |text: &str| Some(CqlValue::Text(text.to_owned()));
        let id = || Some(CqlValue::Blob(bytes(who.id.as_uuid())));
        let loose = standing.user.as_ref().map(|user| user.email.reveal().as_str().to_owned());
        let leave = vec![
            loose.as_deref().and_then(text),
            text(who.tenant.as_str()),
            id(),
            standing.version.map(CqlValue::BigInt),
            standing.claim.map(CqlValue::Uuid),
        ];
        let empty = vec![text(who.tenant.as_str()), id()];
        let changes = [(Statement::LeaveEmail, leave), (Statement::EmptyUser, empty)];
        won(self.cluster.compare_together(&changes).await?)?;
        let left = Standing { version: None, user: None, claim: standing.claim, loose, stopped: true };
        // The user is gone. Where this fails, whoever wants the address next, or erases the business, does it.
        if let Err(failure) = self.settle(who, left).await {
            tracing::debug!(why = %failure.why, "the address of a user who is gone was not given up yet");
        }
        Ok(())
    }
}

/// Whoever lost decides anew.
pub(super) fn won(applied: bool) -> Tried<bool> {
    if applied { Ok(true) } else { Err(Failure::undone("others change the same user or address, too")) }
}
