//! What we are towards a provider: `[sip.trunk.account]`.

use std::path::PathBuf;

use actors::types::Private;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::sip::destination;
use crate::sip::location::Wanted;
use crate::sip::proof;
use crate::sip::wire::Uri;

/// An account of ours at a provider: by it we register, and prove who we are when we call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The provider, as a SIP URI: `sip:carrier.example`, `sip:sip.carrier.example:5061;transport=tls`.
    pub server: String,
    /// The user that we are.
    pub user: String,
    /// The name that goes with the password, where it is another than the user.
    #[serde(default)]
    pub login: String,
    /// The password, where it does not stand in a file of its own.
    #[serde(default)]
    pub password: Private<String>,
    /// The file with the password; its last line break does not count.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The only realm that the password is proved to; empty for any that asks.
    #[serde(default)]
    pub realm: String,
    /// Our address of record, a SIP URI; empty for the user at the provider.
    #[serde(default)]
    pub identity: String,
    /// Whether we register, so that the provider knows where we are.
    #[serde(default = "yes")]
    pub register: bool,
    /// For how long, in seconds. The provider may grant another time.
    #[serde(default = "expires_s")]
    pub expires_s: u32,
    /// The number that is called where the provider does not say which: a line with one number.
    #[serde(default)]
    pub number: String,
}

const fn yes() -> bool {
    true
}

const fn expires_s() -> u32 {
    600
}

impl Account {
    /// The URI of the provider.
    pub(super) fn uri(&self) -> Option<Uri> {
        destination::uri(&self.server)
    }

    /// Where the provider is looked for.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        Wanted::of(&self.uri()?)
    }

    /// The URI of its domain alone, as a REGISTER names it (RFC 3261 section 10.2).
    pub(super) fn registrar(&self) -> Option<String> {
        let uri = self.uri()?;
        let scheme = if uri.scheme().is_secure() { "sips" } else { "sip" };
        Some(format!("{scheme}:{}", String::from_utf8_lossy(&uri.host()?.to_bytes())))
    }

    /// Our address of record.
    pub(super) fn identity(&self) -> Option<String> {
        if !self.identity.is_empty() {
            return Some(self.identity.clone());
        }
        let registrar = self.registrar()?;
        let (scheme, host) = registrar.split_once(':')?;
        Some(format!("{scheme}:{}@{host}", self.user))
    }

    /// What proves who we are.
    pub(super) fn proof(&self) -> Result<proof::Account, String> {
        let password = match &self.password_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|why| format!("password_file {}: {why}", file.display()))?;
                text.strip_suffix('\n')
                    .map(|text| text.strip_suffix('\r').unwrap_or(text))
                    .unwrap_or(&text)
                    .to_owned()
            }
            None => self.password.reveal().clone(),
        };
        let user = if self.login.is_empty() { self.user.clone() } else { self.login.clone() };
        let realm = (!self.realm.is_empty()).then(|| self.realm.clone());
        Ok(proof::Account { user, password, realm })
    }

    /// What is wrong with it, if anything.
    pub(super) fn check(&self, trunk: &str) -> Result<(), Error> {
        let wrong = |mend| Err(Error::Trunk { name: trunk.to_owned(), mend });
        if self.wanted().is_none() {
            return wrong("write account.server as sip:carrier.example or sips:carrier.example:5061");
        }
        let plain =
            |character: char| character.is_ascii_alphanumeric() || "-_.!~*'()&=+$,;?/%".contains(character);
        if self.user.is_empty() || !self.user.chars().all(plain) {
            return wrong("give account.user, as it stands in a SIP URI before the @");
        }
        if !self.identity.is_empty() && destination::uri(&self.identity).is_none() {
            return wrong("write account.identity as sip:user@carrier.example");
        }
        if !(30..=86_400).contains(&self.expires_s) {
            return wrong("account.expires_s has to be between 30 and 86400");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(more: &str) -> Account {
        toml::from_str(&format!(
            "server = \"sip:sip.carrier.example:5070;transport=tcp\"\nuser = \"alice\"\n{more}"
        ))
        .unwrap()
    }

    #[test]
    fn what_is_not_said_follows_from_the_rest() {
        let plain = account("");
        assert_eq!(plain.registrar().as_deref(), Some("sip:sip.carrier.example"));
        assert_eq!(plain.identity().as_deref(), Some("sip:alice@sip.carrier.example"));
        assert!(plain.register && plain.expires_s == 600 && plain.check("t").is_ok());
        let wanted = plain.wanted().unwrap();
        assert_eq!((wanted.port, wanted.transport), (Some(5070), Some(destination::Transport::Tcp)));
        let named =
            account("identity = \"sip:+442079460001@carrier.example\"\nlogin = \"al\"\nrealm = \"r\"");
        assert_eq!(named.identity().as_deref(), Some("sip:+442079460001@carrier.example"));
        let proof = named.proof().unwrap();
        assert_eq!((proof.user.as_str(), proof.realm.as_deref()), ("al", Some("r")));
    }

    #[test]
    fn the_password_comes_from_its_file_and_a_missing_one_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "pass word \r\n").unwrap();
        let kept = account(&format!("password_file = \"{}\"", file.path().display()));
        assert_eq!(kept.proof().unwrap().password, "pass word ");
        assert!(!format!("{kept:?}").contains("pass word"));
        assert!(account("password_file = \"/nowhere\"").proof().unwrap_err().contains("/nowhere"));
    }

    #[test]
    fn what_can_not_be_an_account_is_told() {
        for (wrong, says) in [
            (Account { server: "carrier.example".into(), ..account("") }, "account.server"),
            (Account { user: "a b".into(), ..account("") }, "account.user"),
            (Account { identity: "alice".into(), ..account("") }, "account.identity"),
            (Account { expires_s: 5, ..account("") }, "account.expires_s"),
        ] {
            assert!(wrong.check("t").unwrap_err().to_string().contains(says), "{wrong:?}");
        }
    }
}
