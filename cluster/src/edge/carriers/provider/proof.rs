//! Whether a webhook is the carrier's: what all carriers' proofs have in common.

use super::framing::encoded;

/// How old a signed message may be, and how far ahead of our clock, in seconds.
pub const AGE_S_MAX: u64 = 300;

/// What a carrier's signatures are checked with; empty where it is not set.
#[derive(Clone, Copy, Default)]
pub struct Secrets<'a> {
    /// A shared secret: Twilio's and Plivo's auth token, Vonage's signature secret.
    pub shared: &'a str,
    /// Telnyx's public key, base64.
    pub public_key: &'a str,
    /// The application whose messages are ours, where the carrier signs which one it is: Vonage.
    pub application: &'a str,
}

/// A request, as its signature sees it.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The URL that the carrier called, with its query.
    pub url: &'a str,
    /// The query alone.
    pub query: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The headers, by lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Now, in seconds since 1970.
    pub now_s: u64,
}

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The settings have nothing to check it with.
    #[error("no secret of this carrier is configured")]
    Unconfigured,
    /// It has no signature.
    #[error("the request has no signature")]
    Unsigned,
    /// The signature is another's, or of another request.
    #[error("the signature does not fit the request; check the secret and carriers.public_url")]
    Wrong,
    /// It was signed too long ago, or in the future.
    #[error("the signature is too old, or from the future; check this machine's clock")]
    Expired,
}

impl Unproven {
    /// Its name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unconfigured => "unconfigured",
            Self::Unsigned => "unsigned",
            Self::Wrong => "wrong_signature",
            Self::Expired => "expired",
        }
    }
}

/// Whether one of these base64 signatures is this one. Compares without telling by its time where they differ.
#[must_use]
pub fn is_one_of(signatures: &str, expected: &[u8]) -> bool {
    let expected = encoded(expected);
    signatures.split(',').any(|one| {
        aws_lc_rs::constant_time::verify_slices_are_equal(one.trim().as_bytes(), expected.as_bytes()).is_ok()
    })
}

/// Whether a moment is near enough.
#[must_use]
pub const fn is_fresh(at_s: u64, now_s: u64) -> bool {
    at_s.abs_diff(now_s) <= AGE_S_MAX
}
