//! What remains of a call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::HandOverOutcome;
use super::{
    Arrived, Attestation, BookingId, CallBackNote, CallId, CallTime, Holder, MessageId, PhoneNumber, Private,
    RecordingId, TenantId, ToolCall, ToolOutcome, ToolStep,
};

/// One thing that happened in a call. Appended as the call goes; `seq` counts from 0 without gaps, so that a
/// repeated append changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallEvent {
    /// Its number within the call.
    pub seq: u32,
    /// When.
    pub at: CallTime,
    /// What.
    pub kind: CallEventKind,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person who called.
    Caller,
    /// Strowger.
    Receptionist,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CallEventKind {
    /// The call was answered.
    Answered,
    /// The caller was told that the call is recorded, or it is recorded by silent policy.
    RecordingStarted {
        /// Which recording.
        recording: RecordingId,
        /// Whether it was announced.
        announced: bool,
    },
    /// Words that were heard by the other side. Of an interrupted sentence, only the words played.
    Said {
        /// Whose words.
        speaker: Speaker,
        /// The words.
        text: Private<String>,
        /// The sentence was cut off here by the other side.
        interrupted: bool,
        /// The recogniser's confidence, for the caller's words.
        confidence: Option<f32>,
    },
    /// The caller pressed keys.
    Digits {
        /// The keys.
        digits: Private<String>,
    },
    /// A tool was asked for.
    ToolCalled {
        /// Its number.
        step: ToolStep,
        /// What was asked.
        call: ToolCall,
    },
    /// A tool answered.
    ToolAnswered {
        /// Its number.
        step: ToolStep,
        /// What came back.
        outcome: ToolOutcome,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// A transfer was tried.
    Transfer {
        /// To whom, by department name.
        to: String,
        /// The SIP status of its outcome, such as 200 or 486; 0 while under way.
        status: u16,
    },
    /// A caller was handed over to a person, or that was tried.
    HandOver {
        /// To whom, by department name.
        to: String,
        /// What became of it; none while under way.
        outcome: Option<HandOverOutcome>,
    },
    /// An engine or a stage failed and was replaced or worked around.
    Trouble {
        /// Which, and what was done; no personal data.
        what: String,
    },
    /// The far side held or resumed the call.
    Held {
        /// Whether it is held now.
        held: bool,
    },
    /// The call is over.
    Ended {
        /// How and why.
        outcome: Outcome,
    },
}

/// How a call ended, as its operator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// It ran its course.
    Success,
    /// The caller's side ended it in the middle or sent what can't be served.
    Client,
    /// We failed.
    Server,
    /// Something we depend on failed.
    Upstream,
    /// The process died; how far the call had come is not known.
    Indeterminate,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The caller hung up after the goodbye or with nothing open.
    CallerHungUp,
    /// The caller hung up before they got what they asked for.
    CallerHungUpMidway,
    /// The caller gave up before the call was answered.
    Cancelled,
    /// We said goodbye and hung up.
    Completed,
    /// The call went to a person.
    Transferred,
    /// The caller said nothing, however often they were asked.
    Silence,
    /// The caller dialled a wrong number.
    WrongNumber,
    /// No media came for too long.
    MediaTimeout,
    /// The signalling never completed or broke.
    SignallingTimeout,
    /// The longest a call may last was reached.
    TooLong,
    /// The call was refused before it was answered: SIP status in the record.
    Refused,
    /// An engine failed and nothing could replace it.
    EngineFailed,
    /// A mailbox answered a call that we made.
    Mailbox,
    /// The call's own actor failed.
    Crashed,
    /// The node stopped in an orderly way.
    NodeStopped,
    /// The node died; found when it started again.
    NodeDied,
    /// No keys for its audio were agreed on, so that nothing could be heard or said.
    KeysNotAgreed,
}

/// How and why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outcome {
    /// In one word.
    pub result: CallResult,
    /// The reason.
    pub reason: EndReason,
}

/// What the caller came for, as a heading for the call list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Heading {
    /// Nothing was understood or asked.
    #[default]
    Nothing,
    /// A question was answered.
    Question,
    /// An appointment was made.
    Booked,
    /// An appointment was moved.
    Moved,
    /// An appointment was cancelled.
    Cancelled,
    /// A message was taken.
    Message,
    /// The call went to a person.
    Transferred,
    /// It was a wrong number.
    WrongNumber,
}

/// How one answer came about, in milliseconds from the end of the caller's speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct TurnLatency {
    /// Until the turn was decided to be over.
    pub turn_ended_ms: u32,
    /// Until the words were final.
    pub words_final_ms: u32,
    /// Until the brain's first answer.
    pub answered_ms: u32,
    /// Until the first sample of the answer left.
    pub audible_ms: u32,
}

/// What the line was like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct CallQuality {
    /// Packets received, each counted once.
    pub packets_received: u64,
    /// Packets sent.
    pub packets_sent: u64,
    /// Packets that never came or came too late.
    pub packets_lost: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1), the mean over the call, in milliseconds.
    pub jitter_ms: f32,
    /// Round-trip time from RTCP, in milliseconds, where the far side sends it.
    pub round_trip_ms: Option<f32>,
    /// Estimated mean opinion score, 1 to 4.5 (ITU-T G.107, simplified), where any packet came.
    pub mos: Option<f32>,
    /// Audio made up for lost packets, in milliseconds.
    pub concealed_ms: u64,
}

/// The summary row of a call. Written when the call is answered and again at its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Which call.
    pub id: CallId,
    /// Whose.
    pub tenant: TenantId,
    /// The version of the business's settings it ran with.
    pub business_version: u64,
    /// Who called, where the network says.
    pub caller: Option<Private<PhoneNumber>>,
    /// What their network vouches for.
    #[serde(default, skip_serializing_if = "Attestation::is_absent")]
    pub attestation: Attestation,
    /// The number they dialled.
    pub called: PhoneNumber,
    /// When the INVITE came.
    pub started_at: Timestamp,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it was over; absent while it goes on.
    pub ended_at: Option<Timestamp>,
    /// How it ended; absent while it goes on.
    pub outcome: Option<Outcome>,
    /// The SIP status we answered the INVITE with, 0 while none.
    pub sip_status: u16,
    /// What it was about.
    pub heading: Heading,
    /// One or two sentences for the business.
    pub summary: Private<String>,
    /// The appointments it made or changed.
    pub bookings: Vec<BookingId>,
    /// The messages it left.
    pub messages: Vec<MessageId>,
    /// Its recording.
    pub recording: Option<RecordingId>,
    /// What the line was like.
    pub quality: CallQuality,
    /// Each answer's latencies, in order.
    pub latencies: Vec<TurnLatency>,
    /// Which process has the call, or had it; absent where it came before this was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<Holder>,
    /// How it arrived, where the business has rules for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Arrived>,
    /// What was done to call the caller back, where the business has rules for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_back: Option<CallBackNote>,
}

impl CallRecord {
    /// How often the call was claimed from another process.
    #[must_use]
    pub fn claim(&self) -> u32 {
        self.held_by.as_ref().map_or(0, |holder| holder.claim)
    }

    /// Whether `other`, of the same call, may be written over this: by who has it, or claimed it later.
    #[must_use]
    pub fn yields_to(&self, other: &Self) -> bool {
        match (&self.held_by, &other.held_by) {
            (Some(held), Some(new)) if held.claim == new.claim => held.life == new.life,
            _ => self.claim() <= other.claim(),
        }
    }
}
