//! Which carrier it is, and its own way of everything.

use super::framing::{Encoding, Heard, Message, Unreadable};
use super::proof::{Secrets, Signed, Unproven};
use super::rest::{Account, Ask};
use super::webhook::{Answer, Asked, Target, Unusable};
use super::{plivo, telnyx, twilio, vonage};

/// A carrier that brings calls by websocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Twilio Media Streams.
    Twilio,
    /// Telnyx media streaming, by TeXML.
    Telnyx,
    /// Plivo audio streaming.
    Plivo,
    /// Vonage Voice websockets.
    Vonage,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Twilio, Self::Telnyx, Self::Plivo, Self::Vonage];

    /// Its name in addresses, settings and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Telnyx => "telnyx",
            Self::Plivo => "plivo",
            Self::Vonage => "vonage",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The media type of what answers its questions.
    #[must_use]
    pub const fn answer_type(self) -> &'static str {
        match self {
            Self::Twilio | Self::Telnyx | Self::Plivo => "application/xml",
            Self::Vonage => "application/json",
        }
    }

    /// What a text message of its websocket says.
    ///
    /// # Errors
    /// [`Unreadable`] where it is none of its messages.
    pub fn text(self, text: &str) -> Result<Heard, Unreadable> {
        match self {
            Self::Twilio => twilio::framing::read(text),
            Self::Telnyx => telnyx::framing::read(text),
            Self::Plivo => plivo::framing::read(text),
            Self::Vonage => vonage::framing::read(text),
        }
    }

    /// What a binary message of its websocket says.
    ///
    /// # Errors
    /// [`Unreadable`] for a carrier that sends none.
    pub fn binary(self, bytes: &[u8]) -> Result<Heard, Unreadable> {
        match self {
            Self::Twilio | Self::Telnyx | Self::Plivo => Err(Unreadable::Binary),
            Self::Vonage => Ok(Heard::Audio { place: None, payload: bytes.to_vec() }),
        }
    }

    /// Audio for it to play, encoded as its stream is.
    #[must_use]
    pub fn audio(self, stream: &str, encoding: Encoding, payload: &[u8]) -> Message {
        match self {
            Self::Twilio => twilio::framing::audio(stream, payload),
            Self::Telnyx => telnyx::framing::audio(payload),
            Self::Plivo => plivo::framing::audio(stream, encoding, payload),
            Self::Vonage => Message::Binary(payload.to_vec()),
        }
    }

    /// It is to tell when it has played everything before this.
    #[must_use]
    pub fn mark(self, stream: &str, mark: u64) -> Message {
        match self {
            Self::Twilio => twilio::framing::mark(stream, mark),
            Self::Telnyx => telnyx::framing::mark(mark),
            Self::Plivo => plivo::framing::mark(stream, mark),
            Self::Vonage => vonage::framing::mark(mark),
        }
    }

    /// It is to forget what it has not played yet.
    #[must_use]
    pub fn clear(self, stream: &str) -> Message {
        match self {
            Self::Twilio => twilio::framing::clear(stream),
            Self::Telnyx => telnyx::framing::clear(),
            Self::Plivo => plivo::framing::clear(stream),
            Self::Vonage => vonage::framing::clear(),
        }
    }

    /// The call that it asks about.
    ///
    /// # Errors
    /// [`Unusable`] where it names none.
    pub fn asked(self, body: &[u8], query: &str) -> Result<Asked, Unusable> {
        match self {
            Self::Twilio => twilio::webhook::asked(body, query),
            Self::Telnyx => telnyx::webhook::asked(body, query),
            Self::Plivo => plivo::webhook::asked(body, query),
            Self::Vonage => vonage::webhook::asked(body, query),
        }
    }

    /// The same in a message about people who were dialled.
    ///
    /// # Errors
    /// [`Unusable`] where it names no call.
    pub fn told(self, body: &[u8], query: &str) -> Result<Asked, Unusable> {
        let asked = self.asked(body, query)?;
        Ok(match self {
            Self::Vonage => Asked { news: vonage::webhook::of_dialled(body), ..asked },
            Self::Twilio | Self::Telnyx | Self::Plivo => asked,
        })
    }

    /// What answers the news that somebody speaks with the caller now: nothing is to be done.
    #[must_use]
    pub fn noted(self) -> String {
        match self {
            // Any list would be taken for what is to be done instead.
            Self::Vonage => String::new(),
            Self::Twilio | Self::Telnyx | Self::Plivo => self.answer(&Answer::HangUp),
        }
    }

    /// How many people it rings at once.
    #[must_use]
    pub const fn rings_at_once(self) -> usize {
        match self {
            Self::Twilio | Self::Telnyx | Self::Plivo => 10,
            Self::Vonage => 1,
        }
    }

    /// Whether somebody who has picked up and does not take the call has to be hung up on by REST: what they are told
    /// would not end it.
    #[must_use]
    pub const fn lets_go_by_rest(self) -> bool {
        matches!(self, Self::Vonage)
    }

    /// What it is to do with a call, in its own words.
    #[must_use]
    pub fn answer(self, answer: &Answer<'_>) -> String {
        match self {
            Self::Twilio => twilio::webhook::answer(answer),
            Self::Telnyx => telnyx::webhook::answer(answer),
            Self::Plivo => plivo::webhook::answer(answer),
            Self::Vonage => vonage::webhook::answer(answer),
        }
    }

    /// Whether a webhook is its own.
    ///
    /// # Errors
    /// [`Unproven`] where it is not, or nobody can tell.
    pub fn prove(self, secrets: &Secrets<'_>, request: &Signed<'_>) -> Result<(), Unproven> {
        match self {
            Self::Twilio => twilio::proof::prove(secrets, request),
            Self::Telnyx => telnyx::proof::prove(secrets, request),
            Self::Plivo => plivo::proof::prove(secrets, request),
            Self::Vonage => vonage::proof::prove(secrets, request),
        }
    }

    /// The request that ends a call. May be made again.
    #[must_use]
    pub fn hang_up(self, account: &Account<'_>, call: &str) -> Ask {
        match self {
            Self::Twilio => twilio::rest::hang_up(account, call),
            Self::Telnyx => telnyx::rest::hang_up(account, call),
            Self::Plivo => plivo::rest::hang_up(account, call),
            Self::Vonage => vonage::rest::hang_up(account, call),
        }
    }

    /// The request that takes a call from its stream to what this URL says. Not to be made twice.
    #[must_use]
    pub fn redirect(self, account: &Account<'_>, call: &str, url: &str) -> Ask {
        match self {
            Self::Twilio => twilio::rest::redirect(account, call, url),
            Self::Telnyx => telnyx::rest::redirect(account, call, url),
            Self::Plivo => plivo::rest::redirect(account, call, url),
            Self::Vonage => vonage::rest::redirect(account, call, url),
        }
    }

    /// Whether it can dial this, and ask whoever picks up for a key where that is wanted.
    #[must_use]
    pub const fn dials(self, target: &Target<'_>, by_key: bool) -> bool {
        match (self, target) {
            // Plivo's <User> wants an endpoint of its own; a foreign SIP URI goes to numbers only.
            (Self::Plivo, Target::Sip(_)) => false,
            // Vonage asks at telephone numbers only.
            (Self::Vonage, Target::Sip(_)) => !by_key,
            _ => true,
        }
    }
}
