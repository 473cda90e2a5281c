//! What can go wrong with the trunk, worded for the person who runs the node.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the trunk could not start or a call could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting can't be used.
    #[error("sip setting {setting}: {mend}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What it has to be.
        mend: &'static str,
    },
    /// A trunk of the settings can't be used.
    #[error("sip trunk \"{name}\": {mend}")]
    Trunk {
        /// Its name.
        name: String,
        /// What it has to be.
        mend: &'static str,
    },
    /// A trunk's password can't be read.
    #[error("sip trunk \"{name}\": {why}; name a file that this process may read")]
    Password {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The address is taken or not ours.
    #[error(
        "sip can't listen on {address} ({transport}): {source}; stop what uses it or choose another with --sip"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The transport.
        transport: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A certificate or key can't be used.
    #[error("sip can't use {}: {why}; name PEM files that go together under [sip.secure]", .file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Those who vouch for callers can't be read.
    #[error("sip can't check what networks say of callers: {why}; name PEM files under [sip.attesting]")]
    Attesting {
        /// What is wrong with which file.
        why: String,
    },
    /// The target of a call is no SIP URI, or by a transport that this trunk does not have.
    #[error("the target can't be called: {why}")]
    Target {
        /// Why, without the target.
        why: String,
    },
    /// The call's audio could not be set up.
    #[error("the call's media could not be opened: {0}")]
    Media(#[from] crate::edge::media::Error),
    /// As many calls as the trunk may have, or it is stopping.
    #[error("the trunk takes no more calls: raise sip.dialogs_max, or wait")]
    Full,
    /// The trunk was stopped.
    #[error("the trunk is stopped")]
    Stopped,
}
