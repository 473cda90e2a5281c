//! Checks what networks vouch for of callers (STIR/SHAKEN), while nobody's telephone rings yet and for a bounded time.
//! A call goes on whatever comes of it; what came of it is told with the call.

mod certificates;
mod place;
mod settings;
mod trust;

use std::time::Duration;

use actors::types::{Attestation, Distrust};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use certificates::Certificates;
pub use settings::Settings;

use super::{Error, metrics};
use crate::clock;
use crate::sip::identity::{Fault, Grade, Passport, Said};

/// What an INVITE has to be checked.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    /// The values of its Identity headers.
    pub(super) identities: Vec<String>,
    /// Who calls, by every header that says so.
    pub(super) from: Vec<String>,
    /// Whom they call, by every header that says so.
    pub(super) to: Vec<String>,
}

/// Who checks.
pub(super) struct Attesting {
    settings: Settings,
    certificates: Certificates,
}

impl Attesting {
    /// `None` where nobody is trusted to vouch for anybody, so that there is nothing to check.
    pub(super) fn new(settings: &Settings) -> Result<Option<Self>, Error> {
        let Some(certificates) = Certificates::new(settings)? else { return Ok(None) };
        Ok(Some(Self { settings: settings.clone(), certificates }))
    }

    /// What the caller's network vouches for.
    pub(super) async fn check(&self, claim: &Claim) -> Attestation {
        let patience = Duration::from_millis(self.settings.wait_ms);
        let attestation = match tokio::time::timeout(patience, self.attested(claim)).await {
            Ok(Ok(attestation)) => attestation,
            Ok(Err(why)) => Attestation::Failed(why),
            Err(_) => Attestation::Failed(Distrust::NoCertificate),
        };
        metrics::attested(attestation);
        attestation
    }

    async fn attested(&self, claim: &Claim) -> Result<Attestation, Distrust> {
        let mut found = None;
        for identity in &claim.identities {
            if let Some(passport) = Passport::read(identity).map_err(distrust)? {
                found = Some(passport);
                break;
            }
        }
        let Some(passport) = found else { return Ok(Attestation::Absent) };
        let said =
            Said { from: claim.from.clone(), to: claim.to.clone(), country: self.settings.country.clone() };
        // What is not about this call is not worth a request to anybody.
        passport.fits(&said, clock::now().as_second(), self.settings.fresh_s).map_err(distrust)?;
        let certificate = self.certificates.get(passport.certificate()).await?;
        if !certificate.is_valid_at(clock::now().as_second()) || !certificate.covers(passport.from()) {
            return Err(Distrust::Untrusted);
        }
        let (signed, signature) = passport.signed();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, certificate.key());
        key.verify(signed, signature).map_err(|_| Distrust::Forged)?;
        Ok(match passport.attestation() {
            Grade::Full => Attestation::Full,
            Grade::Partial => Attestation::Partial,
            Grade::Gateway => Attestation::Gateway,
        })
    }
}

const fn distrust(fault: Fault) -> Distrust {
    match fault {
        Fault::Unreadable => Distrust::Unreadable,
        Fault::Stale => Distrust::Stale,
        Fault::OtherNumbers => Distrust::OtherNumbers,
    }
}
