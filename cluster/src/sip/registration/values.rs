//! What goes into a registration and what comes out.

use serde::{Deserialize, Serialize};

use super::super::dialog::RequestId;
use super::super::location::Target;
use super::super::proof::Unprovable;
use super::super::wire::{Request, Response};

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// How long one server may leave a REGISTER, or a call's INVITE, unanswered, in milliseconds, while there is
    /// another to try.
    pub next_server_ms: u64,
    /// How long a server that failed is tried last, in milliseconds, where it does not say itself.
    pub avoid_ms: u64,
    /// The wait after all servers failed, in milliseconds; it doubles each time.
    pub retry_least_ms: u64,
    /// The longest such wait, in milliseconds.
    pub retry_most_ms: u64,
    /// The wait after a refusal that trying again does not mend (a wrong password, 403), in milliseconds.
    pub refused_ms: u64,
    /// How long the farewell of a stopping node may take, in milliseconds.
    pub leave_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            next_server_ms: 5_000,
            avoid_ms: 60_000,
            retry_least_ms: 5_000,
            retry_most_ms: 300_000,
            refused_ms: 900_000,
            leave_ms: 2_000,
        }
    }
}

/// What is registered, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The URI of the provider's domain: what a REGISTER is for.
    pub registrar: String,
    /// The address of record: a URI.
    pub identity: String,
    /// The user part of our Contact.
    pub contact_user: String,
    /// The time that we ask for, in seconds.
    pub expires_s: u32,
    /// How long things take.
    pub timing: Timing,
}

/// What makes this registration another than all others: random, and not to be guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The Call-ID; the same for all requests (section 10.2).
    pub call_id: String,
    /// Our tag.
    pub tag: String,
    /// Decides about jitter and about the order of equal servers.
    pub seed: u64,
}

/// A server, and our side as it sees us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The server.
    pub target: Target,
    /// Our Via up to the parameters: `SIP/2.0/UDP 192.0.2.1:5060`.
    pub via: String,
    /// Our host and port, and the transport's parameter: what stands behind the user of our Contact.
    pub contact: String,
}

/// What happens to a registration.
#[derive(Debug)]
pub enum Input {
    /// Register, and stay registered.
    Begin,
    /// Where the provider is, in the order in which it is to be tried; nothing where it was not found.
    Located(Vec<Place>),
    /// A response.
    Response {
        /// To which request.
        id: RequestId,
        /// The response.
        response: Response,
    },
    /// A request was not answered in time, or could not be sent.
    Unanswered {
        /// Which.
        id: RequestId,
    },
    /// The connection that we registered by is gone: nobody can call us by it.
    Disconnected,
    /// The node stops or drains: the binding is removed.
    Leave,
    /// Time has passed; see [`super::Registration::deadline`].
    Tick,
}

/// What the owner is to do.
#[derive(Debug)]
pub enum Effect {
    /// Find the servers; the answer is [`Input::Located`].
    Locate,
    /// Send a REGISTER.
    Send {
        /// Its number.
        id: RequestId,
        /// The request.
        request: Box<Request>,
        /// The server that it goes to.
        target: Target,
    },
    /// Try this server last for so long; 0 where it works again.
    Avoid {
        /// Which.
        target: Target,
        /// How long, in milliseconds.
        for_ms: u64,
    },
    /// Something happened.
    Tell(Event),
}

/// What a provider has granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where it was granted.
    pub target: Target,
    /// For how long, in seconds.
    pub expires_s: u32,
    /// The proxies that requests through the provider go by (RFC 3608).
    pub service_route: Vec<String>,
    /// Where the provider saw our request come from, where that is not where we said: there is NAT between us.
    pub seen_as: Option<String>,
}

/// What the owner is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// We are registered, or are so for longer.
    Registered(Binding),
    /// We are not, or may not be for long.
    Failed {
        /// Why.
        why: Failure,
        /// When it is tried again, in milliseconds.
        retry_ms: u64,
        /// Whether what was granted before is still good.
        still_registered: bool,
    },
    /// What was granted has run out.
    Expired,
    /// The binding was removed, or that was tried for long enough. The last event.
    Left,
}

/// Why a registration failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The provider's name leads nowhere.
    #[error("the provider's servers can't be found: check the name in `server` and this machine's DNS")]
    NotFound,
    /// No server answered.
    #[error("no server answers: check the network, the firewall and the transport in `server`")]
    NoAnswer,
    /// The password can't be proved.
    #[error("{0}: check `user`, `password` and `realm`")]
    Unprovable(#[from] Unprovable),
    /// The provider refuses.
    #[error("the provider answers {status} {phrase}: {mend}")]
    Refused {
        /// The status.
        status: u16,
        /// What it says.
        phrase: String,
        /// What to do.
        mend: &'static str,
    },
    /// All servers are in trouble.
    #[error("the provider's servers fail, the last one with {status} {phrase}")]
    Servers {
        /// The status.
        status: u16,
        /// What it says.
        phrase: String,
    },
    /// A 200 without our binding.
    #[error("the provider says yes and does not keep our address; ask it about limits on registrations")]
    NotKept,
}
