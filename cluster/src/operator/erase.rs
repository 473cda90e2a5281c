//! Erasing at an operator's request.

use std::sync::Arc;

use actors::clock::Clock;
use actors::storage::retention::{Done, Eraser, Error, Index};
use actors::storage::{Cursor, Page};
use actors::types::{CallId, PhoneNumber, Private, TenantId};

use super::execute::{Desk, Result, UTC, business, failed, rows};
use super::{Answer, Failure};

fn eraser(desk: &Desk) -> Eraser {
    let storage = Arc::clone(&desk.storage);
    let index = desk.search.clone().map(|search| search as Arc<dyn Index>);
    Eraser::new(storage, desk.recordings.clone(), desk.retention.clone(), Clock::system()).with_index(index)
}

pub(super) async fn call(desk: &Desk, call: CallId) -> Result<Answer> {
    answer(eraser(desk).erase_call(call).await)
}

pub(super) async fn caller(
    desk: &Desk,
    tenant: Option<TenantId>,
    caller: &Private<PhoneNumber>,
    after: Option<Cursor>,
) -> Result<Answer> {
    let business = business(desk, tenant).await?;
    answer(eraser(desk).erase_caller(&business.id, caller, after).await)
}

/// The business need not be there any more: an erasure that was cut short has removed it first.
pub(super) async fn tenant(desk: &Desk, tenant: &TenantId, after: Option<Cursor>) -> Result<Answer> {
    let done = eraser(desk).erase_tenant(tenant, after).await;
    // Its numbers are nobody's from now on.
    (desk.changed)(tenant);
    answer(done)
}

pub(super) async fn audit(desk: &Desk, tenant: &TenantId, page: Page) -> Result<Answer> {
    let time_zone = desk.storage.business(tenant).await.map_err(failed)?;
    let time_zone = time_zone.map_or_else(|| UTC.to_owned(), |business| business.time_zone);
    let listing = desk.storage.audit(tenant, page).await.map_err(failed)?;
    Ok(Answer::Audit(rows(listing, &time_zone)))
}

fn answer(done: std::result::Result<Done, Error>) -> Result<Answer> {
    done.map(Answer::Erased).map_err(|error| match error {
        Error::NotFound => Failure::NotFound { what: "such call".to_owned() },
        Error::Held { .. } | Error::OwnNumber { .. } => Failure::Refused { why: error.to_string() },
        Error::Storage(_) | Error::Recordings(_) | Error::Index { .. } => {
            Failure::Failed { why: error.to_string() }
        }
    })
}
