//! Digest authentication of those who call us (RFC 3261 section 22, RFC 7616, RFC 8760): challenges, and what
//! answers them is worth.
//!
//! A nonce carries its own time and a keyed hash, so that nothing is kept for those who were only asked. Which
//! count of a nonce was used last is kept for those who answered well: a captured answer is good for nothing.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sipx_sip::auth::{Challenge, Credentials, respond as answer_to};

use super::wire::{self, HeaderName, Request};

/// A hash that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// What every device has; weak, but the password itself never travels.
    #[serde(rename = "MD5")]
    Md5,
    /// The one to prefer (RFC 8760).
    #[serde(rename = "SHA-256")]
    Sha256,
}

impl Algorithm {
    const fn of(self) -> sipx_sip::auth::Algorithm {
        match self {
            Self::Md5 => sipx_sip::auth::Algorithm::Md5,
            Self::Sha256 => sipx_sip::auth::Algorithm::Sha256,
        }
    }
}

/// What is behind the answer to a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The user is who it says.
    Known,
    /// There is no answer to a challenge of ours: ask.
    Unasked,
    /// The answer is good, but the nonce is too old or was used: ask again; the password need not be typed again.
    Stale,
    /// Wrong user or password.
    Wrong,
    /// The answer is good, but to a request for another URI (RFC 7616 section 3.4.6).
    OtherUri,
}

/// The fields of an Authorization header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who says to call.
    pub user: String,
    realm: String,
    nonce: String,
    uri: String,
    response: String,
    algorithm: Option<String>,
    cnonce: String,
    count: u32,
    has_qop: bool,
}

/// The answer to a challenge that a request carries, by whatever realm.
#[must_use]
pub fn answer_in(request: &Request) -> Option<Answer> {
    request.headers.get_all(&HeaderName::Authorization).find_map(|header| {
        let text = String::from_utf8_lossy(&header.value()).into_owned();
        let rest = text.trim().get(..6).filter(|scheme| scheme.eq_ignore_ascii_case("digest"))?.len();
        let fields = fields(text.trim().get(rest..)?);
        let field = |name: &str| fields.get(name).cloned();
        Some(Answer {
            user: field("username")?,
            realm: field("realm")?,
            nonce: field("nonce")?,
            uri: field("uri")?,
            response: field("response")?,
            algorithm: field("algorithm"),
            cnonce: field("cnonce").unwrap_or_default(),
            count: field("nc").and_then(|count| u32::from_str_radix(&count, 16).ok()).unwrap_or_default(),
            has_qop: field("qop").is_some_and(|qop| qop.eq_ignore_ascii_case("auth")),
        })
    })
}

/// `name=value` and `name="value"`, parted by commas.
fn fields(text: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', '\t', ',', '\r', '\n']).to_ascii_lowercase();
        let after = after.trim_start();
        let mut value = String::new();
        let mut characters = after.char_indices();
        let quoted = after.starts_with('"');
        if quoted {
            characters.next();
        }
        let mut end = after.len();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' if quoted => value.extend(characters.next().map(|(_, escaped)| escaped)),
                '"' if quoted => {
                    end = at + 1;
                    break;
                }
                ',' if !quoted => {
                    end = at;
                    break;
                }
                _ => value.push(character),
            }
        }
        found.entry(name).or_insert_with(|| if quoted { value } else { value.trim().to_owned() });
        rest = after.get(end..).unwrap_or_default();
    }
    found
}

/// Asks and checks. `now_ms` is any clock that never goes back, the same for all calls.
#[derive(Debug)]
pub struct Digest {
    realm: String,
    algorithms: Vec<Algorithm>,
    nonce_ms: u64,
    nonces_max: usize,
    secret: String,
    used: HashMap<String, Used>,
}

/// The last use of a nonce.
#[derive(Debug)]
struct Used {
    count: u32,
    /// Call-ID and sequence number of the request; the same may come again.
    request: (Vec<u8>, u32),
    at_ms: u64,
}

impl Digest {
    /// One with this realm and a secret that nobody can guess.
    #[must_use]
    pub fn new(
        realm: &str,
        algorithms: &[Algorithm],
        nonce_ms: u64,
        nonces_max: usize,
        secret: [u8; 32],
    ) -> Self {
        Self {
            realm: realm.to_owned(),
            algorithms: algorithms.to_vec(),
            nonce_ms,
            nonces_max,
            secret: hex(&secret),
            used: HashMap::new(),
        }
    }

    /// The values of the WWW-Authenticate headers of a 401, the preferred one first (RFC 8760 section 2.3).
    #[must_use]
    pub fn challenges(&self, now_ms: u64, random: u64, stale: bool) -> Vec<String> {
        let stamp = format!("{now_ms:016x}{random:016x}");
        let nonce = format!("{stamp}{}", self.seal(&stamp));
        let stale = if stale { ", stale=true" } else { "" };
        self.algorithms
            .iter()
            .map(|algorithm| {
                format!(
                    "Digest realm=\"{}\", nonce=\"{nonce}\", algorithm={}, qop=\"auth\"{stale}",
                    self.realm,
                    algorithm.of().as_str()
                )
            })
            .collect()
    }

    /// What the answer in a request is worth, for a user with this password. No password stands for a user that
    /// there is not: it takes as long.
    #[must_use]
    pub fn judge(
        &mut self,
        now_ms: u64,
        request: &Request,
        answer: &Answer,
        password: Option<&str>,
    ) -> Verdict {
        let Some(at_ms) = self.issued_at(&answer.nonce).filter(|_| answer.realm == self.realm) else {
            return Verdict::Unasked;
        };
        let named = answer.algorithm.as_deref().unwrap_or("MD5");
        let algorithm = self.algorithms.iter().find(|one| one.of().as_str().eq_ignore_ascii_case(named));
        let Some(algorithm) = algorithm.filter(|_| answer.has_qop) else { return Verdict::Unasked };
        // An answer is to one request: its URI is the request's (RFC 7616 section 3.4.6).
        let own_uri = String::from_utf8_lossy(&request.uri.to_bytes()).into_owned();
        let same_uri = super::destination::uri(&answer.uri).is_some_and(|uri| uri.equivalent(&request.uri));
        let expected = self.expected(*algorithm, request, answer, password.unwrap_or_default());
        let right = equal(expected.as_bytes(), answer.response.to_ascii_lowercase().as_bytes());
        if !right || password.is_none() {
            return Verdict::Wrong;
        }
        if !same_uri && own_uri != answer.uri {
            return Verdict::OtherUri;
        }
        if now_ms.saturating_sub(at_ms) > self.nonce_ms {
            return Verdict::Stale;
        }
        self.use_once(now_ms, request, answer)
    }

    fn use_once(&mut self, now_ms: u64, request: &Request, answer: &Answer) -> Verdict {
        let call_id = request.headers.value(&HeaderName::CallId).unwrap_or_default().into_owned();
        let this = (call_id, wire::sequence(&request.headers).unwrap_or_default());
        if let Some(used) = self.used.get(&answer.nonce)
            && (answer.count < used.count || (answer.count == used.count && used.request != this))
        {
            return Verdict::Stale;
        }
        if self.used.len() >= self.nonces_max && !self.used.contains_key(&answer.nonce) {
            let nonce_ms = self.nonce_ms;
            self.used.retain(|_, used| now_ms.saturating_sub(used.at_ms) <= nonce_ms);
            // None can be told from a replay any more; a new challenge costs one round trip.
            if self.used.len() >= self.nonces_max {
                return Verdict::Stale;
            }
        }
        let at_ms = self.issued_at(&answer.nonce).unwrap_or(now_ms);
        self.used.insert(answer.nonce.clone(), Used { count: answer.count, request: this, at_ms });
        Verdict::Known
    }

    /// When this nonce was issued; `None` for one that is not ours.
    fn issued_at(&self, nonce: &str) -> Option<u64> {
        let (stamp, seal) = (nonce.get(..32)?, nonce.get(32..)?);
        if !equal(self.seal(stamp).as_bytes(), seal.as_bytes()) {
            return None;
        }
        u64::from_str_radix(stamp.get(..16)?, 16).ok()
    }

    /// A keyed hash: the answer of the one who knows our secret to a challenge with this text. The text has one
    /// length, so that nobody can extend it.
    fn seal(&self, stamp: &str) -> String {
        let challenge = challenge("seal", stamp, sipx_sip::auth::Algorithm::Sha256);
        response(&challenge, &Credentials::new("strowger", self.secret.as_str()), "SEAL", "", 1, "")
    }

    fn expected(&self, algorithm: Algorithm, request: &Request, answer: &Answer, password: &str) -> String {
        let challenge = challenge(&self.realm, &answer.nonce, algorithm.of());
        let credentials = Credentials::new(answer.user.as_str(), password);
        let method = request.method.to_string();
        response(&challenge, &credentials, &method, &answer.uri, answer.count, &answer.cnonce)
    }
}

fn challenge(realm: &str, nonce: &str, algorithm: sipx_sip::auth::Algorithm) -> Challenge {
    Challenge {
        realm: realm.to_owned(),
        nonce: nonce.to_owned(),
        opaque: None,
        algorithm,
        qop_auth: true,
        stale: false,
        from_proxy: false,
    }
}

/// The `response` of an answer.
fn response(
    challenge: &Challenge,
    credentials: &Credentials,
    method: &str,
    uri: &str,
    count: u32,
    cnonce: &str,
) -> String {
    let header = answer_to(challenge, credentials, method, uri, count, cnonce);
    fields(header.trim_start_matches("Digest")).remove("response").unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares without telling by its time where the difference is.
fn equal(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0_u8, |differs, (one, other)| differs | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differs) == 0
}

#[cfg(test)]
mod tests;
