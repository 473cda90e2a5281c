//! Whose a number is. The truth is the business that lists it; a row here keeps others from listing it, too.
//!
//! Two partitions can't be changed as one, so a number is claimed before the business is written and confirmed
//! after. A claim is never given back: one that its business does not list is taken over by whoever wants the
//! number next. Before that, they raise the fence of its business, so that a writer there who has been slow fails
//! in its comparison and claims anew. So a number is never listed twice, whatever stops when, whatever the clocks.

use scylla::value::CqlValue;
use uuid::Uuid;

use super::Scylla;
use super::ask::Tried;
use super::businesses::FACT;
use super::cql::Statement;
use super::failure::Failure;
use crate::storage::Result;
use crate::types::{PhoneNumber, TenantId};

type Row = (String, Uuid, Option<bool>, Option<i64>);

impl Scylla {
    /// Claims a number for a business that does not list it yet; `None` where it is another's.
    pub(super) async fn claim(&self, tenant: &TenantId, number: &PhoneNumber) -> Tried<Option<Uuid>> {
        let cluster = &self.cluster;
        let (now, own) = (cluster.clock.now(), cluster.chance.id(cluster.clock.now()));
        let now_ms = now.as_millisecond();
        let rows: Vec<Row> = cluster.try_rows(Statement::NumberDecided, &(number.as_str(),), 1).await?;
        let Some((holder, claim, sure, claimed_ms)) = rows.into_iter().next() else {
            let values = (number.as_str(), tenant.as_str(), own, now_ms);
            return held(cluster.compare(Statement::ClaimNumber, &values).await?, own);
        };
        if holder != tenant.as_str() {
            let age_ms = now_ms.saturating_sub(claimed_ms.unwrap_or(0)).unsigned_abs();
            if sure != Some(true) && age_ms < cluster.settings.claim_ms {
                return Ok(None);
            }
            let holder = TenantId::new(holder);
            let stored = self.decided(&holder).await?;
            if stored.lists(number) {
                return Ok(None);
            }
            let raised = stored.fence.unwrap_or(0).saturating_add(1);
            let values = (raised, holder.as_str(), FACT, stored.version, stored.fence);
            held(cluster.compare(Statement::FenceBusiness, &values).await?, own)?;
        }
        let values = (tenant.as_str(), own, now_ms, number.as_str(), claim);
        held(cluster.compare(Statement::TakeNumber, &values).await?, own)
    }

    /// Says that the business lists the number now. Where this fails, the number is held nonetheless: whoever
    /// wants it asks the business.
    pub(super) async fn confirm(&self, number: &PhoneNumber, claim: Uuid) {
        let values = vec![Some(CqlValue::Text(number.as_str().to_owned())), Some(CqlValue::Uuid(claim))];
        if let Err(failure) = self.cluster.compare(Statement::ConfirmNumber, &values).await {
            tracing::debug!(why = %failure.why, "a number's claim was not confirmed");
        }
    }

    pub(super) async fn holder_of(&self, number: &PhoneNumber) -> Result<Option<TenantId>> {
        let row: Option<(String,)> = self.cluster.row(Statement::Number, (number.as_str(),)).await?;
        let Some((holder,)) = row else { return Ok(None) };
        let business = self.business_row(&TenantId::new(holder)).await?;
        let lists = business.filter(|business| business.numbers.contains(number));
        Ok(lists.map(|business| business.id))
    }
}

fn held(applied: bool, claim: Uuid) -> Tried<Option<Uuid>> {
    match applied {
        true => Ok(Some(claim)),
        false => Err(Failure::undone("others claim the number, too")),
    }
}
