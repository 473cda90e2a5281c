//! What the caller's own network vouches for, where it says so (STIR/SHAKEN: RFC 8224, RFC 8588, ATIS-1000074).

use serde::{Deserialize, Serialize};

/// How far the caller's network stands by the number that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Attestation {
    /// Nothing was said, or nobody here checks it.
    #[default]
    Absent,
    /// A: it knows its customer, who may use the number.
    Full,
    /// B: it knows its customer, but not that the number is theirs.
    Partial,
    /// C: it only knows where the call came in from.
    Gateway,
    /// Something was said that does not hold.
    Failed(Distrust),
}

/// Why what was said of a caller's number does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distrust {
    /// It can't be read, or is of a kind that nobody here knows.
    Unreadable,
    /// It was said too long ago, or is of the future.
    Stale,
    /// It is about other numbers than those of the call.
    OtherNumbers,
    /// Its certificate could not be had in time, or is where none is fetched from.
    NoCertificate,
    /// Its certificate is expired, or comes from nobody who is trusted with telephone numbers.
    Untrusted,
    /// It was not signed by that certificate, or was changed since.
    Forged,
    /// A carrier has checked it for us, and does not say why.
    Unexplained,
}

impl Attestation {
    /// Whether there is nothing to go by.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        *self == Self::Absent
    }

    /// Its name, as in records and for people who read them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "none",
            Self::Full => "A",
            Self::Partial => "B",
            Self::Gateway => "C",
            Self::Failed(_) => "failed",
        }
    }
}

impl Distrust {
    /// Its name, as in metric labels and for people who read them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Stale => "stale",
            Self::OtherNumbers => "other numbers",
            Self::Unexplained => "unexplained",
            Self::NoCertificate => "no certificate",
            Self::Untrusted => "untrusted certificate",
            Self::Forged => "forged",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Attestation, Distrust};

    #[test]
    fn it_is_written_by_name_and_read_again() {
        for (attestation, written) in [
            (Attestation::Full, r#""full""#),
            (Attestation::Gateway, r#""gateway""#),
            (Attestation::Failed(Distrust::OtherNumbers), r#"{"failed":"other_numbers"}"#),
        ] {
            assert_eq!(serde_json::to_string(&attestation).unwrap(), written);
            assert_eq!(serde_json::from_str::<Attestation>(written).unwrap(), attestation);
        }
    }
}
