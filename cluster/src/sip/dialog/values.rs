//! What goes into a dialog and what comes out.

use serde::{Deserialize, Serialize};

use super::super::replaces::Referred;
use super::super::sdp::{Agreed, Unacceptable};
use super::super::wire::{HeaderName, Request, Response};

/// A server transaction, by the number that the owner gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TransactionId(pub u64);

/// A request that the dialog made, by a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u32);

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// T1, the estimate of a round trip (RFC 3261 section 17.1.1.1). Everything is given up after 64 of it.
    pub t1_ms: u64,
    /// T2, the longest time between two retransmissions.
    pub t2_ms: u64,
    /// How long a call that came in may ring before it is refused with 480.
    pub ringing_ms: u64,
    /// How long a call that went out may ring before it is cancelled.
    pub answer_ms: u64,
    /// How long the far side may take to report the end of a transfer before that counts as a 408.
    pub transfer_ms: u64,
    /// Within how many seconds a call that is up is refreshed (RFC 4028), where the far side leaves that to us;
    /// 0 asks for no refreshing. A call that nobody refreshes is ended.
    pub session_s: u32,
    /// The least such interval that we take, in seconds; less gets 422. RFC 4028 forbids less than 90.
    pub session_least_s: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            t1_ms: 500,
            t2_ms: 4_000,
            ringing_ms: 60_000,
            answer_ms: 180_000,
            transfer_ms: 40_000,
            session_s: 1_800,
            session_least_s: 90,
        }
    }
}

/// What a dialog needs to know of our own side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// Our tag: unique in the world.
    pub tag: String,
    /// Our Contact, with its angle brackets.
    pub contact: String,
    /// Our Via up to the parameters: `SIP/2.0/UDP 192.0.2.1:5060`.
    pub via: String,
    /// How long things take.
    pub timing: Timing,
    /// Whether the far side may ask us to call somebody in its place (REFER).
    pub takes_referrals: bool,
    /// Whether a call that we make goes where whoever is called says that they are (3xx).
    pub follows_redirects: bool,
}

/// A call that we make.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calling<'a> {
    /// Its Call-ID.
    pub call_id: &'a str,
    /// The URI that is called.
    pub target: &'a str,
    /// Our address of record, a URI.
    pub from: &'a str,
    /// The proxies that it goes by (RFC 3608).
    pub routes: Vec<String>,
    /// The value of a Replaces header: the dialog of the target that it takes the place of.
    pub replaces: Option<String>,
    /// Who offers audio first.
    pub offers: Offers,
}

/// When audio is offered in a call that we make, and so by whom (RFC 3261 section 13.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offers {
    /// In the INVITE, by us.
    #[default]
    Early,
    /// In its answer, by whoever is called.
    Delayed,
}

/// What happens to a dialog.
#[derive(Debug)]
pub enum Input {
    /// A request in the dialog, or its ACK (which has no transaction), or the CANCEL of its INVITE.
    Request {
        /// Its transaction.
        transaction: Option<TransactionId>,
        /// The request; checked.
        request: Request,
    },
    /// A response to a request of the dialog.
    Response {
        /// Which request.
        id: RequestId,
        /// The response.
        response: Response,
    },
    /// A request got no answer in time, or could not be sent.
    Unanswered {
        /// Which request.
        id: RequestId,
    },
    /// A request is to be sent once more; see [`super::Dialog::wants`].
    Again {
        /// Which request.
        id: RequestId,
        /// As it was sent.
        request: Box<Request>,
        /// The headers that prove who we are, where somebody has asked.
        proofs: Vec<(HeaderName, String)>,
        /// Our side as another server sees it, where it goes to another.
        own: Option<Box<Own>>,
    },
    /// The owner wants something.
    Command(Command),
    /// Time has passed; see [`Dialog::deadline`].
    Tick,
}

/// What the owner of a dialog may want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Send 180.
    Ring,
    /// Send 183 with the answer: the caller hears us before the call is answered.
    Progress,
    /// Send 200 with the answer.
    Answer,
    /// Refuse the INVITE.
    Refuse {
        /// The status.
        status: u16,
        /// The Retry-After, in seconds.
        retry_after_s: Option<u32>,
    },
    /// Ask the far side to call this URI instead.
    Transfer(String),
    /// Report on the call that the far side asked for, with this status.
    Report(u16),
    /// End the call.
    HangUp,
    /// End the call, and say why (RFC 3326).
    HangUpBecause {
        /// The status that says it best.
        status: u16,
        /// The same in words.
        text: String,
    },
}

/// What the owner is to do.
#[derive(Debug)]
pub enum Effect {
    /// Answer a transaction.
    Respond {
        /// Which.
        transaction: TransactionId,
        /// With what.
        response: Response,
    },
    /// Send a request in a new client transaction.
    Send {
        /// Its number.
        id: RequestId,
        /// The request.
        request: Request,
        /// The URI that says where it goes.
        next_hop: String,
    },
    /// Send an ACK, which has no transaction.
    Acknowledge {
        /// The ACK.
        request: Request,
        /// The URI that says where it goes.
        next_hop: String,
    },
    /// Send a 200 again, because no ACK came yet.
    Retransmit {
        /// The INVITE's transaction.
        transaction: TransactionId,
        /// The 200.
        response: Response,
    },
    /// Something happened.
    Tell(Event),
    /// What the far side describes in its answer can't be used; the call ends for it.
    Unusable {
        /// Why.
        why: Unacceptable,
    },
    /// An input that can't happen in this state was passed over.
    Ignored {
        /// Why.
        why: &'static str,
    },
}

/// What the owner is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The far side rings (a call that we made).
    Ringing,
    /// Audio is agreed on, or agreed on anew.
    Agreed(Agreed),
    /// The call is up: its 200 is acknowledged.
    Established,
    /// The far side held or resumed the call.
    Held(bool),
    /// A key, by INFO.
    Digit(char),
    /// The far side reports on a transfer.
    TransferProgress(u16),
    /// The far side asks us to call somebody in its place; what becomes of it is to be reported.
    Referred(Referred),
    /// The call is over. Told once; the dialog may live on until its last transaction is done.
    Ended(Ending),
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// The far side sent BYE.
    Remote,
    /// We hung up.
    Local,
    /// The far side sent CANCEL, or BYE before the call was answered.
    Cancelled,
    /// We refused, or were refused, with this status.
    Refused(u16),
    /// The far side sent BYE after it took a transfer.
    Transferred,
    /// An ACK or an answer never came.
    Timeout,
}

/// Why a dialog can't begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A header that a dialog needs is missing or can't be read.
    #[error("the message has no usable {0}")]
    Header(&'static str),
    /// The session interval is too small: 422 with this Min-SE (RFC 4028 section 6).
    #[error("the session interval is below {least_s} s")]
    TooBrief {
        /// The least interval, in seconds.
        least_s: u32,
    },
    /// The offer can't be taken.
    #[error(transparent)]
    Offer(#[from] Unacceptable),
    /// The bytes are no dialog of this version.
    #[error("the bytes are no dialog that this version can read: {0}")]
    Captured(&'static str),
}
