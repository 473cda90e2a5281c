//! What a business wants done with calls before its receptionist has them, and with those that it missed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CallId, Destination, PhoneNumber, Private};

/// How calls arrive. By default the receptionist answers each of them at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Arrival {
    /// Who is let in; everybody where absent, and nobody is looked at.
    pub screening: Option<Screening>,
    /// The people whose telephones ring before the receptionist answers.
    pub ring_first: Option<RingFirst>,
    /// Calls that go somewhere else.
    pub forwarding: Forwarding,
    /// What is different for some of the business's numbers.
    pub lines: Vec<Line>,
    /// Whether those whom it missed are called back.
    pub call_back: Option<CallBack>,
}

impl Arrival {
    /// Whether nothing is said of it.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What is different for calls to this number.
    #[must_use]
    pub fn line(&self, called: &PhoneNumber) -> Option<&Line> {
        self.lines.iter().find(|line| line.number.reaches_same_line(called))
    }
}

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Screening {
    /// Callers who are not wanted.
    pub blocked: Vec<Private<NumberPattern>>,
    /// What becomes of them.
    pub blocked_get: Turned,
    /// Callers who are always welcome: of no score, and answered after hours, too.
    pub vip: Vec<Private<NumberPattern>>,
    /// What becomes of callers who show no number.
    pub anonymous: Anonymous,
    /// From which score on a call is likely spam, 1 to 100.
    pub spam_score: u32,
    /// What becomes of likely spam; absent where it is only marked, and kept from people's telephones.
    pub spam_gets: Option<Turned>,
    /// What callers hear outside opening hours before the call ends; the receptionist answers where absent.
    pub after_hours: Option<String>,
}

impl Default for Screening {
    fn default() -> Self {
        Self {
            blocked: Vec::new(),
            blocked_get: Turned::Unwanted,
            vip: Vec::new(),
            anonymous: Anonymous::Answer,
            spam_score: 60,
            spam_gets: None,
            after_hours: None,
        }
    }
}

/// What a caller gets who is turned away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turned {
    /// 603 Decline (RFC 3261 section 21.6.2).
    Declined,
    /// 607 Unwanted (RFC 8197): their network may learn from it.
    Unwanted,
    /// 486 Busy Here: they don't learn that they are not wanted.
    Busy,
    /// This is said, and the call ends.
    Message(String),
}

/// What becomes of callers who show no number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Anonymous {
    /// They are answered like everybody.
    #[default]
    Answer,
    /// They are answered, and asked for their number first.
    Ask,
    /// 433 Anonymity Disallowed (RFC 5079).
    Reject,
    /// This is said, and the call ends.
    Message(String),
}

/// A telephone number, or the beginning of numbers, written with a star at its end: "+44909*".
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NumberPattern(String);

impl NumberPattern {
    /// Reads a number or a beginning as people write it; `None` where it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_suffix('*') {
            // One digit is a number's beginning, and no number.
            Some(start) if matches!(start.trim().strip_prefix('+'), Some(digit) if digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit())) => {
                Some(Self(format!("{}*", start.trim())))
            }
            Some(start) => PhoneNumber::parse(start).map(|start| Self(format!("{}*", start.as_str()))),
            None => PhoneNumber::parse(text).map(|number| Self(number.as_str().to_owned())),
        }
    }

    /// How much of this number it names, in digits; none where it is about others. A whole number counts most.
    #[must_use]
    pub fn matches(&self, number: &PhoneNumber) -> Option<usize> {
        match self.0.strip_suffix('*') {
            Some(start) => number.as_str().starts_with(start).then_some(start.len()),
            None => PhoneNumber::parse(&self.0)
                .is_some_and(|own| own.reaches_same_line(number))
                .then_some(usize::MAX),
        }
    }
}

/// Somebody who may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callee {
    /// Their name as spoken and recorded: "the manager".
    pub name: String,
    /// Where they are reached.
    pub to: Destination,
}

/// The people whose telephones ring before the receptionist answers, while the caller hears it ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingFirst {
    /// Who; never empty.
    pub people: Vec<Callee>,
    /// All of them at once; else one after the other.
    pub at_once: bool,
    /// How long each rings, in seconds.
    pub ring_s: u32,
    /// Whoever picks up is told of the call and has to press a key, so that no mailbox gets it; else whoever or
    /// whatever picks up first has it.
    pub by_key: bool,
    /// For which calls.
    pub when: RingWhen,
    /// What the caller is told meanwhile, before anybody has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announcement: Option<String>,
}

/// For which calls people's telephones ring first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum RingWhen {
    /// In opening hours.
    #[default]
    Open,
    /// At any time.
    Always,
    /// For callers who are always welcome, at any time.
    Vip,
}

/// Where calls go instead, as telephone networks name it. Where nobody answers there the receptionist does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Forwarding {
    /// Every call.
    pub always: Option<Callee>,
    /// Calls that come while the business has as many as it may.
    pub busy: Option<Callee>,
    /// Calls that nobody took whose telephone rang first.
    pub no_answer: Option<Callee>,
    /// Calls outside opening hours.
    pub after_hours: Option<Callee>,
    /// How long it rings there, in seconds.
    pub ring_s: u32,
    /// Whoever answers there is told of the call and has to press a key; else they have it at once.
    pub by_key: bool,
    /// What the caller is told meanwhile, before anybody has answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announcement: Option<String>,
}

impl Default for Forwarding {
    fn default() -> Self {
        Self {
            always: None,
            busy: None,
            no_answer: None,
            after_hours: None,
            ring_s: 25,
            by_key: false,
            announcement: None,
        }
    }
}

/// What is different for one of the business's numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The number; one of the business's.
    pub number: PhoneNumber,
    /// What it is called on the record: "the salon".
    pub label: String,
    /// Its own greeting.
    pub greeting: Option<String>,
    /// Its own voice.
    pub voice: Option<String>,
    /// Whether people's telephones ring first for it, too.
    pub ring_first: bool,
    /// Where all its calls go.
    pub forward: Option<Callee>,
}

/// How those are called back whom the business missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBack {
    /// Callers who gave up before anybody answered, or found no room.
    pub missed: bool,
    /// Callers whose call was cut off by something that failed.
    pub cut_off: bool,
    /// How long after that, in minutes.
    pub after_minutes: u32,
    /// How often, where nobody answers.
    pub attempts_max: u32,
    /// What their mailbox is told; nothing is said to it where absent.
    pub mailbox: Option<String>,
}

/// How a call arrived, on its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Arrived {
    /// What the number that was called is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The caller is one who is always welcome.
    pub vip: bool,
    /// It is likely spam.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spam: Option<Spam>,
    /// What was done with it first.
    pub route: Route,
    /// The call whose caller was called back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_back: Option<CallId>,
}

/// What was done to call somebody back, on the record of the call that was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct CallBackNote {
    /// How often it was tried.
    pub attempts: u32,
    /// When last.
    pub last_at: Option<Timestamp>,
    /// What came of it.
    pub result: CallBackResult,
}

/// What came of calling somebody back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum CallBackResult {
    /// Nothing yet.
    #[default]
    Waiting,
    /// Nobody answered, or it could not be made.
    NotReached,
    /// They answered.
    Reached,
    /// Their mailbox answered.
    Mailbox,
    /// It is not tried any more: it is not allowed, they declined it, or they have called again.
    GivenUp,
}

/// Why a call is likely spam.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spam {
    /// How likely, 0 to 100; no probability.
    pub score: u32,
    /// What speaks for it, weightiest first.
    pub reasons: Vec<SpamSign>,
}

/// What speaks for spam.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpamSign {
    /// What the caller's network said of the number does not hold.
    FalselyVouchedFor,
    /// The caller's network only knows where the call came in from.
    VouchedForByGateway,
    /// The caller shows the number that they called, or one beside it.
    ShowsOurNumber,
    /// Many calls within a short time.
    ManyCalls,
    /// Calls that ended as soon as they were answered.
    HangsUpAtOnce,
    /// The number shown can't be one.
    ImpossibleNumber,
}

impl Route {
    /// Whether the caller was not wanted, whatever they were told.
    #[must_use]
    pub const fn is_turned_away(self) -> bool {
        matches!(self, Self::Blocked | Self::TurnedAsSpam | Self::TurnedAsAnonymous)
    }

    /// Its name, as in records and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receptionist => "receptionist",
            Self::AskedNumber => "asked_number",
            Self::RingFirst => "ring_first",
            Self::ForwardedAlways => "forwarded_always",
            Self::ForwardedBusy => "forwarded_busy",
            Self::ForwardedAfterHours => "forwarded_after_hours",
            Self::Message => "message",
            Self::Blocked => "blocked",
            Self::TurnedAsSpam => "turned_as_spam",
            Self::TurnedAsAnonymous => "turned_as_anonymous",
            Self::CalledBack => "called_back",
        }
    }
}

/// What was done with a call first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The receptionist answered.
    #[default]
    Receptionist,
    /// The receptionist answered and asked for the number that was not shown.
    AskedNumber,
    /// People's telephones rang.
    RingFirst,
    /// It was forwarded, as every call is.
    ForwardedAlways,
    /// It was forwarded because the business had as many calls as it may.
    ForwardedBusy,
    /// It was forwarded outside opening hours.
    ForwardedAfterHours,
    /// A message was played and the call ended.
    Message,
    /// It was not answered: an unwanted caller.
    Blocked,
    /// It was not answered: likely spam.
    TurnedAsSpam,
    /// It was not answered: no number was shown.
    TurnedAsAnonymous,
    /// We called.
    CalledBack,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, number: &str) -> Option<usize> {
        NumberPattern::parse(pattern).unwrap().matches(&PhoneNumber::parse(number).unwrap())
    }

    #[test]
    fn a_pattern_is_a_number_in_any_form_or_a_beginning() {
        assert_eq!(matches("+44 7700 900123", "07700900123"), Some(usize::MAX));
        assert_eq!(matches("+44 7700 900123", "+447700900124"), None);
        assert_eq!(matches("+4477*", "+447700900124"), Some(5));
        assert_eq!(matches("+4477*", "+33142685300"), None);
        assert_eq!(matches("+1*", "+12125550100"), Some(2));
        for wrong in ["", "*", "+*", "anonymous", "+44*77"] {
            assert_eq!(NumberPattern::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_business_that_says_nothing_of_it_is_read_as_before() {
        assert_eq!(serde_json::from_str::<Arrival>("{}").unwrap(), Arrival::default());
    }
}
