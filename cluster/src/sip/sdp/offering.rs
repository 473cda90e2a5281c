//! Our own offers, and the answers to them.

use super::choosing::Keys;
use super::crypto::{Keying, Suite};
use super::handshake::{self, Setup};
use super::negotiation::PACKET_MS;
use super::writing::{BROWSERS, BY_HANDSHAKE, Framing, PLAIN, SECURE, Written, session_lines};
use super::{Agreed, Codec, Direction, KeyManagement, Negotiation, Protection, Unacceptable, parse};

/// The payload type of telephone events in our own offers.
const TELEPHONE_EVENT: u8 = 101;
/// The same at the clock of Opus.
const TELEPHONE_EVENT_48: u8 = 102;
/// The name of our only stream where it has to have one.
const NAME: &str = "0";

/// How what we offer is protected.
enum Way {
    Not,
    /// By a key for each of these.
    Described(Vec<Suite>),
    ByHandshake,
}

impl Negotiation {
    /// Makes an offer: all codecs, both ways; while the far side holds us, still both ways, so that it may
    /// resume. What was agreed on about keys, checks and ports goes on so, whoever offers.
    pub fn offer(&mut self) -> Vec<u8> {
        if self.agreed.is_none() {
            self.framing = self.first_framing();
        }
        let codecs: Vec<(Codec, u8)> =
            self.codecs.iter().map(|codec| (*codec, codec.payload_type())).collect();
        let by_handshake = matches!(self.way(), Way::ByHandshake);
        let checks =
            self.agreed.as_ref().map_or(self.framing.bundled, |agreed| agreed.connectivity.is_some());
        let ours = self.credentials(self.restarts).filter(|_| checks);
        let multiplexed = self.agreed.as_ref().map_or(by_handshake, |agreed| agreed.multiplexed);
        let crypto = self.offered();
        let stream = Written {
            codecs: &codecs,
            telephone_events: &[(TELEPHONE_EVENT, 8_000), (TELEPHONE_EVENT_48, 48_000)],
            comfort_noise: self.comfort_noise,
            direction: Direction::SendReceive,
            packet_ms: PACKET_MS,
            crypto: &crypto,
            protocol: &self.framing.protocol,
            terms: handshake::Written {
                // Either, in mid-call too: whoever answers keeps the roles (RFC 8842 section 5.5).
                certificate: self
                    .certificate
                    .as_ref()
                    .filter(|_| by_handshake)
                    .map(|own| (own, Setup::Either)),
                checks: ours.as_ref(),
                multiplexed,
                name: self.framing.name.as_deref(),
            },
        }
        .lines(self.local);
        let lines = session_lines(ours.is_some(), &self.framing);
        self.versioned(&format!("{lines}{stream}"))
    }

    /// How a first offer is written.
    fn first_framing(&self) -> Framing {
        let written = |protocol: &str| Framing { protocol: protocol.to_owned(), ..Framing::default() };
        match self.way() {
            Way::Not => written(PLAIN),
            Way::Described(_) => written(SECURE),
            Way::ByHandshake if self.browsers => {
                Framing { name: Some(NAME.to_owned()), bundled: true, ..written(BROWSERS) }
            }
            Way::ByHandshake => written(BY_HANDSHAKE),
        }
    }

    /// How what we offer now is protected: as it was agreed on, else as the settings say.
    fn way(&self) -> Way {
        match &self.agreed {
            Some(Agreed { handshake: Some(_), .. }) => Way::ByHandshake,
            Some(Agreed { protected: Some(two), .. }) => Way::Described(vec![two.ours.suite]),
            Some(_) => Way::Not,
            None if self.browsers && self.certificate.is_some() => Way::ByHandshake,
            None if self.protection == Protection::Accepted => Way::Not,
            None if self.keys == KeyManagement::Dtls && self.certificate.is_some() => Way::ByHandshake,
            None if self.secret.is_some() => Way::Described(Suite::ALL.to_vec()),
            None => Way::Not,
        }
    }

    /// Our keys as we offer them: the suite that is in use, or all of them.
    fn offered(&self) -> Vec<(u32, Keying)> {
        let Way::Described(suites) = self.way() else { return Vec::new() };
        (1..).zip(suites).filter_map(|(tag, suite)| Some((tag, self.secret.as_ref()?.key(suite)))).collect()
    }

    /// Takes the far side's answer to our offer. What was offered with keys is not agreed on without, nor with keys
    /// of another kind.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn accept(&mut self, answer: &[u8]) -> Result<(), Unacceptable> {
        let description = parse(answer)?;
        let choice = self.choose(&description)?;
        match (&choice.keys, self.way()) {
            (Keys::Not, Way::Not) | (Keys::ByHandshake(..), Way::ByHandshake) => {}
            (Keys::Described(_, theirs), Way::Described(suites)) if suites.contains(&theirs.suite) => {}
            (Keys::Not, _) => return Err(Unacceptable::Unprotected),
            (Keys::Described(..), Way::ByHandshake) => return Err(Unacceptable::NoFingerprint),
            (Keys::Described(..), _) => return Err(Unacceptable::NoSuite),
            (Keys::ByHandshake(..), _) => return Err(Unacceptable::Transport),
        }
        self.agreed = Some(self.agree(&description, &choice, true)?);
        Ok(())
    }
}
