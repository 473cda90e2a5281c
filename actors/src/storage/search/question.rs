//! What is asked, and what is answered.

use std::str::FromStr;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::storage::{Cursor, Page};
use crate::types::{
    CallRecord, CallResult, CallTime, EndReason, Heading, PhoneNumber, Private, Speaker, TenantId,
};

/// What to look for among a business's calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Whose calls; never another's.
    pub tenant: TenantId,
    /// Words that must all have been said, in any of their forms (`booking` finds `booked`); `"a phrase"` whose words
    /// were said one after the other; `one OR other`; `-word` or `-"a phrase"` that was not said. May be empty where
    /// a filter is given.
    pub words: Private<String>,
    /// Which calls.
    pub filters: Filters,
    /// In which order.
    pub order: Order,
    /// Which part of the answer.
    pub page: Page,
}

/// Which calls; all that are given must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Filters {
    /// That began here or later.
    pub from: Option<Timestamp>,
    /// That began before this.
    pub until: Option<Timestamp>,
    /// From exactly this number.
    pub caller: Option<Private<PhoneNumber>>,
    /// That ended so.
    pub outcome: Option<OutcomeIs>,
    /// That carry this tag.
    pub tag: Option<Tag>,
}

impl Filters {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The order of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// By the call's beginning, newest first.
    #[default]
    Newest,
    /// By relevance (BM25), best first. Pages of it may repeat or skip a call while calls are indexed.
    Best,
}

/// How a call ended: in one word, or by its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OutcomeIs {
    /// In one word.
    Result(CallResult),
    /// By its reason.
    Reason(EndReason),
}

/// What a call is filed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Tag {
    /// What it was about.
    Heading(Heading),
    /// What happened in it.
    Happened(Happened),
}

/// What happened in a call, beside what it was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// It was recorded.
    Recorded,
    /// An engine or a stage failed and was replaced or worked around.
    Trouble,
}

/// The name of a value without fields, as it is written everywhere.
pub(super) fn name_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

fn named<T: DeserializeOwned>(name: &str, what: &str, such_as: &str) -> Result<T, String> {
    serde_json::from_value(name.to_lowercase().into())
        .map_err(|_| format!("there is no {what} \"{name}\"; there are {such_as}"))
}

impl FromStr for OutcomeIs {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let such_as = "success, client, server, upstream and indeterminate, and reasons such as caller_hung_up, \
                       completed or refused";
        named(name, "outcome", such_as)
    }
}

impl FromStr for Tag {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let such_as = "nothing, question, booked, moved, cancelled, message, transferred, wrong_number, recorded and \
                       trouble";
        named(name, "tag", such_as)
    }
}

/// A page of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The calls.
    pub hits: Vec<Hit>,
    /// Where the next page starts; absent after the last.
    pub next: Option<Cursor>,
    /// Every call that had ended by the last commit was looked at. Not so while the index is being built.
    pub complete: bool,
}

/// A call that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The call.
    pub record: CallRecord,
    /// Where the words were said; absent where none were asked for.
    pub line: Option<Line>,
}

/// A line of a conversation, cut to what matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: CallTime,
    /// Who said it.
    pub speaker: Speaker,
    /// The words, in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The text.
    pub text: Private<String>,
    /// It is one of the words that were asked for.
    pub found: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_have_the_names_of_the_records() {
        assert_eq!("success".parse(), Ok(OutcomeIs::Result(CallResult::Success)));
        assert_eq!("caller_hung_up".parse(), Ok(OutcomeIs::Reason(EndReason::CallerHungUp)));
        assert_eq!("Booked".parse(), Ok(Tag::Heading(Heading::Booked)));
        assert_eq!("recorded".parse(), Ok(Tag::Happened(Happened::Recorded)));
        assert_eq!(name_of(&OutcomeIs::Reason(EndReason::NodeDied)), "node_died");
        assert_eq!(name_of(&Tag::Heading(Heading::WrongNumber)), "wrong_number");
        let told = "lovely".parse::<Tag>().expect_err("no such tag");
        assert!(told.contains("\"lovely\"") && told.contains("booked"), "{told}");
    }
}
