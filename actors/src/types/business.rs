//! A business as its receptionist knows it: one immutable value, pinned to a call when it starts.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::{Arrival, Language, Line, PhoneNumber, ResourceId, ServiceId, TenantId};

/// Everything the receptionist may know about a business and how it wants its calls answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Business {
    /// Its identity.
    pub id: TenantId,
    /// Raised by each change; a call keeps the version it started with.
    pub version: u64,
    /// Its name as spoken.
    pub name: String,
    /// What it says of itself in a sentence or two.
    pub description: String,
    /// The IANA name of its time zone, such as `Europe/London`; checked at import.
    pub time_zone: String,
    /// The language its callers are answered in.
    pub language: Language,
    /// Its street address as spoken.
    pub address: Option<String>,
    /// How to find it: parking, entrance, the nearest stop.
    pub directions: Option<String>,
    /// The numbers that reach it. Any of them in an INVITE's request URI means this business.
    pub numbers: Vec<PhoneNumber>,
    /// When it is open.
    pub hours: Hours,
    /// What can be booked.
    pub services: Vec<Service>,
    /// Staff and rooms.
    pub resources: Vec<Resource>,
    /// Questions and their answers.
    pub faqs: Vec<Faq>,
    /// People and departments that callers may ask for.
    pub departments: Vec<Department>,
    /// When and where calls are transferred without the caller asking.
    pub transfer_rules: Vec<TransferRule>,
    /// How calls are answered.
    pub policy: Policy,
    /// What is done with calls before the receptionist has them.
    #[serde(default, skip_serializing_if = "Arrival::is_usual")]
    pub arrival: Arrival,
}

/// Opening hours in the business's own time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Hours {
    /// The usual week; a day without an entry is closed. Spans are in order and do not touch.
    pub week: BTreeMap<DayOfWeek, Vec<OpeningHours>>,
    /// Days that differ: holidays (no spans) and special hours.
    pub exceptions: Vec<Closure>,
}

/// A day of the week, Monday first; ordered and serialised by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum DayOfWeek {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<Weekday> for DayOfWeek {
    fn from(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// One span of a day, `from` included, `until` not. `until` 00:00 means the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OpeningHours {
    /// The first minute.
    pub from: Time,
    /// The minute after the last.
    pub until: Time,
}

/// A date whose hours differ from its weekday's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// The first day.
    pub from: Date,
    /// The last day, included.
    pub until: Date,
    /// The hours of each such day; empty where closed.
    pub hours: Vec<OpeningHours>,
    /// Why, as spoken: "the bank holiday".
    pub reason: Option<String>,
}

impl Hours {
    /// The spans in which the business is open on `date`, in order.
    #[must_use]
    pub fn on(&self, date: Date) -> &[OpeningHours] {
        match self.exceptions.iter().find(|closure| closure.from <= date && date <= closure.until) {
            Some(closure) => &closure.hours,
            None => self.week.get(&date.weekday().into()).map_or(&[], Vec::as_slice),
        }
    }

    /// Whether the business is open at this date and time of day.
    #[must_use]
    pub fn is_open(&self, date: Date, time: Time) -> bool {
        self.on(date).iter().any(|span| span.contains(time))
    }
}

impl OpeningHours {
    /// Whether `time` falls within.
    #[must_use]
    pub fn contains(&self, time: Time) -> bool {
        self.from <= time && (time < self.until || self.until == Time::midnight())
    }
}

/// Something a caller can book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its identity within the business.
    pub id: ServiceId,
    /// Its name as spoken: "a men's haircut" is said as "men's haircut".
    pub name: String,
    /// Other words callers use for it.
    pub also_called: Vec<String>,
    /// How long it takes, in minutes.
    pub duration_minutes: u32,
    /// Time kept free after it, in minutes.
    pub buffer_minutes: u32,
    /// The price as spoken: "twenty-five pounds".
    pub price: Option<String>,
    /// Who or what can give it; any one of them suffices. Never empty.
    pub resources: Vec<ResourceId>,
    /// How far ahead of its start it must be booked, in minutes.
    pub notice_minutes: u32,
}

/// A member of staff or a room; one booking at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its identity within the business.
    pub id: ResourceId,
    /// Its name as spoken; callers may ask for it.
    pub name: String,
    /// Its own hours, where they differ from the business's; both must be open.
    pub hours: Option<Hours>,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faq {
    /// The question, in as many ways as callers put it. Never empty.
    pub questions: Vec<String>,
    /// The answer as spoken.
    pub answer: String,
}

/// Somebody callers may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    /// The name as spoken: "sales", "Doctor Patel".
    pub name: String,
    /// Other words callers use for it.
    pub also_called: Vec<String>,
    /// Where its calls go.
    pub destination: Destination,
    /// When it takes calls; the business's hours where absent. Outside them a message is taken instead.
    pub hours: Option<Hours>,
}

/// Where a transferred call goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// A telephone number, reached by the trunk the call came in on.
    Number(PhoneNumber),
    /// A SIP URI as it is.
    Uri(String),
}

/// A rule that sends calls to a person. The first rule whose condition holds wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferRule {
    /// When it holds.
    pub when: Condition,
    /// The department the call goes to, by name.
    pub to: String,
}

/// When a [`TransferRule`] holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The caller's number is one of these: transferred after the greeting.
    CallerIs(Vec<PhoneNumber>),
    /// The caller's words hold one of these phrases, in any case: "burst pipe".
    CallerSays(Vec<String>),
    /// The caller asks for a person and names none.
    AsksForPerson,
}

/// How calls are answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// The greeting, where the business has its own; "Thank you for calling …" where not.
    pub greeting: Option<String>,
    /// What callers are told about recording.
    pub announcement: Announcement,
    /// The voice's name in the speech engine; empty for its default.
    pub voice: String,
    /// Calls at once; the next gets 486.
    pub concurrent_calls_max: u32,
    /// How long a call may last before it is ended politely, in minutes.
    pub call_minutes_max: u32,
    /// How far ahead appointments can be made, in days.
    pub booking_days_max: u32,
    /// How long calls are kept, with their recordings, transcripts and messages, in days; 0 keeps them.
    pub retention_days: u32,
    /// Nothing of the business may be erased, whatever its time: a court or an authority said so.
    pub legal_hold: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            greeting: None,
            announcement: Announcement::default(),
            voice: String::new(),
            concurrent_calls_max: 20,
            call_minutes_max: 30,
            booking_days_max: 90,
            retention_days: 90,
            legal_hold: false,
        }
    }
}

/// What callers are told about recording, and whether there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Announcement {
    /// "This call is recorded.", then recorded from the first word.
    #[default]
    Announced,
    /// Recorded without a word, where the law allows it.
    Silent,
    /// Not recorded.
    NotRecorded,
}

impl Business {
    /// The business as it is for calls to one of its numbers.
    #[must_use]
    pub fn for_line(&self, line: &Line) -> Self {
        let mut own = self.clone();
        own.policy.greeting = line.greeting.clone().or(own.policy.greeting);
        own.policy.voice = line.voice.clone().unwrap_or(own.policy.voice);
        own
    }

    /// The service with this id.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&Service> {
        self.services.iter().find(|service| &service.id == id)
    }

    /// The resource with this id.
    #[must_use]
    pub fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.iter().find(|resource| &resource.id == id)
    }

    /// The department with this name, compared without case.
    #[must_use]
    pub fn department(&self, name: &str) -> Option<&Department> {
        self.departments.iter().find(|department| department.name.eq_ignore_ascii_case(name))
    }
}
