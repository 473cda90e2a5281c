//! Messages of a websocket, whoever's they are.

/// How the audio of a stream is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// G.711 µ-law at 8 kHz.
    MuLaw,
    /// 16-bit linear, little-endian, at this rate: 8,000 or 16,000.
    Linear {
        /// Samples per second.
        rate_hz: u32,
    },
}

/// A stream has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The call that it belongs to, by the carrier's name for it, where it says so.
    pub call: Option<String>,
    /// The stream's own name; empty where the carrier has none.
    pub stream: String,
    /// How its audio is coded.
    pub encoding: Encoding,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The stream begins.
    Started(Started),
    /// The caller's audio.
    Audio {
        /// Its number in the stream, where messages may overtake one another.
        place: Option<u32>,
        /// As it is coded.
        payload: Vec<u8>,
    },
    /// The caller pressed a key.
    Digit(char),
    /// Everything before this mark was played.
    Reached(u64),
    /// The stream ends.
    Stopped,
    /// Nothing that matters here.
    Nothing,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// As text.
    Text(String),
    /// As bytes.
    Binary(Vec<u8>),
}

/// Why a message is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or not of the carrier's form.
    #[error("the message is not of the carrier's form")]
    Form,
    /// The audio is no base64.
    #[error("the audio is no base64")]
    Base64,
    /// Audio in a coding that nobody asked for.
    #[error("the stream's audio is coded in a way that was not asked for")]
    Encoding,
    /// Bytes from a carrier that sends text only.
    #[error("the carrier sends no binary messages")]
    Binary,
}

impl Unreadable {
    /// Its name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Base64 => "base64",
            Self::Encoding => "encoding",
            Self::Binary => "binary",
        }
    }
}

/// A key that a telephone has.
#[must_use]
pub fn key(text: &str) -> Heard {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(key @ ('0'..='9' | '*' | '#' | 'A'..='D')), None) => Heard::Digit(key),
        _ => Heard::Nothing,
    }
}

/// A mark of ours, or somebody else's.
#[must_use]
pub fn reached(name: &str) -> Heard {
    name.parse().map_or(Heard::Nothing, Heard::Reached)
}

/// Base64 to bytes.
///
/// # Errors
/// [`Unreadable::Base64`].
pub fn decoded(payload: &str) -> Result<Vec<u8>, Unreadable> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(payload).map_err(|_| Unreadable::Base64)
}

/// A piece of a track's audio, in base64. Our own voice comes back where both tracks were asked for; it is nothing to
/// hear.
///
/// # Errors
/// As of [`decoded`].
pub fn voice(track: Option<&str>, place: Option<u32>, payload: &str) -> Result<Heard, Unreadable> {
    if track == Some("outbound") {
        return Ok(Heard::Nothing);
    }
    Ok(Heard::Audio { place, payload: decoded(payload)? })
}

/// Bytes to base64.
#[must_use]
pub fn encoded(payload: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(payload)
}

/// A number that may be written as one or as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub u64);

impl<'de> serde::Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => number.as_u64(),
            serde_json::Value::String(text) => text.parse().ok(),
            _ => None,
        }
        .map(Self)
        .ok_or_else(|| serde::de::Error::custom("no number"))
    }
}
