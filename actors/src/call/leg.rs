//! The telephone side of a call, as the call sees it: commands out, events in, messages only.
//!
//! Any caller, on any transport, is a leg. Audio is not here: a leg's media thread reads [`Speech`] and writes
//! the rings that it is handed.

use std::sync::Arc;

use jiff::Timestamp;
use models::audio::{AudioReceiver, AudioSender, Clip, Speech};

use super::conversation::UtteranceId;
use crate::types::{
    Attestation, CallId, CallQuality, Destination, EndReason, HandOverOutcome, PhoneNumber, Private,
};

/// A call that rings.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its identity, made by the edge.
    pub call: CallId,
    /// The number that was dialled.
    pub called: PhoneNumber,
    /// Who calls, where the network says.
    pub caller: Option<Private<PhoneNumber>>,
    /// What the caller's network vouches for, as far as it was checked.
    pub attestation: Attestation,
    /// When the INVITE came.
    pub at: Timestamp,
}

/// Why a call is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No business has this number: 404.
    #[error("no business has this number")]
    UnknownNumber,
    /// The business has as many calls as it may: 486.
    #[error("the business is at its limit of {limit} calls")]
    TenantFull {
        /// The limit.
        limit: u32,
    },
    /// The business does not want the call, by its rules on who calls: the status it chose.
    #[error("the business does not want this call: {status}")]
    Screened {
        /// 433, 486, 603 or 607.
        status: u16,
    },
    /// The node has as many calls as it can serve, or is stopping: 503 with Retry-After.
    #[error("the node is full or stopping")]
    NodeFull {
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// Whose number it is is not known while the store is away: 503 with Retry-After, since it may be known soon,
    /// or to another node.
    #[error("the store is away, and the number was not called here before: {why}")]
    StoreAway {
        /// Why, without personal data.
        why: String,
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// Something of ours failed: 500.
    #[error("the call could not be set up: {why}")]
    Failed {
        /// Why, without personal data.
        why: String,
    },
}

/// What a call may tell its leg. Commands never block and are carried out in order.
#[derive(Debug)]
pub enum Command {
    /// Let the caller hear what is played, before the call is answered (183, RFC 3960). Passed over where the caller's
    /// side does not allow it; then they hear it ring.
    Progress,
    /// Have the caller's own network call people while the caller hears it ring; [`Event::Reached`] tells how that went.
    /// Only for legs that can, see [`Leg::reaches`].
    Reach(Reach),
    /// Answer the INVITE with 200.
    Answer,
    /// Refuse the INVITE.
    Refuse(Refusal),
    /// Write the caller's voiced audio, with its marks, to this ring from now on; replaces the one before.
    Listen(AudioSender),
    /// Write both sides to this ring from now on, interleaved: caller left, receptionist right.
    Record(AudioSender),
    /// Play this after what plays now.
    Play {
        /// Its number.
        utterance: UtteranceId,
        /// Its audio.
        speech: Speech,
    },
    /// Stop what plays within one packet and forget what waits; each is reported by `PlaybackEnded`.
    StopPlaying,
    /// Put the far side together with somebody else from now on: what it says goes to one ring as it is, silence
    /// included, and it hears the other ring beside what is played to it. Both at 8 kHz. Replaces the one before.
    Bridge {
        /// What the far side says.
        says: AudioSender,
        /// What it hears.
        hears: AudioReceiver,
    },
    /// The far side is by itself again.
    Part,
    /// Whenever nothing was said to the far side for a while, play this again and again, at 8 kHz; none: nothing
    /// any more. What is said, and whom it is put together with, silences it at once.
    Wait(Option<Clip>),
    /// Ask the far side to call somebody else instead (REFER).
    Transfer(Destination),
    /// End the call: BYE where it is up, a refusal where it rings.
    HangUp,
}

/// People whom the caller's own network is to call at once.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Whom.
    pub people: Vec<Destination>,
    /// How long it rings, in milliseconds.
    pub ring_ms: u64,
    /// What whoever picks up is told, and asked to press 1 for the call; they have it at once where absent.
    pub words: Option<String>,
    /// What the caller is told before.
    pub announcement: Option<String>,
}

/// How that went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The one of this number, counted from 0, has the call. Nothing of it comes by here any more but its end.
    Joined(usize),
    /// None of them has it.
    Nobody(HandOverOutcome),
}

/// What a leg tells its call.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// How calling people went.
    Reached(Reached),
    /// The far side rings: a call that we make.
    Ringing,
    /// It is heard although nobody has answered there: a ring tone, or an announcement. Told once.
    EarlyMedia,
    /// The far side refused a call that we make, with this SIP status; its end follows.
    Refused(u16),
    /// Whoever calls this URI takes our place with the far side (RFC 3891): a call that we make, told before
    /// `Established` where the far side can do that.
    ReachableBy(String),
    /// The far side acknowledged the answer, or has answered a call that we make.
    Established,
    /// The caller began to speak.
    SpeechStarted,
    /// The caller stopped speaking.
    SpeechStopped,
    /// The caller pressed a key (RFC 4733 or INFO).
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
        /// It was played to its end.
        complete: bool,
        /// The index of the last word that had begun, where any had.
        last_word: Option<u32>,
    },
    /// The far side reports on a transfer, by SIP status.
    TransferProgress(u16),
    /// The far side held or resumed the call.
    Held(bool),
    /// What the line was like, told once, right before `Ended`.
    Quality(CallQuality),
    /// The leg is gone; the last event.
    Ended(EndReason),
}

/// The leg is gone; its `Ended` event is on the way or was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the leg is gone")]
pub struct Gone;

/// A handle to a leg.
pub trait Leg: Send + Sync {
    /// Hands over a command.
    ///
    /// # Errors
    /// [`Gone`] where the leg has ended.
    fn command(&self, command: Command) -> Result<(), Gone>;

    /// Whether a caller may hear it ring for as long as it takes to reach somebody else. Where not, the call is to be
    /// answered at once.
    fn rings(&self) -> bool {
        true
    }

    /// How many people the caller's own network calls at once, where it is to call them ([`Command::Reach`]) and not we.
    fn reaches(&self) -> Option<usize> {
        None
    }
}

/// A call to make.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Whom.
    pub to: Destination,
    /// The number to show, where the network lets us.
    pub from: Option<Private<PhoneNumber>>,
}

/// Why no call was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the call was not made: {why}")]
pub struct NotCalled {
    /// Why, without personal data, and what to do.
    pub why: String,
}

/// Who makes calls: implemented by the edges.
#[async_trait::async_trait]
pub trait Exchange: Send + Sync {
    /// Calls somebody. The leg rings, is answered ([`Event::Established`]) or fails ([`Event::Refused`],
    /// [`Event::Ended`]) by its events. Whoever drops the leg hangs up.
    ///
    /// # Errors
    /// [`NotCalled`] where there is no way to call them.
    async fn call(&self, outgoing: Outgoing, events: Events) -> Result<Arc<dyn Leg>, NotCalled>;
}

/// Where a leg's events go: sends a message and returns.
pub type Events = Arc<dyn Fn(Event) + Send + Sync>;

/// Who takes calls. Implemented by this crate's supervision; called by every edge.
#[async_trait::async_trait]
pub trait Reception: Send + Sync {
    /// Offers a ringing call. On success a call actor owns it, has the leg, and will answer or refuse it;
    /// the edge delivers the leg's events to what is returned.
    ///
    /// # Errors
    /// A [`Refusal`]; the edge answers the INVITE with it, and a record of the refusal is kept.
    async fn offer(&self, incoming: Incoming, leg: Arc<dyn Leg>) -> Result<Events, Refusal>;
}
