//! Where the caller's words come from: the command line, a pipe, or a person who types.

use std::io::{IsTerminal, stdin};

use tokio::sync::mpsc;

use super::script::{Act, Manners, Noticed, Script};

/// Lines that may wait to be said; whoever writes them waits meanwhile.
const LINES_MAX: usize = 16;

/// What the caller says.
pub(super) struct Words {
    source: Source,
    /// Lines may still come.
    open: bool,
}

enum Source {
    /// Sentences known beforehand.
    Script(Script),
    /// Lines from a file or another program, said politely one after another.
    Piped(Script, mpsc::Receiver<String>),
    /// What a person types, said at once, also over the receptionist.
    Typed(mpsc::Receiver<String>),
}

impl Words {
    /// These words, or else the lines of standard input.
    pub(super) fn of(words: Vec<String>) -> Self {
        let manners = Manners::default();
        let source = if !words.is_empty() {
            Source::Script(Script::new(words, manners))
        } else if stdin().is_terminal() {
            eprintln!("type what the caller says, a line at a time; end with Ctrl-D");
            Source::Typed(lines())
        } else {
            Source::Piped(Script::to_come(manners), lines())
        };
        Self { open: !matches!(source, Source::Script(_)), source }
    }

    /// Waits for the next line that is wanted, and says what it leads to at once, if anything. Comes never where
    /// none is wanted.
    pub(super) async fn line(&mut self) -> Option<Act> {
        let line = match &mut self.source {
            Source::Piped(script, lines) if self.open && script.wants_line() => lines.recv().await,
            Source::Typed(lines) if self.open => lines.recv().await,
            _ => std::future::pending().await,
        };
        self.open = line.is_some();
        match (&mut self.source, line) {
            (Source::Piped(script, _), Some(line)) => script.add(line),
            (Source::Piped(script, _), None) => script.complete(),
            (_, Some(line)) => return Some(Act::Say(line)),
            (_, None) => return Some(Act::HangUp),
        }
        None
    }

    /// Takes note of what happened.
    pub(super) fn notice(&mut self, now_ms: u64, noticed: Noticed) {
        if let Source::Script(script) | Source::Piped(script, _) = &mut self.source {
            script.notice(now_ms, noticed);
        }
    }

    /// What to do now, if anything.
    pub(super) fn act(&mut self, now_ms: u64) -> Option<Act> {
        match &mut self.source {
            Source::Script(script) | Source::Piped(script, _) => script.act(now_ms),
            Source::Typed(_) => None,
        }
    }
}

/// The lines of standard input that are not blank. They are read on a thread of their own, which nobody waits for: a
/// read from a terminal can't be called off, and must not keep a call that is over from ending.
fn lines() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(LINES_MAX);
    std::thread::spawn(move || {
        // What is no text ends the input.
        for line in stdin().lines().map_while(Result::ok).filter(|line| !line.trim().is_empty()) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}
