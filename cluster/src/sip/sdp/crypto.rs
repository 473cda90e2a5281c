//! Keys for SRTP in the description itself (RFC 4568, "SDES").
//!
//! Whoever reads the signalling can then hear the call: it is worth something over TLS only. That is for the
//! operator to see to; carriers offer it over TCP and UDP, too.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};

use super::handshake::Credentials;

/// What protects a stream (RFC 4568 section 6.2, RFC 7714 section 14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Suite {
    /// AES in counter mode with 128 bits, 80 bits of HMAC-SHA1.
    AesCm128Sha1With80,
    /// The same with 32 bits of HMAC-SHA1.
    AesCm128Sha1With32,
    /// AES-GCM with 128 bits.
    AesGcm128,
    /// AES-GCM with 256 bits.
    AesGcm256,
}

impl Suite {
    /// Those that we know, the one that every telephone has first.
    pub const ALL: [Self; 4] =
        [Self::AesCm128Sha1With80, Self::AesCm128Sha1With32, Self::AesGcm128, Self::AesGcm256];

    /// Its name in `a=crypto`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128Sha1With80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128Sha1With32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AesGcm128 => "AEAD_AES_128_GCM",
            Self::AesGcm256 => "AEAD_AES_256_GCM",
        }
    }

    /// Bytes of its master key and its master salt.
    #[must_use]
    pub const fn lengths(self) -> (usize, usize) {
        match self {
            Self::AesCm128Sha1With80 | Self::AesCm128Sha1With32 => (16, 14),
            Self::AesGcm128 => (16, 12),
            Self::AesGcm256 => (32, 12),
        }
    }

    const fn bytes(self) -> usize {
        let (key, salt) = self.lengths();
        key + salt
    }
}

/// A master key with its salt after it. Never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master(Vec<u8>);

impl std::fmt::Debug for Master {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Master(..)")
    }
}

impl Master {
    /// The bytes.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

/// A suite and its key in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keying {
    /// Which suite.
    pub suite: Suite,
    /// Its key.
    pub master: Master,
}

/// Bytes of a [`Secret`]: each suite's part, then what connectivity checks are named and proved by.
pub const SECRET_BYTES: usize = SUITES_BYTES + FRAGMENT_BYTES + PASSWORD_BYTES;
const SUITES_BYTES: usize = 30 + 30 + 28 + 44;
/// RFC 8445 section 5.3 wants 24 and 128 bits at least.
const FRAGMENT_BYTES: usize = 6;
const PASSWORD_BYTES: usize = 18;

/// What a call's own keys are taken from: random bytes from the shell. Each suite has a part of its own, so that
/// a change of suite in mid-call never meets the same key stream again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

impl From<[u8; SECRET_BYTES]> for Secret {
    fn from(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Secret {
    /// Our name and password in connectivity checks: the same ones until they are asked for anew, and others each time
    /// that they are.
    pub(super) fn credentials(&self, restarts: u32) -> Credentials {
        let part = |from: usize, length: usize| {
            let mut text = STANDARD_NO_PAD.encode(self.0.get(from..from + length).unwrap_or_default());
            if restarts > 0 {
                text.push_str(&restarts.to_string());
            }
            text
        };
        Credentials {
            fragment: part(SUITES_BYTES, FRAGMENT_BYTES),
            password: part(SUITES_BYTES + FRAGMENT_BYTES, PASSWORD_BYTES),
        }
    }

    /// Our key for a suite; always the same one.
    pub(super) fn key(&self, suite: Suite) -> Keying {
        let before: usize =
            Suite::ALL.iter().take_while(|other| **other != suite).map(|other| other.bytes()).sum();
        let part = self.0.get(before..before + suite.bytes()).unwrap_or_default();
        Keying { suite, master: Master(part.to_vec()) }
    }
}

/// One `a=crypto` that we can use: its tag, the suite, the far side's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crypto {
    /// The number that an answer names.
    pub tag: u32,
    /// What it says.
    pub keying: Keying,
}

/// Reads the value of an `a=crypto`. `None` where its suite, its key or its parameters are not ours to use: a
/// key of another length, more than one key, a master key index, or a stream that would not be protected.
pub(super) fn parse(value: &str) -> Option<Crypto> {
    let mut words = value.split_ascii_whitespace();
    let tag = words.next()?.parse().ok()?;
    let name = words.next()?;
    let suite = Suite::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))?;
    let key = words.next()?.strip_prefix("inline:")?;
    if key.contains(';') || words.any(is_unusable) {
        return None;
    }
    let mut parts = key.split('|');
    let encoded = parts.next()?;
    // After the key come the lifetime, which no call reaches, and the index, which we do not write.
    if parts.any(|part| part.contains(':')) {
        return None;
    }
    let bytes = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?;
    (bytes.len() == suite.bytes()).then_some(Crypto { tag, keying: Keying { suite, master: Master(bytes) } })
}

/// Whether a session parameter asks for what we do not do (RFC 4568 section 6.3).
fn is_unusable(parameter: &str) -> bool {
    let harmless = parameter.starts_with("WSH=") || parameter.starts_with('-');
    !harmless
}

/// Writes an `a=crypto` with our key.
pub(super) fn write(tag: u32, keying: &Keying) -> String {
    format!("a=crypto:{tag} {} inline:{}\r\n", keying.suite.name(), STANDARD.encode(keying.master.reveal()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn the_rfcs_example_is_read_and_written() {
        // RFC 4568 section 4.1, without its lifetime, and with it.
        for end in ["", "|2^20", "|1048576", "|2^20 WSH=64"] {
            let read = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{end}")).unwrap();
            assert_eq!((read.tag, read.keying.suite), (1, Suite::AesCm128Sha1With80));
            assert_eq!(
                write(7, &read.keying),
                format!("a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n")
            );
        }
    }

    #[test]
    fn what_is_not_ours_to_use_is_passed_over() {
        for value in [
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=1"),
            format!("1 AEAD_AES_256_GCM inline:{KEY}"),
            format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            "1 AES_CM_128_HMAC_SHA1_80 inline:????".to_owned(),
            "1 AES_CM_128_HMAC_SHA1_80".to_owned(),
            "1".to_owned(),
            String::new(),
        ] {
            assert_eq!(parse(&value), None, "{value}");
        }
    }

    #[test]
    fn each_suite_has_a_key_of_its_own_and_none_is_shown() {
        let mut bytes = [0; SECRET_BYTES];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = place as u8;
        }
        let secret = Secret::from(bytes);
        let mut all = Vec::new();
        for suite in Suite::ALL {
            let keying = secret.key(suite);
            assert_eq!(keying.master.reveal().len(), suite.bytes());
            all.extend(keying.master.reveal().to_vec());
        }
        assert_eq!(all, bytes[..SUITES_BYTES], "no byte is used twice");
        let Credentials { fragment, password } = secret.credentials(0);
        assert_eq!((fragment.len(), password.len()), (8, 24));
        assert_eq!(format!("{secret:?} {:?}", secret.key(Suite::AesGcm128).master), "Secret(..) Master(..)");
    }
}
