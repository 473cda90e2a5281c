//! Where a message goes: URIs to addresses, and the Via of what came in (RFC 3261 section 18.2, RFC 3581).

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use sipx_sip::UriTransport;
use sipx_sip::headers::{Via, first_hop_end};

use super::wire::{Header, HeaderName, Host, Request, Response, Uri};

/// What carries a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream that others can't read or write.
    Tls,
    /// A websocket (RFC 7118).
    Ws,
    /// A websocket that others can't read or write.
    Wss,
}

impl Transport {
    /// Its parameter in a URI (RFC 3261 section 19.1.1); none for UDP, which is meant where there is none.
    #[must_use]
    pub const fn in_uri(self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
            Self::Tls => ";transport=tls",
            // For either (RFC 7118 section 5.4): the scheme says which.
            Self::Ws | Self::Wss => ";transport=ws",
        }
    }

    /// Its name in a Via.
    #[must_use]
    pub const fn in_via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// Whether it delivers or reports.
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The port where none is written.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => PORT,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

/// The next hop of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The host as written.
    pub host: String,
    /// Its address, where it is one and not a name.
    pub address: Option<IpAddr>,
    /// The port; the transport's where none is written.
    pub port: u16,
    /// The transport; UDP where none is written.
    pub transport: Transport,
}

/// The port of SIP without TLS.
pub const PORT: u16 = 5060;

/// Where a request to this URI goes. `None` for what is neither `sip:` nor `sips:`, and for transports that we
/// do not have.
#[must_use]
pub fn hop(uri: &Uri) -> Option<Hop> {
    let transport = match uri.selected_transport().ok()? {
        UriTransport::Udp => Transport::Udp,
        UriTransport::Tcp => Transport::Tcp,
        UriTransport::Tls => Transport::Tls,
        UriTransport::Ws => Transport::Ws,
        UriTransport::Wss => Transport::Wss,
        _ => return None,
    };
    let host = uri.host()?;
    let address = match host {
        Host::Ip(address) => Some(*address),
        Host::Name(_) => None,
    };
    Some(Hop {
        host: String::from_utf8_lossy(&host.to_bytes()).into_owned(),
        address,
        port: uri.port().unwrap_or(transport.port()),
        transport,
    })
}

/// Parses a URI of any scheme.
#[must_use]
pub fn uri(text: &str) -> Option<Uri> {
    Uri::parse(bytes::Bytes::copy_from_slice(text.as_bytes())).ok()
}

/// Writes into the topmost Via where the request really came from: `received` where that differs from what
/// it says, and `rport` where the sender asked for it.
pub fn stamp(request: &mut Request, source: SocketAddr) {
    let Some(Ok(via)) = request.headers.typed::<Via>() else { return };
    let asked = matches!(via.rport(), Some(None));
    let differs = !matches!(via.host, Host::Ip(address) if address == source.ip());
    if !asked && !differs {
        return;
    }
    let Some(value) = request.headers.value(&HeaderName::Via).map(std::borrow::Cow::into_owned) else {
        return;
    };
    let end = first_hop_end(&value);
    let (first, rest) = value.split_at(end.min(value.len()));
    let first = String::from_utf8_lossy(first);
    let mut stamped = first
        .split(';')
        .filter(|part| {
            let name = part.split('=').next().unwrap_or_default().trim();
            !(name.eq_ignore_ascii_case("received") || asked && name.eq_ignore_ascii_case("rport"))
        })
        .collect::<Vec<_>>()
        .join(";");
    stamped.push_str(&format!(";received={}", source.ip()));
    if asked {
        stamped.push_str(&format!(";rport={}", source.port()));
    }
    let mut bytes = stamped.into_bytes();
    bytes.extend_from_slice(rest);
    let Ok(header) = Header::build(HeaderName::Via, bytes) else { return };
    let index = request.headers.iter().position(|header| *header.name() == HeaderName::Via);
    request.headers.remove_first(&HeaderName::Via);
    request.headers.insert(index.unwrap_or(0), header);
}

/// The port that a response to this request goes to, at the address the request came from.
#[must_use]
pub fn response_port(request: &Request, source: SocketAddr) -> u16 {
    match request.headers.typed::<Via>() {
        Some(Ok(via)) if via.rport().is_some() => source.port(),
        Some(Ok(via)) => via.port.unwrap_or(PORT),
        _ => source.port(),
    }
}

/// Where a stamped response goes when the request's own way is not known any more.
#[must_use]
pub fn of_response(response: &Response) -> Option<SocketAddr> {
    let via = response.headers.typed::<Via>()?.ok()?;
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let written = match via.host {
        Host::Ip(address) => Some(address),
        Host::Name(_) => None,
    };
    let address = via.received().and_then(|value| text(value).parse().ok()).or(written)?;
    let port = via.rport().flatten().and_then(|value| text(value).parse().ok()).or(via.port).unwrap_or(PORT);
    Some(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Message, parse_own};
    use super::*;

    fn request(via: &str) -> Request {
        let text = format!("OPTIONS sip:a@b SIP/2.0\r\nVia: {via}\r\nVia: SIP/2.0/UDP second\r\n\r\n");
        match parse_own(text.as_bytes()) {
            Some(Message::Request(request)) => request,
            _ => panic!("a request"),
        }
    }

    #[test]
    fn the_via_tells_where_the_request_came_from() {
        let source: SocketAddr = "192.0.2.7:4321".parse().unwrap();
        let mut behind_nat = request("SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bK1, SIP/2.0/UDP third");
        stamp(&mut behind_nat, source);
        let value = super::super::wire::text(&behind_nat.headers, &HeaderName::Via).unwrap();
        assert_eq!(
            value,
            "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;received=192.0.2.7;rport=4321, SIP/2.0/UDP third"
        );
        assert_eq!(behind_nat.headers.count(&HeaderName::Via), 2);
        assert_eq!(response_port(&behind_nat, source), 4321);

        let mut plain = request("SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1");
        stamp(&mut plain, source);
        assert_eq!(response_port(&plain, source), 5070);
        let unchanged = super::super::wire::text(&plain.headers, &HeaderName::Via).unwrap();
        assert_eq!(unchanged, "SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1");
    }

    #[test]
    fn a_uri_says_where_its_requests_go() {
        let there = hop(&uri("sip:1000@127.0.0.1:5080;transport=TCP").unwrap()).unwrap();
        assert_eq!(
            (there.address, there.port, there.transport),
            ("127.0.0.1".parse().ok(), 5080, Transport::Tcp)
        );
        let named = hop(&uri("sip:example.org").unwrap()).unwrap();
        assert_eq!((named.address, named.port, named.transport), (None, PORT, Transport::Udp));
        for secure in ["sips:example.org", "sip:example.org;transport=tls", "sips:example.org;transport=tcp"]
        {
            let hop = hop(&uri(secure).unwrap()).unwrap();
            assert_eq!((hop.port, hop.transport), (5061, Transport::Tls), "{secure}");
        }
        assert_eq!(hop(&uri("sips:example.org;transport=udp").unwrap()), None);
        assert_eq!(hop(&uri("tel:+4420").unwrap()), None);
    }
}
