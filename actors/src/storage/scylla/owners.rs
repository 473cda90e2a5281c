//! Who owns what, by epochs: whoever takes a thing over raises its epoch, and is the only one with that number.

use metrics::counter;

use super::Scylla;
use super::ask::Tried;
use super::cql::{Statement, Use};
use super::failure::{Failure, Meaning};
use super::metrics::CONTENTION;
use crate::storage::Result;

/// Who owns a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The node's name.
    pub node: String,
    /// The count of those who owned it, this one included; from 1.
    pub epoch: u64,
}

impl Scylla {
    /// Makes `node` the owner of a thing, whoever owned it, and returns its epoch.
    ///
    /// # Errors
    /// As of any write; where it is [`crate::storage::Error::Unknown`], ask [`Self::owner`].
    pub async fn take_ownership(&self, kind: &str, id: &str, node: &str) -> Result<u64> {
        let cluster = &self.cluster;
        cluster
            .patiently(Use::Compare, || async move {
                let before = self.try_owner(kind, id).await?.map(|owner| owner.epoch);
                let epoch = before.unwrap_or(0).saturating_add(1);
                let as_bigint = |epoch: u64| i64::try_from(epoch).unwrap_or(i64::MAX);
                let values = (node, as_bigint(epoch), kind, id, before.map(as_bigint));
                match cluster.compare(Statement::TakeOwnership, &values).await {
                    Ok(true) => Ok(epoch),
                    Ok(false) => {
                        counter!(CONTENTION).increment(1);
                        Err(Failure::undone("others take it over, too"))
                    }
                    // In doubt: what is decided says whether it was this node, with this epoch.
                    Err(failure) if failure.meaning == Meaning::Unknown => {
                        match self.try_owner(kind, id).await? {
                            Some(owner) if owner.node == node && owner.epoch == epoch => Ok(epoch),
                            _ => Err(failure),
                        }
                    }
                    Err(failure) => Err(failure),
                }
            })
            .await
    }

    /// Who owns a thing, after all that is under way.
    ///
    /// # Errors
    /// As of any read.
    pub async fn owner(&self, kind: &str, id: &str) -> Result<Option<Owner>> {
        self.cluster.patiently(Use::Decided, || self.try_owner(kind, id)).await
    }

    async fn try_owner(&self, kind: &str, id: &str) -> Tried<Option<Owner>> {
        let rows: Vec<(String, i64)> = self.cluster.try_rows(Statement::OwnerDecided, &(kind, id), 1).await?;
        let owner = rows.into_iter().next();
        Ok(owner.map(|(node, epoch)| Owner { node, epoch: u64::try_from(epoch).unwrap_or(0) }))
    }
}
