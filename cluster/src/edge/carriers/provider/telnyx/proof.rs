//! `Telnyx-Signature-Ed25519`: over the timestamp, a bar and the body, by Telnyx's key
//! (developers.telnyx.com, "Webhook signing").

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

use super::super::framing::decoded;
use super::super::proof::{Secrets, Signed, Unproven, is_fresh};

/// Whether the request is Telnyx's.
///
/// # Errors
/// [`Unproven`].
pub fn prove(secrets: &Secrets<'_>, request: &Signed<'_>) -> Result<(), Unproven> {
    if secrets.public_key.is_empty() {
        return Err(Unproven::Unconfigured);
    }
    let key = decoded(secrets.public_key).map_err(|_| Unproven::Unconfigured)?;
    let signature = (request.header)("telnyx-signature-ed25519").ok_or(Unproven::Unsigned)?;
    let timestamp = (request.header)("telnyx-timestamp").ok_or(Unproven::Unsigned)?;
    let signature = decoded(signature).map_err(|_| Unproven::Wrong)?;
    let signed = [timestamp.as_bytes(), b"|", request.body].concat();
    UnparsedPublicKey::new(&ED25519, key).verify(&signed, &signature).map_err(|_| Unproven::Wrong)?;
    let at_s = timestamp.parse().map_err(|_| Unproven::Wrong)?;
    if is_fresh(at_s, request.now_s) { Ok(()) } else { Err(Unproven::Expired) }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::super::super::framing::encoded;
    use super::*;

    #[test]
    fn what_the_key_has_signed_is_believed_for_a_while() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public_key = encoded(pair.public_key().as_ref());
        let secrets = Secrets { public_key: &public_key, ..Secrets::default() };
        let signature: &'static str = encoded(pair.sign(b"1000|CallSid=v3").as_ref()).leak();
        let verdict = |secrets: &Secrets<'_>, body: &[u8], timestamp: &'static str, now_s| {
            let header = move |name: &str| match name {
                "telnyx-signature-ed25519" => Some(signature),
                "telnyx-timestamp" => Some(timestamp),
                _ => None,
            };
            prove(secrets, &Signed { method: "POST", url: "", query: "", body, header: &header, now_s })
        };
        assert_eq!(verdict(&secrets, b"CallSid=v3", "1000", 1_200), Ok(()));
        assert_eq!(verdict(&secrets, b"CallSid=v3", "1000", 1_301), Err(Unproven::Expired));
        assert_eq!(verdict(&secrets, b"CallSid=v4", "1000", 1_000), Err(Unproven::Wrong));
        assert_eq!(verdict(&secrets, b"CallSid=v3", "1001", 1_000), Err(Unproven::Wrong));
        assert_eq!(verdict(&Secrets::default(), b"CallSid=v3", "1000", 1_000), Err(Unproven::Unconfigured));
        let short = Secrets { public_key: "AAAA", ..Secrets::default() };
        assert_eq!(verdict(&short, b"CallSid=v3", "1000", 1_000), Err(Unproven::Wrong));
    }
}
