//! The token in an Identity header: read, and compared with the call that it came with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::canonical;

/// The algorithm that every token has (RFC 8225 section 8); it is not for the token to choose.
const ALGORITHM: &str = "ES256";
/// The kind of token that vouches for a caller's number (RFC 8588 section 4).
const KIND: &str = "shaken";
/// Numbers of one token that are looked at.
const NUMBERS_MAX: usize = 32;

/// How far a network stands by the number (RFC 8588 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// A: it knows its customer, who may use the number.
    Full,
    /// B: it knows its customer, but not that the number is theirs.
    Partial,
    /// C: it only knows where the call came in from.
    Gateway,
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It can't be read, or is signed in a way that nobody here knows.
    #[error("the token can't be read")]
    Unreadable,
    /// It was made too long ago, or is of the future.
    #[error("the token is not of now")]
    Stale,
    /// It is about another call.
    #[error("the token is about other numbers")]
    OtherNumbers,
}

/// A token that was read; its signature is not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passport {
    signed: String,
    signature: Vec<u8>,
    certificate: String,
    attestation: Grade,
    from: String,
    to: Vec<String>,
    issued_s: i64,
}

/// What the call itself says, for comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who calls: one of these has to be vouched for.
    pub from: Vec<String>,
    /// Whom they call: one of these has to be meant.
    pub to: Vec<String>,
    /// The code of the country that numbers without one are of; empty where nothing is known.
    pub country: String,
}

#[derive(Deserialize)]
struct Protected {
    alg: String,
    ppt: Option<String>,
    typ: Option<String>,
    x5u: String,
}

#[derive(Deserialize)]
struct Claims {
    attest: String,
    dest: Destinations,
    iat: i64,
    orig: Origin,
}

#[derive(Deserialize)]
struct Origin {
    tn: Option<String>,
}

#[derive(Deserialize)]
struct Destinations {
    #[serde(default)]
    tn: Vec<String>,
}

impl Passport {
    /// Reads the value of an Identity header. `None` where it vouches for something else than a caller's number, such
    /// as for a diversion (RFC 8946).
    ///
    /// # Errors
    /// [`Fault::Unreadable`].
    pub fn read(value: &str) -> Result<Option<Self>, Fault> {
        let mut parts = value.split(';').map(str::trim);
        let token = parts.next().unwrap_or_default();
        let (mut info, mut kind, mut algorithm) = (None, None, None);
        for part in parts {
            let Some((name, value)) = part.split_once('=') else { continue };
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "info" => info = value.strip_prefix('<').and_then(|value| value.strip_suffix('>')),
                "ppt" => kind = Some(value.trim_matches('"')),
                "alg" => algorithm = Some(value.trim_matches('"')),
                _ => {}
            }
        }
        if kind.is_some_and(|kind| kind != KIND) {
            return Ok(None);
        }
        let unreadable = Fault::Unreadable;
        let (signed, signature) = token.rsplit_once('.').ok_or(unreadable)?;
        let (header, claims) = signed.split_once('.').ok_or(unreadable)?;
        let header: Protected = part(header)?;
        if header.ppt.as_deref() != Some(KIND) {
            return Ok(None);
        }
        let is_passport = header.typ.is_none_or(|typ| typ == "passport");
        let is_known = header.alg == ALGORITHM && algorithm.is_none_or(|algorithm| algorithm == ALGORITHM);
        // The certificate is the one that was signed for (RFC 8224 section 6.2).
        if !is_passport || !is_known || info != Some(header.x5u.as_str()) {
            return Err(unreadable);
        }
        let claims: Claims = part(claims)?;
        let attestation = match claims.attest.as_str() {
            "A" => Grade::Full,
            "B" => Grade::Partial,
            "C" => Grade::Gateway,
            _ => return Err(unreadable),
        };
        Ok(Some(Self {
            signed: signed.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| unreadable)?,
            certificate: header.x5u,
            attestation,
            from: claims.orig.tn.and_then(|number| canonical(&number, "")).ok_or(unreadable)?,
            to: claims.dest.tn.iter().take(NUMBERS_MAX).filter_map(|number| canonical(number, "")).collect(),
            issued_s: claims.iat,
        }))
    }

    /// Whether it is about this call, and of now.
    ///
    /// # Errors
    /// [`Fault::Stale`] where it is not within `fresh_s` of now, [`Fault::OtherNumbers`] where it is about
    /// another call.
    pub fn fits(&self, said: &Said, now_s: i64, fresh_s: i64) -> Result<(), Fault> {
        if now_s.saturating_sub(self.issued_s).saturating_abs() > fresh_s {
            return Err(Fault::Stale);
        }
        let is_any = |said_numbers: &[String], vouched: &[String]| {
            let mut numbers = said_numbers.iter().filter_map(|number| canonical(number, &said.country));
            numbers.any(|number| vouched.contains(&number))
        };
        let is_theirs = is_any(&said.from, std::slice::from_ref(&self.from)) && is_any(&said.to, &self.to);
        if is_theirs { Ok(()) } else { Err(Fault::OtherNumbers) }
    }

    /// What was signed, and the signature: r and s, 32 bytes each (RFC 7518 section 3.4).
    #[must_use]
    pub fn signed(&self) -> (&[u8], &[u8]) {
        (self.signed.as_bytes(), &self.signature)
    }

    /// Where the certificate is.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The number that is vouched for.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// What it says, once all else is proven.
    #[must_use]
    pub const fn attestation(&self) -> Grade {
        self.attestation
    }
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Fault::Unreadable)?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "https://cert.example.org/passport.cer";

    fn value(header: &str, claims: &str, parameters: &str) -> String {
        let text = |json: &str| URL_SAFE_NO_PAD.encode(json);
        format!("{}.{}.{}{parameters}", text(header), text(claims), URL_SAFE_NO_PAD.encode([7; 64]))
    }

    fn usual() -> (String, String, String) {
        (
            format!(r#"{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{CERTIFICATE}"}}"#),
            r#"{"attest":"A","dest":{"tn":["12125551213"]},"iat":1443208345,"orig":{"tn":"12155551212"},"origid":"1"}"#
                .to_owned(),
            format!(";info=<{CERTIFICATE}>;alg=ES256;ppt=\"shaken\""),
        )
    }

    fn said(from: &str, to: &str) -> Said {
        Said { from: vec![from.to_owned()], to: vec![to.to_owned()], country: "1".to_owned() }
    }

    #[test]
    fn the_token_of_rfc_8588_is_read_and_is_about_its_call_alone() {
        let (header, claims, parameters) = usual();
        let passport = Passport::read(&value(&header, &claims, &parameters)).unwrap().expect("one");
        assert_eq!(passport.attestation(), Grade::Full);
        assert_eq!((passport.certificate(), passport.from()), (CERTIFICATE, "12155551212"));
        assert_eq!(passport.signed().1, [7; 64]);
        for (said, now_s, expected) in [
            (said("+12155551212", "+12125551213"), 1_443_208_345, Ok(())),
            (said("2155551212", "(212) 555-1213"), 1_443_208_400, Ok(())),
            (said("+12155551213", "+12125551213"), 1_443_208_345, Err(Fault::OtherNumbers)),
            (said("+12155551212", "+12125551214"), 1_443_208_345, Err(Fault::OtherNumbers)),
            (said("anonymous", "+12125551213"), 1_443_208_345, Err(Fault::OtherNumbers)),
            (said("+12155551212", "+12125551213"), 1_443_208_406, Err(Fault::Stale)),
            (said("+12155551212", "+12125551213"), 1_443_208_284, Err(Fault::Stale)),
            (said("+12155551212", "+12125551213"), i64::MIN, Err(Fault::Stale)),
        ] {
            assert_eq!(passport.fits(&said, now_s, 60), expected, "{said:?}");
        }
    }

    #[test]
    fn what_is_of_another_kind_is_passed_over_and_what_is_broken_is_not_believed() {
        let (header, claims, parameters) = usual();
        for other in [
            value(&header.replace("shaken", "div"), &claims, &parameters.replace("shaken", "div")),
            value(
                &header.replace(r#""ppt":"shaken","#, ""),
                &claims,
                &parameters.replace(";ppt=\"shaken\"", ""),
            ),
        ] {
            assert_eq!(Passport::read(&other), Ok(None), "{other}");
        }
        for wrong in [
            String::new(),
            "a.b.c".to_owned(),
            value(&header, &claims, ""),
            value(&header, &claims, ";info=<https://elsewhere.example/c.pem>"),
            value(&header.replace("ES256", "none"), &claims, &parameters),
            value(&header, &claims, &parameters.replace("ES256", "HS256")),
            value(&header.replace("passport", "JWT"), &claims, &parameters),
            value(&header, &claims.replace(r#""A""#, r#""D""#), &parameters),
            value(&header, &claims.replace(r#""tn":"12155551212""#, r#""uri":"sip:a@b""#), &parameters),
            value(&header, "{}", &parameters),
            value(&header, &claims, &parameters).replace(".Bwc", ".+++"),
        ] {
            assert_eq!(Passport::read(&wrong), Err(Fault::Unreadable), "{wrong}");
        }
    }
}
