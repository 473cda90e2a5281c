//! Offer and answer (RFC 3264) for one audio stream.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::choosing::{Choice, Keys, Means, choose};
use super::crypto::{Keying, Secret};
use super::handshake::{self, Connectivity, Credentials, Fingerprint, Handshake, Setup};
use super::writing::{Framing, Written, refused, session_lines};
use super::{
    Agreed, Codec, Description, Direction, KeyManagement, Media, Protected, Protection, Unacceptable, parse,
};

/// One call's side of offer and answer: a value, so that it moves with its call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negotiation {
    pub(super) local: SocketAddr,
    session: u64,
    version: u64,
    written: Vec<u8>,
    pub(super) agreed: Option<Agreed>,
    pub(super) protection: Protection,
    /// By what the keys of our own offers are agreed on.
    pub(super) keys: KeyManagement,
    /// The far side is a browser, or might be: it takes nothing but keys by DTLS, and finds us by checks.
    pub(super) browsers: bool,
    /// Whether we know comfort noise.
    pub(super) comfort_noise: bool,
    /// What our keys come from; without it, nothing is protected.
    pub(super) secret: Option<Secret>,
    /// How often the far side has begun its checks anew (RFC 8445 section 9).
    pub(super) restarts: u32,
    /// Our certificate; without it, no keys are agreed on by DTLS.
    pub(super) certificate: Option<Fingerprint>,
    /// The codecs that we speak, in the order of our offers.
    pub(super) codecs: Vec<Codec>,
    pub(super) framing: Framing,
}

/// Milliseconds of audio in a packet where nobody says otherwise.
pub(super) const PACKET_MS: u32 = 20;

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
            keys: KeyManagement::Sdes,
            browsers: false,
            comfort_noise: false,
            secret: None,
            restarts: 0,
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

    /// The same, and the keys of what we offer protected are agreed on so. By DTLS it has to be certified, or they are
    /// in the description all the same.
    #[must_use]
    pub fn keyed(self, keys: KeyManagement) -> Self {
        Self { keys, ..self }
    }

    /// The same, and what we offer first is what a browser takes: keys by DTLS, checks, one port.
    #[must_use]
    pub fn for_browsers(self, browsers: bool) -> Self {
        Self { browsers, ..self }
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

    pub(super) fn choose(&self, description: &Description) -> Result<Choice, Unacceptable> {
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
        let ours = agreed.connectivity.as_ref().map(|connectivity| &connectivity.ours);
        let mut body = session_lines(ours.is_some(), &framing);
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
                    terms: handshake::Written {
                        certificate: self.certificate.as_ref().zip(begins.map(|_| setup)),
                        checks: ours,
                        multiplexed: agreed.multiplexed,
                        name: framing.name.as_deref(),
                    },
                };
                body.push_str(&taken.lines(self.local));
            } else {
                body.push_str(&refused(media));
            }
        }
        self.restarts = self.restarts_by(chosen);
        self.agreed = Some(agreed);
        self.framing = framing;
        Ok(self.versioned(&body))
    }

    /// Answers an offer so that nothing of it is taken (RFC 3264 section 6). `None` where it can't be read.
    pub fn refuse(&mut self, offer: &[u8]) -> Option<Vec<u8>> {
        let description = parse(offer).ok()?;
        let streams: String = description.media.iter().map(refused).collect();
        Some(self.versioned(&format!("{}{streams}", session_lines(false, &Framing::default()))))
    }

    /// Takes an offer that was answered as it is told once more, in an answer that can't be answered itself: where audio
    /// goes may be another place by now, what it is may not.
    ///
    /// # Errors
    /// [`Unacceptable::Changed`], or why it can't be used at all.
    pub fn hear_again(&mut self, offer: &[u8]) -> Result<(), Unacceptable> {
        let description = parse(offer)?;
        let choice = self.choose(&description)?;
        let agreed = self.agree(&description, &choice, false)?;
        if !self.agreed.as_ref().is_some_and(|before| before.is_like(&agreed)) {
            return Err(Unacceptable::Changed);
        }
        self.agreed = Some(agreed);
        Ok(())
    }

    /// An offer that is the description that we gave last, so that the far side sees that nothing is new. Where that was
    /// an answer it said who begins a handshake about keys; an offer leaves that open, and whoever answers keeps the roles
    /// and the keys (RFC 8842 section 5.5).
    pub fn unchanged(&mut self) -> Vec<u8> {
        let written = handshake::left_open(&String::from_utf8_lossy(&self.written));
        if written.is_empty() { self.offer() } else { self.versioned(&written) }
    }

    pub(super) fn agree(
        &self,
        description: &Description,
        choice: &Choice,
        answered: bool,
    ) -> Result<Agreed, Unacceptable> {
        let media = description.media.get(choice.index).ok_or(Unacceptable::NoAudio)?;
        let restarts = if answered { self.restarts } else { self.restarts_by(media) };
        let connectivity = self.connectivity(media, restarts);
        // A browser that hides its addresses may name itself; its checks say where it is.
        let hidden = connectivity.as_ref().map(|_| IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let address: IpAddr = media.address.or(hidden).ok_or(Unacceptable::Address)?;
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
    fn connectivity(&self, media: &Media, restarts: u32) -> Option<Box<Connectivity>> {
        let theirs = media.terms.fragment.clone().filter(|_| media.terms.checks())?;
        Some(Box::new(Connectivity { ours: self.credentials(restarts)?, theirs }))
    }

    /// Our name and password in checks.
    pub(super) fn credentials(&self, restarts: u32) -> Option<Credentials> {
        self.secret.as_ref().map(|secret| secret.credentials(restarts))
    }

    /// How often checks have begun anew with this offer: it does so by another name of the far side.
    fn restarts_by(&self, offered: &Media) -> u32 {
        let before = self.agreed.as_ref().and_then(|agreed| agreed.connectivity.as_ref());
        let anew = before.is_some_and(|before| offered.terms.fragment.as_ref() != Some(&before.theirs));
        self.restarts.saturating_add(anew.into())
    }

    /// The keys of both ways, where the far side gave its own.
    fn protect(&self, choice: &Choice) -> Option<Protected> {
        let Keys::Described(_, theirs) = &choice.keys else { return None };
        let ours = self.secret.as_ref()?.key(theirs.suite);
        Some(Protected { ours, theirs: theirs.clone() })
    }

    /// Puts the origin before the rest, its version raised where the rest changed (RFC 3264 section 8).
    pub(super) fn versioned(&mut self, rest: &str) -> Vec<u8> {
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
