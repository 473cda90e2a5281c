//! A trunk tried out: found, connected to, asked, registered at and called, on a socket of its own, so that it can be
//! done beside a running node. What each outcome means is [`crate::sip::diagnosis`].
//!
//! Nothing is changed at the provider: the REGISTER has no Contact, which asks what is registered (RFC 3261 section
//! 10.2.3), and the call is cancelled when it rings.

mod certificate;
mod requests;
mod steps;
mod wire;

use std::time::Duration;

pub use steps::try_trunk;

use crate::sip::diagnosis::{Advice, Happened, Step, advise, redacted};

/// What is tried, and how patiently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The number that is called for a moment; none to call nobody.
    pub call: Option<String>,
    /// Numbers and names are shown as they are.
    pub show_all: bool,
    /// How long an answer may take.
    pub patience: Duration,
}

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tried {
    /// What was tried: `find`, `connect`, `options`, `register`, `call`.
    pub step: String,
    /// Where.
    pub server: String,
    /// Whether it worked.
    pub works: bool,
    /// What happened.
    pub what: String,
    /// What to change; empty where nothing is.
    pub change: String,
    /// What was sent and what came back, message by message, line by line.
    pub messages: Vec<Vec<String>>,
}

/// A step's outcome, in words.
fn told(step: Step, server: &str, happened: &Happened, messages: Vec<Vec<String>>) -> Tried {
    let Advice { works, what, change } = advise(step, happened);
    Tried { step: label(step).to_owned(), server: server.to_owned(), works, what, change, messages }
}

const fn label(step: Step) -> &'static str {
    match step {
        Step::Find => "find",
        Step::Connect(_) => "connect",
        Step::Options => "options",
        Step::Register => "register",
        Step::Call => "call",
    }
}

/// A message as it is shown, with its direction.
fn shown(direction: &str, message: &[u8], all: bool) -> Vec<String> {
    redacted(message, all).into_iter().map(|line| format!("{direction} {line}")).collect()
}
