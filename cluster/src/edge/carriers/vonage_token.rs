//! The token that proves us to Vonage's REST: a JWT signed by RSA (developer.vonage.com, "Authentication").

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// How long it is good, in seconds.
const GOOD_S: u64 = 60;

/// The application's private key.
pub(super) struct Key(KeyPair);

impl Key {
    /// From DER, of PKCS #8 or PKCS #1. `None` where it is no RSA key of 2048 to 8192 bits.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        KeyPair::from_pkcs8(der).or_else(|_| KeyPair::from_der(der)).ok().map(Self)
    }

    /// A token that proves us to Vonage's REST for a minute. `None` where signing fails.
    pub(super) fn token(&self, application: &str, id: &str, now_s: u64) -> Option<String> {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "RS256", "typ": "JWT" }).to_string());
        let claims = json!({ "application_id": application, "iat": now_s, "exp": now_s + GOOD_S, "jti": id });
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn our_token_is_the_applications() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let token = Key::read(der.as_ref()).unwrap().token("app-1", "id-1", 1_000).unwrap();
        let (text, signature) = token.rsplit_once('.').unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
        public.verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(text.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims, json!({ "application_id": "app-1", "iat": 1_000, "exp": 1_060, "jti": "id-1" }));
        assert!(Key::read(b"no key").is_none());
    }
}
