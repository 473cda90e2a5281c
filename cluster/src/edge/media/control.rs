//! What a media session is told and what it tells.

use std::net::SocketAddr;
use std::sync::Arc;

use actors::call::conversation::UtteranceId;
use actors::types::CallQuality;
use models::audio::{AudioReceiver, AudioSender, Clip, Speech};
use serde::{Deserialize, Serialize};

use super::{Handshake, Line, NoKeys};
pub use crate::rtp::codec::Codec;
use crate::rtp::protection::Key;
pub use crate::rtp::stun::Credentials;

/// Which way audio flows, from our side (RFC 3264 section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendReceive,
    /// We send only: the far side holds and wants to hear us.
    SendOnly,
    /// We receive only.
    ReceiveOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Whether we send.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendReceive | Self::SendOnly)
    }

    /// Whether the far side sends.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendReceive | Self::ReceiveOnly)
    }
}

/// What offer and answer agreed on; given again after each re-INVITE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Where the far side wants its packets. Replaced by where its packets come from (symmetric RTP,
    /// RFC 4961) once they come.
    pub remote: SocketAddr,
    /// The codec.
    pub codec: Codec,
    /// Its payload type in this call.
    pub payload_type: u8,
    /// The payload type of telephone events (RFC 4733), where agreed.
    pub telephone_event: Option<u8>,
    /// The payload type of comfort noise (RFC 3389) where it is agreed on and wanted: a silence is sent so.
    pub comfort_noise: Option<u8>,
    /// Which way audio flows.
    pub direction: Direction,
    /// Milliseconds of audio in a packet that we send: 20 unless the far side asked for another.
    pub packet_ms: u32,
    /// How it is protected, where the description has its keys.
    pub protected: Option<Protected>,
    /// With whom keys are agreed on by DTLS, where that is how it is protected. Until there are any, nothing is heard
    /// and nothing said.
    pub handshake: Option<Handshake>,
    /// By what the far side's checks prove themselves, where it makes any; then packets are believed from where they
    /// come, and from nowhere else.
    pub connectivity: Option<Connectivity>,
    /// Reports share the port (RFC 5761).
    pub multiplexed: bool,
}

/// What connectivity checks are proved by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connectivity {
    /// Ours.
    pub ours: Credentials,
    /// The far side's user fragment.
    pub theirs: String,
}

/// The keys of a stream that is protected by SRTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// Of what we send.
    pub ours: Key,
    /// Of what the far side sends.
    pub theirs: Key,
}

/// What a session may be told. Never blocks; carried out in order by the session's thread.
#[derive(Debug)]
pub enum Control {
    /// Use this stream from now on.
    Configure(Stream),
    /// Use this line from now on, in place of a stream.
    Attach(Line),
    /// Play this after what plays now.
    Play {
        /// Its number.
        utterance: UtteranceId,
        /// Its audio; any sampling rate, converted by the session.
        speech: Speech,
    },
    /// Stop what plays within one packet and forget what waits.
    StopPlaying,
    /// Write the caller's voiced audio here, at 8 kHz, with speech marks.
    Listen(AudioSender),
    /// Write both sides here, interleaved (caller left), at 8 kHz.
    Record(AudioSender),
    /// Put the far side together with another session's: what it says goes here and what it hears comes from here, at
    /// 8 kHz, silence included.
    Bridge {
        /// What it says.
        says: AudioSender,
        /// What it hears.
        hears: AudioReceiver,
    },
    /// The far side is by itself again.
    Part,
    /// Whenever nothing was said for a while, play this, 8 kHz, again and again, until something is; none: no more.
    Wait(Option<Clip>),
    /// Send these keys as telephone events.
    SendDigits(String),
    /// End: free the port, tell the quality, then nothing more.
    Close,
}

/// What a session tells.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaEvent {
    /// The far side's first packet came.
    FirstPacket,
    /// The far side began to speak.
    SpeechStarted,
    /// The far side stopped speaking.
    SpeechStopped,
    /// The far side pressed a key.
    Digit(char),
    /// An utterance's first sample left.
    PlaybackStarted {
        /// Which.
        utterance: UtteranceId,
    },
    /// An utterance is no longer playing.
    PlaybackEnded {
        /// Which.
        utterance: UtteranceId,
        /// Played to its end.
        complete: bool,
        /// The index of the last word that had begun, where any had.
        last_word: Option<u32>,
    },
    /// Keys were agreed on by DTLS: from now on both can be heard.
    Keys,
    /// No keys were agreed on by DTLS, and none will be: nothing can be heard or said until something else is described.
    NoKeys(NoKeys),
    /// No packet came for longer than the timeout while the far side should be sending, or no check while it is held
    /// and was checking. Told once per silence.
    TimedOut,
    /// The session is over and its port is free; the last event.
    Closed(CallQuality),
}

/// Where a session's events go. Called on a media thread: send a message and return.
pub type MediaEvents = Arc<dyn Fn(MediaEvent) + Send + Sync>;
