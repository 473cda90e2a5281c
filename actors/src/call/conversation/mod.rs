//! ◇ The conversation: what happens in a call, as a pure function of its state, the time and one input.
//!
//! ```text
//! Input ─▶ handle(now, input) ─▶ turn_taking (whose turn is it?) ─┐
//!                                mouth (what is being said?) ─────┼─▶ the phase's own file ─▶ Effects
//!                                timers (why are we awake?) ──────┘
//! ```
//! Feed an input, then drain [`Conversation::poll_effect`] until it is empty; then the state may be written to
//! bytes, and [`Conversation::next_deadline`] says when to come back with [`Input::Timeout`]. It decides when
//! to speak and when to listen, never what to say: that is its brain's part ([`crate::call::brain`]).

mod advance;
mod asking;
mod digits;
mod effect;
mod end_of_turn;
mod ending;
mod ending_reason;
mod holding;
mod input;
mod listening;
mod mouth;
mod phase;
mod phrases;
mod ringing;
mod routes;
mod saying;
mod settings;
mod speaking;
mod state;
mod taking_message;
mod timers;
mod tools;
mod transcript;
mod transferring;
mod trouble;
mod turn_taking;
mod using_tool;
mod watch;
mod words;

#[cfg(test)]
mod rig;

pub use effect::{Effect, ExpectationKind, IgnoredWhy, Utterance, UtteranceId};
pub use end_of_turn::EndSign;
pub use ending_reason::outcome_of;
pub use input::{Input, PlaybackEnd};
pub use settings::{Settings, Start};
pub use state::{Error, Snapshot, VERSION};
pub use timers::TimerReason;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use self::phase::Phase;
use crate::types::{CallTime, Heading};

/// One call's conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    start: Start,
    phase: Phase,
    mouth: mouth::Mouth,
    ear: turn_taking::Ear,
    timers: timers::Timers,
    tools: tools::Tools,
    recogniser: trouble::Recogniser,
    /// What the caller said or pressed while we could not ask about it.
    kept: listening::Kept,
    /// Keys pressed so far.
    digits: String,
    /// What the caller is expected to say.
    expect: ExpectationKind,
    /// The number of the next question.
    questions: u64,
    /// Fillers said in this wait.
    fillers: u32,
    /// Silences of the caller in a row.
    silences: u32,
    /// Tools used since the brain was last asked about the caller.
    #[serde(default)]
    tools_in_a_row: u32,
    /// Interruptions without words.
    false_barge_ins: u32,
    heading: Heading,
    /// The last thing that was said, but for fillers.
    last_said: String,
    established: bool,
    held: bool,
    leg_gone: bool,
    /// Since when the caller waits for us.
    our_turn_since: Option<CallTime>,
    checkpoint_due: bool,
    #[serde(skip)]
    effects: VecDeque<Effect>,
}

impl Conversation {
    /// Starts with a call that rings: it is answered at once, and the brain is asked for a greeting.
    #[must_use]
    pub fn new(start: Start) -> Self {
        ringing::begin(start, CallTime::START)
    }

    /// The same with a call that has rung elsewhere until now.
    #[must_use]
    pub fn beginning_at(start: Start, now: CallTime) -> Self {
        ringing::begin(start, now)
    }

    /// Handles one input. Drain [`Self::poll_effect`] afterwards.
    pub fn handle(&mut self, now: CallTime, input: Input) {
        if let Phase::Ended(_) = self.phase {
            return self.ignore(IgnoredWhy::Ended);
        }
        if transferring::is_with_the_person(self) && input.is_of_the_callers_voice() {
            return self.ignore(IgnoredWhy::OutOfPlace);
        }
        match input {
            Input::Established => ringing::on_established(self, now),
            Input::SpeechStarted => self.on_speech_started(now),
            Input::SpeechStopped => self.on_speech_stopped(now),
            Input::Partial { turn, text, confidence } => self.on_partial(now, turn, &text, confidence),
            Input::Final { turn, text, confidence } => self.on_final(now, turn, &text, confidence),
            Input::PauseJudged { pause, finished } => self.on_pause_judged(now, pause, finished),
            Input::EndHeard { turn, back_channel } => self.on_end_heard(now, turn, back_channel),
            Input::Digit(digit) => self.on_digit(now, digit),
            Input::PlaybackStarted { utterance } => self.on_playback_started(now, utterance),
            Input::PlaybackEnded { utterance, end } => self.on_playback_ended(now, utterance, end),
            Input::VoiceFailed { utterance } => self.on_voice_failed(now, utterance),
            Input::RecogniserFailed => self.on_recogniser_failed(now),
            Input::RecogniserRestored => self.on_recogniser_restored(now),
            Input::Thought { question, thought } => self.on_thought(now, question, thought),
            Input::Tool { step, outcome } => self.on_tool(now, step, outcome),
            Input::TransferProgress(status) => transferring::on_progress(self, now, status),
            Input::HandOver(news) => transferring::on_hand_over(self, now, news),
            Input::Held(held) => self.on_held(now, held),
            Input::LegEnded(reason) => ending::on_leg_ended(self, now, reason),
            Input::NodeStopping => ending::on_node_stopping(self, now),
            Input::Timeout => self.on_timeout(now),
        }
        self.advance(now);
        self.keep_watch(now);
        if std::mem::take(&mut self.checkpoint_due) {
            self.effects.push_back(Effect::Checkpoint);
        }
    }

    /// The next thing to be done, until there is none.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to come back with [`Input::Timeout`], and why; never, once the call is over.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(CallTime, TimerReason)> {
        self.timers.next()
    }
}
