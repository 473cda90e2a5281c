//! Offer and answer (RFC 3264) for one audio stream.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::choosing::{Choice, Keys, Means, choose};
use super::crypto::{Keying, Secret, Suite};
use super::handshake::{self, Connectivity, Fingerprint, Handshake, Setup};
use super::writing::{Framing, PLAIN, SECURE, START, Written, refused, session_lines};
use super::{Agreed, Codec, Description, Direction, Media, Protected, Protection, Unacceptable, parse};

/// One call's side of offer and answer: a value, so that it moves with its call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negotiation {
    local: SocketAddr,
    session: u64,
    version: u64,
    written: Vec<u8>,
    agreed: Option<Agreed>,
    protection: Protection,
    /// Whether we know comfort noise.
    comfort_noise: bool,
    /// What our keys come from; without it, nothing is protected.
    secret: Option<Secret>,
    /// Our certificate; without it, no keys are agreed on by DTLS.
    certificate: Option<Fingerprint>,
    /// The codecs that we speak, in the order of our offers.
    codecs: Vec<Codec>,
    framing: Framing,
}

/// The payload type of telephone events in our own offers.
const TELEPHONE_EVENT: u8 = 101;
/// The same at the clock of Opus.
const TELEPHONE_EVENT_48: u8 = 102;
/// Milliseconds of audio in a packet where nobody says otherwise.
const PACKET_MS: u32 = 20;

impl Negotiation {
    /// A new one. `local` is where we want packets; `session` is any number, the same for the whole call.
    #[must_use]
    pub fn new(local: SocketAddr, session: u64) -> Self {
        Self {
            local,
            session,
            version: 0,
            written: Vec::new(),
            agreed: None,
            protection: Protection::Accepted,
            comfort_noise: false,
            secret: None,
            certificate: None,
            codecs: Codec::ALL.to_vec(),
            framing: Framing::default(),
        }
    }

    /// The same, and no other codecs than these are spoken.
    #[must_use]
    pub fn speaking(self, codecs: Vec<Codec>) -> Self {
        Self { codecs, ..self }
    }

    /// The same, and keys are agreed on by DTLS with a far side that offers it, as the owner of this certificate.
    #[must_use]
    pub fn certified(self, certificate: Option<Fingerprint>) -> Self {
        Self { certificate, ..self }
    }

    /// The same, and comfort noise is agreed on where the far side knows it, too.
    #[must_use]
    pub fn comforting(self, comfort_noise: bool) -> Self {
        Self { comfort_noise, ..self }
    }

    /// The same, and audio is protected when `protection` says so, with keys from `secret`.
    #[must_use]
    pub fn protected(self, protection: Protection, secret: Secret) -> Self {
        Self { protection, secret: Some(secret), ..self }
    }

    /// Whether an offer has anything that this side can take.
    ///
    /// # Errors
    /// Why not.
    pub fn takes(&self, offer: &[u8]) -> Result<(), Unacceptable> {
        self.choose(&parse(offer)?).map(|_| ())
    }

    fn choose(&self, description: &Description) -> Result<Choice, Unacceptable> {
        let (has_secret, certified) = (self.secret.is_some(), self.certificate.is_some());
        choose(
            description,
            Means { protection: self.protection, has_secret, certified, codecs: &self.codecs },
        )
    }

    /// Says where we want packets.
    pub const fn place(&mut self, local: SocketAddr) {
        self.local = local;
    }

    /// What was agreed last.
    #[must_use]
    pub const fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_ref()
    }

    /// Answers an offer. Nothing changes where it can't be taken.
    ///
    /// # Errors
    /// Why it can't.
    pub fn answer(&mut self, offer: &[u8]) -> Result<Vec<u8>, Unacceptable> {
        let description = parse(offer)?;
        let choice = self.choose(&description)?;
        let agreed = self.agree(&description, &choice, false)?;
        let crypto: Vec<(u32, Keying)> = match (&choice.keys, &agreed.protected) {
            (Keys::Described(tag, _), Some(two)) => vec![(*tag, two.ours.clone())],
            _ => Vec::new(),
        };
        let chosen = description.media.get(choice.index).ok_or(Unacceptable::NoAudio)?;
        let framing =
            Framing { protocol: chosen.protocol.clone(), name: chosen.name.clone(), bundled: chosen.bundled };
        let events: Vec<(u8, u32)> =
            agreed.telephone_event.iter().map(|event| (*event, agreed.codec.clock_hz())).collect();
        let begins = agreed.handshake.as_ref().map(|handshake| handshake.begins);
        let setup = if begins == Some(true) { Setup::Active } else { Setup::Passive };
        let mut body = session_lines(&agreed, &framing);
        for (index, media) in description.media.iter().enumerate() {
            if index == choice.index {
                let taken = Written {
                    codecs: &[(agreed.codec, agreed.payload_type)],
                    telephone_events: &events,
                    comfort_noise: agreed.comfort_noise.is_some(),
                    direction: agreed.direction,
                    packet_ms: agreed.packet_ms,
                    crypto: &crypto,
                    protocol: &framing.protocol,
                    terms: self.terms(&agreed, &framing, setup),
                };
                body.push_str(&taken.lines(self.local));
            } else {
                body.push_str(&refused(media));
            }
        }
        self.agreed = Some(agreed);
        self.framing = framing;
        Ok(self.versioned(&body))
    }

    /// What is written of keys by DTLS, of checks and of ports, as far as that was agreed on.
    fn terms<'a>(&'a self, agreed: &'a Agreed, framing: &'a Framing, setup: Setup) -> handshake::Written<'a> {
        handshake::Written {
            certificate: self
                .certificate
                .as_ref()
                .filter(|_| agreed.handshake.is_some())
                .map(|certificate| (certificate, setup)),
            checks: agreed.connectivity.as_ref().map(|connectivity| &connectivity.ours),
            multiplexed: agreed.multiplexed,
            name: framing.name.as_deref(),
        }
    }

    /// Makes an offer: all codecs, both ways; while the far side holds us, still both ways, so that it may
    /// resume.
    pub fn offer(&mut self) -> Vec<u8> {
        let codecs: Vec<(Codec, u8)> =
            self.codecs.iter().map(|codec| (*codec, codec.payload_type())).collect();
        let crypto = self.offered();
        // What was agreed on by a handshake or checks goes on by them, whoever offers.
        let set_up = |agreed: &&Agreed| agreed.handshake.is_some() || agreed.connectivity.is_some();
        let (lines, terms, protocol) = match self.agreed.as_ref().filter(set_up) {
            Some(agreed) => (
                session_lines(agreed, &self.framing),
                self.terms(agreed, &self.framing, Setup::Either),
                self.framing.protocol.as_str(),
            ),
            None if crypto.is_empty() => (START.to_owned(), handshake::Written::default(), PLAIN),
            None => (START.to_owned(), handshake::Written::default(), SECURE),
        };
        let stream = Written {
            codecs: &codecs,
            telephone_events: &[(TELEPHONE_EVENT, 8_000), (TELEPHONE_EVENT_48, 48_000)],
            comfort_noise: self.comfort_noise,
            direction: Direction::SendReceive,
            packet_ms: PACKET_MS,
            crypto: &crypto,
            protocol,
            terms,
        }
        .lines(self.local);
        self.versioned(&format!("{lines}{stream}"))
    }

    /// Our keys as we offer them: the suite that is in use, or all of them.
    fn offered(&self) -> Vec<(u32, Keying)> {
        let in_use = self.agreed.as_ref().and_then(|agreed| agreed.protected.as_ref());
        let begins = self.agreed.is_none() && self.protection != Protection::Accepted;
        if self.agreed.as_ref().is_some_and(|agreed| agreed.handshake.is_some()) {
            return Vec::new();
        }
        let suites: &[Suite] = match (&in_use, begins) {
            (Some(two), _) => &[two.ours.suite],
            (None, true) => &Suite::ALL,
            (None, false) => &[],
        };
        (1..).zip(suites).filter_map(|(tag, suite)| Some((tag, self.secret.as_ref()?.key(*suite)))).collect()
    }

    /// The description that we gave last, unchanged, so that the far side sees that nothing is new.
    pub fn unchanged(&mut self) -> Vec<u8> {
        let written = String::from_utf8_lossy(&self.written).into_owned();
        if written.is_empty() { self.offer() } else { self.versioned(&written) }
    }

    /// Takes the far side's answer to our offer.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn accept(&mut self, answer: &[u8]) -> Result<(), Unacceptable> {
        let description = parse(answer)?;
        let choice = self.choose(&description)?;
        let suites: Vec<Suite> = self.offered().iter().map(|(_, keying)| keying.suite).collect();
        let by_handshake = self.agreed.as_ref().is_some_and(|agreed| agreed.handshake.is_some());
        match &choice.keys {
            // What was offered with keys is not agreed on without, nor the other way round.
            Keys::Not if !suites.is_empty() || by_handshake => return Err(Unacceptable::Unprotected),
            Keys::Described(_, keying) if !suites.contains(&keying.suite) => {
                return Err(Unacceptable::NoSuite);
            }
            Keys::ByHandshake(..) if !by_handshake => return Err(Unacceptable::Transport),
            _ => {}
        }
        self.agreed = Some(self.agree(&description, &choice, true)?);
        Ok(())
    }

    fn agree(
        &self,
        description: &Description,
        choice: &Choice,
        answered: bool,
    ) -> Result<Agreed, Unacceptable> {
        let media = description.media.get(choice.index).ok_or(Unacceptable::NoAudio)?;
        let address: IpAddr = media.address.ok_or(Unacceptable::Address)?;
        let connectivity = self.connectivity(media);
        // The hold of RFC 2543: no address to send to. Where checks find the way, there may be none yet.
        let nowhere = address.is_unspecified() && connectivity.is_none();
        let offered = media.direction;
        let direction = match offered.reversed() {
            Direction::SendReceive if nowhere => Direction::ReceiveOnly,
            Direction::SendOnly if nowhere => Direction::Inactive,
            direction => direction,
        };
        let held = matches!(direction, Direction::ReceiveOnly | Direction::Inactive);
        let wanted = media.packet_ms.unwrap_or(PACKET_MS).min(media.packet_ms_max.unwrap_or(u32::MAX));
        let packet_ms = match (choice.codec, wanted) {
            // What a frame of Opus may be (RFC 6716 section 2.1.4).
            (_, 10 | 20 | 40 | 60) => wanted,
            (Codec::Pcmu | Codec::Pcma | Codec::G722, 30 | 50) => wanted,
            _ => PACKET_MS,
        };
        Ok(Agreed {
            remote: SocketAddr::new(address, media.port),
            codec: choice.codec,
            payload_type: choice.payload_type,
            telephone_event: choice.telephone_event,
            comfort_noise: choice.comfort_noise.filter(|_| self.comfort_noise),
            direction,
            packet_ms,
            held,
            protected: self.protect(choice),
            handshake: self.handshake(choice, answered),
            connectivity,
            multiplexed: media.multiplexed,
        })
    }

    /// Who begins the handshake: a role once taken is kept with the same certificate (RFC 8842 section 5.5).
    fn handshake(&self, choice: &Choice, answered: bool) -> Option<Box<Handshake>> {
        let Keys::ByHandshake(theirs, setup) = &choice.keys else { return None };
        let before = self.agreed.as_ref().and_then(|agreed| agreed.handshake.as_ref());
        let begins = match (setup, before.filter(|before| before.theirs == *theirs)) {
            (Setup::Active, _) => false,
            (Setup::Passive, _) => true,
            (Setup::Either, Some(before)) => before.begins,
            (Setup::Either, None) => answered,
        };
        Some(Box::new(Handshake { begins, theirs: theirs.clone() }))
    }

    /// By what the far side's checks are known, where it makes any.
    fn connectivity(&self, media: &Media) -> Option<Box<Connectivity>> {
        let theirs =
            media.terms.fragment.clone().filter(|_| media.terms.has_password && !media.terms.lite)?;
        Some(Box::new(Connectivity { ours: self.secret.as_ref()?.credentials(), theirs }))
    }

    /// The keys of both ways, where the far side gave its own.
    fn protect(&self, choice: &Choice) -> Option<Protected> {
        let Keys::Described(_, theirs) = &choice.keys else { return None };
        let ours = self.secret.as_ref()?.key(theirs.suite);
        Some(Protected { ours, theirs: theirs.clone() })
    }

    /// Puts the origin before the rest, its version raised where the rest changed (RFC 3264 section 8).
    fn versioned(&mut self, rest: &str) -> Vec<u8> {
        if self.written != rest.as_bytes() {
            self.version += 1;
            self.written = rest.as_bytes().to_vec();
        }
        let address = self.local.ip();
        let family = if address.is_ipv4() { "IP4" } else { "IP6" };
        format!(
            "v=0\r\no=- {} {} IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\n{rest}",
            self.session, self.version
        )
        .into_bytes()
    }
}
