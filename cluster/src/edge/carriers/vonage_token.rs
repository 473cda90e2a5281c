//! The token that proves us to Vonage's REST: a JWT signed by RSA (developer.vonage.com, "Authentication").

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// How long it is good, in seconds.
const GOOD_S: u64 = 60;

/// A token that proves us to Vonage's REST for a minute. `None` where the key is none.
#[must_use]
pub(super) fn token(key_der: &[u8], application: &str, id: &str, now_s: u64) -> Option<String> {
    let pair = KeyPair::from_pkcs8(key_der).or_else(|_| KeyPair::from_der(key_der)).ok()?;
    let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "RS256", "typ": "JWT" }).to_string());
    let claims =
        json!({ "application_id": application, "iat": now_s, "exp": now_s + GOOD_S, "jti": id }).to_string();
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn our_token_is_the_applications() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let key = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let token = token(key.as_ref(), "app-1", "id-1", 1_000).unwrap();
        let (text, signature) = token.rsplit_once('.').unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
        public.verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(text.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims, json!({ "application_id": "app-1", "iat": 1_000, "exp": 1_060, "jti": "id-1" }));
        assert!(super::token(b"no key", "app-1", "id-1", 1_000).is_none());
    }
}
