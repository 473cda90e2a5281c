//! Reading a session description leniently: what carriers get wrong and what we do not need is passed over.

use std::net::IpAddr;

use super::crypto::{self, Crypto};
use super::handshake::{self, Fingerprint, Setup};
use super::{Direction, Unacceptable};

/// Lines of a description that are read; no telephone sends as many.
const LINES_MAX: usize = 1_024;
/// Streams of a description.
const MEDIA_MAX: usize = 16;
/// Formats of a stream.
const FORMATS_MAX: usize = 64;
/// Keys of a stream.
const CRYPTO_MAX: usize = 16;

/// A session description, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// The streams, in order.
    pub media: Vec<Media>,
}

/// One `m=` line and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image`…
    pub kind: String,
    /// The port; 0 where the stream is refused.
    pub port: u16,
    /// `RTP/AVP`…, as written.
    pub protocol: String,
    /// Payload types, or whatever the protocol has for them.
    pub formats: Vec<String>,
    /// Where its packets are wanted. `None` where the address is a name or missing.
    pub address: Option<IpAddr>,
    /// Which way it flows, from the sender of the description.
    pub direction: Direction,
    /// Encodings by payload type: name in capitals and clock rate.
    pub encodings: Vec<(u8, String, u32)>,
    /// `a=ptime`, in milliseconds.
    pub packet_ms: Option<u32>,
    /// `a=maxptime`, in milliseconds.
    pub packet_ms_max: Option<u32>,
    /// The keys for SRTP that we can use, in the sender's order.
    pub crypto: Vec<Crypto>,
    /// What is said of keys by DTLS, of ways and of ports, for this stream or for all.
    pub terms: Terms,
    /// RTCP may share the port (RFC 5761).
    pub multiplexed: bool,
    /// Its name among the streams (RFC 5888).
    pub name: Option<String>,
    /// It is named as one of a bundle (RFC 9143).
    pub bundled: bool,
}

/// What may be said for one stream or for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// The sender's certificate.
    pub fingerprint: Option<Fingerprint>,
    /// Who begins a handshake.
    pub setup: Option<Setup>,
    /// The sender's name in connectivity checks.
    pub fragment: Option<String>,
    /// Its password there was said, too.
    pub has_password: bool,
    /// The sender makes no checks either (RFC 8445 section 2.5).
    pub lite: bool,
}

impl Terms {
    /// Whether the sender makes checks that can be answered.
    #[must_use]
    pub const fn checks(&self) -> bool {
        self.fragment.is_some() && self.has_password && !self.lite
    }

    /// Takes an attribute; whether it was one of these.
    fn take(&mut self, attribute: &str) -> bool {
        match attribute.split_once(':') {
            // A weak one beside a strong one is passed over.
            Some(("fingerprint", value)) => {
                self.fingerprint = Fingerprint::parse(value).or(self.fingerprint.take())
            }
            Some(("setup", value)) => self.setup = Setup::parse(value),
            Some(("ice-ufrag", value)) if handshake::is_ice(value, 4) => {
                self.fragment = Some(value.to_owned())
            }
            Some(("ice-pwd", value)) => self.has_password = handshake::is_ice(value, 22),
            None if attribute == "ice-lite" => self.lite = true,
            _ => return false,
        }
        true
    }
}

impl Media {
    /// The encoding of a payload type: by its `rtpmap`, else by its static meaning (RFC 3551).
    #[must_use]
    pub fn encoding(&self, payload_type: u8) -> Option<(&str, u32)> {
        let mapped = self.encodings.iter().find(|(mapped, ..)| *mapped == payload_type);
        match (mapped, payload_type) {
            (Some((_, name, rate)), _) => Some((name.as_str(), *rate)),
            (None, 0) => Some(("PCMU", 8_000)),
            (None, 8) => Some(("PCMA", 8_000)),
            (None, 9) => Some(("G722", 8_000)),
            (None, _) => None,
        }
    }
}

/// Reads a session description. A missing `t=`, `s=` or `o=` and LF-only lines are tolerated.
///
/// # Errors
/// [`Unacceptable::Malformed`] where it is no description at all or a stream's line can't be read.
pub fn parse(body: &[u8]) -> Result<Description, Unacceptable> {
    let text = String::from_utf8_lossy(body);
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).peekable();
    if lines.peek().is_none_or(|line| !line.starts_with("v=0")) {
        return Err(Unacceptable::Malformed("it does not begin with v=0"));
    }
    let mut session_address = None;
    let mut session_direction = None;
    let mut session_terms = Terms::default();
    let mut bundle = Vec::new();
    let mut media: Vec<Media> = Vec::new();
    for line in lines.take(LINES_MAX) {
        let Some((kind, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        if kind.trim() == "m" {
            if media.len() == MEDIA_MAX {
                return Err(Unacceptable::Malformed("it has too many streams"));
            }
            let mut stream = stream(value)?;
            stream.address = session_address;
            stream.direction = session_direction.unwrap_or_default();
            stream.terms = session_terms.clone();
            media.push(stream);
            continue;
        }
        match (kind.trim(), media.last_mut()) {
            ("c", None) => session_address = address(value),
            ("c", Some(stream)) => stream.address = address(value),
            ("a", None) if session_terms.take(value) => {}
            ("a", None) => match value.strip_prefix("group:BUNDLE") {
                Some(names) => bundle = names.split_ascii_whitespace().take(MEDIA_MAX).collect(),
                None => session_direction = direction(value).or(session_direction),
            },
            ("a", Some(stream)) => attribute(stream, value),
            _ => {}
        }
    }
    for stream in &mut media {
        stream.bundled = stream.name.as_deref().is_some_and(|name| bundle.contains(&name));
    }
    Ok(Description { media })
}

fn stream(value: &str) -> Result<Media, Unacceptable> {
    let malformed = Unacceptable::Malformed("an m= line can't be read");
    let mut words = value.split_ascii_whitespace();
    let kind = words.next().ok_or(malformed)?.to_ascii_lowercase();
    let port = words.next().and_then(|port| port.split('/').next()?.parse().ok()).ok_or(malformed)?;
    let protocol = words.next().ok_or(malformed)?.to_owned();
    Ok(Media {
        kind,
        port,
        protocol,
        formats: words.take(FORMATS_MAX).map(str::to_owned).collect(),
        address: None,
        direction: Direction::default(),
        encodings: Vec::new(),
        packet_ms: None,
        packet_ms_max: None,
        crypto: Vec::new(),
        terms: Terms::default(),
        multiplexed: false,
        name: None,
        bundled: false,
    })
}

fn address(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace().skip(2);
    words.next()?.split('/').next()?.parse().ok()
}

fn direction(value: &str) -> Option<Direction> {
    Some(match value {
        "sendrecv" => Direction::SendReceive,
        "sendonly" => Direction::SendOnly,
        "recvonly" => Direction::ReceiveOnly,
        "inactive" => Direction::Inactive,
        _ => return None,
    })
}

fn attribute(stream: &mut Media, value: &str) {
    if let Some(direction) = direction(value) {
        stream.direction = direction;
        return;
    }
    if stream.terms.take(value) {
        return;
    }
    if value == "rtcp-mux" {
        stream.multiplexed = true;
        return;
    }
    match value.split_once(':') {
        Some(("mid", name)) if is_name(name) => stream.name = Some(name.to_owned()),
        Some(("rtpmap", map)) if stream.encodings.len() < FORMATS_MAX => {
            let mut words = map.split_ascii_whitespace();
            let payload_type = words.next().and_then(|number| number.parse().ok());
            let mut encoding = words.next().unwrap_or_default().split('/');
            let name = encoding.next().unwrap_or_default().to_ascii_uppercase();
            let rate = encoding.next().and_then(|rate| rate.parse().ok());
            if let (Some(payload_type), Some(rate)) = (payload_type, rate) {
                stream.encodings.push((payload_type, name, rate));
            }
        }
        Some(("crypto", value)) if stream.crypto.len() < CRYPTO_MAX => {
            stream.crypto.extend(crypto::parse(value));
        }
        Some(("ptime", value)) => stream.packet_ms = milliseconds(value),
        Some(("maxptime", value)) => stream.packet_ms_max = milliseconds(value),
        _ => {}
    }
}

/// Whether it is a token (RFC 8866 section 9) of a length that we say again.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]".contains(&byte))
}

fn milliseconds(value: &str) -> Option<u32> {
    value.trim().split('.').next()?.parse().ok()
}
