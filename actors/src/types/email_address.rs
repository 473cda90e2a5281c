//! E-mail addresses.

use serde::{Deserialize, Serialize};

/// The longest local part and the longest domain, in bytes (RFC 5321 section 4.5.3.1).
const LOCAL_BYTES_MAX: usize = 64;
const DOMAIN_BYTES_MAX: usize = 255;

/// An e-mail address as it is compared: in lower case, without spaces around it.
///
/// RFC 5321 leaves the case of what is before the `@` to its server; no server in use tells two people apart by it.
/// Not proof that the mailbox exists. Personal: wrap it in [`super::Private`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address. `None` where it is not one name, an `@`, and a domain with a dot in it: quoted names,
    /// comments and addresses of machines without a domain are not taken.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.rsplit_once('@')?;
        let plain = |part: &str, most: usize| {
            let is_plain = |character: char| !character.is_whitespace() && !character.is_control();
            (1..=most).contains(&part.len())
                && part.chars().all(|character| is_plain(character) && !"@\"(),:;<>[]\\".contains(character))
                && part.split('.').all(|label| !label.is_empty())
        };
        let sound = plain(local, LOCAL_BYTES_MAX) && plain(domain, DOMAIN_BYTES_MAX) && domain.contains('.');
        sound.then_some(Self(text))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_however_it_is_written() {
        let ada = EmailAddress::parse("ada.quill+work@example.com").expect("an address");
        for text in ["  Ada.Quill+work@Example.COM\n", "ADA.QUILL+WORK@EXAMPLE.COM"] {
            assert_eq!(EmailAddress::parse(text).as_ref(), Some(&ada), "{text}");
        }
        assert_eq!(ada.as_str(), "ada.quill+work@example.com");
        assert!(EmailAddress::parse("Jürgen@Bücher.example").is_some());
    }

    #[test]
    fn what_is_no_address_is_not_taken() {
        let long = format!("{}@example.com", "x".repeat(65));
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "ada@.com",
            "ada@example..com",
            ".ada@example.com",
            "a da@example.com",
            "ada@exam\u{0}ple.com",
            "<ada@example.com>",
            "ada@b@example.com",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(text), None, "{text}");
        }
    }
}
