//! What the task of a call is told.

use actors::call::leg::Command;
use tokio::sync::oneshot;

use super::provider::rest::Outcome;
use super::provider::webhook::News;
use super::upgrade::Connected;
use crate::edge::media::MediaEvent;

/// News of people who were dialled.
pub(super) struct Dialled {
    /// Opens the questions about them.
    pub(super) token: String,
    /// Whom it is about, by their number among them, where the carrier says so.
    pub(super) person: Option<usize>,
    /// The same by telephone number.
    pub(super) whom: Option<String>,
    /// What happened.
    pub(super) news: News,
    /// What the carrier is to do now.
    pub(super) reply: oneshot::Sender<String>,
}

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
    /// News of people who were dialled.
    Dialled(Dialled),
    /// Somebody who was dialled has picked up, and is to be told what for.
    PickedUp {
        /// Opens the questions about them.
        token: String,
        /// Their number among those.
        person: usize,
        /// What is said to them.
        reply: oneshot::Sender<String>,
    },
    /// They have pressed a key, or none in time.
    Pressed {
        /// Opens the questions about them.
        token: String,
        /// Their number among those.
        person: usize,
        /// It is the one that takes the call.
        takes: bool,
        /// What is done with them.
        reply: oneshot::Sender<String>,
    },
    /// The carrier says that the call is over.
    Over,
    /// The node stops.
    Stop,
}
