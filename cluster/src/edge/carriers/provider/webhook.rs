//! A carrier's questions and our answers, whoever's they are.

use actors::types::{Attestation, Distrust};

/// A call that a carrier asks about.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// The carrier's name for it.
    pub call: String,
    /// The number that was dialled; empty in messages that don't say it.
    pub called: String,
    /// Who calls, where the network says.
    pub caller: Option<String>,
    /// What is told of it.
    pub news: News,
    /// By its own state, the call that it names is over.
    pub gone: bool,
    /// What the caller's network vouches for, as far as the carrier has checked it and says so.
    pub attestation: Attestation,
    /// The keys that somebody who was dialled has pressed.
    pub keys: Option<String>,
    /// The number of whoever was dialled, where the carrier says it.
    pub whom: Option<String>,
}

/// What a message tells of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It is there.
    Live,
    /// It is over.
    Over,
    /// Somebody who was dialled has picked up.
    PickedUp,
    /// And speaks with the caller.
    Joined,
    /// Dialling is over, by SIP status: 200 where somebody had picked up and has hung up again.
    Dialled(u16),
    /// Dialling is over; nobody says how that went.
    DialOver,
}

/// Why a question can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request has no {0}")]
pub struct Unusable(pub &'static str);

/// Whom a call is transferred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// A number, as it is dialled.
    Number(&'a str),
    /// A SIP URI.
    Sip(&'a str),
}

/// What a carrier is to do.
#[derive(Clone, Copy)]
pub enum Answer<'a> {
    /// Connect the call to this websocket.
    Connect {
        /// Its URL.
        stream: &'a str,
        /// Samples per second, where the carrier lets us choose.
        rate_hz: u32,
        /// Where what becomes of the call is to be told.
        status: &'a str,
    },
    /// Call people and connect the first who picks up.
    Dial(&'a Dial<'a>),
    /// To whoever has picked up: say this, and tell which key was pressed.
    Ask {
        /// What is said.
        words: &'a str,
        /// Where the key is to be told.
        pressed: &'a str,
        /// How long the key may take, in seconds.
        wait_s: u64,
    },
    /// Connect whoever was asked.
    Take,
    /// Don't.
    Leave,
    /// Refuse the call: its callee has no time.
    Busy,
    /// Refuse the call.
    Reject,
    /// End the call.
    HangUp,
}

/// People to call.
#[derive(Clone, Copy)]
pub struct Dial<'a> {
    /// Whom, each by its number; its name in URLs is that. All at once, where the carrier can do that.
    pub whom: &'a [(usize, Target<'a>)],
    /// Where what becomes of it is to be told.
    pub then: &'a str,
    /// Where what is said to whoever picks up is to be asked for; whoever picks up has the call where absent.
    pub ask: Option<&'a str>,
    /// What the caller is told first.
    pub announcement: Option<&'a str>,
    /// The number that the caller dialled, for carriers that want one of ours to be shown.
    pub from: &'a str,
    /// How long it may ring, in seconds.
    pub ring_s: u64,
    /// The caller's call was not answered yet, and is to ring on meanwhile.
    pub unanswered: bool,
}

/// The longest name of a call.
const NAME_MAX: usize = 256;

/// A name of a call that can be one.
#[must_use]
pub fn name(text: Option<&str>) -> Option<String> {
    text.filter(|text| {
        !text.is_empty() && text.len() <= NAME_MAX && text.chars().all(|c| c.is_ascii_graphic())
    })
    .map(ToOwned::to_owned)
}

/// Who calls, unless that is one of the numbers that stand for nobody: carriers spell "anonymous" so.
#[must_use]
pub fn caller(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    let nobody = ["+266696687", "266696687", "anonymous", "restricted", "unknown", "unavailable", "private"];
    let is_nobody = text.is_empty() || nobody.iter().any(|word| text.eq_ignore_ascii_case(word));
    (!is_nobody).then(|| text.to_owned())
}

/// What a network vouches for, by its letter, and whether the carrier found that to hold (RFC 8588 section 4).
#[must_use]
pub fn vouched(letter: Option<&str>, holds: bool) -> Attestation {
    match letter {
        None => Attestation::Absent,
        Some(_) if !holds => Attestation::Failed(Distrust::Unexplained),
        Some("A") => Attestation::Full,
        Some("B") => Attestation::Partial,
        Some("C") => Attestation::Gateway,
        Some(_) => Attestation::Absent,
    }
}

/// What the fate of a transferred call is in SIP's terms.
#[must_use]
pub fn dialled(word: &str) -> Option<u16> {
    Some(match word {
        "completed" | "answered" => 200,
        "busy" => 486,
        "no-answer" | "timeout" | "unanswered" => 408,
        "canceled" | "cancelled" | "cancel" => 487,
        "rejected" => 603,
        "failed" => 480,
        _ => return None,
    })
}

/// Whether this word for a call's state means that it is over.
#[must_use]
pub fn is_over(word: &str) -> bool {
    matches!(
        word,
        "completed"
            | "busy"
            | "failed"
            | "no-answer"
            | "canceled"
            | "cancelled"
            | "rejected"
            | "timeout"
            | "unanswered"
    )
}
