//! The real conversation at one pause.

use actors::call::brain::Thought;
use actors::call::conversation::{
    Conversation, Effect, ExpectationKind, Input, PlaybackEnd, Settings, Start, UtteranceId,
};
use actors::types::CallTime;

use crate::pauses::Pause;

/// What the conversation is told of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs {
    pub(crate) words: bool,
    pub(crate) sound: bool,
    /// How long it takes to judge the sound.
    pub(crate) judge_ms: u64,
}

/// Where the caller begins to speak, in the call.
const SPOKEN_AT_MS: u64 = 10_000;

/// How long after voice activity had said that the caller is silent the turn was decided to be over.
pub(crate) fn finished_after_ms(settings: &Settings, pause: &Pause, signs: Signs) -> u64 {
    let mut call = listening(settings, pause.expect);
    let mut at = |ms: u64, input: Input| {
        call.handle(CallTime::from_ms(ms), input);
        while call.poll_effect().is_some() {}
        call.next_deadline()
    };
    at(SPOKEN_AT_MS, Input::SpeechStarted);
    let stopped = SPOKEN_AT_MS + 2_000;
    if signs.words && !pause.words.is_empty() {
        at(stopped - 1, Input::Partial { turn: 0, text: pause.words.clone(), confidence: 0.9 });
    }
    let mut deadline = at(stopped, Input::SpeechStopped);
    let judged_at = stopped + signs.judge_ms;
    if let Some(finished) = pause.sound.filter(|_| signs.sound)
        && deadline.is_some_and(|(due, _)| due.as_ms() > judged_at)
    {
        deadline = at(judged_at, Input::PauseJudged { pause: 1, finished });
    }
    // Nothing else is due before the end of the turn.
    loop {
        let (due, _) = deadline.expect("the turn ends");
        call.handle(due, Input::Timeout);
        while let Some(effect) = call.poll_effect() {
            if let Effect::FinishTurn { .. } = effect {
                return due.as_ms() - stopped;
            }
        }
        deadline = call.next_deadline();
    }
}

/// A call whose greeting was heard.
fn listening(settings: &Settings, expect: ExpectationKind) -> Conversation {
    let mut call = Conversation::new(Start { settings: settings.clone(), ..Start::default() });
    let utterance = UtteranceId(0);
    let end = PlaybackEnd { complete: true, words: 4 };
    for (ms, input) in [
        (10, Input::Thought { question: 0, thought: Thought::Say { text: "How can I help?".into() } }),
        (10, Input::Thought { question: 0, thought: Thought::Listen { expect } }),
        (20, Input::Established),
        (50, Input::PlaybackStarted { utterance }),
        (1_500, Input::PlaybackEnded { utterance, end }),
    ] {
        call.handle(CallTime::from_ms(ms), input);
        while call.poll_effect().is_some() {}
    }
    call
}
