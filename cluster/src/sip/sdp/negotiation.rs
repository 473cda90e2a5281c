//! Offer and answer (RFC 3264) for one audio stream.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::{Codec, Description, Direction, Media, Unacceptable, parse};

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
}

/// One call's side of offer and answer: a value, so that it moves with its call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negotiation {
    local: SocketAddr,
    session: u64,
    version: u64,
    written: Vec<u8>,
    agreed: Option<Agreed>,
}

/// The payload type of telephone events in our own offers.
const TELEPHONE_EVENT: u8 = 101;
/// Milliseconds of audio in a packet where nobody says otherwise.
const PACKET_MS: u32 = 20;

/// Whether an offer has anything that we can take.
///
/// # Errors
/// Why not.
pub fn acceptable(offer: &[u8]) -> Result<(), Unacceptable> {
    choose(&parse(offer)?).map(|_| ())
}

/// A stream of the offer that we take, and how.
struct Choice {
    index: usize,
    codec: Codec,
    payload_type: u8,
    telephone_event: Option<u8>,
}

impl Negotiation {
    /// A new one. `local` is where we want packets; `session` is any number, the same for the whole call.
    #[must_use]
    pub const fn new(local: SocketAddr, session: u64) -> Self {
        Self { local, session, version: 0, written: Vec::new(), agreed: None }
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
        let choice = choose(&description)?;
        let agreed = agree(&description, &choice)?;
        let mut body = String::from("t=0 0\r\n");
        for (index, media) in description.media.iter().enumerate() {
            if index == choice.index {
                body.push_str(&self.stream(
                    &[(agreed.codec, agreed.payload_type)],
                    agreed.telephone_event,
                    agreed.direction,
                    agreed.packet_ms,
                ));
            } else {
                body.push_str(&refused(media));
            }
        }
        self.agreed = Some(agreed);
        Ok(self.versioned(&body))
    }

    /// Makes an offer: both codecs, both ways; while the far side holds us, still both ways, so that it may
    /// resume.
    pub fn offer(&mut self) -> Vec<u8> {
        let codecs = [(Codec::Pcmu, 0), (Codec::Pcma, 8)];
        let stream = self.stream(&codecs, Some(TELEPHONE_EVENT), Direction::SendReceive, PACKET_MS);
        self.versioned(&format!("t=0 0\r\n{stream}"))
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
        let choice = choose(&description)?;
        self.agreed = Some(agree(&description, &choice)?);
        Ok(())
    }

    fn stream(
        &self,
        codecs: &[(Codec, u8)],
        telephone_event: Option<u8>,
        direction: Direction,
        packet_ms: u32,
    ) -> String {
        let mut formats = String::new();
        let mut attributes = String::new();
        for (codec, payload_type) in codecs {
            formats.push_str(&format!(" {payload_type}"));
            attributes.push_str(&format!("a=rtpmap:{payload_type} {}/8000\r\n", codec.name()));
        }
        if let Some(event) = telephone_event {
            formats.push_str(&format!(" {event}"));
            attributes.push_str(&format!("a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\n"));
        }
        let port = self.local.port();
        format!(
            "m=audio {port} RTP/AVP{formats}\r\n{attributes}a=ptime:{packet_ms}\r\na={}\r\n",
            direction.attribute()
        )
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

/// The first stream that we can take, with the first codec of it that is ours: the sender's preference.
fn choose(description: &Description) -> Result<Choice, Unacceptable> {
    let mut why = Unacceptable::NoAudio;
    for (index, media) in description.media.iter().enumerate() {
        if media.kind != "audio" || media.port == 0 {
            continue;
        }
        if !media.protocol.eq_ignore_ascii_case("RTP/AVP") {
            why = Unacceptable::Transport;
            continue;
        }
        let payload_types: Vec<u8> = media
            .formats
            .iter()
            .filter_map(|format| format.parse().ok())
            .filter(|number| *number < 128)
            .collect();
        let codec = payload_types.iter().find_map(|payload_type| match media.encoding(*payload_type)? {
            ("PCMU", 8_000) => Some((Codec::Pcmu, *payload_type)),
            ("PCMA", 8_000) => Some((Codec::Pcma, *payload_type)),
            _ => None,
        });
        let Some((codec, payload_type)) = codec else {
            why = Unacceptable::NoCodec;
            continue;
        };
        if media.address.is_none() {
            why = Unacceptable::Address;
            continue;
        }
        let telephone_event = payload_types
            .into_iter()
            .find(|number| media.encoding(*number) == Some(("TELEPHONE-EVENT", 8_000)));
        return Ok(Choice { index, codec, payload_type, telephone_event });
    }
    Err(why)
}

fn agree(description: &Description, choice: &Choice) -> Result<Agreed, Unacceptable> {
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
    let packet_ms = if matches!(wanted, 10 | 20 | 30 | 40 | 50 | 60) { wanted } else { PACKET_MS };
    Ok(Agreed {
        remote: SocketAddr::new(address, media.port),
        codec: choice.codec,
        payload_type: choice.payload_type,
        telephone_event: choice.telephone_event,
        direction,
        packet_ms,
        held,
    })
}
