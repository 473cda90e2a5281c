//! Signed webhooks: a JWT by HMAC-SHA256 whose claims hold the body's hash (developer.vonage.com, "Signed
//! webhooks").

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, verify};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::super::proof::{Secrets, Signed, Unproven, is_fresh};

/// The longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 4_096;

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iat: u64,
    exp: Option<u64>,
    payload_hash: Option<String>,
    application_id: Option<String>,
}

/// Whether the request is Vonage's. The URL is not part of the proof; the body is.
///
/// # Errors
/// [`Unproven`].
pub fn prove(secrets: &Secrets<'_>, request: &Signed<'_>) -> Result<(), Unproven> {
    if secrets.shared.is_empty() {
        return Err(Unproven::Unconfigured);
    }
    let header = (request.header)("authorization").ok_or(Unproven::Unsigned)?;
    let token = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("bearer "));
    let claims = claims(token.ok_or(Unproven::Unsigned)?.trim(), secrets.shared)?;
    // One secret signs for all applications of an account.
    if claims.application_id.is_some_and(|of| !secrets.application.is_empty() && of != secrets.application) {
        return Err(Unproven::Wrong);
    }
    let hash = hex(digest(&SHA256, request.body).as_ref());
    let fits = claims.payload_hash.map(|claimed| claimed.eq_ignore_ascii_case(&hash));
    // A question by GET has no body to be hashed.
    if !fits.unwrap_or(request.body.is_empty()) {
        return Err(Unproven::Wrong);
    }
    let fresh = is_fresh(claims.iat, request.now_s) && claims.exp.is_none_or(|end| end >= request.now_s);
    if fresh { Ok(()) } else { Err(Unproven::Expired) }
}

fn claims(token: &str, secret: &str) -> Result<Claims, Unproven> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Unproven::Wrong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Unproven::Wrong)?;
    let (header, claims) = signed.split_once('.').ok_or(Unproven::Wrong)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Unproven::Wrong)?;
    let header: Header = part(header)?;
    // The token doesn't choose how it is checked.
    if header.alg != "HS256" {
        return Err(Unproven::Wrong);
    }
    verify(&Key::new(HMAC_SHA256, secret.as_bytes()), signed.as_bytes(), &signature)
        .map_err(|_| Unproven::Wrong)?;
    part(claims)
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Unproven> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Unproven::Wrong)?;
    serde_json::from_slice(&bytes).map_err(|_| Unproven::Wrong)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = aws_lc_rs::hmac::sign(&Key::new(HMAC_SHA256, b"secret"), signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn verdict(token: &str, body: &[u8]) -> Result<(), Unproven> {
        let bearer: &'static str = format!("Bearer {token}").leak();
        let header = move |name: &str| (name == "authorization").then_some(bearer);
        let secrets = Secrets { shared: "secret", application: "app-1", ..Secrets::default() };
        prove(&secrets, &Signed { method: "POST", url: "", query: "", body, header: &header, now_s: 1_000 })
    }

    #[test]
    fn a_token_for_this_body_is_believed_for_a_while() {
        let hs256 = r#"{"alg":"HS256","typ":"JWT"}"#;
        let hash = hex(digest(&SHA256, b"{}").as_ref());
        let claims =
            |iat: u64| format!(r#"{{"iat":{iat},"jti":"j","iss":"Vonage","payload_hash":"{hash}"}}"#);
        assert_eq!(verdict(&signed(hs256, &claims(900)), b"{}"), Ok(()));
        assert_eq!(verdict(&signed(hs256, &claims(600)), b"{}"), Err(Unproven::Expired));
        assert_eq!(verdict(&signed(hs256, &claims(900)), b"{ }"), Err(Unproven::Wrong));
        assert_eq!(verdict(&signed(hs256, r#"{"iat":1000}"#), b"{}"), Err(Unproven::Wrong), "no hash");
        assert_eq!(verdict(&signed(hs256, r#"{"iat":1000}"#), b""), Ok(()), "nothing to hash");
        assert_eq!(verdict(&signed(hs256, r#"{"iat":1000,"exp":999}"#), b""), Err(Unproven::Expired));
        let of = |application: &str| format!(r#"{{"iat":1000,"application_id":"{application}"}}"#);
        assert_eq!(verdict(&signed(hs256, &of("app-1")), b""), Ok(()));
        assert_eq!(verdict(&signed(hs256, &of("app-2")), b""), Err(Unproven::Wrong), "another application");
        assert_eq!(verdict(&signed(r#"{"alg":"none"}"#, &claims(900)), b"{}"), Err(Unproven::Wrong));
        let none =
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode("{}"));
        for token in ["", "a.b", "..", &none, &"x".repeat(10_000)] {
            assert_eq!(verdict(token, b""), Err(Unproven::Wrong));
        }
    }
}
