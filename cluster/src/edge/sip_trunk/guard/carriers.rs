//! The trunks of the settings, looked up by address and by user.

use std::collections::HashMap;
use std::net::IpAddr;

use actors::types::{PhoneNumber, Private};
use ipnet::IpNet;
use parking_lot::RwLock;

use super::super::{Account, Error};
use super::Carrier;
use crate::sip::dialog::Offers;
use crate::sip::sdp::{KeyManagement, Protection};

/// All of them.
#[derive(Debug)]
pub(super) struct Carriers {
    all: Vec<Known>,
    /// Addresses of the providers of trunks that name none.
    learned: RwLock<HashMap<IpAddr, usize>>,
}

/// Addresses of one provider that are taken for its trunk's.
const LEARNED_MAX: usize = 64;

#[derive(Debug)]
struct Known {
    name: String,
    networks: Vec<IpNet>,
    user: String,
    password: Private<String>,
    numbers: Vec<String>,
    account: Option<Account>,
    srtp: Option<Protection>,
    srtp_keys: Option<KeyManagement>,
    offers: Option<Offers>,
}

impl Carriers {
    pub(super) fn new(settings: &[Carrier]) -> Result<Self, Error> {
        let wrong = |name: &str, mend: &'static str| Error::Trunk { name: name.to_owned(), mend };
        let mut all: Vec<Known> = Vec::with_capacity(settings.len());
        for (index, carrier) in settings.iter().enumerate() {
            let name = carrier.name.as_str();
            if name.is_empty() || settings.iter().take(index).any(|other| other.name == name) {
                return Err(wrong(name, "give each trunk a name of its own"));
            }
            let networks: Option<Vec<IpNet>> =
                carrier.addresses.iter().map(|address| network(address)).collect();
            let networks = networks.ok_or_else(|| {
                wrong(name, "write its addresses like 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32")
            })?;
            if carrier.user.is_empty() != carrier.password.reveal().is_empty() {
                return Err(wrong(name, "give both a user and a password, or neither"));
            }
            if networks.is_empty() && carrier.user.is_empty() && carrier.account.is_none() {
                return Err(wrong(name, "give it addresses, or a user and a password, or everybody is it"));
            }
            if let Some(account) = &carrier.account {
                account.check(name)?;
                account.proof().map_err(|why| Error::Password { name: name.to_owned(), why })?;
            }
            if !carrier.user.is_empty() && all.iter().any(|other| other.user == carrier.user) {
                return Err(wrong(name, "another trunk has the same user; a user says which trunk it is"));
            }
            all.push(Known {
                name: carrier.name.clone(),
                networks,
                user: carrier.user.clone(),
                password: carrier.password.clone(),
                numbers: carrier.numbers.clone(),
                account: carrier.account.clone(),
                srtp: carrier.srtp,
                srtp_keys: carrier.srtp_keys,
                offers: carrier.offers,
            });
        }
        Ok(Self { all, learned: RwLock::default() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether this address is of a trunk, or may be.
    pub(super) fn may_talk(&self, source: IpAddr) -> bool {
        self.is_empty() || self.any_is_known_by_password_alone() || self.at(source).is_some()
    }

    /// The trunk that calls from this address: the one with the narrowest network that it is in.
    pub(super) fn at(&self, source: IpAddr) -> Option<usize> {
        let source = source.to_canonical();
        let matching = self.all.iter().enumerate().flat_map(|(index, known)| {
            known.networks.iter().filter(|network| network.contains(&source)).map(move |one| (index, one))
        });
        let narrowest = matching.max_by_key(|(_, network)| network.prefix_len()).map(|(index, _)| index);
        narrowest.or_else(|| self.learned.read().get(&source).copied())
    }

    pub(super) fn name(&self, index: usize) -> &str {
        self.all.get(index).map_or("", |known| known.name.as_str())
    }

    /// What a trunk says itself of how its audio is protected.
    pub(super) fn protection(&self, index: usize) -> (Option<Protection>, Option<KeyManagement>) {
        self.all.get(index).map_or((None, None), |known| (known.srtp, known.srtp_keys))
    }

    /// What a trunk says itself of who offers in calls to it.
    pub(super) fn offers(&self, index: usize) -> Option<Offers> {
        self.all.get(index).and_then(|known| known.offers)
    }

    /// The name of a trunk whose keys are agreed on by DTLS.
    pub(super) fn by_handshake(&self) -> Option<&str> {
        let by_handshake = |known: &&Known| known.srtp_keys == Some(KeyManagement::Dtls);
        self.all.iter().find(by_handshake).map(|known| known.name.as_str())
    }

    pub(super) fn has_password(&self, index: usize) -> bool {
        self.all.get(index).is_some_and(|known| !known.user.is_empty())
    }

    pub(super) fn any_is_known_by_password_alone(&self) -> bool {
        self.all.iter().any(|known| known.networks.is_empty() && !known.user.is_empty())
    }

    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|known| known.name == name)
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = Option<&Account>> {
        self.all.iter().map(|known| known.account.as_ref())
    }

    /// Whether a trunk is known by its provider's addresses: it names none and has no password of its own.
    pub(super) fn learns(&self, index: usize) -> bool {
        self.all.get(index).is_some_and(|known| known.networks.is_empty() && known.user.is_empty())
    }

    /// Takes these for all the addresses of such a trunk.
    pub(super) fn learn(&self, index: usize, addresses: impl Iterator<Item = IpAddr>) {
        if self.learns(index) {
            let mut learned = self.learned.write();
            learned.retain(|_, known| *known != index);
            learned.extend(addresses.take(LEARNED_MAX).map(|address| (address.to_canonical(), index)));
        }
    }

    /// The trunk with this user: the one at the caller's address where there is one, else one that may call
    /// from anywhere.
    pub(super) fn user(&self, user: &str, at: Option<usize>) -> Option<usize> {
        self.all
            .iter()
            .enumerate()
            .find(|(index, known)| {
                !user.is_empty()
                    && known.user == user
                    && at.map_or(known.networks.is_empty(), |at| at == *index)
            })
            .map(|(index, _)| index)
    }

    pub(super) fn password(&self, index: usize) -> &str {
        self.all.get(index).map_or("", |known| known.password.reveal().as_str())
    }

    pub(super) fn may_call(&self, index: usize, number: &str) -> bool {
        let Some(known) = self.all.get(index) else { return false };
        known.numbers.is_empty()
            || known.numbers.iter().any(|start| {
                // Written as people do; what is no number in itself, such as `+`, stands as it is.
                let start =
                    PhoneNumber::parse(start).map_or(start.clone(), |start| start.as_str().to_owned());
                number.starts_with(&start)
            })
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| Some(IpNet::from(text.parse::<IpAddr>().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carrier(name: &str, addresses: &[&str], user: &str) -> Carrier {
        Carrier {
            name: name.to_owned(),
            addresses: addresses.iter().map(|one| (*one).to_owned()).collect(),
            user: user.to_owned(),
            password: Private::new(user.to_owned()),
            numbers: Vec::new(),
            account: None,
            srtp: None,
            srtp_keys: None,
            offers: None,
        }
    }

    #[test]
    fn the_narrowest_network_says_whose_an_address_is() {
        let all = Carriers::new(&[
            carrier("wide", &["198.51.100.0/24", "2001:db8::/32"], ""),
            carrier("narrow", &["198.51.100.7"], "seven"),
            carrier("anywhere", &[], "roaming"),
        ])
        .unwrap();
        let at = |address: &str| all.at(address.parse().unwrap());
        assert_eq!(
            [
                at("198.51.100.6"),
                at("198.51.100.7"),
                at("::ffff:198.51.100.7"),
                at("2001:db8::1"),
                at("192.0.2.1")
            ],
            [Some(0), Some(1), Some(1), Some(0), None]
        );
        assert!(all.may_talk("192.0.2.1".parse().unwrap()), "it may know a password");
        assert_eq!(all.user("seven", Some(1)), Some(1));
        assert_eq!(all.user("seven", None), None, "only from its address");
        assert_eq!((all.user("roaming", None), all.user("roaming", Some(1))), (Some(2), None));
    }

    #[test]
    fn a_trunk_calls_the_numbers_that_it_may() {
        let mut one = carrier("one", &["192.0.2.1"], "");
        one.numbers = vec!["+44 20".to_owned(), "1000".to_owned()];
        let all = Carriers::new(&[one]).unwrap();
        let may = |number: &str| all.may_call(0, number);
        assert_eq!(
            [may("+442079460001"), may("+441619460001"), may("1000"), may("2000")],
            [true, false, true, false]
        );
    }

    #[test]
    fn a_trunk_says_itself_when_audio_is_offered() {
        let written = "name = \"late\"\naddresses = [\"192.0.2.1\"]\noffers = \"delayed\"\n";
        let all =
            Carriers::new(&[toml::from_str(written).unwrap(), carrier("one", &["192.0.2.2"], "")]).unwrap();
        assert_eq!([all.offers(0), all.offers(1), all.offers(2)], [Some(Offers::Delayed), None, None]);
    }

    #[test]
    fn what_can_not_be_a_trunk_is_told_with_its_name() {
        let told = |all: &[Carrier]| Carriers::new(all).unwrap_err().to_string();
        assert!(told(&[carrier("a", &["example.org"], "")]).contains("trunk \"a\""));
        assert!(told(&[carrier("a", &[], "")]).contains("everybody"));
        assert!(told(&[carrier("a", &[], "x"), carrier("b", &[], "x")]).contains("same user"));
        assert!(told(&[carrier("a", &[], "x"), carrier("a", &[], "y")]).contains("name of its own"));
        let mut half = carrier("half", &[], "x");
        half.password = Private::default();
        assert!(told(&[half]).contains("both"));
    }
}
