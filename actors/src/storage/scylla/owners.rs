//! Who owns what, by epochs: whoever takes a thing over raises its epoch, and is the only one with that number.

use metrics::counter;

use super::Scylla;
use super::ask::Tried;
use super::cql::{Statement, Use};
use super::failure::{Failure, Meaning};
use super::metrics::CONTENTION;
use crate::storage::{Owner, Result};

/// No time to live.
const FOR_EVER: i32 = 0;

impl Scylla {
    /// Makes `who` the owner of a thing, whoever owned it.
    pub(super) async fn take_over(&self, kind: &str, id: &str, who: &str) -> Result<Owner> {
        let take = || async move {
            let before = self.try_owner(kind, id).await?;
            match before {
                Some(own) if own.who == who => Ok(own),
                before => {
                    let before = before.map(|owner| owner.epoch);
                    let epoch = before.unwrap_or(0).saturating_add(1);
                    let owner = Owner { who: who.to_owned(), epoch };
                    self.try_take((kind, id), owner, before, FOR_EVER).await
                }
            }
        };
        self.cluster.patiently(Use::Compare, take).await
    }

    /// Makes this the owner where the epoch is `before` still; asked once.
    pub(super) async fn try_take(
        &self,
        (kind, id): (&str, &str),
        owner: Owner,
        before: Option<u64>,
        ttl_s: i32,
    ) -> Tried<Owner> {
        let as_bigint = |epoch: u64| i64::try_from(epoch).unwrap_or(i64::MAX);
        let (who, epoch) = (owner.who.as_str(), as_bigint(owner.epoch));
        let values = (ttl_s, who, epoch, kind, id, before.map(as_bigint));
        match self.cluster.compare(Statement::TakeOwnership, &values).await {
            Ok(true) => Ok(owner),
            Ok(false) => {
                counter!(CONTENTION).increment(1);
                Err(Failure::undone("others take it over, too"))
            }
            // In doubt: what is decided says whether it was this one, with this epoch.
            Err(failure) if failure.meaning == Meaning::Unknown => match self.try_owner(kind, id).await? {
                Some(decided) if decided == owner => Ok(owner),
                _ => Err(failure),
            },
            Err(failure) => Err(failure),
        }
    }

    /// Who owns a thing, after all that is under way.
    pub(super) async fn decided_owner(&self, kind: &str, id: &str) -> Result<Option<Owner>> {
        self.cluster.patiently(Use::Decided, || self.try_owner(kind, id)).await
    }

    async fn try_owner(&self, kind: &str, id: &str) -> Tried<Option<Owner>> {
        let rows: Vec<(String, i64)> = self.cluster.try_rows(Statement::OwnerDecided, &(kind, id), 1).await?;
        let owner = rows.into_iter().next();
        Ok(owner.map(|(who, epoch)| Owner { who, epoch: u64::try_from(epoch).unwrap_or(0) }))
    }
}
