//! Keys by DTLS (RFC 5763, RFC 8842) and the ways between two (ICE, RFC 8839), as descriptions tell of them.

use serde::{Deserialize, Serialize};

/// How a certificate is told (RFC 8122 section 5); weaker ones are not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A certificate's fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// What it was made by.
    pub hash: Hash,
    /// Itself.
    pub bytes: Vec<u8>,
}

impl Fingerprint {
    /// Reads the value of an `a=fingerprint`. `None` for one that is not believed.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (name, digits) = value.trim().split_once(' ')?;
        let hash = Hash::ALL.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name))?;
        let bytes: Vec<u8> = digits
            .trim()
            .split(':')
            .map(|two| match two.as_bytes() {
                [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    u8::from_str_radix(two, 16).ok()
                }
                _ => None,
            })
            .collect::<Option<_>>()?;
        (bytes.len() == hash.bytes()).then_some(Self { hash, bytes })
    }

    fn attribute(&self) -> String {
        let digits: Vec<String> = self.bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("a=fingerprint:{} {}\r\n", self.hash.name(), digits.join(":"))
    }
}

/// Who begins (RFC 4145 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setup {
    /// Who says it.
    Active,
    /// Who hears it.
    Passive,
    /// Whoever hears it chooses.
    Either,
}

impl Setup {
    pub(super) fn parse(value: &str) -> Option<Self> {
        match value.trim() {
            "active" => Some(Self::Active),
            "passive" => Some(Self::Passive),
            "actpass" => Some(Self::Either),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Either => "actpass",
        }
    }

    fn attribute(self) -> String {
        format!("a=setup:{}\r\n", self.name())
    }
}

/// A description of ours that leaves it to whoever answers who begins, whatever it said before.
pub(super) fn left_open(description: &str) -> String {
    let decided = [Setup::Active, Setup::Passive];
    decided.into_iter().fold(description.to_owned(), |description, setup| {
        description.replace(&setup.attribute(), &Setup::Either.attribute())
    })
}

/// What was agreed on about keys by DTLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// We begin.
    pub begins: bool,
    /// The far side's certificate.
    pub theirs: Fingerprint,
}

/// A name and a password for connectivity checks. Never shown whole.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// `a=ice-ufrag`.
    pub fragment: String,
    /// `a=ice-pwd`.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").field("fragment", &self.fragment).finish_non_exhaustive()
    }
}

/// What was agreed on about connectivity checks: the far side makes them, we answer (RFC 8445 section 2.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connectivity {
    /// Ours.
    pub ours: Credentials,
    /// The far side's name.
    pub theirs: String,
}

/// Whether a value may stand in `a=ice-ufrag` or `a=ice-pwd` (RFC 8839 section 5.4).
pub(super) fn is_ice(value: &str, least: usize) -> bool {
    (least..=256).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

/// What of all this a stream of ours says.
#[derive(Debug, Clone, Default)]
pub(super) struct Written<'a> {
    pub(super) certificate: Option<(&'a Fingerprint, Setup)>,
    pub(super) checks: Option<&'a Credentials>,
    pub(super) multiplexed: bool,
    /// Its name in a bundle.
    pub(super) name: Option<&'a str>,
}

impl Written<'_> {
    /// The attributes of a stream whose packets are wanted at `local`.
    pub(super) fn attributes(&self, local: std::net::SocketAddr) -> String {
        let mut text = String::new();
        if let Some((fingerprint, setup)) = self.certificate {
            text.push_str(&setup.attribute());
            text.push_str(&fingerprint.attribute());
        }
        if let Some(ours) = self.checks {
            text.push_str(&format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", ours.fragment, ours.password));
            // One way only, and that of the highest priority (RFC 8445 section 5.1.2.1).
            text.push_str(&format!(
                "a=candidate:1 1 UDP 2130706431 {} {} typ host\r\na=end-of-candidates\r\n",
                local.ip(),
                local.port()
            ));
        }
        if self.multiplexed {
            text.push_str("a=rtcp-mux\r\n");
        }
        if let Some(name) = self.name {
            text.push_str(&format!("a=mid:{name}\r\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_written() {
        let text = format!("sha-256 {}", ["AB"; 32].join(":"));
        let read = Fingerprint::parse(&text).unwrap();
        assert_eq!(read.attribute(), format!("a=fingerprint:{text}\r\n"));
        assert_eq!(Fingerprint::parse(&text.to_lowercase()), Some(read));
        for wrong in [
            format!("sha-1 {}", ["AB"; 20].join(":")),
            format!("md5 {}", ["AB"; 16].join(":")),
            format!("sha-256 {}", ["AB"; 31].join(":")),
            format!("sha-256 {}", ["A"; 32].join(":")),
            format!("sha-256 {}", ["+1"; 32].join(":")),
            "sha-256".to_owned(),
        ] {
            assert_eq!(Fingerprint::parse(&wrong), None, "{wrong}");
        }
    }
}
