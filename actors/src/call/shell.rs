//! Around a conversation: feeds it what happened and does what it asks for, until nothing is left to do.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::tz::TimeZone;
use metrics::counter;
use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::brain::Opening;
use super::case::Case;
use super::checkpoint::Checkpoint;
use super::conversation::{Input, outcome_of};
use super::dialogue::{Beginning, Dialogue};
use super::effects::{
    HandingOver, Hearing, Mailbox, Pauses, People, Reached, Recording, Thinking, Tools, Voice,
};
use super::inlet::Inlet;
use super::latency::TurnClock;
use super::leg::Command;
use super::services::Services;
use super::snapshot::Snapshot;
use super::timer::Timer;
use crate::clock::ms;
use crate::metrics::CALLS_CRASHED;
use crate::types::{CallResult, CallTime, EndReason, Outcome};

/// The state of a call's actor.
pub(crate) struct Shell {
    pub(super) case: Arc<Case>,
    pub(super) services: Arc<Services>,
    pub(super) inlet: Inlet,
    pub(super) dialogue: Box<dyn Dialogue>,
    pub(super) inputs: VecDeque<Input>,
    pub(super) thinking: Thinking,
    pub(super) voice: Voice,
    pub(super) hearing: Hearing,
    pub(super) pauses: Pauses,
    pub(super) tools: Tools,
    pub(super) recording: Recording,
    pub(super) people: People,
    pub(super) handing_over: HandingOver,
    pub(super) reached: Reached,
    pub(super) mailbox: Mailbox,
    pub(super) opening: Opening,
    /// The call is one that we make.
    pub(super) we_called: bool,
    pub(super) turns: TurnClock,
    /// The caller was told to wait, and hears something meanwhile.
    pub(super) waits: bool,
    /// The caller, whose call is not answered, hears us instead of their own network's ring tone.
    pub(super) rings_by_us: bool,
    /// The caller's carrier was asked to call somebody, and has not said how that went.
    pub(super) transferring: bool,
    pub(super) ending: Ending,
    timer: Timer,
}

/// How far a call is on its way out.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// What the conversation closed with.
    pub(super) outcome: Option<Outcome>,
    /// Why the leg ended, once it has.
    pub(super) leg_ended: Option<EndReason>,
    /// When the record is closed, whatever is still open.
    pub(super) close_by: Option<CallTime>,
}

impl Shell {
    pub(super) fn new(
        case: Arc<Case>,
        services: Arc<Services>,
        phrases: Arc<[String]>,
        inlet: Inlet,
        opening: Opening,
    ) -> Self {
        let recording = match opening {
            // Nobody says anything that would have to be kept; and whoever we call was not told of it.
            Opening::Message(_) | Opening::CalledBack { .. } => Recording::default(),
            _ => Recording::planned(&case, &services),
        };
        let beginning = beginning(&case, &recording, CallTime::START);
        let dialogue = (services.minds.dialogue)(&beginning);
        let mind = (services.minds.mind)(&beginning);
        let time_zone = TimeZone::get(&case.business.time_zone).unwrap_or_else(|_| {
            tracing::warn!(tenant_id = %case.tenant.tenant(), zone = case.business.time_zone,
                "unknown time zone, using UTC");
            TimeZone::UTC
        });
        let ticks = inlet.clone();
        Self {
            dialogue,
            inputs: VecDeque::new(),
            thinking: Thinking::new(mind, time_zone),
            voice: Voice::default(),
            hearing: Hearing::new(phrases),
            pauses: Pauses::default(),
            tools: Tools::default(),
            recording,
            people: People::default(),
            handing_over: HandingOver::default(),
            reached: Reached::default(),
            mailbox: Mailbox::default(),
            we_called: matches!(opening, Opening::CalledBack { .. }),
            opening,
            turns: TurnClock::default(),
            waits: false,
            rings_by_us: false,
            transferring: false,
            ending: Ending::default(),
            timer: Timer::new(move || ticks.tick()),
            case,
            services,
            inlet,
        }
    }

    /// Whether the call is the conversation's: nobody is being called first, and no mailbox talks.
    fn is_talking(&self) -> bool {
        !self.reached.is_open() && !self.mailbox.is_waited_for()
    }

    /// Nobody took the call whose telephone rang: the receptionist answers.
    pub(super) fn begin_conversation(&mut self) {
        self.reached = Reached::default();
        let beginning = beginning(&self.case, &self.recording, self.case.now());
        self.dialogue = (self.services.minds.dialogue)(&beginning);
    }

    /// Queues an input for the conversation.
    pub(super) fn push(&mut self, input: Input) {
        // What a mailbox says is no answer.
        if !self.mailbox.is_waited_for() {
            self.inputs.push_back(input);
        }
    }

    /// Lets the conversation handle what waits and does what it asks for, until it asks for nothing more.
    ///
    /// # Errors
    /// Where that does not come to an end: the conversation is broken.
    pub(super) fn settle(&mut self) -> Result<(), ActorProcessingErr> {
        let mut handled = 0;
        loop {
            // While people are called the conversation has not begun.
            while self.is_talking()
                && let Some(effect) = self.dialogue.poll_effect()
            {
                self.perform(effect);
            }
            let Some(input) = self.inputs.pop_front() else { break };
            handled += 1;
            if handled > self.services.settings.inputs_per_message_max {
                return Err("the conversation does not come to rest".into());
            }
            self.dialogue.handle(self.case.now(), input);
        }
        self.wait_or_not();
        self.arm();
        Ok(())
    }

    /// Arms the timer for the next thing that is due.
    fn arm(&self) {
        let shell = [
            self.voice.next_due(),
            self.hearing.next_due(),
            self.tools.next_due(),
            self.handing_over.next_due(),
            self.reached.next_due(),
            self.mailbox.next_due(),
            self.ending.close_by,
        ];
        let talks = self.ending.outcome.is_none() && self.is_talking();
        let conversation = talks.then(|| self.dialogue.next_deadline()).flatten();
        let due = shell.into_iter().flatten().chain(conversation).min();
        // A deadline that stays in the past must not keep the processor busy.
        let floor = Instant::now() + ms(5);
        self.timer.arm(
            due.map(|due| self.case.instant(due)).map(|due| if due <= Instant::now() { floor } else { due }),
        );
    }

    /// Something is due.
    pub(super) fn on_tick(&mut self) {
        self.timer.fired();
        let now = self.case.now();
        self.voice_due(now);
        self.hearing_due(now);
        self.tools_due(now);
        self.hand_over_due(now);
        self.reached_due(now);
        self.mailbox_due(now);
        let talks = self.ending.outcome.is_none() && self.is_talking();
        if talks && self.dialogue.next_deadline().is_some_and(|due| due <= now) {
            self.push(Input::Timeout);
        }
    }

    /// The conversation is over: hang up, and wait a bounded time for the leg's last words and for tools.
    pub(super) fn hang_up(&mut self, outcome: Outcome) {
        if self.ending.outcome.is_some() {
            return;
        }
        let now = self.case.now();
        let outcome = if self.mailbox.is_one() { outcome_of(EndReason::Mailbox) } else { outcome };
        self.ending.outcome = Some(outcome);
        self.case.note(|_, milestones| milestones.hung_up = Some(now));
        self.hearing.close();
        self.voice.forget();
        self.end_hand_over();
        self.end_reaching();
        self.end_recording();
        if self.ending.leg_ended.is_none() && self.case.command(Command::HangUp).is_ok() {
            self.ending.close_by = Some(now + self.services.settings.hang_up_ms);
        } else {
            self.wait_for_tools(now);
        }
    }

    /// The leg is gone.
    pub(super) fn leg_ended(&mut self, reason: EndReason) {
        let now = self.case.now();
        self.ending.leg_ended = Some(reason);
        if reason == EndReason::Cancelled {
            // Our answer crossed the caller's change of mind (RFC 3261 section 9.2) or was never sent.
            self.case.note(|record, _| (record.sip_status, record.answered_at) = (487, None));
        }
        self.case.free_places();
        if self.ending.outcome.is_some() {
            self.wait_for_tools(now);
        } else {
            // The conversation closes by itself, once its tools have answered; where it does not, the shell does.
            let settings = &self.services.settings;
            self.ending.close_by = Some(now + settings.tools_after_end_ms + settings.hang_up_ms);
            if self.mailbox.is_waited_for() {
                return self.hang_up(outcome_of(EndReason::Mailbox));
            }
            self.push(Input::LegEnded(reason));
        }
    }

    fn wait_for_tools(&mut self, now: CallTime) {
        self.ending.close_by = Some(now + self.services.settings.tools_after_end_ms);
    }

    /// Closes the call where nothing is left to wait for; whether it is closed.
    pub(super) fn close_if_over(&mut self) -> bool {
        let now = self.case.now();
        let late = self.ending.close_by.is_some_and(|by| by <= now);
        let leg_gone = self.ending.leg_ended.is_some();
        let over = match self.ending.outcome {
            Some(outcome) if leg_gone && self.tools.is_empty() => Some(outcome),
            Some(outcome) if late => Some(outcome),
            None if late => {
                counter!(CALLS_CRASHED, "how" => "did_not_close").increment(1);
                let reason = self.ending.leg_ended.unwrap_or(EndReason::Crashed);
                Some(Outcome { result: CallResult::Indeterminate, reason })
            }
            _ => None,
        };
        if let Some(outcome) = over {
            self.close(outcome);
        }
        over.is_some()
    }

    /// Writes down what the call was about and closes it.
    pub(super) fn close(&mut self, outcome: Outcome) {
        if self.case.is_closed() {
            return;
        }
        self.hearing.close();
        self.voice.forget();
        self.end_hand_over();
        self.end_reaching();
        self.end_recording();
        self.note_hung_up_at_once();
        let summary = self.reached.summary().unwrap_or_else(|| self.summary());
        self.case.note(|record, _| record.summary = summary);
        self.case.close(outcome);
    }

    /// Callers who hang up at once, again and again, are told from others by it.
    fn note_hung_up_at_once(&self) {
        let services = &self.services;
        let short = self.case.now().as_ms() < services.settings.screening.short_ms;
        let theirs = matches!(self.ending.leg_ended, Some(EndReason::CallerHungUp | EndReason::Cancelled));
        if let (true, true, Some(caller)) = (short, theirs, &self.case.caller) {
            let (now_ms, tenant) = (services.now_ms(), self.case.tenant.tenant());
            services.history.lock().hung_up_at_once(&services.settings.screening, now_ms, tenant, caller);
        }
    }

    /// The state as it is kept.
    pub(super) fn checkpoint(&self) -> Vec<u8> {
        let (call, now) = (self.case.call, self.case.now());
        let checkpoint = Checkpoint {
            call,
            tenant: self.case.tenant.tenant().clone(),
            business_version: self.case.business.version,
            started_at: self.case.record().started_at,
            at: now,
            next_seq: self.case.journal.next_seq(),
            conversation: self.dialogue.to_bytes(),
            brain: self.thinking.to_bytes(),
        };
        checkpoint.to_bytes().unwrap_or_else(|error| {
            tracing::error!(call_id = %call, %error, "no checkpoint");
            Vec::new()
        })
    }

    /// The call as seen from outside.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            call: self.case.call,
            at: self.case.now(),
            phase: self.dialogue.phase().to_owned(),
            record: self.case.record(),
            events: self.case.journal.next_seq(),
            speaking: self.voice.waiting_or_playing(),
            listening: self.hearing.is_open(),
            tools: self.tools.len(),
            ending: self.ending.outcome.is_some(),
            state: self.checkpoint(),
        }
    }
}

fn beginning(case: &Case, recording: &Recording, at: CallTime) -> Beginning {
    Beginning {
        business: Arc::clone(&case.business),
        caller: case.caller.clone(),
        recording: recording.id(),
        at,
    }
}
