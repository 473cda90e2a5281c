//! What can go wrong with media, worded for the person who runs the node.

/// Why no media could be started or no session opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting can't be used.
    #[error("media setting {setting} is {value}: {mend}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it has to be.
        mend: &'static str,
    },
    /// Every port of the range is in use or rests after use.
    #[error(
        "no media port is free of {first} to {last}: widen media.first_port to media.last_port, or shorten media.quarantine_ms"
    )]
    NoPort {
        /// The first of the range.
        first: u16,
        /// The last of the range.
        last: u16,
    },
    /// The operating system refused a socket or a thread.
    #[error("media can't {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The media was stopped.
    #[error("the media of this node is stopped")]
    Stopped,
}

/// The session is over; or its thread is so far behind that the session's queue of commands is full, which
/// no command can mend either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the media session is over")]
pub struct Gone;
