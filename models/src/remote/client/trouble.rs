//! Why a node could not, and what follows from that.

use tonic::{Code, Status};

use super::super::NAME;
use crate::Error;

/// What stands between a caller and a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It has no place; it is well.
    Full,
    /// It can't be reached, or does not answer.
    Unreachable(String),
    /// It broke off.
    Broken(String),
    /// It is too late.
    Late,
    /// It takes no audio.
    Stalled,
    /// What was asked is wrong, and would be anywhere.
    Bad(String),
}

impl Trouble {
    pub(super) fn of(status: &Status) -> Self {
        let why = status.message().to_owned();
        match status.code() {
            Code::ResourceExhausted => Self::Full,
            Code::InvalidArgument | Code::OutOfRange => Self::Bad(why),
            Code::DeadlineExceeded => Self::Late,
            Code::Unavailable => Self::Unreachable(why),
            Code::Aborted => Self::Stalled,
            code => Self::Broken(format!("{code:?}: {why}")),
        }
    }

    /// As a metric's label says it.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Unreachable(_) => "unreachable",
            Self::Broken(_) => "broken",
            Self::Late => "late",
            Self::Stalled => "stalled",
            Self::Bad(_) => "bad_request",
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => formatter.write_str("it is full"),
            Self::Unreachable(why) => write!(formatter, "it can't be reached: {why}"),
            Self::Broken(why) => write!(formatter, "it broke off: {why}"),
            Self::Late => formatter.write_str("it did not answer in time"),
            Self::Stalled => formatter.write_str("it takes no audio"),
            Self::Bad(why) => write!(formatter, "it does not take that: {why}"),
        }
    }
}

/// What is told where no node was left: all full, or at least one of them in trouble.
pub(super) fn nobody(nodes: usize, last: Option<&Trouble>) -> Error {
    match last {
        Some(Trouble::Full) => Error::Full { engine: NAME, limit: nodes },
        Some(trouble) => Error::Failed {
            engine: NAME,
            why: format!("none of {nodes} nodes is left; of the last {trouble}"),
        },
        None => Error::Unavailable {
            engine: NAME,
            why: format!("none of {nodes} nodes answers"),
            mend: "start one of inference.nodes, or let this node have an engine of its own".into(),
        },
    }
}
