//! What offer and answer agreed on.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::crypto::Keying;
use super::handshake::{Connectivity, Handshake};
use super::{Codec, Direction};

/// When audio is protected by SRTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Where the far side offers it.
    #[default]
    Accepted,
    /// In our own offers, and where the far side offers it.
    Offered,
    /// Always: a far side that offers no key is refused.
    Required,
}

/// By what the keys of our own offers are agreed on; in those of the far side, each is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum KeyManagement {
    /// They are in the description (RFC 4568).
    #[default]
    Sdes,
    /// By a handshake on the audio's own port (RFC 5763); the description has the certificates' fingerprints.
    Dtls,
}

/// How a stream is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// Of what we send.
    pub ours: Keying,
    /// Of what the far side sends.
    pub theirs: Keying,
}

/// What offer and answer agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Where the far side wants its packets. Unspecified (`0.0.0.0`) where it wants none.
    pub remote: SocketAddr,
    /// The codec.
    pub codec: Codec,
    /// Its payload type in this call.
    pub payload_type: u8,
    /// The payload type of telephone events (RFC 4733), where agreed.
    pub telephone_event: Option<u8>,
    /// The payload type of comfort noise (RFC 3389), where agreed.
    pub comfort_noise: Option<u8>,
    /// Which way audio flows, from our side.
    pub direction: Direction,
    /// Milliseconds of audio in a packet that we send.
    pub packet_ms: u32,
    /// The far side holds the call: it does not want to hear us.
    pub held: bool,
    /// How it is protected by keys in the description; absent where it is not.
    pub protected: Option<Protected>,
    /// With whom keys are agreed on by DTLS, where that is how it is protected.
    pub handshake: Option<Box<Handshake>>,
    /// By what the far side's checks are known, where it makes any: its packets come from where they do.
    pub connectivity: Option<Box<Connectivity>>,
    /// RTCP shares the port (RFC 5761).
    pub multiplexed: bool,
}

impl Agreed {
    /// Whether this is the same audio, wherever it goes and whoever holds whom.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let kind = |one: &Self| (one.codec, one.payload_type, one.telephone_event, one.comfort_noise);
        kind(self) == kind(other)
            && self.protected == other.protected
            && self.handshake == other.handshake
            && self.connectivity == other.connectivity
            && self.multiplexed == other.multiplexed
    }
}
