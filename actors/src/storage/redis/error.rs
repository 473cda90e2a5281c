//! What an error of the client or the server means: whether anything may have changed.

use fred::error::{Error as Failure, ErrorKind};

use crate::storage::coordination::{Error, Settings};

/// What a server says that will not write now and has not (`errors` of the Redis source, `server.c`).
const NOT_NOW: &[&str] = &[
    "OOM",
    "MISCONF",
    "READONLY",
    "LOADING",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "MASTERDOWN",
    "NOREPLICAS",
    "BUSY",
    "MOVED",
    "ASK",
];

/// What the client says of a command that it did not send.
const NOT_SENT: &[&str] = &[
    "Connection closed unexpectedly.",
    "Failed to route command",
    "Failed to send command to router",
    "Client is not initialized",
    "Missing server for hash slot",
];

/// The class of a failure. A command that only reads changes nothing whatever became of it.
pub(super) fn class(failure: &Failure, reads: bool) -> Error {
    let why = failure.to_string();
    let details = failure.details();
    let not_sent = NOT_SENT.iter().any(|said| details.starts_with(said));
    if not_sent || says_not_now(details) {
        return Error::Unavailable { why };
    }
    match failure.kind() {
        ErrorKind::Backpressure | ErrorKind::Routing => Error::Unavailable { why },
        ErrorKind::Auth
        | ErrorKind::InvalidArgument
        | ErrorKind::InvalidCommand
        | ErrorKind::Parse
        | ErrorKind::NotFound
        | ErrorKind::Config => Error::Refused { why },
        // An answer of the server that none of the above explains: a script that is wrong, a user without the right.
        ErrorKind::Unknown if is_an_answer(details) => Error::Refused { why },
        _ if reads => Error::Unavailable { why },
        _ => Error::Unknown { why },
    }
}

/// What went wrong with a connection, and what whoever runs the node does about it.
pub(super) fn remedy(failure: &Failure, settings: &Settings) -> String {
    let details = failure.details();
    let refused =
        ["NOAUTH", "WRONGPASS", "NOPERM"].contains(&code(details)) || *failure.kind() == ErrorKind::Auth;
    if refused {
        return format!(
            "it wants another user or password: check coordination.username and .password ({details})"
        );
    }
    if details.contains("certificate") {
        let trusted = settings.authorities.as_ref();
        let trusted = trusted.map_or("this machine's authorities".into(), |path| path.display().to_string());
        return format!(
            "its certificate is not signed by any in {trusted}, or is for another address, or is over: check \
             coordination.authorities and the server's certificate ({details})"
        );
    }
    format!("check coordination.url, that the server runs, and whether it wants TLS, rediss://… ({details})")
}

/// Whether the server has forgotten the script.
pub(super) fn no_script(failure: &Failure) -> bool {
    failure.details().starts_with("NOSCRIPT")
}

/// Whether the server has become a replica: the client is connected to the wrong one.
pub(super) fn read_only(failure: &Failure) -> bool {
    code(failure.details()) == "READONLY" || failure.details().contains("-READONLY ")
}

fn says_not_now(details: &str) -> bool {
    // Redis 6 and older put the code of a script's failure into the text of another.
    NOT_NOW.iter().any(|said| code(details) == *said || details.contains(&format!("-{said} ")))
}

fn is_an_answer(details: &str) -> bool {
    let code = code(details);
    code.len() > 2 && code.chars().all(|character| character.is_ascii_uppercase())
}

fn code(details: &str) -> &str {
    details.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(kind: ErrorKind, details: &'static str) -> &'static str {
        class(&Failure::new(kind, details), false).kind()
    }

    #[test]
    fn what_was_not_done_is_told_from_what_may_have_been() {
        let unavailable = [
            (
                ErrorKind::Unknown,
                "OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:14.",
            ),
            (
                ErrorKind::Unknown,
                "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
            ),
            (
                ErrorKind::Unknown,
                "ERR Error running script (call to f_1): @user_script:3: -OOM command not allowed",
            ),
            (ErrorKind::Unknown, "LOADING Redis is loading the dataset in memory"),
            (ErrorKind::Cluster, "CLUSTERDOWN The cluster is down"),
            (ErrorKind::Canceled, "Connection closed unexpectedly."),
            (ErrorKind::Backpressure, "Max in-flight commands reached."),
        ];
        for (given, details) in unavailable {
            assert_eq!(kind(given, details), "unavailable", "{details}");
        }
        let unknown = [
            (ErrorKind::Timeout, "Request timed out."),
            (ErrorKind::IO, "Connection closed."),
            (ErrorKind::Unknown, "Too many failed write attempts."),
            (ErrorKind::Canceled, "Canceled"),
            (ErrorKind::Protocol, "Unexpected frame."),
        ];
        for (given, details) in unknown {
            assert_eq!(kind(given.clone(), details), "unknown", "{details}");
            assert_eq!(
                class(&Failure::new(given, details), true).kind(),
                "unavailable",
                "a read changes nothing"
            );
        }
        let refused = [
            (ErrorKind::Unknown, "NOPERM this user has no permissions to run the 'evalsha' command"),
            (ErrorKind::Unknown, "ERR unknown command"),
            (ErrorKind::Auth, "NOAUTH Authentication required."),
            (ErrorKind::InvalidArgument, "WRONGTYPE Operation against a key holding the wrong kind of value"),
        ];
        for (given, details) in refused {
            assert_eq!(kind(given, details), "refused", "{details}");
        }
    }
}
