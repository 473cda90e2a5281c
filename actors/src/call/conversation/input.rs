//! Everything that can happen to a conversation.

use serde::{Deserialize, Serialize};

use super::UtteranceId;
use crate::call::brain::Thought;
use crate::types::{EndReason, ToolOutcome, ToolStep};

/// One thing that happened. Handled with the time it happened at; nothing else tells a conversation anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The far side's ACK or first packet came: the call is up and the greeting may start.
    Established,
    /// The caller began to speak (voice activity).
    SpeechStarted,
    /// The caller stopped speaking (voice activity), without judging whether they are done.
    SpeechStopped,
    /// The recogniser's words of the turn so far.
    Partial {
        /// The turn, as given in [`super::Effect::FinishTurn`], counted from 0.
        turn: u64,
        /// All words of the turn so far, lower case.
        text: String,
        /// From 0 to 1.
        confidence: f32,
    },
    /// The recogniser's last word on a turn that was finished; empty where nothing was understood.
    Final {
        /// The turn.
        turn: u64,
        /// All words of the turn, lower case.
        text: String,
        /// From 0 to 1.
        confidence: f32,
    },
    /// How the caller sounded when they paused.
    PauseJudged {
        /// The pause, as given in [`super::Effect::JudgePause`].
        pause: u64,
        /// From 0 (will go on) to 1 (has finished).
        finished: f32,
    },
    /// The recogniser itself has heard the end of a turn; a later `Partial` of it takes that back.
    EndHeard {
        /// The turn.
        turn: u64,
        /// The caller only showed that they listen.
        back_channel: bool,
    },
    /// The caller pressed a key: `0`–`9`, `*`, `#`, `A`–`D`.
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
        /// How far it got.
        end: PlaybackEnd,
    },
    /// An utterance could not be spoken: the voice failed or is full.
    VoiceFailed {
        /// Which.
        utterance: UtteranceId,
    },
    /// The recogniser failed. A new one may be opened: see `RecogniserRestored`. Turns go on counting: the next
    /// `Partial` and `Final` of a new one carry the number of the next [`super::Effect::FinishTurn`].
    RecogniserFailed,
    /// A recogniser listens again, or for the first time.
    RecogniserRestored,
    /// The brain's thought on the question with this number.
    Thought {
        /// The number, as in [`super::Effect::Think`].
        question: u64,
        /// The thought.
        thought: Thought,
    },
    /// A tool answered.
    Tool {
        /// Which call of it.
        step: ToolStep,
        /// What came back.
        outcome: ToolOutcome,
    },
    /// News of a transfer: the SIP status its NOTIFY reported (RFC 3515 section 2.4.5); 100 to 199 is under
    /// way, 200 to 299 done, above is failure. 408 is also used where no news came in time.
    TransferProgress(u16),
    /// The far side put the call on hold (RFC 3264 section 8.4) or took it off.
    Held(bool),
    /// The leg is gone: the caller hung up, or the media or the signalling died.
    LegEnded(EndReason),
    /// The node is stopping: say goodbye and end within seconds.
    NodeStopping,
    /// A deadline has come: see `Conversation::next_deadline`.
    Timeout,
}

/// How far an utterance got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaybackEnd {
    /// It was played to its end.
    pub complete: bool,
    /// How many whitespace-separated words of its text had begun to be heard; all of them where complete.
    pub words: u32,
}
