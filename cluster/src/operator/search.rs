//! What operators ask of the search.

use std::sync::Arc;

use actors::storage::Page;
use actors::storage::search::{Error, Filters, Order, Question, Search};
use actors::types::{Private, TenantId};

use super::execute::{Result, business, end, start_of, zone};
use super::{Answer, Days, Desk, Failure, FoundCalls};

/// A question before it is known whose calls are meant.
pub(super) struct Asked {
    pub(super) words: Private<String>,
    pub(super) days: Days,
    pub(super) filters: Filters,
    pub(super) order: Order,
    pub(super) page: Page,
}

pub(super) async fn calls(desk: &Desk, tenant: Option<TenantId>, asked: Asked) -> Result<Answer> {
    let search = search(desk)?;
    let business = business(desk, tenant).await?;
    let zone = zone(&business.time_zone)?;
    let from = asked.days.from.map(|first| start_of(first, &zone)).transpose()?;
    let until = end(asked.days, &zone)?;
    let given = asked.filters;
    let filters =
        Filters { from: from.max(given.from), until: until.into_iter().chain(given.until).min(), ..given };
    let Asked { words, order, page, .. } = asked;
    let question = Question { tenant: business.id, words, filters, order, page };
    let found = search.find(question).await.map_err(failed)?;
    Ok(Answer::FoundCalls(Box::new(FoundCalls { found, time_zone: business.time_zone })))
}

pub(super) async fn rebuild(desk: &Desk) -> Result<Answer> {
    let search = search(desk)?;
    search.rebuild().await.map_err(failed)?;
    Ok(Answer::SearchState(search.state()))
}

pub(super) fn state(desk: &Desk) -> Result<Answer> {
    Ok(Answer::SearchState(search(desk)?.state()))
}

fn search(desk: &Desk) -> Result<&Arc<Search>> {
    desk.search.as_ref().ok_or_else(|| Failure::Refused {
        why: "the search is off; set search.on to true in the node's configuration".to_owned(),
    })
}

fn failed(error: Error) -> Failure {
    match error {
        Error::Question { .. } => Failure::Refused { why: error.to_string() },
        error => Failure::Failed { why: error.to_string() },
    }
}
