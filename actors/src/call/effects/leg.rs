//! The leg: commands out, events in.

use crate::call::conversation::{Input, PlaybackEnd};
use crate::call::leg::{Command, Event};
use crate::call::record::moment;
use crate::call::shell::Shell;
use crate::types::CallEventKind;

impl Shell {
    /// Hands over a command. Where the leg is gone its end is on the way; where that never comes, the call is
    /// closed without it.
    pub(in crate::call) fn command(&mut self, command: Command) {
        if self.case.command(command).is_err() && self.ending.close_by.is_none() {
            self.ending.close_by = Some(self.case.now() + self.services.settings.hang_up_ms);
        }
    }

    /// Answers, and gets everything ready that the caller's first word needs.
    pub(in crate::call) fn answer(&mut self) {
        // Whom we call answers themselves.
        if self.we_called {
            return;
        }
        self.command(Command::Answer);
        self.is_answered();
    }

    /// The call is answered, by us or by whom we called.
    fn is_answered(&mut self) {
        let now = self.case.now();
        self.case.note(|record, milestones| {
            record.answered_at = Some(moment(record, now));
            record.sip_status = 200;
            milestones.answered = Some(now);
        });
        self.open_recogniser();
        self.start_recording();
        self.case.write_record();
    }

    /// Takes in what the leg tells.
    pub(in crate::call) fn on_leg(&mut self, event: Event) {
        if self.reached.is_open() {
            return self.on_leg_reached(event);
        }
        let now = self.case.now();
        match event {
            Event::Established => {
                if self.we_called {
                    self.case.note_answered();
                    self.is_answered();
                    self.listen_for_mailbox();
                }
                self.case.note(|_, milestones| milestones.established = Some(now));
                self.push(Input::Established);
            }
            // What only a call that we make tells, and what comes too late.
            Event::Ringing | Event::EarlyMedia | Event::ReachableBy(_) | Event::Reached(_) => {}
            Event::Refused(status) => self.case.note(|record, _| record.sip_status = status),
            Event::SpeechStarted => {
                self.turns.caller_speaks();
                self.push(Input::SpeechStarted);
            }
            Event::SpeechStopped => {
                self.turns.caller_stopped(now);
                self.push(Input::SpeechStopped);
            }
            Event::Digit(digit) => self.push(Input::Digit(digit)),
            Event::PlaybackStarted { utterance } => {
                if !self.voice.is_tone(utterance) {
                    self.note_audible(now, utterance);
                    self.push(Input::PlaybackStarted { utterance });
                }
            }
            Event::PlaybackEnded { utterance, complete, last_word } => {
                if let Some(words) = self.voice.ended(utterance) {
                    let begun = last_word.map_or(0, |last| last.saturating_add(1).min(words));
                    let end = PlaybackEnd { complete, words: if complete { words } else { begun } };
                    self.push(Input::PlaybackEnded { utterance, end });
                }
            }
            Event::TransferProgress(status) if self.is_leaving() => self.caller_moved(status),
            Event::TransferProgress(status) => {
                self.transferring &= status < 200;
                self.push(Input::TransferProgress(status));
            }
            Event::Held(held) => self.push(Input::Held(held)),
            Event::Quality(quality) => self.case.note(|record, _| record.quality = quality),
            Event::Ended(reason) => self.leg_ended(reason),
        }
    }

    /// The same while the call is not the receptionist's: what its caller says is for somebody else.
    fn on_leg_reached(&mut self, event: Event) {
        let now = self.case.now();
        match event {
            Event::Established => {
                self.case.note(|_, milestones| milestones.established = Some(now));
                self.case.tell(now, CallEventKind::Answered);
            }
            Event::Held(held) => self.case.tell(now, CallEventKind::Held { held }),
            Event::Reached(fate) => self.network_reached(fate),
            Event::Quality(quality) => self.case.note(|record, _| record.quality = quality),
            Event::Ended(reason) => self.reached_leg_ended(reason),
            _ => {}
        }
    }

    fn note_audible(
        &mut self,
        now: crate::types::CallTime,
        utterance: crate::call::conversation::UtteranceId,
    ) {
        let latency = self.turns.audible(now, utterance);
        if let Some(latency) = latency {
            metrics::histogram!(crate::metrics::TURN_SECONDS).record(f64::from(latency.audible_ms) / 1_000.0);
        }
        self.case.note(|record, milestones| {
            milestones.first_sample.get_or_insert(now);
            record.latencies.extend(latency);
        });
    }
}
