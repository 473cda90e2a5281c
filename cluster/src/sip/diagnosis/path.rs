//! What happened to a request on its way, by the Via that came back (RFC 3261 section 18.2.1, RFC 3581).

use std::net::{IpAddr, SocketAddr};

use sipx_sip::headers::Via;

use super::super::wire::{Host, Response};

/// How the far side sees us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    /// As we are.
    Plain,
    /// Through NAT, at this address: all is as it should be where `sip.public_address` or a registration says so.
    Nat(String),
    /// Something on the way changes what we write: an "SIP ALG" of a router. It breaks calls sooner or later.
    Rewritten {
        /// Our host in the Via as it came back.
        to: String,
    },
}

/// What the response to a request of ours says. `own` is where we sent it from, and what its Via said.
#[must_use]
pub fn path(response: &Response, own: SocketAddr, peer: IpAddr) -> Path {
    let Some(Ok(via)) = response.headers.typed::<Via>() else { return Path::Plain };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let sent_by = match &via.host {
        Host::Ip(address) => SocketAddr::new(*address, via.port.unwrap_or(5060)).to_string(),
        Host::Name(_) => text(&via.host.to_bytes()),
    };
    if sent_by != own.to_string() {
        return Path::Rewritten { to: sent_by };
    }
    let received = via.received().map(text);
    let port = via.rport().flatten().map(text);
    let seen = match (received, port) {
        (Some(received), Some(port)) => format!("{received}:{port}"),
        (Some(received), None) => received,
        // A server of the open network that sees a private address in a Via has to say where it really came from;
        // where it does not, the Via that it saw was another.
        (None, None) if is_private(own.ip()) && !is_private(peer) => {
            return Path::Rewritten { to: "a public address".to_owned() };
        }
        (None, Some(port)) => format!("{}:{port}", own.ip()),
        (None, None) => return Path::Plain,
    };
    if seen == own.to_string() || seen == own.ip().to_string() { Path::Plain } else { Path::Nat(seen) }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || (address.segments()[0] & 0xfe00) == 0xfc00,
    }
}
