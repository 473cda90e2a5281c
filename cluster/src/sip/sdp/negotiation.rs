//! Offer and answer (RFC 3264) for one audio stream.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::crypto::{self, Keying, Secret, Suite};
use super::{Codec, Description, Direction, Media, Unacceptable, parse};

/// When audio is protected by SRTP with keys in the description (RFC 4568).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Where the far side offers it.
    #[default]
    Accepted,
    /// In our own offers, and where the far side offers it.
    Offered,
    /// Always: a far side that offers no key is refused.
    Required,
}

/// How a stream is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// Of what we send.
    pub ours: Keying,
    /// Of what the far side sends.
    pub theirs: Keying,
}

/// What offer and answer agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Where the far side wants its packets. Unspecified (`0.0.0.0`) where it wants none.
    pub remote: SocketAddr,
    /// The codec.
    pub codec: Codec,
    /// Its payload type in this call.
    pub payload_type: u8,
    /// The payload type of telephone events (RFC 4733), where agreed.
    pub telephone_event: Option<u8>,
    /// Which way audio flows, from our side.
    pub direction: Direction,
    /// Milliseconds of audio in a packet that we send.
    pub packet_ms: u32,
    /// The far side holds the call: it does not want to hear us.
    pub held: bool,
    /// How it is protected; absent where it is not.
    pub protected: Option<Protected>,
}

/// One call's side of offer and answer: a value, so that it moves with its call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negotiation {
    local: SocketAddr,
    session: u64,
    version: u64,
    written: Vec<u8>,
    agreed: Option<Agreed>,
    protection: Protection,
    /// What our keys come from; without it, nothing is protected.
    secret: Option<Secret>,
}

/// The payload type of telephone events in our own offers.
const TELEPHONE_EVENT: u8 = 101;
/// The same at the clock of Opus.
const TELEPHONE_EVENT_48: u8 = 102;
/// Milliseconds of audio in a packet where nobody says otherwise.
const PACKET_MS: u32 = 20;
/// The transports (RFC 3551, RFC 3711).
const PLAIN: &str = "RTP/AVP";
const SECURE: &str = "RTP/SAVP";

/// Whether an offer has anything that we can take.
///
/// # Errors
/// Why not.
pub fn acceptable(offer: &[u8], protection: Protection) -> Result<(), Unacceptable> {
    choose(&parse(offer)?, protection, true).map(|_| ())
}

/// A stream of the offer that we take, and how.
struct Choice {
    index: usize,
    codec: Codec,
    payload_type: u8,
    telephone_event: Option<u8>,
    /// The tag of the key and the key, where it is protected.
    crypto: Option<(u32, Keying)>,
}

/// An audio stream as we write it.
struct Written<'a> {
    codecs: &'a [(Codec, u8)],
    /// Payload types and clocks of telephone events.
    telephone_events: &'a [(u8, u32)],
    direction: Direction,
    packet_ms: u32,
    /// Our keys with their tags; none where it is not protected.
    crypto: &'a [(u32, Keying)],
}

impl Negotiation {
    /// A new one. `local` is where we want packets; `session` is any number, the same for the whole call.
    #[must_use]
    pub const fn new(local: SocketAddr, session: u64) -> Self {
        Self {
            local,
            session,
            version: 0,
            written: Vec::new(),
            agreed: None,
            protection: Protection::Accepted,
            secret: None,
        }
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
        choose(description, self.protection, self.secret.is_some())
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
        let agreed = self.agree(&description, &choice)?;
        let crypto: Vec<(u32, Keying)> = choice
            .crypto
            .iter()
            .zip(&agreed.protected)
            .map(|((tag, _), two)| (*tag, two.ours.clone()))
            .collect();
        let events: Vec<(u8, u32)> =
            agreed.telephone_event.iter().map(|event| (*event, agreed.codec.clock_hz())).collect();
        let mut body = String::from("t=0 0\r\n");
        for (index, media) in description.media.iter().enumerate() {
            if index == choice.index {
                body.push_str(&self.stream(&Written {
                    codecs: &[(agreed.codec, agreed.payload_type)],
                    telephone_events: &events,
                    direction: agreed.direction,
                    packet_ms: agreed.packet_ms,
                    crypto: &crypto,
                }));
            } else {
                body.push_str(&refused(media));
            }
        }
        self.agreed = Some(agreed);
        Ok(self.versioned(&body))
    }

    /// Makes an offer: all codecs, both ways; while the far side holds us, still both ways, so that it may
    /// resume.
    pub fn offer(&mut self) -> Vec<u8> {
        let codecs = Codec::ALL.map(|codec| (codec, codec.payload_type()));
        let stream = self.stream(&Written {
            codecs: &codecs,
            telephone_events: &[(TELEPHONE_EVENT, 8_000), (TELEPHONE_EVENT_48, 48_000)],
            direction: Direction::SendReceive,
            packet_ms: PACKET_MS,
            crypto: &self.offered(),
        });
        self.versioned(&format!("t=0 0\r\n{stream}"))
    }

    /// Our keys as we offer them: the suite that is in use, or all of them.
    fn offered(&self) -> Vec<(u32, Keying)> {
        let in_use = self.agreed.as_ref().and_then(|agreed| agreed.protected.as_ref());
        let begins = self.agreed.is_none() && self.protection != Protection::Accepted;
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
        match &choice.crypto {
            // What was offered with keys is not agreed on without, nor the other way round.
            None if !suites.is_empty() => return Err(Unacceptable::Unprotected),
            Some((_, keying)) if !suites.contains(&keying.suite) => return Err(Unacceptable::NoSuite),
            _ => {}
        }
        self.agreed = Some(self.agree(&description, &choice)?);
        Ok(())
    }

    fn stream(&self, written: &Written<'_>) -> String {
        let mut formats = String::new();
        let mut attributes = String::new();
        for (codec, payload_type) in written.codecs {
            formats.push_str(&format!(" {payload_type}"));
            attributes.push_str(&format!("a=rtpmap:{payload_type} {}\r\n", codec.encoding()));
            if *codec == Codec::Opus {
                attributes.push_str(&format!("a=fmtp:{payload_type} maxplaybackrate=8000;stereo=0\r\n"));
            }
        }
        for (event, clock_hz) in written.telephone_events {
            formats.push_str(&format!(" {event}"));
            attributes
                .push_str(&format!("a=rtpmap:{event} telephone-event/{clock_hz}\r\na=fmtp:{event} 0-15\r\n"));
        }
        for (tag, keying) in written.crypto {
            attributes.push_str(&crypto::write(*tag, keying));
        }
        let port = self.local.port();
        let protocol = if written.crypto.is_empty() { PLAIN } else { SECURE };
        format!(
            "m=audio {port} {protocol}{formats}\r\n{attributes}a=ptime:{}\r\na={}\r\n",
            written.packet_ms,
            written.direction.attribute()
        )
    }

    fn agree(&self, description: &Description, choice: &Choice) -> Result<Agreed, Unacceptable> {
        let media = description.media.get(choice.index).ok_or(Unacceptable::NoAudio)?;
        let address: IpAddr = media.address.ok_or(Unacceptable::Address)?;
        // The hold of RFC 2543: no address to send to.
        let nowhere = address.is_unspecified();
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
            direction,
            packet_ms,
            held,
            protected: self.protect(choice),
        })
    }

    /// The keys of both ways, where the far side gave its own.
    fn protect(&self, choice: &Choice) -> Option<Protected> {
        let (_, theirs) = choice.crypto.clone()?;
        let ours = self.secret.as_ref()?.key(theirs.suite);
        Some(Protected { ours, theirs })
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

fn refused(media: &Media) -> String {
    let formats = if media.formats.is_empty() { "0".to_owned() } else { media.formats.join(" ") };
    format!("m={} 0 {} {formats}\r\n", media.kind, media.protocol)
}

/// The first stream that we can take, with the codec of it that costs us least and the sender prefers.
fn choose(
    description: &Description,
    protection: Protection,
    has_secret: bool,
) -> Result<Choice, Unacceptable> {
    let mut why = Unacceptable::NoAudio;
    for (index, media) in description.media.iter().enumerate() {
        if media.kind != "audio" || media.port == 0 {
            continue;
        }
        let crypto = match keys(media, protection, has_secret) {
            Ok(crypto) => crypto,
            Err(reason) => {
                why = reason;
                continue;
            }
        };
        let payload_types: Vec<u8> = media
            .formats
            .iter()
            .filter_map(|format| format.parse().ok())
            .filter(|number| *number < 128)
            .collect();
        let ours = payload_types.iter().filter_map(|payload_type| {
            let codec = Codec::of(media.encoding(*payload_type)?)?;
            Some((codec, *payload_type))
        });
        let Some((codec, payload_type)) = ours.min_by_key(|(codec, _)| effort(*codec)) else {
            why = Unacceptable::NoCodec;
            continue;
        };
        if media.address.is_none() {
            why = Unacceptable::Address;
            continue;
        }
        let telephone_event = payload_types
            .into_iter()
            .find(|number| media.encoding(*number) == Some(("TELEPHONE-EVENT", codec.clock_hz())));
        return Ok(Choice { index, codec, payload_type, telephone_event, crypto });
    }
    Err(why)
}

/// What a codec costs us: the two laws nothing, so that the sender's preference decides between them.
const fn effort(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu | Codec::Pcma => 0,
        Codec::G722 => 1,
        Codec::Opus => 2,
    }
}

/// The key of a stream: none where it is not protected and need not be.
fn keys(
    media: &Media,
    protection: Protection,
    has_secret: bool,
) -> Result<Option<(u32, Keying)>, Unacceptable> {
    if media.protocol.eq_ignore_ascii_case(PLAIN) {
        let refused = protection == Protection::Required;
        return if refused { Err(Unacceptable::Unprotected) } else { Ok(None) };
    }
    if !media.protocol.eq_ignore_ascii_case(SECURE) || !has_secret {
        return Err(Unacceptable::Transport);
    }
    let first = media.crypto.first().ok_or(Unacceptable::NoSuite)?;
    Ok(Some((first.tag, first.keying.clone())))
}
