//! When a made-up caller says what. A value that is told what happened and when, and says what to do.

use std::collections::VecDeque;

/// How a caller behaves, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manners {
    /// How long the receptionist must be silent before the caller speaks.
    pub(super) pause_ms: u64,
    /// How long the receptionist must be silent before a caller with nothing left to say hangs up. Longer, so that
    /// an answer that takes looking up is heard.
    pub(super) farewell_ms: u64,
    /// How long the caller waits for a receptionist who says nothing.
    pub(super) patience_ms: u64,
}

impl Default for Manners {
    fn default() -> Self {
        Self { pause_ms: 1_000, farewell_ms: 4_000, patience_ms: 15_000 }
    }
}

/// What the caller notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noticed {
    /// The call was answered.
    Answered,
    /// The receptionist began to speak.
    SpeechStarted,
    /// The receptionist stopped speaking.
    SpeechStopped,
    /// The caller's own words were said to their end.
    Said,
}

/// What the caller does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Says this.
    Say(String),
    /// Hangs up: everything was said and answered.
    HangUp,
}

/// What a caller means to say, and how far they are.
#[derive(Debug, Clone)]
pub(super) struct Script {
    manners: Manners,
    lines: VecDeque<String>,
    /// More lines may come.
    open: bool,
    answered: bool,
    /// Own words are on the line.
    saying: bool,
    /// The receptionist speaks now.
    hearing: bool,
    /// The receptionist has spoken since the caller last did.
    heard: bool,
    /// Since when nobody speaks.
    quiet_since_ms: u64,
    over: bool,
}

impl Script {
    pub(super) fn new(lines: Vec<String>, manners: Manners) -> Self {
        Self {
            manners,
            lines: lines.into(),
            open: false,
            answered: false,
            saying: false,
            hearing: false,
            heard: false,
            quiet_since_ms: 0,
            over: false,
        }
    }

    /// A caller whose lines become known as the call goes.
    pub(super) fn to_come(manners: Manners) -> Self {
        Self { open: true, ..Self::new(Vec::new(), manners) }
    }

    /// Whether a line to come should come now.
    pub(super) fn wants_line(&self) -> bool {
        self.open && self.lines.is_empty()
    }

    /// A line has come.
    pub(super) fn add(&mut self, line: String) {
        self.lines.push_back(line);
    }

    /// No more lines come.
    pub(super) fn complete(&mut self) {
        self.open = false;
    }

    /// Takes note of what happened.
    pub(super) fn notice(&mut self, now_ms: u64, noticed: Noticed) {
        match noticed {
            Noticed::Answered => self.answered = true,
            Noticed::SpeechStarted => {
                self.hearing = true;
                self.heard = true;
            }
            Noticed::SpeechStopped => self.hearing = false,
            Noticed::Said => self.saying = false,
        }
        self.quiet_since_ms = now_ms;
    }

    /// What to do now, if anything. After [`Act::Say`], the caller is told [`Noticed::Said`] when it was said.
    pub(super) fn act(&mut self, now_ms: u64) -> Option<Act> {
        if !self.answered || self.saying || self.hearing || self.over || self.wants_line() {
            return None;
        }
        let wait_ms = match (self.heard, self.lines.is_empty()) {
            (false, _) => self.manners.patience_ms,
            (true, false) => self.manners.pause_ms,
            (true, true) => self.manners.farewell_ms,
        };
        if now_ms.saturating_sub(self.quiet_since_ms) < wait_ms {
            return None;
        }
        self.heard = false;
        if let Some(line) = self.lines.pop_front() {
            self.saying = true;
            return Some(Act::Say(line));
        }
        self.over = true;
        Some(Act::HangUp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(lines: &[&str]) -> Script {
        let lines = lines.iter().map(ToString::to_string).collect();
        Script::new(lines, Manners { pause_ms: 1_000, farewell_ms: 4_000, patience_ms: 15_000 })
    }

    #[test]
    fn speaks_when_the_receptionist_has_finished_and_hangs_up_after_the_last_answer() {
        let mut script = script(&["one", "two"]);
        assert_eq!(script.act(50_000), None);
        script.notice(0, Noticed::Answered);
        script.notice(100, Noticed::SpeechStarted);
        assert_eq!(script.act(60_000), None);
        script.notice(4_000, Noticed::SpeechStopped);
        assert_eq!(script.act(4_900), None);
        assert_eq!(script.act(5_000), Some(Act::Say("one".to_owned())));
        assert_eq!(script.act(5_100), None);
        script.notice(6_000, Noticed::Said);
        assert_eq!(script.act(7_500), None);
        script.notice(8_000, Noticed::SpeechStarted);
        script.notice(9_000, Noticed::SpeechStopped);
        assert_eq!(script.act(10_000), Some(Act::Say("two".to_owned())));
        script.notice(11_000, Noticed::Said);
        script.notice(12_000, Noticed::SpeechStarted);
        script.notice(13_000, Noticed::SpeechStopped);
        assert_eq!(script.act(16_900), None);
        assert_eq!(script.act(17_000), Some(Act::HangUp));
        assert_eq!(script.act(90_000), None);
    }

    #[test]
    fn a_silent_receptionist_is_waited_for_only_so_long() {
        let mut script = script(&["one"]);
        script.notice(0, Noticed::Answered);
        assert_eq!(script.act(14_999), None);
        assert_eq!(script.act(15_000), Some(Act::Say("one".to_owned())));
        script.notice(16_000, Noticed::Said);
        assert_eq!(script.act(31_000), Some(Act::HangUp));
    }

    #[test]
    fn an_answer_that_is_looked_up_is_waited_for() {
        let mut script = script(&["one"]);
        script.notice(0, Noticed::Answered);
        script.notice(0, Noticed::SpeechStarted);
        script.notice(0, Noticed::SpeechStopped);
        assert_eq!(script.act(1_000), Some(Act::Say("one".to_owned())));
        script.notice(2_000, Noticed::Said);
        // A filler, then the answer.
        script.notice(3_000, Noticed::SpeechStarted);
        script.notice(3_500, Noticed::SpeechStopped);
        assert_eq!(script.act(6_000), None);
        script.notice(6_500, Noticed::SpeechStarted);
        script.notice(9_000, Noticed::SpeechStopped);
        assert_eq!(script.act(13_000), Some(Act::HangUp));
    }

    #[test]
    fn lines_that_are_still_to_come_are_waited_for() {
        let mut script = Script::to_come(Manners::default());
        script.notice(0, Noticed::Answered);
        script.notice(100, Noticed::SpeechStarted);
        script.notice(4_000, Noticed::SpeechStopped);
        assert_eq!(script.act(90_000), None);
        assert!(script.wants_line());
        script.add("one".to_owned());
        assert!(!script.wants_line(), "one at a time");
        assert_eq!(script.act(90_000), Some(Act::Say("one".to_owned())));
        script.notice(91_000, Noticed::Said);
        script.notice(92_000, Noticed::SpeechStarted);
        script.notice(93_000, Noticed::SpeechStopped);
        assert_eq!(script.act(99_000), None);
        script.complete();
        assert_eq!(script.act(99_000), Some(Act::HangUp));
    }
}
