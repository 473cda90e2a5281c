//! SDP (RFC 8866) as far as a telephone needs it, and offer and answer (RFC 3264).

mod crypto;
mod description;
mod multipart;
mod negotiation;

pub use crypto::{Crypto, Keying, Master, SECRET_BYTES, Secret, Suite};
pub use description::{Description, Media, parse};
pub use multipart::sdp_of;
pub use negotiation::{Agreed, Negotiation, Protected, Protection, acceptable};

use serde::{Deserialize, Serialize};

/// An audio codec that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 µ-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
}

impl Codec {
    /// Its name in an `rtpmap`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// Its static payload type (RFC 3551).
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }
}

/// Which way audio flows, from the side that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendReceive,
    /// The sayer sends only.
    SendOnly,
    /// The sayer receives only.
    ReceiveOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Its attribute.
    #[must_use]
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::SendReceive => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::ReceiveOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The same flow from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::SendOnly => Self::ReceiveOnly,
            Self::ReceiveOnly => Self::SendOnly,
            both => both,
        }
    }
}

/// Why a description can't be used. Each has the Warning (RFC 3261 section 20.43) that goes with its 488.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// Not SDP, or larger than any telephone's.
    #[error("the session description can't be read: {0}")]
    Malformed(&'static str),
    /// No audio at all.
    #[error("there is no audio in the session description")]
    NoAudio,
    /// Audio by a transport that we do not have, such as DTLS-SRTP.
    #[error("audio is offered by a transport other than RTP/AVP and RTP/SAVP")]
    Transport,
    /// RTP/SAVP, but with no key that we can use.
    #[error("no suite in common for SRTP; {}, {}, {} and {} are supported", Suite::ALL[0].name(), Suite::ALL[1].name(), Suite::ALL[2].name(), Suite::ALL[3].name())]
    NoSuite,
    /// RTP/AVP, where the operator wants every call protected.
    #[error("only protected audio (RTP/SAVP with a=crypto) is taken here")]
    Unprotected,
    /// Audio, but in no codec of ours.
    #[error("no audio codec in common; PCMU and PCMA are supported")]
    NoCodec,
    /// An address that is a name, or of no family that we know.
    #[error("the media address is not an IP address")]
    Address,
}

impl Unacceptable {
    /// The warning code.
    #[must_use]
    pub const fn warning(self) -> u16 {
        match self {
            Self::Malformed(_) => 399,
            Self::NoAudio => 304,
            Self::Transport | Self::NoSuite | Self::Unprotected => 302,
            Self::NoCodec => 305,
            Self::Address => 301,
        }
    }
}

#[cfg(test)]
mod tests;
