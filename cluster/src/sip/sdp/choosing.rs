//! Which stream of an offer is taken, by which codec, and how it is protected.

use super::crypto::Keying;
use super::handshake::{Fingerprint, Setup};
use super::writing::{BROWSERS, BY_HANDSHAKE, COMFORT_NOISE, PLAIN, SECURE};
use super::{Codec, Description, Media, Protection, Unacceptable, parse};

/// What older browsers and gateways write for keys by DTLS.
const OLDER: &str = "RTP/SAVPF";

/// Whether an offer has anything that we can take.
///
/// # Errors
/// Why not.
pub fn acceptable(offer: &[u8], means: Means<'_>) -> Result<(), Unacceptable> {
    choose(&parse(offer)?, means).map(|_| ())
}

/// What we can do with a stream.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    /// When it is protected.
    pub protection: Protection,
    /// There are keys of ours for descriptions.
    pub has_secret: bool,
    /// There is a certificate of ours for handshakes.
    pub certified: bool,
    /// The codecs that we speak.
    pub codecs: &'a [Codec],
}

/// How a stream is to be protected.
pub(super) enum Keys {
    Not,
    /// The tag of the key and the key.
    Described(u32, Keying),
    ByHandshake(Fingerprint, Setup),
}

/// A stream of the offer that we take, and how.
pub(super) struct Choice {
    pub(super) index: usize,
    pub(super) codec: Codec,
    pub(super) payload_type: u8,
    pub(super) telephone_event: Option<u8>,
    pub(super) comfort_noise: Option<u8>,
    pub(super) keys: Keys,
}

/// The first stream that we can take, with the codec of it that costs us least and the sender prefers.
pub(super) fn choose(description: &Description, means: Means<'_>) -> Result<Choice, Unacceptable> {
    let mut why = Unacceptable::NoAudio;
    for (index, media) in description.media.iter().enumerate() {
        if media.kind != "audio" || media.port == 0 {
            continue;
        }
        let keys = match keys(media, means) {
            Ok(keys) => keys,
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
            means.codecs.contains(&codec).then_some((codec, *payload_type))
        });
        let Some((codec, payload_type)) = ours.min_by_key(|(codec, _)| effort(*codec)) else {
            why = Unacceptable::NoCodec;
            continue;
        };
        if media.address.is_none() && !media.terms.checks() {
            why = Unacceptable::Address;
            continue;
        }
        // Opus has a silence of its own.
        let comfort_noise =
            (codec.clock_hz() == 8_000 && payload_types.contains(&COMFORT_NOISE)).then_some(COMFORT_NOISE);
        let telephone_event = payload_types
            .into_iter()
            .find(|number| media.encoding(*number) == Some(("TELEPHONE-EVENT", codec.clock_hz())));
        return Ok(Choice { index, codec, payload_type, telephone_event, comfort_noise, keys });
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

/// How a stream is to be protected; not at all where that need not be.
fn keys(media: &Media, means: Means<'_>) -> Result<Keys, Unacceptable> {
    let is = |protocol: &str| media.protocol.eq_ignore_ascii_case(protocol);
    if is(PLAIN) {
        let refused = means.protection == Protection::Required;
        return if refused { Err(Unacceptable::Unprotected) } else { Ok(Keys::Not) };
    }
    if is(SECURE)
        && means.has_secret
        && let Some(first) = media.crypto.first()
    {
        return Ok(Keys::Described(first.tag, first.keying.clone()));
    }
    let by_handshake = [BROWSERS, BY_HANDSHAKE, OLDER].into_iter().any(is)
        || is(SECURE) && media.terms.fingerprint.is_some();
    match &media.terms.fingerprint {
        Some(fingerprint) if by_handshake && means.certified => {
            Ok(Keys::ByHandshake(fingerprint.clone(), media.terms.setup.unwrap_or(Setup::Either)))
        }
        None if by_handshake && means.certified => Err(Unacceptable::NoFingerprint),
        _ if is(SECURE) && means.has_secret => Err(Unacceptable::NoSuite),
        _ => Err(Unacceptable::Transport),
    }
}
