//! Descriptions as we write them.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::crypto::{self, Keying};
use super::{Codec, Direction, Media, handshake};

/// The payload type of comfort noise at 8 kHz, which is static (RFC 3551 table 4).
pub(super) const COMFORT_NOISE: u8 = 13;
/// What stands between the origin and the streams.
const START: &str = "t=0 0\r\n";
/// The transports (RFC 3551, RFC 3711).
pub(super) const PLAIN: &str = "RTP/AVP";
pub(super) const SECURE: &str = "RTP/SAVP";
/// The same with keys by DTLS (RFC 5764 section 8), with and without early reports.
pub(super) const BY_HANDSHAKE: &str = "UDP/TLS/RTP/SAVP";
pub(super) const BROWSERS: &str = "UDP/TLS/RTP/SAVPF";

/// How a stream is written that the far side has described first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub(super) struct Framing {
    pub(super) protocol: String,
    pub(super) name: Option<String>,
    pub(super) bundled: bool,
}

/// An audio stream as we write it.
pub(super) struct Written<'a> {
    pub(super) codecs: &'a [(Codec, u8)],
    /// Payload types and clocks of telephone events.
    pub(super) telephone_events: &'a [(u8, u32)],
    pub(super) comfort_noise: bool,
    pub(super) direction: Direction,
    pub(super) packet_ms: u32,
    /// Our keys with their tags; none where it is not protected by such.
    pub(super) crypto: &'a [(u32, Keying)],
    pub(super) protocol: &'a str,
    pub(super) terms: handshake::Written<'a>,
}

impl Written<'_> {
    /// The lines of the stream, whose packets are wanted there.
    pub(super) fn lines(&self, local: SocketAddr) -> String {
        let mut formats = String::new();
        let mut attributes = String::new();
        for (codec, payload_type) in self.codecs {
            formats.push_str(&format!(" {payload_type}"));
            attributes.push_str(&format!("a=rtpmap:{payload_type} {}\r\n", codec.encoding()));
            if *codec == Codec::Opus {
                attributes.push_str(&format!("a=fmtp:{payload_type} maxplaybackrate=8000;stereo=0\r\n"));
            }
        }
        if self.comfort_noise {
            formats.push_str(&format!(" {COMFORT_NOISE}"));
            attributes.push_str(&format!("a=rtpmap:{COMFORT_NOISE} CN/8000\r\n"));
        }
        for (event, clock_hz) in self.telephone_events {
            formats.push_str(&format!(" {event}"));
            attributes
                .push_str(&format!("a=rtpmap:{event} telephone-event/{clock_hz}\r\na=fmtp:{event} 0-15\r\n"));
        }
        for (tag, keying) in self.crypto {
            attributes.push_str(&crypto::write(*tag, keying));
        }
        attributes.push_str(&self.terms.attributes(local));
        format!(
            "m=audio {} {}{formats}\r\n{attributes}a=ptime:{}\r\na={}\r\n",
            local.port(),
            self.protocol,
            self.packet_ms,
            self.direction.attribute()
        )
    }
}

/// The lines between the origin and the streams.
pub(super) fn session_lines(checks: bool, framing: &Framing) -> String {
    let mut lines = START.to_owned();
    if checks {
        lines.push_str("a=ice-lite\r\n");
    }
    if let Some(name) = framing.name.as_deref().filter(|_| framing.bundled) {
        lines.push_str(&format!("a=group:BUNDLE {name}\r\n"));
    }
    lines
}

/// A stream that we do not take (RFC 3264 section 6).
pub(super) fn refused(media: &Media) -> String {
    let formats = if media.formats.is_empty() { "0".to_owned() } else { media.formats.join(" ") };
    format!("m={} 0 {} {formats}\r\n", media.kind, media.protocol)
}
