//! ◇ A call handed over to a person with a word in between: the person is called, told who is on the line, and asked to
//! take it; only then are the two put together. A pure function of its state, the time and one input.
//!
//! ```text
//! Calling ─ answers ─▶ Telling ─ all is said ─▶ Asking ─ 1 ─▶ Joined ─ either hangs up ─▶ Over
//!    └ busy, silent, unreachable   └────────── 2, hangs up, nobody presses: back to the receptionist
//! ```
//! Where the settings want it, the two are then asked to go on without us (RFC 5589); until that is done, and where it
//! can't be, their words go by here.
//!
//! A machine that answers presses no key, so that a caller never speaks to a mailbox unless they want to.

mod caps;
mod settings;

use serde::{Deserialize, Serialize};

pub use caps::{Begun, Caps, Denied, Price, Settings as CapSettings};
pub use settings::Settings;

use crate::types::{CallTime, HandOverOutcome};

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The person's telephone rings.
    Ringing,
    /// Somebody or something answers.
    Answered,
    /// The call was refused with this SIP status.
    Refused(u16),
    /// There is no way to call them.
    Unreachable,
    /// All was said, or the voice has failed at it.
    Said,
    /// They pressed a key.
    Digit(char),
    /// What answered is a mailbox, by its sound.
    Mailbox,
    /// Their line is gone.
    Gone,
    /// The caller's side reports on its way to the person, by SIP status.
    Moved(u16),
    /// The receptionist needs it no more: the caller hung up, or the call goes on another way.
    Stop,
    /// Time has passed; see [`HandOver::deadline`].
    Tick,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Tell the person who is on the line.
    Say,
    /// Put the two together.
    Join,
    /// Let the two go on without us.
    Leave,
    /// Hang the person up.
    Release,
    /// Let the conversation know.
    Tell(News),
}

/// What the conversation is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// The person's telephone rings.
    Ringing,
    /// The two speak with each other.
    Joined,
    /// They do not, and won't.
    Failed(HandOverOutcome),
    /// They do so without us: our part is done.
    Moved,
    /// They did, and the person has gone; the caller is still there.
    Left,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Calling,
    Telling,
    Asking,
    Joined,
    /// The two speak, and are on their way to do so without us.
    Leaving {
        /// The person's line with us is gone.
        person_gone: bool,
    },
    Over,
}

/// A hand-over under way.
#[derive(Debug)]
pub struct HandOver {
    settings: Settings,
    /// Whoever answers has the call, without a word and a key.
    unasked: bool,
    phase: Phase,
    due: Option<CallTime>,
    effects: Vec<Effect>,
}

impl HandOver {
    /// The person is being called.
    #[must_use]
    pub fn new(settings: Settings, now: CallTime) -> Self {
        let due = Some(now + settings.ring_ms);
        Self { settings, unasked: false, phase: Phase::Calling, due, effects: Vec::new() }
    }

    /// The same, and whoever or whatever answers has the call at once, as telephone networks forward calls.
    #[must_use]
    pub fn unasked(settings: Settings, now: CallTime) -> Self {
        Self { unasked: true, ..Self::new(settings, now) }
    }

    /// Lets it know what happened. What is to be done is returned, in order.
    pub fn handle(&mut self, now: CallTime, input: Input) -> Vec<Effect> {
        match (self.phase, input) {
            (Phase::Over, _) => {}
            (_, Input::Stop) => self.over(None),
            (Phase::Calling, Input::Ringing) => self.effects.push(Effect::Tell(News::Ringing)),
            (Phase::Calling, Input::Answered) if self.unasked => self.joined(now),
            (Phase::Calling, Input::Answered) => {
                self.go(Phase::Telling, now + self.settings.telling_ms_max);
                self.effects.push(Effect::Say);
            }
            (Phase::Calling, Input::Refused(status)) => {
                self.over(Some(News::Failed(HandOverOutcome::of_status(status))));
            }
            (Phase::Calling, Input::Unreachable) => self.failed(HandOverOutcome::Unreachable),
            // What had answered is gone, however that came.
            (_, Input::Unreachable) => return self.handle(now, Input::Gone),
            // It ended without a word: nobody answered and nobody said why.
            (Phase::Calling, Input::Gone | Input::Tick) if self.is_due(now) || input == Input::Gone => {
                self.failed(HandOverOutcome::NoAnswer);
            }
            (Phase::Telling, Input::Said) => self.go(Phase::Asking, now + self.settings.asking_ms_max),
            (Phase::Telling | Phase::Asking, Input::Digit(key)) => match key {
                '1' => self.joined(now),
                '2' => self.failed(HandOverOutcome::Declined),
                _ => {}
            },
            (Phase::Telling | Phase::Asking, Input::Gone) => self.failed(HandOverOutcome::Declined),
            (Phase::Telling | Phase::Asking, Input::Mailbox) => self.failed(HandOverOutcome::Voicemail),
            // Nobody has pressed a key: a mailbox, or somebody who does not hear us.
            (Phase::Telling | Phase::Asking, Input::Tick) if self.is_due(now) => {
                self.failed(HandOverOutcome::Voicemail);
            }
            (Phase::Joined, Input::Gone) => self.over(Some(News::Left)),
            // Their new line with the caller takes the place of the one with us.
            (Phase::Leaving { .. }, Input::Gone) => self.phase = Phase::Leaving { person_gone: true },
            (Phase::Leaving { .. }, Input::Moved(200..=299)) => {
                self.effects.push(Effect::Tell(News::Moved));
                self.over(None);
            }
            (Phase::Leaving { person_gone }, Input::Moved(300..)) => self.stays(person_gone),
            (Phase::Leaving { person_gone }, Input::Tick) if self.is_due(now) => self.stays(person_gone),
            _ => {}
        }
        std::mem::take(&mut self.effects)
    }

    /// When [`Input::Tick`] is due, if nothing else comes.
    #[must_use]
    pub const fn deadline(&self) -> Option<CallTime> {
        self.due
    }

    /// Whether nothing more can come of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether nobody has answered yet.
    #[must_use]
    pub fn is_calling(&self) -> bool {
        self.phase == Phase::Calling
    }

    /// Whether the two are on their way to speak without us.
    #[must_use]
    pub const fn is_leaving(&self) -> bool {
        matches!(self.phase, Phase::Leaving { .. })
    }

    fn joined(&mut self, now: CallTime) {
        self.effects.extend([Effect::Join, Effect::Tell(News::Joined)]);
        if self.settings.leave_path {
            self.go(Phase::Leaving { person_gone: false }, now + self.settings.leaving_ms_max);
            self.effects.push(Effect::Leave);
        } else {
            self.phase = Phase::Joined;
            self.due = None;
        }
    }

    /// They can't do without us.
    fn stays(&mut self, person_gone: bool) {
        self.phase = Phase::Joined;
        self.due = None;
        if person_gone {
            self.over(Some(News::Left));
        }
    }

    fn is_due(&self, now: CallTime) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    fn go(&mut self, phase: Phase, due: CallTime) {
        self.phase = phase;
        self.due = Some(due);
    }

    fn failed(&mut self, outcome: HandOverOutcome) {
        self.over(Some(News::Failed(outcome)));
    }

    fn over(&mut self, news: Option<News>) {
        self.phase = Phase::Over;
        self.due = None;
        self.effects.push(Effect::Release);
        self.effects.extend(news.map(Effect::Tell));
    }
}

#[cfg(test)]
mod tests;
