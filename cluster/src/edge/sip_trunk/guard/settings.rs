//! Who may call, and how much.

use actors::types::Private;
use serde::{Deserialize, Serialize};

use crate::sip::dialog::Offers;
use crate::sip::digest::Algorithm;
use crate::sip::sdp::{KeyManagement, Protection};

/// What is dropped, and what is held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Parts of the User-Agent of programs that look for open exchanges. Their requests get no answer.
    pub scanner_agents: Vec<String>,
    /// Parts of the From or To of such programs; the same.
    pub scanner_addresses: Vec<String>,
    /// New calls per second in the long run, from everybody; more get 503.
    pub invites_per_second: u32,
    /// New calls at once, from everybody.
    pub invites_burst: u32,
    /// New calls per second in the long run from one source address; more get no answer by datagram, so that a
    /// carrier's come again a little later and a flood is not answered, and 503 over a connection.
    pub invites_per_second_per_source: u32,
    /// New calls at once from one source address.
    pub invites_burst_per_source: u32,
    /// The name under which we ask for a password.
    pub realm: String,
    /// The hashes that a password may be proved by, the preferred one first: SHA-256, MD5. Devices that know MD5
    /// alone may give up where SHA-256 is offered beside it, so it is to be asked for.
    pub digest_algorithms: Vec<Algorithm>,
    /// How long a challenge may be answered, in milliseconds.
    pub nonce_ms: u64,
    /// Answered challenges that are remembered, so that none is answered twice.
    pub nonces_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
        Self {
            scanner_agents: words(&[
                "friendly-scanner",
                "friendly-request",
                "sipvicious",
                "sundayddr",
                "sipcli",
                "sip-scan",
                "siparmyknife",
                "sipptk",
                "pplsip",
                "vaxsipuseragent",
                "iwar",
            ]),
            scanner_addresses: words(&["sipvicious", "@1.1.1.1", "sip:nm@nm"]),
            invites_per_second: 2_000,
            invites_burst: 4_000,
            invites_per_second_per_source: 1_000,
            invites_burst_per_source: 2_000,
            realm: "strowger".to_owned(),
            digest_algorithms: vec![Algorithm::Md5],
            nonce_ms: 60_000,
            nonces_max: 10_000,
        }
    }
}

/// A carrier or exchange that may call us: a `[[sip.trunk]]`. Where none is configured, everybody may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carrier {
    /// Its name, for people and metrics.
    pub name: String,
    /// Where it calls from: addresses or networks, `203.0.113.0/24`. Empty where its password alone says who it
    /// is.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The user that it proves to be. Empty where its address is enough.
    #[serde(default)]
    pub user: String,
    /// The password of that user.
    #[serde(default)]
    pub password: Private<String>,
    /// The account that we have there: by it we register and call.
    #[serde(default)]
    pub account: Option<super::super::Account>,
    /// The numbers that it may call, each with what may follow left out: `+4420`. Empty for all.
    #[serde(default)]
    pub numbers: Vec<String>,
    /// When audio from and to it is protected, where that is another than with everybody.
    #[serde(default)]
    pub srtp: Option<Protection>,
    /// By what the keys of what we offer it are agreed on, where that is another than with everybody.
    #[serde(default)]
    pub srtp_keys: Option<KeyManagement>,
    /// When audio is offered in calls to it, where that is another time than with everybody.
    #[serde(default)]
    pub offers: Option<Offers>,
}
