//! Businesses: each is compared and set by its version, and by a fence that others raise to stop a writer who
//! has been slow (see `numbers`).

use std::sync::atomic::{AtomicBool, Ordering};

use metrics::counter;

use super::Scylla;
use super::ask::Tried;
use super::cql::{Statement, Use};
use super::failure::{Failure, Meaning};
use super::listing::{self, Looked, Start, for_each};
use super::metrics::CONTENTION;
use crate::storage::ordered::{decode, encode};
use crate::storage::{Error, Listing, Page, Result};
use crate::types::{Business, PhoneNumber, TenantId};

const WHAT: &str = "business";
/// The fact's name.
pub(super) const FACT: &str = "business";
/// The one partition of the list of businesses.
pub(super) const PART: i8 = 0;

/// A business as it was decided.
#[derive(Debug, Clone, Default)]
pub(super) struct Decided {
    pub(super) version: Option<i64>,
    pub(super) fence: Option<i64>,
    pub(super) business: Option<Business>,
}

impl Decided {
    pub(super) fn lists(&self, number: &PhoneNumber) -> bool {
        self.business.as_ref().is_some_and(|business| business.numbers.contains(number))
    }
}

/// What became of one try.
enum Put {
    Done,
    Conflict(&'static str),
}

impl Scylla {
    pub(super) async fn put_business_row(&self, business: &Business, expected: Option<u64>) -> Result<()> {
        let value = encode(WHAT, business)?;
        let _turn = self.turn(business.id.as_str()).await?;
        self.cluster.write(Statement::PutTenant, (PART, business.id.as_str()), None).await?;
        let doubt = AtomicBool::new(false);
        let put = || self.try_put(business, expected, &value, &doubt);
        match self.cluster.patiently(Use::Compare, put).await? {
            Put::Done => Ok(()),
            Put::Conflict(what) => Err(Error::Conflict { what }),
        }
    }

    /// `doubt`: whether an earlier try may have been carried out.
    async fn try_put(
        &self,
        business: &Business,
        expected: Option<u64>,
        value: &[u8],
        doubt: &AtomicBool,
    ) -> Tried<Put> {
        let stored = self.decided(&business.id).await?;
        if stored.business.as_ref().map(|stored| stored.version) != expected {
            let own = stored.business.as_ref() == Some(business);
            return match doubt.load(Ordering::Relaxed) {
                true if own => Ok(Put::Done),
                true => {
                    Err(Failure::from(Error::Unknown { why: "it was changed again meanwhile".to_owned() }))
                }
                false => Ok(Put::Conflict(WHAT)),
            };
        }
        let mut claims = Vec::new();
        for number in business.numbers.iter().filter(|number| !stored.lists(number)) {
            match self.claim(&business.id, number).await? {
                Some(claim) => claims.push((number, claim)),
                None => return Ok(Put::Conflict("number")),
            }
        }
        let version = i64::try_from(business.version).unwrap_or(i64::MAX);
        let values = (version, value, business.id.as_str(), FACT, stored.version, stored.fence);
        match self.cluster.compare(Statement::PutBusiness, &values).await {
            Ok(true) => {}
            Ok(false) => {
                counter!(CONTENTION).increment(1);
                return Err(Failure::undone("others change it, too"));
            }
            Err(failure) => {
                doubt.fetch_or(failure.meaning == Meaning::Unknown, Ordering::Relaxed);
                return Err(failure);
            }
        }
        for (number, claim) in claims {
            self.confirm(number, claim).await;
        }
        Ok(Put::Done)
    }

    /// A business as it was decided, after all that is under way.
    pub(super) async fn decided(&self, tenant: &TenantId) -> Tried<Decided> {
        type Row = (Option<i64>, Option<i64>, Option<Vec<u8>>);
        let key = (tenant.as_str(), FACT);
        let rows: Vec<Row> = self.cluster.try_rows(Statement::BusinessDecided, &key, 1).await?;
        let Some((version, fence, value)) = rows.into_iter().next() else { return Ok(Decided::default()) };
        let business = value.map(|value| decode(WHAT, &value)).transpose()?;
        Ok(Decided { version, fence, business })
    }

    pub(super) async fn business_row(&self, tenant: &TenantId) -> Result<Option<Business>> {
        let row = self.cluster.row(Statement::Fact, (tenant.as_str(), FACT)).await?;
        let value = row.and_then(|(value,): (Option<Vec<u8>>,)| value);
        value.map(|value| decode(WHAT, &value)).transpose()
    }

    pub(super) async fn list_businesses(&self, page: &Page) -> Result<Listing<Business>> {
        let first = Start::of(page, 0)?;
        listing::fill(page, first, |from, most| async move {
            let after = String::from_utf8(from.place).map_err(|_| listing::wrong_cursor())?;
            let rows = i32::try_from(most).unwrap_or(i32::MAX);
            let found: Vec<(String,)> =
                self.cluster.rows(Statement::Tenants, (PART, after, rows), most).await?;
            let full = found.len() >= most;
            let start = |tenant: &str| Start { bucket: 0, place: tenant.as_bytes().to_vec() };
            let next = found.last().filter(|_| full).map(|(tenant,)| start(tenant));
            let rows = for_each(found, self.cluster.settings.fan_out, |(tenant,)| async move {
                let business = self.business_row(&TenantId::new(tenant.as_str())).await?;
                Ok(business.map(|business| (start(&tenant), business)))
            });
            Ok(Looked { rows: rows.await?.into_iter().flatten().collect(), next })
        })
        .await
    }
}
