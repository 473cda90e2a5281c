//! What we bring to offers and answers: codecs, keys, and what the settings say of whom we talk with.

use std::net::SocketAddr;

use super::state::Shard;
use crate::sip::destination::Transport;
use crate::sip::dialog::Offers;
use crate::sip::sdp::{Fingerprint, Hash, KeyManagement, Means, Negotiation, Protection, Secret};

impl Shard {
    /// What we can do with an offer, of this trunk where it is of one.
    pub(super) fn means(&self, trunk: Option<usize>) -> Means<'_> {
        Means {
            protection: self.protection(trunk).0,
            has_secret: true,
            certified: self.shared.media.fingerprint().is_some(),
            codecs: &self.shared.settings.codecs,
        }
    }

    /// Our side of a call's offers and answers, with keys for the case that it is protected. Whoever speaks SIP over
    /// websocket is taken for a browser.
    pub(super) fn negotiation(
        &self,
        key: u64,
        local: SocketAddr,
        transport: Transport,
        trunk: Option<usize>,
    ) -> Negotiation {
        let secret = Secret::from(crate::chance::bytes());
        let (protection, keys) = self.protection(trunk);
        Negotiation::new(local, key >> 1)
            .speaking(self.shared.settings.codecs.clone())
            .comforting(self.shared.media.sends_comfort_noise())
            .certified(self.shared.media.fingerprint().map(|bytes| Fingerprint { hash: Hash::Sha256, bytes }))
            .protected(protection, secret)
            .keyed(keys)
            .for_browsers(matches!(transport, Transport::Ws | Transport::Wss))
    }

    /// When audio is offered in a call that we make: as its trunk says itself, else as with everybody.
    pub(super) fn offers(&self, trunk: Option<usize>) -> Offers {
        let own = trunk.and_then(|trunk| self.shared.guard.offers(trunk));
        own.unwrap_or(self.shared.settings.offers)
    }

    /// When and how a call is protected: as its trunk says itself, else as with everybody.
    fn protection(&self, trunk: Option<usize>) -> (Protection, KeyManagement) {
        let shared = &self.shared;
        let (srtp, keys) = trunk.map_or((None, None), |trunk| shared.guard.protection(trunk));
        (srtp.unwrap_or(shared.settings.srtp), keys.unwrap_or(shared.settings.srtp_keys))
    }
}
