//! Why a handshake about keys came to none.

/// Why no keys were agreed on by DTLS: nothing can be heard or said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// Whoever talks here is not whom the session description names.
    #[error("the certificate is not the one that the session description names")]
    Fingerprint,
    /// It has shown no certificate, or one of a kind that our library does not know.
    #[error("no certificate of a kind that is known here was shown: ECDSA on P-256 or P-384, not RSA")]
    Certificate,
    /// The far side has broken it off (RFC 5246 section 7.2).
    #[error("the far side broke the handshake off with alert {0}")]
    Alert(u8),
    /// There are keys, but for no kind of SRTP that both know.
    #[error("there is no protection profile for SRTP in common")]
    Profile,
    /// What was said was no handshake that can go on.
    #[error("the far side said what can't be followed in a handshake")]
    Broken,
    /// It never came, or never to its end.
    #[error("the handshake was not done in time")]
    TimedOut,
}

impl NoKeys {
    /// In one word, for metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fingerprint => "fingerprint",
            Self::Certificate => "certificate",
            Self::Alert(_) => "alert",
            Self::Profile => "profile",
            Self::Broken => "broken",
            Self::TimedOut => "timed_out",
        }
    }
}
