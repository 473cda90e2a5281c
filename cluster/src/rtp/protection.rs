//! SRTP and SRTCP (RFC 3711, RFC 7714): packets sealed and opened with keys that signalling agreed on.
//!
//! The cipher is the library's; what is ours is which streams are believed. A sender's stream is known by its
//! SSRC once a packet of it has proven itself; a packet of an unknown stream is tried apart, so that strangers
//! who make up streams cost no memory. Replayed packets are refused.

use bytes::BytesMut;
use rtc_srtp::context::Context;
use rtc_srtp::crypto::{RTCCryptoProvider, default_provider};
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;
use serde::{Deserialize, Serialize};

/// Packets back to which a replay is noticed.
const WINDOW: usize = 256;
/// Streams of the far side that are known at once; a sender changes its stream when a call is moved.
const STREAMS: usize = 4;
/// Keys of ours that are remembered, so that a key that comes back goes on where it was.
const KEYS: usize = 4;

/// The index of a report, with the flag before it.
const REPORT_INDEX_BYTES: usize = 4;
/// The tag of a report in counter mode: 80 bits with either suite (RFC 4568 section 6.2.2).
const REPORT_TAG_BYTES: usize = 10;

/// What protects a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    const fn profile(self) -> ProtectionProfile {
        match self {
            Self::AesCm128Sha1With80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Self::AesCm128Sha1With32 => ProtectionProfile::Aes128CmHmacSha1_32,
            Self::AesGcm128 => ProtectionProfile::AeadAes128Gcm,
            Self::AesGcm256 => ProtectionProfile::AeadAes256Gcm,
        }
    }

    /// Whether a report says that it is encrypted (the flag E, RFC 3711 section 3.4). The library takes one in
    /// counter mode that says otherwise without looking at its tag; nobody agreed on such with us.
    fn is_sealed_report(self, packet: &[u8]) -> bool {
        let after = match self {
            Self::AesCm128Sha1With80 | Self::AesCm128Sha1With32 => REPORT_TAG_BYTES + REPORT_INDEX_BYTES,
            Self::AesGcm128 | Self::AesGcm256 => REPORT_INDEX_BYTES,
        };
        let flag = packet.len().checked_sub(after).and_then(|at| packet.get(at));
        flag.is_some_and(|flag| flag & 0x80 != 0)
    }
}

/// A suite and a master key with its salt after it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Which suite.
    pub suite: Suite,
    /// The key and the salt.
    pub master: Vec<u8>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Key").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// Why a packet is not opened or sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was changed on the way, is of another key, or was heard before.
    #[error("the packet does not prove itself")]
    Unproven,
    /// The key can't be used: its length is another suite's.
    #[error("the key can't be used with its suite")]
    Key,
    /// So many packets were sent with the key that no more may be (RFC 3711 section 9.2).
    #[error("the key is used up")]
    UsedUp,
}

fn context(key: &Key) -> Result<Context, Refused> {
    let provider = default_provider().map_err(|_| Refused::Key)?;
    let profile = key.suite.profile();
    let (master, salt) = key.master.split_at_checked(profile.key_len()).ok_or(Refused::Key)?;
    let replay = (srtp_replay_protection(WINDOW), srtcp_replay_protection(WINDOW));
    let crypto = RTCCryptoProvider::crypto(provider.as_ref());
    Context::new(master, salt, profile, Some(replay.0), Some(replay.1), crypto).map_err(|_| Refused::Key)
}

/// What we send.
#[derive(Default)]
pub struct Sealing {
    keys: Vec<(Key, Context)>,
    /// The one in use.
    present: usize,
}

impl std::fmt::Debug for Sealing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sealing").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Sealing {
    /// Seals with this key from now on. One that was used before goes on where it was: its counter never starts
    /// again.
    ///
    /// # Errors
    /// [`Refused::Key`], also where a call has used more keys than are remembered.
    pub fn use_key(&mut self, key: &Key) -> Result<(), Refused> {
        if let Some(known) = self.keys.iter().position(|(known, _)| known == key) {
            self.present = known;
            return Ok(());
        }
        if self.keys.len() == KEYS {
            return Err(Refused::Key);
        }
        self.keys.push((key.clone(), context(key)?));
        self.present = self.keys.len() - 1;
        Ok(())
    }

    /// Seals an RTP packet.
    ///
    /// # Errors
    /// [`Refused::UsedUp`], or [`Refused::Key`] where there is none.
    pub fn seal(&mut self, packet: &[u8]) -> Result<BytesMut, Refused> {
        let (_, context) = self.keys.get_mut(self.present).ok_or(Refused::Key)?;
        context.encrypt_rtp(packet).map_err(|_| Refused::UsedUp)
    }

    /// Seals an RTCP packet.
    ///
    /// # Errors
    /// As [`Sealing::seal`].
    pub fn seal_report(&mut self, packet: &[u8]) -> Result<BytesMut, Refused> {
        let (_, context) = self.keys.get_mut(self.present).ok_or(Refused::Key)?;
        context.encrypt_rtcp(packet).map_err(|_| Refused::UsedUp)
    }
}

/// What the far side sends.
pub struct Opening {
    key: Key,
    streams: Vec<(u32, Context)>,
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Opening").field("streams", &self.streams.len()).finish_non_exhaustive()
    }
}

impl Opening {
    /// Opens with this key.
    ///
    /// # Errors
    /// [`Refused::Key`].
    pub fn new(key: &Key) -> Result<Self, Refused> {
        context(key)?;
        Ok(Self { key: key.clone(), streams: Vec::new() })
    }

    /// The key that it opens with.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// Opens an RTP packet.
    ///
    /// # Errors
    /// [`Refused::Unproven`].
    pub fn open(&mut self, packet: &[u8]) -> Result<BytesMut, Refused> {
        // The SSRC: RFC 3550 section 5.1.
        self.with_stream(ssrc_at(packet, 8)?, |context| {
            context.decrypt_rtp(packet).map_err(|_| Refused::Unproven)
        })
    }

    /// Opens an RTCP packet.
    ///
    /// # Errors
    /// [`Refused::Unproven`].
    pub fn open_report(&mut self, packet: &[u8]) -> Result<BytesMut, Refused> {
        if !self.key.suite.is_sealed_report(packet) {
            return Err(Refused::Unproven);
        }
        // The sender's SSRC: RFC 3550 section 6.4.
        self.with_stream(ssrc_at(packet, 4)?, |context| {
            context.decrypt_rtcp(packet).map_err(|_| Refused::Unproven)
        })
    }

    fn with_stream(
        &mut self,
        ssrc: u32,
        open: impl Fn(&mut Context) -> Result<BytesMut, Refused>,
    ) -> Result<BytesMut, Refused> {
        if let Some((_, context)) = self.streams.iter_mut().find(|(known, _)| *known == ssrc) {
            return open(context);
        }
        if self.streams.len() == STREAMS {
            return Err(Refused::Unproven);
        }
        let mut trial = context(&self.key)?;
        let opened = open(&mut trial)?;
        self.streams.push((ssrc, trial));
        Ok(opened)
    }
}

fn ssrc_at(packet: &[u8], place: usize) -> Result<u32, Refused> {
    let bytes = packet.get(place..).and_then(|rest| rest.first_chunk()).ok_or(Refused::Unproven)?;
    Ok(u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::packet::Header;
    use proptest::prelude::*;

    const SUITES: [(Suite, usize); 4] = [
        (Suite::AesCm128Sha1With80, 30),
        (Suite::AesCm128Sha1With32, 30),
        (Suite::AesGcm128, 28),
        (Suite::AesGcm256, 44),
    ];

    fn key(suite: Suite, length: usize) -> Key {
        Key { suite, master: (0..length as u8).collect() }
    }

    fn packet(sequence: u16, ssrc: u32) -> Vec<u8> {
        let header =
            Header { payload_type: 0, marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc };
        [&header.to_bytes()[..], &[0x55; 160]].concat()
    }

    fn both(suite: Suite, length: usize) -> (Sealing, Opening) {
        let key = key(suite, length);
        let mut sealing = Sealing::default();
        sealing.use_key(&key).unwrap();
        (sealing, Opening::new(&key).unwrap())
    }

    #[test]
    fn what_is_sealed_is_opened_across_the_wrap_of_the_sequence_with_loss() {
        for (suite, length) in SUITES {
            let (mut sealing, mut opening) = both(suite, length);
            for number in 65_000_u32..66_500 {
                let clear = packet(number as u16, 9);
                let sealed = sealing.seal(&clear).unwrap();
                assert_ne!(sealed.get(12..172), clear.get(12..172));
                if number % 7 != 0 {
                    assert_eq!(opening.open(&sealed).unwrap(), clear, "{suite:?} {number}");
                }
            }
        }
    }

    #[test]
    fn the_rfcs_key_stream_is_ours() {
        // RFC 3711 appendix B.3: the session key and salt that come of this master key and salt.
        let master = "E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6";
        let master =
            (0..60).step_by(2).map(|at| u8::from_str_radix(&master[at..at + 2], 16).unwrap()).collect();
        let mut sealing = Sealing::default();
        sealing.use_key(&Key { suite: Suite::AesCm128Sha1With80, master }).unwrap();
        let clear = [&packet(0, 0)[..12], &[0; 32]].concat();
        let sealed = sealing.seal(&clear).unwrap();
        // What XORs a payload of zeros is AES-CM with the appendix's session key C61E7A93… and salt 30CBBC08…,
        // SSRC 0 and index 0; computed apart with the block cipher alone.
        let session_key = "C61E7A93744F39EE10734AFE3FF7A087";
        let salt = "30CBBC08863D8C85D49DB34A9AE1";
        assert_eq!(sealed[12..28], key_stream(session_key, salt)[..]);
    }

    /// AES of the counter's first block, by another library than the one that is tried.
    fn key_stream(key: &str, salt: &str) -> [u8; 16] {
        use aws_lc_rs::cipher::{AES_128, EncryptingKey, UnboundCipherKey};
        let bytes = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&bytes(salt));
        let cipher = EncryptingKey::ecb(UnboundCipherKey::new(&AES_128, &bytes(key)).unwrap()).unwrap();
        cipher.encrypt(&mut counter).unwrap();
        counter
    }

    #[test]
    fn what_was_changed_replayed_or_made_up_is_refused() {
        for (suite, length) in SUITES {
            let (mut sealing, mut opening) = both(suite, length);
            let sealed = sealing.seal(&packet(1, 9)).unwrap();
            assert!(opening.open(&sealed).is_ok());
            assert_eq!(opening.open(&sealed), Err(Refused::Unproven), "replayed");
            let sealed = sealing.seal(&packet(2, 9)).unwrap();
            for at in 0..sealed.len() {
                let mut changed = sealed.to_vec();
                changed[at] ^= 1;
                assert_eq!(opening.open(&changed), Err(Refused::Unproven), "{suite:?} byte {at}");
            }
            assert_eq!(opening.open(&packet(3, 9)), Err(Refused::Unproven), "in clear");
            for made_up in 100..1_000 {
                assert!(opening.open(&packet(3, made_up)).is_err());
            }
            assert_eq!(opening.streams.len(), 1, "strangers' streams are not remembered");
            assert!(opening.open(&sealed).is_ok(), "and the stream goes on");
        }
    }

    #[test]
    fn reports_are_sealed_too() {
        for (suite, length) in SUITES {
            let (mut sealing, mut opening) = both(suite, length);
            let report = [&[0x80, 201, 0, 1][..], &9_u32.to_be_bytes()].concat();
            let sealed = sealing.seal_report(&report).unwrap();
            assert_ne!(sealed, report);
            for (at, bit) in (0..sealed.len()).flat_map(|at| [(at, 0x01), (at, 0x80)]) {
                let mut changed = sealed.to_vec();
                changed[at] ^= bit;
                assert_eq!(opening.open_report(&changed), Err(Refused::Unproven), "{suite:?} byte {at}");
            }
            assert!(opening.streams.is_empty(), "what was made up is not remembered");
            assert_eq!(opening.open_report(&sealed).unwrap(), report);
            assert!(opening.open_report(&report).is_err() && opening.open_report(&sealed).is_err());
        }
    }

    #[test]
    fn a_key_that_comes_back_goes_on_where_it_was() {
        let (one, other) = (
            key(Suite::AesCm128Sha1With80, 30),
            Key { suite: Suite::AesCm128Sha1With80, master: vec![7; 30] },
        );
        let mut sealing = Sealing::default();
        sealing.use_key(&one).unwrap();
        for sequence in 0..=u16::MAX {
            sealing.seal(&packet(sequence, 9)).unwrap();
        }
        let first = {
            let (mut fresh, _) = both(Suite::AesCm128Sha1With80, 30);
            fresh.seal(&packet(0, 9)).unwrap()
        };
        sealing.use_key(&other).unwrap();
        sealing.use_key(&one).unwrap();
        assert_ne!(sealing.seal(&packet(0, 9)).unwrap(), first, "the same key stream would open both");
        assert!(sealing.use_key(&key(Suite::AesGcm256, 28)).is_err(), "a key of another length");
    }

    proptest! {
        #[test]
        fn no_packet_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            for (suite, length) in SUITES {
                let (mut sealing, mut opening) = both(suite, length);
                let _ = (opening.open(&bytes), opening.open_report(&bytes));
                let _ = (sealing.seal(&bytes), sealing.seal_report(&bytes));
            }
        }
    }
}
