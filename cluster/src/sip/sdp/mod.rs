//! SDP (RFC 8866) as far as a telephone needs it, and offer and answer (RFC 3264).

mod agreed;
mod choosing;
mod crypto;
mod description;
mod handshake;
mod multipart;
mod negotiation;
mod offering;
mod writing;

pub use agreed::{Agreed, KeyManagement, Protected, Protection};
pub use choosing::{Means, acceptable};
pub use crypto::{Crypto, Keying, Master, SECRET_BYTES, Secret, Suite};
pub use description::{Description, Media, Terms, parse};
pub use handshake::{Connectivity, Credentials, Fingerprint, Handshake, Hash, Setup};
pub use multipart::sdp_of;
pub use negotiation::Negotiation;

use serde::{Deserialize, Serialize};

/// An audio codec that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 µ-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.722, static payload type 9.
    G722,
    /// Opus (RFC 7587), a dynamic payload type.
    Opus,
}

impl Codec {
    /// Those that we speak, those first that cost us least: all are heard at 8 kHz.
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::G722, Self::Opus];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "pcmu",
            Self::Pcma => "pcma",
            Self::G722 => "g722",
            Self::Opus => "opus",
        }
    }

    /// Its name and clock in an `rtpmap`.
    #[must_use]
    pub const fn encoding(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU/8000",
            Self::Pcma => "PCMA/8000",
            Self::G722 => "G722/8000",
            Self::Opus => "opus/48000/2",
        }
    }

    /// Its payload type in our offers: static (RFC 3551) where it has one.
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::Opus => 96,
        }
    }

    /// The clock of its timestamps, in hertz; its telephone events have the same one.
    #[must_use]
    pub const fn clock_hz(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::Opus => 48_000,
        }
    }

    /// What an encoding's name, in capitals, and clock mean.
    fn of(encoding: (&str, u32)) -> Option<Self> {
        match encoding {
            ("PCMU", 8_000) => Some(Self::Pcmu),
            ("PCMA", 8_000) => Some(Self::Pcma),
            ("G722", 8_000) => Some(Self::G722),
            ("OPUS", 48_000) => Some(Self::Opus),
            _ => None,
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
    /// Audio by a transport that we do not have.
    #[error("audio is offered by a transport other than RTP/AVP, RTP/SAVP and UDP/TLS/RTP/SAVP(F)")]
    Transport,
    /// DTLS-SRTP, but without what is needed for it.
    #[error("audio by DTLS has to come with an a=fingerprint of SHA-256 or better")]
    NoFingerprint,
    /// RTP/SAVP, but with no key that we can use.
    #[error("no suite in common for SRTP; {}, {}, {} and {} are supported", Suite::ALL[0].name(), Suite::ALL[1].name(), Suite::ALL[2].name(), Suite::ALL[3].name())]
    NoSuite,
    /// RTP/AVP, where the operator wants every call protected.
    #[error("only protected audio (RTP/SAVP with a=crypto, or UDP/TLS/RTP/SAVP(F)) is taken here")]
    Unprotected,
    /// Audio, but in no codec of ours.
    #[error("no audio codec in common; PCMU, PCMA, G722 and opus are supported")]
    NoCodec,
    /// No offer at all, where it was left to whoever is called.
    #[error("the INVITE had no offer, and nothing is offered in its answer")]
    NoOffer,
    /// What was agreed on before the final answer is something else in it.
    #[error("the final answer describes other audio than what was agreed on before it")]
    Changed,
    /// An address that is a name, or of no family that we know.
    #[error("the media address is not an IP address")]
    Address,
}

impl Unacceptable {
    /// In one word, for metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::NoAudio => "no_audio",
            Self::Transport => "transport",
            Self::NoFingerprint => "no_fingerprint",
            Self::NoSuite => "no_suite",
            Self::Unprotected => "unprotected",
            Self::NoCodec => "no_codec",
            Self::NoOffer => "no_offer",
            Self::Changed => "changed",
            Self::Address => "address",
        }
    }

    /// The warning code.
    #[must_use]
    pub const fn warning(self) -> u16 {
        match self {
            Self::Malformed(_) | Self::NoOffer | Self::Changed => 399,
            Self::NoAudio => 304,
            Self::Transport | Self::NoSuite | Self::NoFingerprint | Self::Unprotected => 302,
            Self::NoCodec => 305,
            Self::Address => 301,
        }
    }
}

#[cfg(test)]
mod handshake_tests;
#[cfg(test)]
mod offering_tests;
#[cfg(test)]
mod tests;
