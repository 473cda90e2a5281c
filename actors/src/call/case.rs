//! A call's case: what outlives its actor, so that whoever finds the call broken can still end it properly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use metrics::{counter, gauge};
use models::engine;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::journal::Journal;
use super::leg::{Command, Gone, Incoming, Leg};
use super::record::{Milestones, note_outcome, reason_name, result_name};
use super::services::Counted;
use super::sharing::Place;
use crate::metrics::{CALLS_ENDED, CALLS_LIVE};
use crate::tenant::{Live, Slot};
use crate::types::{
    Business, CallEventKind, CallId, CallRecord, CallTime, Outcome, PhoneNumber, Private, ToolOutcome,
    ToolStep,
};

/// Shared by the call's actor and its supervisor. Closed exactly once, by whoever is first.
pub(crate) struct Case {
    pub(crate) call: CallId,
    pub(crate) tenant: Arc<Live>,
    pub(crate) business: Arc<Business>,
    pub(crate) caller: Option<Private<PhoneNumber>>,
    pub(crate) journal: Journal,
    began: Instant,
    closed: AtomicBool,
    open: Mutex<Open>,
    pulse: AtomicU64,
}

/// What closing takes away.
struct Open {
    leg: Option<Arc<dyn Leg>>,
    places: Places,
    record: CallRecord,
    milestones: Milestones,
    end_told: bool,
}

/// What a call takes up, until it is dropped: a place on its node, one of its tenant's there, one of its tenant's on all
/// nodes, and one at the engine that hears it.
#[derive(Debug, Default)]
pub(crate) struct Places {
    _slots: Vec<Slot>,
    _shared: Option<Place>,
    heard: engine::Place,
    /// One of the calls that its tenant makes.
    counted: Option<Counted>,
}

impl Places {
    pub(crate) fn new(slots: Vec<Slot>, shared: Place, heard: engine::Place) -> Self {
        Self { _slots: slots, _shared: Some(shared), heard, counted: None }
    }

    /// Of a call beyond what its tenant may have.
    pub(crate) fn beyond(slots: Vec<Slot>) -> Self {
        Self { _slots: slots, ..Self::default() }
    }

    /// The same of a call that we make.
    pub(crate) fn calling(self, counted: Counted) -> Self {
        Self { counted: Some(counted), ..self }
    }
}

/// No question of the watchdog is open.
const ANSWERED: u64 = u64::MAX;

impl Case {
    /// Opens the case of a call that rings. `places` are freed when it is over.
    pub(crate) fn new(
        incoming: &Incoming,
        tenant: Arc<Live>,
        business: Arc<Business>,
        leg: Arc<dyn Leg>,
        places: Places,
        journal: Journal,
        began: Instant,
    ) -> Self {
        let record = super::record::opened(incoming, &business);
        journal.record(record.clone());
        gauge!(CALLS_LIVE).increment(1.0);
        Self {
            call: incoming.call,
            tenant,
            business,
            caller: incoming.caller.clone(),
            journal,
            began,
            closed: AtomicBool::new(false),
            open: Mutex::new(Open {
                leg: Some(leg),
                places,
                record,
                milestones: Milestones::default(),
                end_told: false,
            }),
            pulse: AtomicU64::new(ANSWERED),
        }
    }

    /// How far into the call we are.
    pub(crate) fn now(&self) -> CallTime {
        CallTime::from_ms(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// The moment of the clock that never goes back at which the call is so far.
    pub(crate) fn instant(&self, at: CallTime) -> Instant {
        self.began + Duration::from_millis(at.as_ms())
    }

    /// Its place at the engine that hears it; empty once its places are free.
    pub(crate) fn heard_at(&self) -> engine::Place {
        self.open.lock().places.heard.clone()
    }

    /// Hands a command to the leg.
    pub(crate) fn command(&self, command: Command) -> Result<(), Gone> {
        let leg = self.open.lock().leg.clone();
        leg.map_or(Err(Gone), |leg| leg.command(command))
    }

    /// How many people the caller's own network calls at once, where it is to call them.
    pub(crate) fn leg_reaches(&self) -> Option<usize> {
        self.open.lock().leg.as_ref().and_then(|leg| leg.reaches())
    }

    /// Changes the record that will be written at the end.
    pub(crate) fn note(&self, change: impl FnOnce(&mut CallRecord, &mut Milestones)) {
        let open = &mut *self.open.lock();
        change(&mut open.record, &mut open.milestones);
    }

    /// The record as it stands.
    pub(crate) fn record(&self) -> CallRecord {
        self.open.lock().record.clone()
    }

    /// Writes the record as it stands, while the call goes on.
    pub(crate) fn write_record(&self) {
        let record = self.open.lock().record.clone();
        self.journal.record(record);
    }

    /// Appends an event to the journal.
    pub(crate) fn tell(&self, at: CallTime, kind: CallEventKind) {
        if matches!(kind, CallEventKind::Ended { .. })
            && std::mem::replace(&mut self.open.lock().end_told, true)
        {
            return;
        }
        self.journal.event(at, kind);
    }

    /// Frees the call's places before it is closed: its line is free, though its record is not complete.
    pub(crate) fn free_places(&self) {
        let places = std::mem::take(&mut self.open.lock().places);
        drop(places);
    }

    /// A call that we made was answered.
    pub(crate) fn note_answered(&self) {
        if let Some(counted) = &self.open.lock().places.counted {
            counted.answered();
        }
    }

    /// Whether the call is over. Whatever is asked of it then comes to nothing.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// A tool has answered after the call was closed: what it did belongs to the record all the same.
    pub(crate) fn amend(&self, step: ToolStep, outcome: ToolOutcome, took_ms: u64) {
        let record = {
            let open = &mut *self.open.lock();
            note_outcome(&mut open.record, &outcome);
            open.record.clone()
        };
        self.tell(self.now(), CallEventKind::ToolAnswered { step, outcome, took_ms });
        self.journal.end(record);
    }

    /// Ends the call for good: the leg hangs up, the places are free, the record is written. `false` where it was
    /// closed before; nothing happens then.
    pub(crate) fn close(&self, outcome: Outcome) -> bool {
        if self.closed.swap(true, Ordering::AcqRel) {
            return false;
        }
        let now = self.now();
        self.tell(now, CallEventKind::Ended { outcome });
        let (leg, places, record, milestones) = {
            let open = &mut *self.open.lock();
            super::record::end(&mut open.record, now, outcome);
            (open.leg.take(), std::mem::take(&mut open.places), open.record.clone(), open.milestones)
        };
        if let Some(leg) = leg {
            // It has mostly ended already; where it has not, this is what ends it.
            let _ = leg.command(Command::HangUp);
        }
        drop(places);
        gauge!(CALLS_LIVE).decrement(1.0);
        let (result, reason) = (result_name(outcome.result), reason_name(outcome.reason));
        counter!(CALLS_ENDED, "result" => result, "reason" => reason).increment(1);
        self.log(&record, milestones, now, result, reason);
        self.journal.end(record);
        true
    }

    /// The one closing line of a call: its named instants in milliseconds from its INVITE.
    fn log(
        &self,
        record: &CallRecord,
        milestones: Milestones,
        now: CallTime,
        result: &'static str,
        reason: &'static str,
    ) {
        let audible = record.latencies.iter().map(|latency| latency.audible_ms);
        tracing::info!(
            call_id = %self.call,
            tenant_id = %record.tenant,
            result,
            reason,
            answered_ms = milestones.answered.map(CallTime::as_ms),
            established_ms = milestones.established.map(CallTime::as_ms),
            greeted_ms = milestones.first_sample.map(CallTime::as_ms),
            first_words_ms = milestones.first_words.map(CallTime::as_ms),
            hung_up_ms = milestones.hung_up.map(CallTime::as_ms),
            ended_ms = now.as_ms(),
            turns = record.latencies.len(),
            slowest_turn_ms = audible.max(),
            bookings = record.bookings.len(),
            messages = record.messages.len(),
            events = self.journal.next_seq(),
            mos = record.quality.mos,
            packets_lost = record.quality.packets_lost,
            "call ended"
        );
    }

    /// The watchdog asks for a sign of life; `None` where the last question is still open, with the time it has
    /// been open for in milliseconds.
    pub(crate) fn ask_pulse(&self) -> Result<(), u64> {
        let now = self.now().as_ms();
        match self.pulse.compare_exchange(ANSWERED, now, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(()),
            Err(asked) => Err(now.saturating_sub(asked)),
        }
    }

    /// The actor gives its sign of life.
    pub(crate) fn give_pulse(&self) {
        self.pulse.store(ANSWERED, Ordering::Release);
    }
}
