//! What the task of a call is told.

use actors::call::leg::Command;
use tokio::sync::oneshot;

use super::provider::rest::Outcome;
use super::upgrade::Connected;
use crate::edge::media::MediaEvent;

/// Something for a call.
pub(super) enum Told {
    /// The call actor wants something.
    Command(Command),
    /// The audio has something to tell.
    Media(MediaEvent),
    /// The carrier asked again what to do: its first question is not known to have been answered.
    AskedAgain(oneshot::Sender<String>),
    /// The stream is there.
    Stream(Box<Connected>),
    /// The request to transfer has an answer; none where that is not known.
    Redirected(Option<Outcome>),
    /// The carrier asks whom to dial.
    Fetched(oneshot::Sender<String>),
    /// What became of the one who was dialled.
    Dialled {
        /// The SIP status that says so.
        status: u16,
        /// What the carrier is to do now.
        reply: oneshot::Sender<String>,
    },
    /// The carrier says that the call is over.
    Over,
    /// The node stops.
    Stop,
}
