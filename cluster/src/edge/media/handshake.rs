//! Keys for SRTP agreed on by DTLS on the media's own port (RFC 5764), with whoever the session description named by
//! the fingerprint of its certificate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use dimpl::{
    Config, CryptoError, Dtls, DtlsCertificate, KeyingMaterial, Output, SecurityError, SrtpProfile,
    certificate,
};
use serde::{Deserialize, Serialize};

use super::{Error, NoKeys, Protected};
use crate::rtp::protection::{Key, Suite};

/// Bytes of the largest record that is sent; beyond it the library has broken its flight into several.
const RECORD_MAX: usize = 2_048;
/// Outputs that are taken in one go: a flight is a few.
const OUTPUTS_MAX: usize = 64;
/// How many times as long as a handshake may take the library goes on with one: a session gives up first, and begins one
/// anew where it is not over.
const LIBRARY_TIMES: u32 = 3;

/// Our certificate, of this process, shared by all its calls: nobody but the session description vouches for it.
pub(super) struct Identity {
    certificate: DtlsCertificate,
    config: Arc<Config>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Identity")
    }
}

impl Identity {
    /// A new one. `patience` is how long a handshake may take.
    pub(super) fn new(patience: Duration) -> Result<Self, Error> {
        let refused = |why: String| Error::System {
            what: "make a certificate for DTLS",
            source: std::io::Error::other(why),
        };
        let certificate =
            certificate::generate_self_signed_certificate().map_err(|why| refused(why.to_string()))?;
        let config = Config::builder()
            .require_client_certificate(true)
            .use_server_cookie(true)
            .handshake_timeout(patience * LIBRARY_TIMES)
            .build()
            .map_err(|why| refused(why.to_string()))?;
        Ok(Self { certificate, config: Arc::new(config) })
    }

    pub(super) fn fingerprint(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &self.certificate.certificate).as_ref().to_vec()
    }
}

/// How a certificate is told (RFC 8122).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// With whom keys are agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// We begin: the far side waits for us.
    pub begins: bool,
    /// How the far side's certificate is told.
    pub hash: Hash,
    /// Its fingerprint.
    pub fingerprint: Vec<u8>,
}

impl Handshake {
    fn is_of(&self, certificate: &[u8]) -> bool {
        let algorithm = match self.hash {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, certificate).as_ref() == self.fingerprint
    }
}

/// What has come of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Keys(Protected),
    Failed(NoKeys),
}

/// A handshake under way, or done: then it answers what the far side repeats.
pub(super) struct Agreeing {
    agreed: Handshake,
    dtls: Dtls,
    /// When the library wants to be asked again.
    due: Option<Instant>,
    /// Whom it speaks with: who has spoken last.
    peer: SocketAddr,
    /// Something was said by the far side.
    heard: bool,
    /// The far side's certificate is the named one.
    proved: bool,
    /// There are keys.
    keyed: bool,
    over: bool,
}

impl std::fmt::Debug for Agreeing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Agreeing").field("proved", &self.proved).finish_non_exhaustive()
    }
}

impl Agreeing {
    pub(super) fn new(identity: &Identity, agreed: Handshake, peer: SocketAddr, now: Instant) -> Self {
        let mut dtls = Dtls::new_12(Arc::clone(&identity.config), identity.certificate.clone(), now);
        dtls.set_active(agreed.begins);
        Self { agreed, dtls, due: Some(now), peer, heard: false, proved: false, keyed: false, over: false }
    }

    /// Whether it is to go on: there are keys, or the far side is at it.
    pub(super) const fn goes_on(&self) -> bool {
        self.keyed || self.heard && !self.over
    }

    /// Whether there are keys.
    pub(super) const fn has_keys(&self) -> bool {
        self.keyed
    }

    /// Whom it speaks with.
    pub(super) const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Takes a datagram; `send` is given what is to be sent, and to whom.
    pub(super) fn datagram(
        &mut self,
        bytes: &[u8],
        source: SocketAddr,
        now: Instant,
        send: &mut impl FnMut(&[u8], SocketAddr),
    ) -> Option<Outcome> {
        if self.over {
            return None;
        }
        self.peer = source;
        self.heard = true;
        let taken = self.dtls.handle_timeout(now).and_then(|()| self.dtls.handle_packet(bytes));
        self.outcome(taken, send)
    }

    /// Lets time pass. `peer` is where packets go, for a flight that nobody has asked for.
    pub(super) fn tick(
        &mut self,
        peer: SocketAddr,
        now: Instant,
        send: &mut impl FnMut(&[u8], SocketAddr),
    ) -> Option<Outcome> {
        if self.over || self.due.is_none_or(|due| now < due) {
            return None;
        }
        self.peer = peer;
        let taken = self.dtls.handle_timeout(now);
        self.outcome(taken, send)
    }

    fn outcome(
        &mut self,
        taken: Result<(), dimpl::Error>,
        send: &mut impl FnMut(&[u8], SocketAddr),
    ) -> Option<Outcome> {
        let mut outcome = None;
        let mut record = [0; RECORD_MAX];
        for _ in 0..OUTPUTS_MAX {
            match self.dtls.poll_output(&mut record) {
                Output::Packet(packet) => send(packet, self.peer),
                Output::Timeout(due) => {
                    self.due = Some(due);
                    break;
                }
                Output::PeerCert(certificate) => {
                    self.proved = self.agreed.is_of(certificate);
                    if !self.proved {
                        return self.failed(NoKeys::Fingerprint);
                    }
                }
                Output::KeyingMaterial(material, profile) if self.proved => {
                    let keys = keys(&material, profile, self.agreed.begins);
                    self.keyed = keys.is_some();
                    outcome = Some(keys.map_or(Outcome::Failed(NoKeys::Profile), Outcome::Keys));
                }
                Output::BufferTooSmall { .. } => {
                    return self.failed(NoKeys::Broken);
                }
                Output::CloseNotify => self.over = true,
                _ => {}
            }
        }
        let Err(why) = taken else { return outcome };
        tracing::debug!(%why, "a handshake about keys failed");
        let failed = self.failed(meant_by(&why));
        outcome.or(failed)
    }

    /// It does not go on. What there are keys of is not lost by that.
    fn failed(&mut self, why: NoKeys) -> Option<Outcome> {
        self.over = true;
        (!self.keyed).then_some(Outcome::Failed(why))
    }
}

/// What an error of the library means.
const fn meant_by(error: &dimpl::Error) -> NoKeys {
    match error {
        dimpl::Error::Timeout(_) => NoKeys::TimedOut,
        dimpl::Error::SecurityError(SecurityError::FatalAlert { description }) => NoKeys::Alert(*description),
        dimpl::Error::CertificateError(_)
        | dimpl::Error::CryptoError(
            CryptoError::UnsupportedPublicKeyAlgorithm
            | CryptoError::UnsupportedEcCurve
            | CryptoError::UnsupportedSignatureAlgorithm(_)
            | CryptoError::UnsupportedSignaturePair { .. }
            | CryptoError::UnsupportedSignatureVerification { .. },
        ) => NoKeys::Certificate,
        _ => NoKeys::Broken,
    }
}

/// The keys of both ways (RFC 5764 section 4.2): the client's key, the server's, the client's salt, the server's.
fn keys(material: &KeyingMaterial, profile: SrtpProfile, we_begin: bool) -> Option<Protected> {
    let (suite, key, salt) = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => (Suite::AesCm128Sha1With80, 16, 14),
        SrtpProfile::AEAD_AES_128_GCM => (Suite::AesGcm128, 16, 12),
        SrtpProfile::AEAD_AES_256_GCM => (Suite::AesGcm256, 32, 12),
        _ => return None,
    };
    let (keys, salts) = material.split_at_checked(2 * key)?;
    let (client_key, server_key) = keys.split_at(key);
    let (client_salt, server_salt) = salts.get(..2 * salt)?.split_at(salt);
    let client = Key { suite, master: [client_key, client_salt].concat() };
    let server = Key { suite, master: [server_key, server_salt].concat() };
    let (ours, theirs) = if we_begin { (client, server) } else { (server, client) };
    Some(Protected { ours, theirs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn identity() -> Identity {
        Identity::new(Duration::from_secs(10)).unwrap()
    }

    fn named(identity: &Identity, begins: bool) -> Handshake {
        Handshake { begins, hash: Hash::Sha256, fingerprint: identity.fingerprint() }
    }

    /// Lets both speak until nothing more is said; what each has come to.
    fn speak(one: &mut Agreeing, other: &mut Agreeing) -> (Option<Outcome>, Option<Outcome>) {
        let peer = SocketAddr::from(([192, 0, 2, 1], 9));
        let mut now = clock::monotonic();
        let (mut first, mut second) = (None, None);
        let mut to_other: Vec<Vec<u8>> = Vec::new();
        for _ in 0..20 {
            now += Duration::from_millis(300);
            let mut to_one: Vec<Vec<u8>> = Vec::new();
            let mut send = |bytes: &[u8], _: SocketAddr| to_other.push(bytes.to_vec());
            first = one.tick(peer, now, &mut send).or(first);
            for bytes in to_other.drain(..) {
                let mut send = |bytes: &[u8], _: SocketAddr| to_one.push(bytes.to_vec());
                second = other.datagram(&bytes, peer, now, &mut send).or(second);
            }
            for bytes in to_one {
                let mut send = |bytes: &[u8], _: SocketAddr| to_other.push(bytes.to_vec());
                first = one.datagram(&bytes, peer, now, &mut send).or(first);
            }
        }
        (first, second)
    }

    #[test]
    fn both_come_to_the_same_keys() {
        let (us, them) = (identity(), identity());
        let (peer, now) = (SocketAddr::from(([192, 0, 2, 1], 9)), clock::monotonic());
        let mut one = Agreeing::new(&us, named(&them, true), peer, now);
        let mut other = Agreeing::new(&them, named(&us, false), peer, now);
        let (Some(Outcome::Keys(first)), Some(Outcome::Keys(second))) = speak(&mut one, &mut other) else {
            panic!("no keys");
        };
        assert_eq!((&first.ours, &first.theirs), (&second.theirs, &second.ours));
        assert!(first.ours != first.theirs);
    }

    #[test]
    fn whoever_is_not_the_named_one_gets_no_keys() {
        let (us, them, stranger) = (identity(), identity(), identity());
        let (peer, now) = (SocketAddr::from(([192, 0, 2, 1], 9)), clock::monotonic());
        for begins in [true, false] {
            let mut one = Agreeing::new(&stranger, named(&us, begins), peer, now);
            let mut other = Agreeing::new(&us, named(&them, !begins), peer, now);
            let (_, second) = if begins {
                speak(&mut one, &mut other)
            } else {
                let (second, first) = speak(&mut other, &mut one);
                (first, second)
            };
            assert!(matches!(second, Some(Outcome::Failed(_)) | None), "{second:?}");
            assert!(!other.proved);
        }
    }

    #[test]
    fn what_is_no_handshake_does_nothing() {
        let us = identity();
        let (peer, now) = (SocketAddr::from(([192, 0, 2, 1], 9)), clock::monotonic());
        let mut one = Agreeing::new(&us, named(&us, false), peer, now);
        let mut sent = 0;
        for length in 0..200_usize {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 37 + length) as u8).collect();
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = 20 + (length % 44) as u8;
            }
            let outcome = one.datagram(&bytes, peer, now, &mut |_, _| sent += 1);
            assert!(!matches!(outcome, Some(Outcome::Keys(_))));
        }
        assert_eq!(sent, 0, "nobody is sent anything who has not begun");
    }
}
