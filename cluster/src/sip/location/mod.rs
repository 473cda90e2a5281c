//! Where a server is (RFC 3263): NAPTR, then SRV, then addresses, in the order in which they are to be tried.
//!
//! Nothing is looked up here. [`locate`] says what it needs to know; whoever looks that up calls it again.

mod health;
mod order;
mod search;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

pub use health::Health;
pub use search::{Step, locate};

use super::destination::{self, Transport};
use super::wire::Uri;

/// What a URI says about where its requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The host as written.
    pub host: String,
    /// Its address, where it is one and not a name.
    pub address: Option<IpAddr>,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// The transport, where one is written.
    pub transport: Option<Transport>,
    /// Nothing but TLS will do.
    pub secure: bool,
}

impl Wanted {
    /// What this URI says. `None` for what is neither `sip:` nor `sips:`, and for transports that we do not have.
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        let hop = destination::hop(uri)?;
        Some(Self {
            port: uri.port(),
            transport: uri.transport().is_some().then_some(hop.transport),
            secure: uri.scheme().is_secure(),
            host: hop.host,
            address: hop.address,
        })
    }
}

/// Something to look up. Names are absolute; they have no dot at their end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Which transports a domain prefers (RFC 2915).
    Naptr(String),
    /// Which servers a domain has for one transport (RFC 2782).
    Servers(String),
    /// The addresses of a host.
    Addresses(String),
}

/// What was found; empty where there is nothing, or where nobody could be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// See [`Question::Naptr`].
    Naptr(Vec<Naptr>),
    /// See [`Question::Servers`].
    Servers(Vec<Server>),
    /// See [`Question::Addresses`].
    Addresses(Vec<IpAddr>),
}

/// A NAPTR record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naptr {
    /// The smaller goes first.
    pub order: u16,
    /// Of one order, the smaller goes first.
    pub preference: u16,
    /// `s` where the replacement is the name of SRV records.
    pub flags: String,
    /// `SIP+D2U`, `SIP+D2T`, `SIPS+D2T`.
    pub service: String,
    /// What to look up next.
    pub replacement: String,
}

/// An SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The smaller goes first.
    pub priority: u16,
    /// Its share among those of one priority.
    pub weight: u16,
    /// Its port.
    pub port: u16,
    /// Its host; empty where the domain says that there is no such service.
    pub target: String,
}

/// What is known.
pub type Known = BTreeMap<Question, Answer>;

/// A server to try.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// Its address.
    pub address: SocketAddr,
    /// How it is spoken to.
    pub transport: Transport,
    /// The name that its certificate has to be for: the one that was asked for, not one that a record gave
    /// (RFC 5922 section 4).
    pub name: String,
}

/// Records of one name that are looked at.
const RECORDS_MAX: usize = 32;
/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 8;
/// Servers that are tried for one request.
const TARGETS_MAX: usize = 24;

#[cfg(test)]
mod tests;
