//! A certificate that vouches for callers: whether it comes from somebody who is trusted, and what it may vouch for.

use std::path::Path;
use std::time::Duration;

use actors::types::Distrust;
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::Error;
use crate::sip::identity::{Authority, OID};

/// Certificates of one file that are looked at: one and those that it comes from.
const CHAIN_MAX: usize = 6;

/// One that was trusted when it was read.
#[derive(Debug)]
pub(super) struct Certificate {
    key: Vec<u8>,
    authority: Authority,
    from_s: i64,
    until_s: i64,
}

impl Certificate {
    /// Reads a file of certificates, PEM or a single one as DER, and checks whom it comes from.
    pub(super) fn read(bytes: &[u8], roots: &RootCertStore, now_s: i64) -> Result<Self, Distrust> {
        let mut chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(bytes).take(CHAIN_MAX).filter_map(Result::ok).collect();
        if chain.is_empty() {
            chain.push(CertificateDer::from(bytes.to_vec()));
        }
        let (leaf, rest) = chain.split_first().ok_or(Distrust::Untrusted)?;
        let parsed = ParsedCertificate::try_from(leaf).map_err(|_| Distrust::Untrusted)?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now_s).unwrap_or_default()));
        let algorithms = default_provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, roots, rest, now, algorithms)
            .map_err(|_| Distrust::Untrusted)?;
        let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| Distrust::Untrusted)?;
        let mut extensions = leaf.extensions().iter();
        let vouching = extensions.find(|extension| extension.oid.to_id_string() == OID);
        let authority = vouching.and_then(|extension| Authority::read(extension.value));
        let period = leaf.validity();
        Ok(Self {
            key: leaf.public_key().subject_public_key.data.to_vec(),
            // Who has none may be anybody who has a certificate for a web site.
            authority: authority.ok_or(Distrust::Untrusted)?,
            from_s: period.not_before.timestamp(),
            until_s: period.not_after.timestamp(),
        })
    }

    pub(super) const fn is_valid_at(&self, now_s: i64) -> bool {
        now_s >= self.from_s && now_s <= self.until_s
    }

    pub(super) fn covers(&self, number: &str) -> bool {
        self.authority.covers(number)
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }
}

/// Those who are trusted.
pub(super) fn roots(file: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|why| unusable(file, why.to_string()))?;
    }
    Ok(roots)
}

/// All certificates of a file, at least one.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all = CertificateDer::pem_file_iter(file).map_err(|why| unusable(file, why.to_string()))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|why| unusable(file, why.to_string()))?;
    if all.is_empty() {
        return Err(unusable(file, "there is no certificate in it".to_owned()));
    }
    Ok(all)
}

fn unusable(file: &Path, why: String) -> Error {
    Error::Attesting { why: format!("{}: {why}", file.display()) }
}
