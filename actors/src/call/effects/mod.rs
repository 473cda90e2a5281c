//! Does what a conversation asks for. One file per kind of effect.

mod answering;
mod early_media;
mod hand_over;
mod hearing;
mod leg;
mod pauses;
mod people;
mod reaching;
mod recording;
mod thinking;
mod tools;
mod voice;
mod waiting;

pub(super) use answering::Mailbox;
pub(super) use hand_over::HandingOver;
pub(super) use hearing::Hearing;
pub(super) use pauses::Pauses;
pub(super) use people::{People, Person};
pub(super) use reaching::Reached;
pub(super) use recording::{Opened, Recording};
pub(super) use thinking::Thinking;
pub(super) use tools::Tools;
pub(super) use voice::Voice;

use metrics::counter;

use super::conversation::{Effect, IgnoredWhy};
use super::shell::Shell;
use crate::metrics::INPUTS_IGNORED;

impl Shell {
    /// Does one thing. Whatever comes of it is queued as an input.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Answer => self.answer(),
            Effect::Say(utterance) => self.say(utterance),
            Effect::PlayTone => self.play_tone(),
            Effect::StopSpeaking => self.stop_speaking(),
            Effect::FinishTurn { turn } => self.finish_turn(turn),
            Effect::JudgePause { pause } => self.judge_pause(pause),
            Effect::TurnEnded { sign, silent_ms } => self.turn_ended(sign, silent_ms),
            Effect::CutOff { sign } => pauses::count_cut_off(sign),
            Effect::Expect(expectation) => self.expect(expectation),
            Effect::Think { question, asked } => self.think(question, asked),
            Effect::Forget { question } => self.thinking.forget(question),
            Effect::UseTool { step, call } => self.use_tool(step, call),
            Effect::Transfer { to } => self.transfer(to),
            Effect::HandOver { name, to } => self.hand_over(&name, to),
            Effect::EndHandOver => self.end_hand_over(),
            Effect::Record(kind) => self.case.tell(self.case.now(), kind),
            Effect::Checkpoint => self.case.journal.checkpoint(self.checkpoint()),
            Effect::HangUp(outcome) => self.hang_up(outcome),
            Effect::Ignored(why) => counter!(INPUTS_IGNORED, "why" => ignored(why)).increment(1),
        }
    }
}

const fn ignored(why: IgnoredWhy) -> &'static str {
    match why {
        IgnoredWhy::Stale => "stale",
        IgnoredWhy::Ended => "ended",
        IgnoredWhy::OutOfPlace => "out_of_place",
        IgnoredWhy::Late => "late",
    }
}
