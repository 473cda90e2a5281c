//! The protocol between a command line and a node.

use std::path::PathBuf;

use actors::storage::recordings::Extract;
use actors::storage::retention::Done;
use actors::storage::search::{Filters, Found, Order, State};
use actors::storage::{AuditRow, Cursor, Page};
use actors::types::{
    Booking, Business, CallEvent, CallId, CallRecord, Message, PhoneNumber, Private, Role, TenantId, User,
};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Job, JobOutcome};

/// What an operator asks. A `tenant` that is absent means the only one there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Take a business from its TOML text, in place of the one with the same id.
    ImportTenant {
        /// The file's text.
        text: String,
    },
    /// All businesses.
    Tenants {
        /// Which part.
        page: Page,
    },
    /// One business.
    Tenant {
        /// Which.
        tenant: Option<TenantId>,
    },
    /// A business's calls, newest first.
    Calls {
        /// Whose.
        tenant: Option<TenantId>,
        /// Which part.
        page: Page,
    },
    /// One call's record and its events.
    Call {
        /// Which.
        call: CallId,
        /// Only events with this number and above.
        events_from: u32,
    },
    /// The newest call of a caller to a number, and its events.
    LatestCall {
        /// Who called.
        caller: Private<PhoneNumber>,
        /// The number that was called.
        called: PhoneNumber,
        /// Not one that began before this.
        since: Timestamp,
        /// Only events with this number and above.
        events_from: u32,
    },
    /// Calls in which words were said.
    SearchCalls {
        /// Whose.
        tenant: Option<TenantId>,
        /// What was said; see [`actors::storage::search::Question`].
        words: Private<String>,
        /// Those that began in these days; without beginning where `from` is absent.
        days: Days,
        /// Which of them. Its times count beside the days.
        filters: Filters,
        /// In which order.
        order: Order,
        /// Which part.
        page: Page,
    },
    /// Throw the search index away and begin to build it anew.
    Reindex,
    /// How the search index is.
    SearchState,
    /// Write a call's recording, or a part of it, to a new file on the node's machine, which is the operator's own.
    ExportRecording {
        /// Which call.
        call: CallId,
        /// The file; there must be none yet.
        to: PathBuf,
        /// What of it, and how.
        #[serde(default)]
        extract: Extract,
    },
    /// Erase a call with everything that it left behind.
    EraseCall {
        /// Which.
        call: CallId,
    },
    /// Erase a caller from a business, as far as one request goes.
    EraseCaller {
        /// Whose caller.
        tenant: Option<TenantId>,
        /// Their number.
        caller: Private<PhoneNumber>,
        /// Where the request before ended.
        after: Option<Cursor>,
    },
    /// Erase a business, as far as one request goes.
    EraseTenant {
        /// Which.
        tenant: TenantId,
        /// Where the request before ended.
        after: Option<Cursor>,
    },
    /// What was erased of a business, latest first; also of one that is gone.
    Audit {
        /// Which.
        tenant: TenantId,
        /// Which part.
        page: Page,
    },
    /// A business's appointments, earliest first.
    Bookings {
        /// Whose.
        tenant: Option<TenantId>,
        /// Those that start in these days.
        days: Days,
        /// Which part.
        page: Page,
    },
    /// A business's messages, newest first.
    Messages {
        /// Whose.
        tenant: Option<TenantId>,
        /// Which part.
        page: Page,
    },
    /// Take in somebody who signs in for a business.
    AddUser {
        /// Which.
        tenant: Option<TenantId>,
        /// Their e-mail address.
        email: Private<String>,
        /// What they are called.
        name: Private<String>,
        /// What they may do.
        role: Role,
    },
    /// A business's users.
    Users {
        /// Whose.
        tenant: Option<TenantId>,
        /// Which part.
        page: Page,
    },
    /// Remove a business's user.
    RemoveUser {
        /// Whose.
        tenant: Option<TenantId>,
        /// Their e-mail address.
        email: Private<String>,
    },
    /// What the node does now.
    Counts,
    /// Begin work on the whole store, which takes longer than an answer may.
    StartJob(Job),
    /// What came of such work.
    Job {
        /// Its number.
        number: u64,
    },
}

/// Days in a business's own time zone, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Days {
    /// The first; today where absent, unless it is said otherwise.
    pub from: Option<Date>,
    /// The last; without end where absent.
    pub until: Option<Date>,
}

/// One page of rows, in the business's time zone where they are one business's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rows<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page starts; absent after the last.
    pub next: Option<Cursor>,
    /// The IANA name of the time zone to show times in.
    pub time_zone: String,
}

/// Calls in which words were said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundCalls {
    /// The calls.
    #[serde(flatten)]
    pub found: Found,
    /// The IANA name of the time zone to show times in.
    pub time_zone: String,
}

/// A call as far as it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallPart {
    /// Its summary row.
    pub record: CallRecord,
    /// Its events, in order.
    pub events: Vec<CallEvent>,
    /// The IANA name of the time zone to show times in.
    pub time_zone: String,
}

/// What a node does now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Counts {
    /// Calls under way.
    pub calls: usize,
    /// It refuses new calls and waits for these to end.
    pub draining: bool,
}

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// There is no such thing.
    #[error("there is no {what}")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The request leaves open which business is meant, or makes no sense.
    #[error("{why}")]
    Refused {
        /// Why, and what to do.
        why: String,
    },
    /// What was imported has mistakes; nothing was changed.
    #[error("the file has {} mistake(s)", .mistakes.len())]
    Mistakes {
        /// All of them, each with its line.
        mistakes: Vec<String>,
    },
    /// The store or the recordings failed.
    #[error("{why}")]
    Failed {
        /// Why.
        why: String,
    },
}

/// What a node answers an operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// A business was taken.
    Imported {
        /// Which.
        tenant: TenantId,
        /// Its version now.
        version: u64,
        /// It was there before.
        replaced: bool,
    },
    /// Businesses.
    Tenants(Rows<Business>),
    /// A business.
    Tenant(Box<Business>),
    /// Calls.
    Calls(Rows<CallRecord>),
    /// A call.
    Call(Box<CallPart>),
    /// Calls in which words were said.
    FoundCalls(Box<FoundCalls>),
    /// How the search index is.
    SearchState(State),
    /// A recording was written.
    Exported {
        /// Samples of each side, 8,000 a second.
        samples: u64,
        /// Samples of each side that are lost; silence stands for them.
        lost_samples: u64,
        /// Whether the recording was brought to its end.
        finished: bool,
    },
    /// Something was erased.
    Erased(Done),
    /// What was erased.
    Audit(Rows<AuditRow>),
    /// Appointments.
    Bookings(Rows<Booking>),
    /// Messages.
    Messages(Rows<Message>),
    /// Users.
    Users(Rows<User>),
    /// A user who was taken in, or removed.
    User(Box<User>),
    /// What the node does now.
    Counts(Counts),
    /// The work was begun.
    JobStarted {
        /// The number to ask for it by.
        number: u64,
    },
    /// The work goes on.
    JobGoesOn,
    /// The work is done.
    JobDone(JobOutcome),
    /// Nothing came of it.
    Failure(Failure),
}
