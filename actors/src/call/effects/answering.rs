//! What has answered a call that we make: listened to on a task of its own, and what a call back does with a mailbox.

use std::time::Duration;

use metrics::counter;
use models::answering::{Answering, Listener, Settings};
use models::audio::{TELEPHONE_HZ, audio_ring};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::call::brain::Opening;
use crate::call::conversation::{Input, outcome_of};
use crate::call::leg::Command;
use crate::call::shell::Shell;
use crate::metrics::MAILBOXES;
use crate::types::{CallTime, EndReason};

/// How often is looked at what has come.
const EVERY: Duration = Duration::from_millis(100);
/// Audio that may wait, both sides of it, in milliseconds.
const WAITING_MS: u32 = 1_000;
/// From the end of a mailbox's beep to the first word, in milliseconds.
const AFTER_BEEP_MS: u64 = 300;
/// How long a mailbox may talk before its beep, in milliseconds.
const TALKS_MS_MAX: u64 = 45_000;

/// The listening, until it is dropped.
pub(super) struct Tap {
    task: JoinHandle<()>,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens to a leg that nobody records, once it is given the command.
pub(super) fn tap(settings: Settings, tell: impl Fn(Answering) + Send + 'static) -> (Tap, Command) {
    let samples = usize::try_from(2 * TELEPHONE_HZ / 1_000 * WAITING_MS).unwrap_or_default();
    let (sender, mut receiver) = audio_ring(TELEPHONE_HZ, samples);
    let task = tokio::spawn(async move {
        let mut listener = Listener::new(settings, TELEPHONE_HZ);
        let (mut both, mut theirs_is_next) = (vec![0; samples], true);
        while !receiver.is_finished() {
            sleep(EVERY).await;
            let read = receiver.read(&mut both);
            let new = both.get(..read).unwrap_or_default();
            // Theirs is every other sample, wherever the last piece ended.
            let theirs: Vec<i16> =
                new.iter().skip(usize::from(!theirs_is_next)).step_by(2).copied().collect();
            theirs_is_next ^= read % 2 == 1;
            listener.hear(&theirs).into_iter().for_each(&tell);
        }
    });
    (Tap { task }, Command::Record(sender))
}

/// Where a call back stands with a mailbox.
#[derive(Default)]
pub(in crate::call) struct Mailbox {
    tap: Option<Tap>,
    stage: Stage,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A person, as far as is known.
    #[default]
    None,
    /// It talks, until then at the latest.
    Talks(CallTime),
    /// It has beeped: the message begins then.
    Beeped(CallTime),
    /// It is told the message.
    Told,
}

impl Mailbox {
    /// Whether the conversation waits for a mailbox's beep.
    pub(in crate::call) const fn is_waited_for(&self) -> bool {
        matches!(self.stage, Stage::Talks(_) | Stage::Beeped(_))
    }

    /// Whether it is a mailbox that the call was with.
    pub(in crate::call) const fn is_one(&self) -> bool {
        !matches!(self.stage, Stage::None)
    }

    pub(in crate::call) const fn next_due(&self) -> Option<CallTime> {
        match self.stage {
            Stage::Talks(by) | Stage::Beeped(by) => Some(by),
            Stage::None | Stage::Told => None,
        }
    }
}

impl Shell {
    /// Listens to whom we have called.
    pub(super) fn listen_for_mailbox(&mut self) {
        let inlet = self.inlet.clone();
        let settings = self.services.settings.answering.clone();
        let (tap, command) = tap(settings, move |heard| inlet.answering(heard));
        self.mailbox.tap = Some(tap);
        self.command(command);
    }

    /// Something was heard of whom we have called.
    pub(in crate::call) fn on_answering(&mut self, heard: Answering) {
        let now = self.case.now();
        if self.ending.outcome.is_some() || self.mailbox.tap.is_none() {
            return;
        }
        let stage = match heard {
            Answering::ShortGreeting => return,
            Answering::LongGreeting if self.mailbox.is_one() => return,
            Answering::LongGreeting => Stage::Talks(now + TALKS_MS_MAX),
            Answering::Beep => Stage::Beeped(now + AFTER_BEEP_MS),
        };
        if !self.mailbox.is_one() {
            counter!(MAILBOXES, "call" => "back").increment(1);
        }
        self.mailbox.stage = stage;
        let told = self.case.business.arrival.call_back.as_ref().and_then(|rules| rules.mailbox.as_ref());
        if told.is_none() {
            return self.hang_up(outcome_of(EndReason::Mailbox));
        }
        // Nobody talks to a mailbox that talks.
        self.hearing.close();
        self.stop_speaking();
        self.inputs.clear();
    }

    pub(in crate::call) fn mailbox_due(&mut self, now: CallTime) {
        match self.mailbox.stage {
            Stage::Talks(by) if by <= now => self.hang_up(outcome_of(EndReason::Mailbox)),
            Stage::Beeped(at) if at <= now => {
                self.mailbox.stage = Stage::Told;
                self.mailbox.tap = None;
                let rules = self.case.business.arrival.call_back.as_ref();
                let text = rules.and_then(|rules| rules.mailbox.clone()).unwrap_or_default();
                self.opening = Opening::Message(text);
                self.begin_conversation();
                self.push(Input::Established);
            }
            _ => {}
        }
    }
}
