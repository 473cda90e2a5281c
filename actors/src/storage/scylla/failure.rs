//! What a failed request means: nothing was done, something may have been, or asking again is no use.

use std::fmt;

use scylla::errors::{DbError, ExecutionError, PrepareError, RequestAttemptError};

use super::migrate::COMMAND;
use crate::storage::Error;

/// What a failed request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing was changed.
    Undone,
    /// It may have been carried out, or may yet be.
    Unknown,
    /// The cluster refuses it for ever.
    Refused,
}

/// A request that failed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) meaning: Meaning,
    pub(super) why: String,
    /// The tables are not there.
    pub(super) is_layout_gone: bool,
    /// The contract's own error, where it is known.
    exact: Option<Error>,
}

impl Failure {
    fn new(meaning: Meaning, why: impl Into<String>) -> Self {
        Self { meaning, why: why.into(), is_layout_gone: false, exact: None }
    }

    /// Asking again at once is no use.
    pub(super) fn is_final(&self) -> bool {
        self.meaning == Meaning::Refused || self.is_layout_gone
    }

    /// A request that failed, by what the cluster said.
    fn told(meaning: Meaning, error: &dyn fmt::Display, is_layout_gone: bool) -> Self {
        let why = match is_layout_gone {
            true => format!("the cluster's tables are gone ({error}): run `{COMMAND}`"),
            false => error.to_string(),
        };
        Self { is_layout_gone, ..Self::new(meaning, why) }
    }

    pub(super) fn undone(why: impl Into<String>) -> Self {
        Self::new(Meaning::Undone, why)
    }

    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self::new(Meaning::Unknown, why)
    }

    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::new(Meaning::Refused, why)
    }

    /// The error of an act that ended with this; `doubt`: whether an earlier try may have been carried out.
    pub(super) fn into_error(self, doubt: bool) -> Error {
        if let Some(exact) = self.exact {
            return exact;
        }
        match self.meaning {
            Meaning::Refused => Error::Corrupt { what: "request", why: self.why },
            Meaning::Undone if !doubt => Error::Unavailable { why: self.why },
            Meaning::Undone | Meaning::Unknown => Error::Unknown { why: self.why },
        }
    }

    /// The same of a read: it changes nothing, whatever became of it.
    pub(super) fn without_change(self) -> Self {
        let meaning = match self.meaning {
            Meaning::Unknown => Meaning::Undone,
            other => other,
        };
        Self { meaning, ..self }
    }

    /// The error of a read: it changed nothing, whatever became of it.
    pub(super) fn of_read(self) -> Error {
        if let Some(exact) = self.exact {
            return exact;
        }
        match self.meaning {
            Meaning::Refused => Error::Corrupt { what: "request", why: self.why },
            Meaning::Undone | Meaning::Unknown => Error::Unavailable { why: self.why },
        }
    }
}

impl From<ExecutionError> for Failure {
    fn from(error: ExecutionError) -> Self {
        let meaning = match &error {
            ExecutionError::BadQuery(_) => Meaning::Refused,
            ExecutionError::EmptyPlan | ExecutionError::ConnectionPoolError(_) => Meaning::Undone,
            ExecutionError::PrepareError(error) => of_prepare(error),
            ExecutionError::LastAttemptError(attempt) => of_attempt(attempt),
            _ => Meaning::Unknown,
        };
        let is_gone = match &error {
            ExecutionError::PrepareError(error) => is_gone_in_prepare(error),
            ExecutionError::LastAttemptError(attempt) => is_gone(attempt),
            _ => false,
        };
        Self::told(if is_gone { Meaning::Undone } else { meaning }, &error, is_gone)
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        let is_gone = is_gone_in_prepare(&error);
        Self::told(if is_gone { Meaning::Undone } else { of_prepare(&error) }, &error, is_gone)
    }
}

/// Whether a table or a keyspace was missed. All statements were made ready once, so that it was there: a cluster
/// that lost it gets it back by a migration, and what could not be written is written then.
fn is_gone(error: &RequestAttemptError) -> bool {
    let RequestAttemptError::DbError(DbError::Invalid, why) = error else { return false };
    let why = why.to_lowercase();
    why.contains("does not exist")
        || why.contains("unconfigured table")
        || why.contains("can't find a column family")
}

fn is_gone_in_prepare(error: &PrepareError) -> bool {
    matches!(error, PrepareError::AllAttemptsFailed { first_attempt } if is_gone(first_attempt))
}

/// What is stored can't be read, or the like: asking again is no use.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { exact: Some(error.clone()), ..Self::refused(error.to_string()) }
    }
}

fn of_prepare(error: &PrepareError) -> Meaning {
    match error {
        PrepareError::AllAttemptsFailed { first_attempt } => match of_attempt(first_attempt) {
            Meaning::Refused => Meaning::Refused,
            _ => Meaning::Undone,
        },
        _ => Meaning::Undone,
    }
}

fn of_attempt(error: &RequestAttemptError) -> Meaning {
    match error {
        RequestAttemptError::SerializationError(_) | RequestAttemptError::CqlRequestSerialization(_) => {
            Meaning::Refused
        }
        RequestAttemptError::UnableToAllocStreamId => Meaning::Undone,
        RequestAttemptError::DbError(error, _) => of_answer(error),
        _ => Meaning::Unknown,
    }
}

/// CQL binary protocol version 4, section 9: what each error says of the request.
fn of_answer(error: &DbError) -> Meaning {
    match error {
        DbError::SyntaxError
        | DbError::Invalid
        | DbError::AlreadyExists { .. }
        | DbError::FunctionFailure { .. }
        | DbError::AuthenticationError
        | DbError::Unauthorized
        | DbError::ConfigError
        | DbError::ProtocolError => Meaning::Refused,
        DbError::Unavailable { .. }
        | DbError::Overloaded
        | DbError::IsBootstrapping
        | DbError::RateLimitReached { .. }
        | DbError::Unprepared { .. } => Meaning::Undone,
        _ => Meaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_doubt_and_a_refusal_is_not() {
        let attempt = |error| RequestAttemptError::DbError(error, String::new());
        assert_eq!(of_attempt(&attempt(DbError::Overloaded)), Meaning::Undone);
        assert_eq!(of_attempt(&attempt(DbError::Invalid)), Meaning::Refused);
        assert_eq!(of_attempt(&attempt(DbError::ServerError)), Meaning::Unknown);
        let failure = Failure::undone("no connection");
        assert!(matches!(failure.clone().into_error(false), Error::Unavailable { .. }));
        assert!(matches!(failure.clone().into_error(true), Error::Unknown { .. }));
        assert!(matches!(failure.of_read(), Error::Unavailable { .. }));
    }

    #[test]
    fn a_table_that_is_gone_may_come_back() {
        let attempt = |why: &str| RequestAttemptError::DbError(DbError::Invalid, why.to_owned());
        for why in ["keyspace strowger_data does not exist", "unconfigured table calls"] {
            let failure = Failure::from(ExecutionError::LastAttemptError(attempt(why)));
            assert!(failure.is_final() && failure.meaning == Meaning::Undone, "{why}");
            let told = failure.into_error(false);
            assert!(matches!(&told, Error::Unavailable { why } if why.contains("store migrate")), "{told}");
        }
        let failure = Failure::from(ExecutionError::LastAttemptError(attempt("a value is too large")));
        assert!(matches!(failure.into_error(false), Error::Corrupt { .. }));
    }
}
