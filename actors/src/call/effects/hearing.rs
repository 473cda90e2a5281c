//! The recogniser: one session at a time, opened again when it fails.

use std::sync::Arc;

use metrics::counter;
use models::audio::TELEPHONE_HZ;
use models::engine::{Expectation, Heard, ListenRequest, Listening, RecogniserEvent};

use crate::call::conversation::{ExpectationKind, Input};
use crate::call::leg::Command;
use crate::call::shell::Shell;
use crate::metrics::RECOGNISER_FAILED;
use crate::types::CallTime;

/// The session that listens, and what is to be done where none does.
pub(in crate::call) struct Hearing {
    phrases: Arc<[String]>,
    expectation: Expectation,
    /// The number of the latest session; what older ones tell is ignored.
    session: u64,
    open: Option<Box<dyn Listening>>,
    /// The turn that the session's turn 0 is, for a session counts from 0.
    first_turn: u64,
    next_turn: u64,
    final_due: Option<CallTime>,
    reopen_at: Option<CallTime>,
    failures: u32,
}

impl Hearing {
    pub(in crate::call) fn new(phrases: Arc<[String]>) -> Self {
        Self {
            phrases,
            expectation: Expectation::Open,
            session: 0,
            open: None,
            first_turn: 0,
            next_turn: 0,
            final_due: None,
            reopen_at: None,
            failures: 0,
        }
    }

    /// Ends the session; none follows.
    pub(in crate::call) fn close(&mut self) {
        self.session += 1;
        (self.open, self.final_due, self.reopen_at) = (None, None, None);
    }

    pub(in crate::call) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(in crate::call) fn next_due(&self) -> Option<CallTime> {
        [self.final_due, self.reopen_at].into_iter().flatten().min()
    }
}

impl Shell {
    /// Opens a session. Without a recogniser the conversation is told so.
    pub(in crate::call) fn open_recogniser(&mut self) {
        let Some(engine) = self.services.speech_to_text.clone() else {
            self.push(Input::RecogniserFailed);
            return;
        };
        self.hearing.session += 1;
        (self.hearing.reopen_at, self.hearing.final_due) = (None, None);
        self.hearing.first_turn = self.hearing.next_turn;
        let (inlet, session) = (self.inlet.clone(), self.hearing.session);
        let request = ListenRequest { rate_hz: TELEPHONE_HZ, phrases: Arc::clone(&self.hearing.phrases) };
        let listener = Box::new(move |event| inlet.recogniser(session, event));
        match engine.listen_at(&self.case.heard_at(), request, listener) {
            Ok((mut audio, listening)) => {
                self.keep_recent(&mut audio);
                listening.expect(self.hearing.expectation);
                self.hearing.open = Some(listening);
                self.command(Command::Listen(audio));
                self.push(Input::RecogniserRestored);
            }
            Err(error) => self.recogniser_failed(&error.to_string()),
        }
    }

    /// Says so to the conversation, and opens another session soon, unless it has failed too often in a row.
    fn recogniser_failed(&mut self, why: &str) {
        let settings = &self.services.settings.hearing;
        let hearing = &mut self.hearing;
        (hearing.open, hearing.final_due) = (None, None);
        hearing.session += 1;
        hearing.failures += 1;
        let given_up = hearing.failures >= settings.failures_max;
        if !given_up {
            let wait_ms = match hearing.failures {
                0 | 1 => 0,
                failures => settings.reopen_ms.saturating_mul(1 << (failures - 2).min(16)),
            };
            hearing.reopen_at = Some(self.case.now() + wait_ms);
        }
        let then = if given_up { "given_up" } else { "reopened" };
        counter!(RECOGNISER_FAILED, "then" => then).increment(1);
        tracing::warn!(call_id = %self.case.call, why, then, "recogniser failed");
        self.push(Input::RecogniserFailed);
    }

    pub(in crate::call) fn finish_turn(&mut self, turn: u64) {
        let now = self.case.now();
        self.turns.turn_ended(now);
        self.hearing.next_turn = turn + 1;
        match &self.hearing.open {
            Some(listening) => {
                listening.finish_turn(turn - self.hearing.first_turn.min(turn));
                self.hearing.final_due = Some(now + self.services.settings.hearing.final_ms);
            }
            // Nobody listened: nothing was understood.
            None => self.push(Input::Final { turn, text: String::new(), confidence: 0.0 }),
        }
    }

    pub(in crate::call) fn expect(&mut self, expectation: ExpectationKind) {
        self.hearing.expectation = match expectation {
            ExpectationKind::Open => Expectation::Open,
            ExpectationKind::Confirmation => Expectation::Confirmation,
            ExpectationKind::DateTime => Expectation::DateTime,
            ExpectationKind::Digits => Expectation::Digits,
            ExpectationKind::Name => Expectation::Name,
        };
        if let Some(listening) = &self.hearing.open {
            listening.expect(self.hearing.expectation);
        }
    }

    pub(in crate::call) fn on_partial(&mut self) {
        if let Some(partial) = self.inlet.take_partial() {
            let event = RecogniserEvent::Partial { turn: partial.turn, heard: partial.heard };
            self.on_recogniser(partial.session, event);
        }
    }

    pub(in crate::call) fn on_recogniser(&mut self, session: u64, event: RecogniserEvent) {
        if session != self.hearing.session {
            return;
        }
        match event {
            RecogniserEvent::Partial { turn, heard } => {
                let turn = turn + self.hearing.first_turn;
                let (text, confidence) = self.heard(&heard);
                self.push(Input::Partial { turn, text, confidence });
            }
            RecogniserEvent::Final { turn, heard } => {
                let turn = turn + self.hearing.first_turn;
                if turn + 1 == self.hearing.next_turn {
                    self.hearing.final_due = None;
                }
                self.turns.words_final(self.case.now());
                let (text, confidence) = self.heard(&heard);
                self.push(Input::Final { turn, text, confidence });
            }
            RecogniserEvent::EndOfTurn { turn, back_channel } => {
                let turn = turn + self.hearing.first_turn;
                self.push(Input::EndHeard { turn, back_channel });
            }
            RecogniserEvent::Failed(error) => self.recogniser_failed(&error.to_string()),
        }
    }

    fn heard(&mut self, heard: &Heard) -> (String, f32) {
        if !heard.words.is_empty() {
            self.hearing.failures = 0;
            let now = self.case.now();
            self.case.note(|_, milestones| {
                milestones.first_words.get_or_insert(now);
            });
        }
        (heard.text(), heard.confidence())
    }

    pub(in crate::call) fn hearing_due(&mut self, now: CallTime) {
        if self.hearing.final_due.is_some_and(|due| due <= now) {
            self.recogniser_failed("no final words in time");
        }
        if self.hearing.reopen_at.is_some_and(|due| due <= now) {
            self.open_recogniser();
        }
    }
}
