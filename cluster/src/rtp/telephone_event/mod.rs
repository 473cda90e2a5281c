//! Keys as telephone events (RFC 4733): what packets say, what was pressed, what to send.

mod receiver;
mod sender;

pub use receiver::Receiver;
pub use sender::{Sender, Sending, Settings};

/// What one packet says (RFC 4733 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The key: 0 to 15 for the sixteen of DTMF.
    pub code: u8,
    /// The key was let go.
    pub end: bool,
    /// How long it has been down, in samples.
    pub duration: u16,
}

/// The sixteen keys in the order of their codes.
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// The volume we send: -10 dBm0.
const VOLUME: u8 = 10;

impl Event {
    /// Reads a payload; `None` if it is too short.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let ([code, flags, high, low], _) = payload.split_first_chunk::<4>()?;
        Some(Self { code: *code, end: flags & 0x80 != 0, duration: u16::from_be_bytes([*high, *low]) })
    }

    /// The payload.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, if self.end { 0x80 | VOLUME } else { VOLUME }, high, low]
    }

    /// The key, for the codes that are keys.
    #[must_use]
    pub fn key(self) -> Option<char> {
        KEYS.get(usize::from(self.code)).copied()
    }
}

/// The code of a key; letters in either case.
#[must_use]
pub fn code(key: char) -> Option<u8> {
    let key = key.to_ascii_uppercase();
    KEYS.iter().position(|known| *known == key).and_then(|code| u8::try_from(code).ok())
}
