//! Does what an operator asks, in whatever process has the store open.

use std::path::Path;
use std::sync::Arc;

use actors::storage::recordings::{Extract, Recordings};
use actors::storage::retention;
use actors::storage::search::Search;
use actors::storage::{Error as StorageError, Listing, Page, Storage};
use actors::tenant::import;
use actors::types::{Business, CallId, CallRecord, PhoneNumber, Private, TenantId};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Answer, CallPart, Counts, Days, Failure, Jobs, Request, Rows, erase, search, users};
use crate::clock;

/// The most rows in one answer, whatever was asked for.
const ROWS_MAX: usize = 1_000;

/// How often an import tries again when somebody else changed the business in the meantime.
const IMPORT_ATTEMPTS: usize = 3;

/// What is shown where no business's time zone applies.
pub(super) const UTC: &str = "UTC";

/// What a request is executed over.
#[derive(Clone)]
pub struct Desk {
    /// The store.
    pub storage: Arc<dyn Storage>,
    /// The recordings.
    pub recordings: Recordings,
    /// The search over transcripts, where it is on.
    pub search: Option<Arc<Search>>,
    /// The bounds of a business's file.
    pub import: import::Settings,
    /// The bounds of erasing.
    pub retention: retention::Settings,
    /// What the node does now; all zero where none runs.
    pub counts: Arc<dyn Fn() -> Counts + Send + Sync>,
    /// Told of each business that was changed, so that new calls get the new version.
    pub changed: Arc<dyn Fn(&TenantId) + Send + Sync>,
    /// Work on the whole store.
    pub jobs: Arc<Jobs>,
}

pub(super) type Result<T> = std::result::Result<T, Failure>;

/// Executes one request. The only code that does, whether a node runs or not.
pub async fn execute(desk: &Desk, request: Request) -> Answer {
    let answer = match request {
        Request::ImportTenant { text } => import_tenant(desk, &text).await,
        Request::Tenants { page } => tenants(desk, page).await,
        Request::Tenant { tenant } => {
            business(desk, tenant).await.map(|business| Answer::Tenant(Box::new(business)))
        }
        Request::Calls { tenant, page } => calls(desk, tenant, page).await,
        Request::Call { call, events_from } => call_part(desk, call, events_from).await,
        Request::LatestCall { caller, called, since, events_from } => {
            latest_call(desk, &caller, &called, since, events_from).await
        }
        Request::SearchCalls { tenant, words, days, filters, order, page } => {
            let question = search::Asked { words, days, filters, order, page: bounded(page) };
            search::calls(desk, tenant, question).await
        }
        Request::Reindex => search::rebuild(desk).await,
        Request::SearchState => search::state(desk),
        Request::ExportRecording { call, to, extract } => export_recording(desk, call, &to, &extract).await,
        Request::EraseCall { call } => erase::call(desk, call).await,
        Request::EraseCaller { tenant, caller, after } => erase::caller(desk, tenant, &caller, after).await,
        Request::EraseTenant { tenant, after } => erase::tenant(desk, &tenant, after).await,
        Request::Audit { tenant, page } => erase::audit(desk, &tenant, bounded(page)).await,
        Request::Bookings { tenant, days, page } => bookings(desk, tenant, days, page).await,
        Request::Messages { tenant, page } => messages(desk, tenant, page).await,
        Request::AddUser { tenant, email, name, role } => users::add(desk, tenant, &email, name, role).await,
        Request::Users { tenant, page } => users::list(desk, tenant, bounded(page)).await,
        Request::RemoveUser { tenant, email } => users::remove(desk, tenant, &email).await,
        Request::StartJob(job) => Jobs::start(desk, job).map(|number| Answer::JobStarted { number }),
        Request::Job { number } => {
            desk.jobs.look(number).map(|outcome| outcome.map_or(Answer::JobGoesOn, Answer::JobDone))
        }
        Request::Counts => Ok(Answer::Counts((desk.counts)())),
    };
    answer.unwrap_or_else(Answer::Failure)
}

async fn import_tenant(desk: &Desk, text: &str) -> Result<Answer> {
    let business = import::read(text, &desk.import).map_err(|import::Mistakes(mistakes)| {
        Failure::Mistakes { mistakes: mistakes.iter().map(ToString::to_string).collect() }
    })?;
    for _ in 0..IMPORT_ATTEMPTS {
        let before = desk.storage.business(&business.id).await.map_err(failed)?;
        let expected = before.map(|before| before.version);
        let version = expected.map_or(1, |version| version + 1);
        let next = Business { version, ..business.clone() };
        match desk.storage.put_business(&next, expected).await {
            Ok(()) => {
                (desk.changed)(&next.id);
                return Ok(Answer::Imported { tenant: next.id, version, replaced: expected.is_some() });
            }
            Err(StorageError::Conflict { what: "number" }) => return Err(number_taken(desk, &next).await),
            Err(StorageError::Conflict { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(Failure::Failed { why: "others kept changing this business; import it again".to_owned() })
}

/// Names the number that another business has, and that business.
async fn number_taken(desk: &Desk, business: &Business) -> Failure {
    for number in &business.numbers {
        if let Ok(Some(holder)) = desk.storage.tenant_of(number).await
            && holder != business.id
        {
            let why = format!(
                "the number {} belongs to the business {holder}; remove it from one of both",
                number.as_str()
            );
            return Failure::Refused { why };
        }
    }
    Failure::Refused { why: "one of its numbers belongs to another business".to_owned() }
}

async fn tenants(desk: &Desk, page: Page) -> Result<Answer> {
    let listing = desk.storage.businesses(bounded(page)).await.map_err(failed)?;
    Ok(Answer::Tenants(rows(listing, UTC)))
}

/// The business that is meant.
pub(super) async fn business(desk: &Desk, tenant: Option<TenantId>) -> Result<Business> {
    if let Some(tenant) = tenant {
        let found = desk.storage.business(&tenant).await.map_err(failed)?;
        return found.ok_or_else(|| Failure::NotFound { what: format!("business {tenant}") });
    }
    let mut all = desk.storage.businesses(Page::first(2)).await.map_err(failed)?.rows;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => {
            let why = "there are several businesses; say which with --tenant".to_owned();
            Err(Failure::Refused { why })
        }
        (None, _) => {
            let why = "there is no business yet; take one in with `strowger tenant import FILE`".to_owned();
            Err(Failure::Refused { why })
        }
    }
}

async fn calls(desk: &Desk, tenant: Option<TenantId>, page: Page) -> Result<Answer> {
    let business = business(desk, tenant).await?;
    let listing = desk.storage.calls(&business.id, bounded(page)).await.map_err(failed)?;
    Ok(Answer::Calls(rows(listing, &business.time_zone)))
}

async fn call_part(desk: &Desk, call: CallId, events_from: u32) -> Result<Answer> {
    match desk.storage.call(call).await.map_err(failed)? {
        Some(record) => part(desk, record, events_from).await,
        None => Err(Failure::NotFound { what: format!("call {call}") }),
    }
}

async fn export_recording(desk: &Desk, call: CallId, to: &Path, extract: &Extract) -> Result<Answer> {
    let record = desk.storage.call(call).await.map_err(failed)?;
    let record = record.ok_or_else(|| Failure::NotFound { what: format!("call {call}") })?;
    let none = || Failure::NotFound { what: format!("recording of call {call}") };
    let played = desk.recordings.export(record.recording.ok_or_else(none)?, to, extract).await;
    let played = played.map_err(|error| Failure::Failed { why: error.to_string() })?;
    Ok(Answer::Exported {
        samples: played.samples,
        lost_samples: played.lost_samples,
        finished: played.finished,
    })
}

async fn latest_call(
    desk: &Desk,
    caller: &Private<PhoneNumber>,
    called: &PhoneNumber,
    since: Timestamp,
    events_from: u32,
) -> Result<Answer> {
    let none = || Failure::NotFound { what: "such call".to_owned() };
    let tenant = desk.storage.tenant_of(called).await.map_err(failed)?.ok_or_else(none)?;
    let found = desk.storage.calls_by_caller(&tenant, caller, Page::first(1)).await.map_err(failed)?.rows;
    let latest = found.into_iter().find(|record| record.started_at >= since);
    part(desk, latest.ok_or_else(none)?, events_from).await
}

async fn part(desk: &Desk, record: CallRecord, events_from: u32) -> Result<Answer> {
    let mut events = desk.storage.events(record.id).await.map_err(failed)?;
    events.retain(|event| event.seq >= events_from);
    let business = desk.storage.business(&record.tenant).await.map_err(failed)?;
    let time_zone = business.map_or_else(|| UTC.to_owned(), |business| business.time_zone);
    Ok(Answer::Call(Box::new(CallPart { record, events, time_zone })))
}

async fn bookings(desk: &Desk, tenant: Option<TenantId>, days: Days, page: Page) -> Result<Answer> {
    let business = business(desk, tenant).await?;
    let (from, until) = span(days, &business.time_zone)?;
    let listing = desk.storage.bookings(&business.id, from, until, bounded(page)).await.map_err(failed)?;
    Ok(Answer::Bookings(rows(listing, &business.time_zone)))
}

/// From the first moment of the first day to the last of the last.
fn span(days: Days, time_zone: &str) -> Result<(Timestamp, Timestamp)> {
    let zone = zone(time_zone)?;
    let today = || clock::now().to_zoned(zone.clone()).date();
    let from = start_of(days.from.unwrap_or_else(today), &zone)?;
    Ok((from, end(days, &zone)?.unwrap_or(Timestamp::MAX)))
}

/// A business's time zone.
pub(super) fn zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(refused)
}

/// The first moment of a day.
pub(super) fn start_of(date: Date, zone: &TimeZone) -> Result<Timestamp> {
    date.to_zoned(zone.clone()).map(|zoned| zoned.timestamp()).map_err(refused)
}

/// The first moment after the last day, where there is a last one.
pub(super) fn end(days: Days, zone: &TimeZone) -> Result<Option<Timestamp>> {
    days.until.map(|last| start_of(last.tomorrow().map_err(refused)?, zone)).transpose()
}

fn refused(error: jiff::Error) -> Failure {
    Failure::Refused { why: error.to_string() }
}

async fn messages(desk: &Desk, tenant: Option<TenantId>, page: Page) -> Result<Answer> {
    let business = business(desk, tenant).await?;
    let listing = desk.storage.messages(&business.id, bounded(page)).await.map_err(failed)?;
    Ok(Answer::Messages(rows(listing, &business.time_zone)))
}

fn bounded(page: Page) -> Page {
    Page { limit: page.limit.clamp(1, ROWS_MAX), ..page }
}

pub(super) fn rows<T>(listing: Listing<T>, time_zone: &str) -> Rows<T> {
    Rows { rows: listing.rows, next: listing.next, time_zone: time_zone.to_owned() }
}

pub(super) fn failed(error: StorageError) -> Failure {
    Failure::Failed { why: error.to_string() }
}
