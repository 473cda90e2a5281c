//! A telephone without a network: one call in virtual time, with the real conversation, a brain, the business's
//! own calendar, and a voice and a recogniser that behave like engines and can be told to fail.
//!
//! Everything that happens is an entry of one queue, ordered by time and then by when it was put there. So the
//! same script, or the same seed, is the same call.

mod caller;
mod desk;
mod faults;
mod mind;
mod recogniser;
mod voice;

use std::collections::{BTreeMap, VecDeque};

use actors::call::brain::Context;
use actors::call::conversation::{
    Conversation, Effect, Input, Settings, Snapshot, Start, TimerReason, Utterance, UtteranceId,
};
use actors::types::{
    Announcement, Business, CallEventKind, CallTime, Outcome, PhoneNumber, Private, RecordingId, Speaker,
    ToolCall, ToolOutcome, ToolStep,
};
use jiff::Zoned;

pub(crate) use self::caller::milliseconds;
pub(crate) use self::desk::Desk;
pub(crate) use self::faults::{BrainFault, Chance, Faults, ToolFault, VoiceFault};
pub(crate) use self::mind::{Mind, new_mind, quick_mind, uncertain_mind};
pub(crate) use self::recogniser::RESTORE_MS;
use self::recogniser::{JUDGE_MS, Recogniser};
use self::voice::Voice;

/// How many questions can be taken back.
const REMEMBERED: usize = 8;

/// Something that will happen.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// The conversation is told this.
    Input(Input),
    /// The caller begins to make a sound.
    Sound,
    /// The caller falls silent.
    Hush,
    /// The caller has said a word.
    Word(String),
    /// The voice has the first sample of this.
    VoiceReady(Utterance),
    /// An utterance has been played to its end.
    Played(UtteranceId),
    /// The recogniser tells what it has so far.
    Partial,
    /// The recogniser tells that it has heard the end; of a back-channel only, where true.
    EndHeard(bool),
    /// From here on the caller sounds so finished at a pause.
    Sounds(f32),
    /// A recogniser listens again.
    Restored,
    /// A tool is done.
    ToolDone(ToolStep, ToolOutcome),
}

/// What was heard and done, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// The script went on to this step.
    Step(usize),
    /// The caller heard this of an utterance.
    Heard { id: UtteranceId, text: String, complete: bool },
    /// The caller heard a tone.
    Beep,
    /// Something was done.
    Fact(String),
}

/// One call.
pub(crate) struct Telephone {
    pub(crate) now: CallTime,
    pub(crate) conversation: Conversation,
    pub(crate) business: Business,
    pub(crate) faults: Faults,
    pub(crate) desk: Desk,
    pub(crate) log: Vec<Entry>,
    /// Every effect, with its time: what a replay must repeat.
    pub(crate) effects: Vec<String>,
    /// The same effects as values.
    pub(crate) performed: Vec<Effect>,
    pub(crate) outcome: Option<Outcome>,
    /// What broke a rule.
    pub(crate) violations: Vec<String>,
    /// Writes the state and reads it back after every step.
    pub(crate) resumes: bool,
    pub(crate) held: bool,
    /// The leg has ended.
    gone: bool,
    /// Appointments that the conversation was told of.
    pub(crate) acknowledged: u32,
    /// The largest state there was, in bytes.
    pub(crate) state_bytes_max: usize,
    mind: Box<dyn Mind>,
    remembered: VecDeque<(u64, Vec<u8>)>,
    started: Zoned,
    caller: Option<PhoneNumber>,
    queue: BTreeMap<(CallTime, u64), Happening>,
    queued: u64,
    voice: Voice,
    recogniser: Recogniser,
    /// When the caller or the receptionist was audible last.
    last_sound: CallTime,
    our_turn_since: Option<CallTime>,
    /// What the record says we said, to be compared with what was played.
    recorded: Vec<String>,
}

/// How a call comes in.
pub(crate) struct Incoming {
    pub(crate) business: Business,
    pub(crate) at: Zoned,
    pub(crate) caller: Option<PhoneNumber>,
    pub(crate) is_recorded: bool,
    /// People are told who is on the line before they get a caller.
    pub(crate) is_handed_over: bool,
    pub(crate) mind: Box<dyn Mind>,
}

impl Telephone {
    /// A call that is acknowledged soon after it is answered.
    pub(crate) fn new(incoming: Incoming, desk: Desk, resumes: bool) -> Self {
        let mut telephone = Self::ringing(incoming, desk, resumes);
        telephone.after(200, Happening::Input(Input::Established));
        telephone
    }

    /// A call that nobody has acknowledged: whoever has the leg says when it is.
    pub(crate) fn ringing(incoming: Incoming, desk: Desk, resumes: bool) -> Self {
        let Incoming { business, at, caller, is_recorded, is_handed_over, mind } = incoming;
        let settings = Settings { spoken_hand_over: is_handed_over, ..Settings::default() };
        let start = Start {
            announcement: if is_recorded { business.policy.announcement } else { Announcement::NotRecorded },
            recording: is_recorded.then(RecordingId::default),
            caller: caller.clone().map(Private::new),
            call_minutes_max: business.policy.call_minutes_max,
            settings,
        };
        let mut telephone = Self {
            now: CallTime::START,
            conversation: Conversation::new(start),
            business,
            faults: Faults::default(),
            desk,
            log: Vec::new(),
            effects: Vec::new(),
            performed: Vec::new(),
            outcome: None,
            violations: Vec::new(),
            resumes,
            held: false,
            gone: false,
            acknowledged: 0,
            state_bytes_max: 0,
            mind,
            remembered: VecDeque::new(),
            started: at,
            caller,
            queue: BTreeMap::new(),
            queued: 0,
            voice: Voice::default(),
            recogniser: Recogniser::default(),
            last_sound: CallTime::START,
            our_turn_since: None,
            recorded: Vec::new(),
        };
        telephone.run_effects();
        telephone
    }

    /// Something will happen in so many milliseconds.
    pub(crate) fn after(&mut self, ms: u64, happening: Happening) {
        self.queued += 1;
        self.queue.insert((self.now + ms, self.queued), happening);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.outcome.is_some()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.conversation.snapshot()
    }

    /// Whether the receptionist has finished and waits for the caller.
    pub(crate) fn is_callers_turn(&self) -> bool {
        let reason = self.conversation.next_deadline().map(|(_, reason)| reason);
        let waits = match reason {
            Some(TimerReason::Silence | TimerReason::MessageSilence | TimerReason::MessageLimit) => true,
            // Nobody listens for the moment, which the caller does not know.
            Some(TimerReason::RecogniserLate) => {
                let seen = self.snapshot();
                seen.phase == "listening" && !seen.caller_speaking && !self.conversation.is_our_turn()
            }
            _ => false,
        };
        let transferring = self.snapshot().phase == "transferring" || self.held;
        (waits || transferring) && self.voice.is_silent() && !self.is_caller_busy()
    }

    /// Whether the caller is in the middle of saying something.
    pub(crate) fn is_caller_busy(&self) -> bool {
        self.queue.values().any(|happening| {
            matches!(happening, Happening::Sound | Happening::Hush | Happening::Word(_))
                || matches!(happening, Happening::Input(Input::Digit(_)))
        })
    }

    /// The utterance that is audible, and how many of its words have begun.
    pub(crate) fn audible_words(&self) -> Option<(UtteranceId, u32)> {
        self.voice.audible(self.now)
    }

    /// When something happens next.
    pub(crate) fn next_at(&self) -> Option<CallTime> {
        let queued = self.queue.keys().next().map(|(at, _)| *at);
        let deadline = self.conversation.next_deadline().map(|(at, _)| at.max(self.now));
        queued.into_iter().chain(deadline).min()
    }

    /// Lets the next thing happen. `false` where nothing ever will.
    pub(crate) fn step(&mut self) -> bool {
        let Some(at) = self.next_at() else {
            return false;
        };
        self.pass_time(at);
        match self.queue.first_key_value().map(|(key, _)| *key).filter(|(when, _)| *when <= at) {
            Some(key) => {
                if let Some(happening) = self.queue.remove(&key) {
                    self.happen(happening);
                }
            }
            None => self.tell(Input::Timeout),
        }
        true
    }

    /// Lets time pass up to `until`, with all that happens in it.
    pub(crate) fn run_until(&mut self, until: CallTime) {
        while self.next_at().is_some_and(|at| at <= until) && !self.is_over() {
            self.step();
        }
        self.pass_time(until.max(self.now));
    }

    fn pass_time(&mut self, at: CallTime) {
        self.check_silence(at);
        self.now = at.max(self.now);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Input(input) => {
                match input {
                    Input::Held(held) => self.held = held,
                    // Whoever presses keys hears them.
                    Input::Digit(_) => self.last_sound = self.now,
                    _ => {}
                }
                if self.faults.chance.as_mut().is_some_and(|chance| chance.twice()) {
                    self.tell(input.clone());
                }
                self.tell(input);
            }
            Happening::Sound => self.sound(),
            Happening::Hush => self.hush(),
            Happening::Word(word) => self.word(word),
            Happening::VoiceReady(utterance) => self.voice_ready(utterance),
            Happening::Played(id) => self.played(id),
            Happening::Partial => self.partial(),
            Happening::EndHeard(back_channel) => self.end_heard(back_channel),
            Happening::Sounds(finished) => self.faults.sound = Some((finished, JUDGE_MS)),
            Happening::Restored => self.restored(),
            Happening::ToolDone(step, outcome) => {
                self.acknowledged += u32::from(matches!(outcome, ToolOutcome::Booked { .. }));
                if self.faults.chance.as_mut().is_some_and(|chance| chance.twice()) {
                    self.tell(Input::Tool { step, outcome: outcome.clone() });
                }
                self.tell(Input::Tool { step, outcome });
            }
        }
    }

    /// Tells the conversation something and does what it asks for.
    pub(crate) fn tell(&mut self, input: Input) {
        self.gone |= matches!(input, Input::LegEnded(_));
        self.conversation.handle(self.now, input);
        self.run_effects();
        if self.resumes || self.faults.chance.as_mut().is_some_and(|chance| chance.resumes()) {
            self.resume();
        }
    }

    /// Goes on from the state's bytes, as another process would.
    pub(crate) fn resume(&mut self) {
        let bytes = self.conversation.to_bytes();
        self.state_bytes_max = self.state_bytes_max.max(bytes.len());
        let resumed = Conversation::from_bytes(&bytes).expect("the state can be read back");
        assert_eq!(resumed, self.conversation, "the state is read back as it was");
        self.conversation = resumed;
        self.mind = self.mind.restored(&self.mind.to_bytes());
    }

    fn run_effects(&mut self) {
        while let Some(effect) = self.conversation.poll_effect() {
            self.effects.push(format!("{} {effect:?}", self.now));
            if self.is_over() && !matches!(effect, Effect::Ignored(_)) {
                self.violations.push(format!("{} after the end: {effect:?}", self.now));
            }
            self.performed.push(effect.clone());
            self.perform(effect);
        }
        let ours = self.conversation.is_our_turn();
        self.our_turn_since = ours.then(|| self.our_turn_since.unwrap_or(self.now));
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Say(utterance) => self.say(utterance),
            Effect::PlayTone => {
                self.last_sound = self.now;
                self.log.push(Entry::Beep);
            }
            Effect::StopSpeaking => self.stop_speaking(),
            Effect::FinishTurn { turn } => self.finish_turn(turn),
            Effect::Think { question, asked } => self.think(question, asked),
            Effect::Forget { question } => self.forget(question),
            Effect::UseTool { step, call } => self.use_tool(step, &call),
            Effect::Record(event) => self.record(event),
            Effect::HangUp(outcome) => self.hang_up(outcome),
            Effect::JudgePause { pause } => self.judge_pause(pause),
            Effect::CutOff { sign } => {
                let sign = serde_json::to_value(sign).expect("a sign has a name");
                self.log.push(Entry::Fact(format!("cut off by {}", sign.as_str().unwrap_or_default())));
            }
            Effect::Answer
            | Effect::TurnEnded { .. }
            | Effect::Transfer { .. }
            | Effect::HandOver { .. }
            | Effect::EndHandOver
            | Effect::Expect(_)
            | Effect::Checkpoint
            | Effect::Ignored(_) => {}
        }
    }

    fn think(&mut self, question: u64, asked: actors::call::brain::Question) {
        let bytes = self.mind.to_bytes();
        self.remembered.push_back((question, bytes));
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
        }
        let wait_ms = match self.faults.brain() {
            BrainFault::None => 10,
            BrainFault::Slow(ms) => ms,
            BrainFault::Silent => return,
            BrainFault::GivesUp => {
                let thought = actors::call::brain::Thought::GiveUp { why: "the model is gone".to_owned() };
                return self.after(10, Happening::Input(Input::Thought { question, thought }));
            }
        };
        let now = self.time();
        let context = Context { business: &self.business, now, caller: self.caller.as_ref() };
        for (place, thought) in self.mind.think(&context, asked).into_iter().enumerate() {
            let wait_ms = wait_ms + place as u64 * 5;
            self.after(wait_ms, Happening::Input(Input::Thought { question, thought }));
        }
    }

    fn forget(&mut self, question: u64) {
        while let Some((number, bytes)) = self.remembered.pop_back() {
            if number == question {
                self.mind = self.mind.restored(&bytes);
                return;
            }
        }
    }

    /// The time of day.
    pub(crate) fn time(&self) -> Zoned {
        let passed = jiff::SignedDuration::from_millis(i64::try_from(self.now.as_ms()).unwrap_or(i64::MAX));
        self.started.saturating_add(passed)
    }

    fn use_tool(&mut self, step: ToolStep, call: &ToolCall) {
        let now = self.time().timestamp();
        let fault = self.faults.tool(call.name());
        let wait_ms = match fault {
            ToolFault::None | ToolFault::Failed | ToolFault::Unknown => 60,
            ToolFault::Slow(ms) => ms,
            ToolFault::Silent => return,
        };
        let outcome = if fault == ToolFault::Failed {
            ToolOutcome::Failed { why: "the calendar is away".to_owned() }
        } else {
            let outcome = self.desk.call(&self.business, step, now, call);
            if let Some(fact) = self.desk.fact(&self.business, call, &outcome) {
                self.log.push(Entry::Fact(fact));
            }
            if fault == ToolFault::Unknown {
                ToolOutcome::Unknown { why: "the store did not confirm".to_owned() }
            } else {
                outcome
            }
        };
        self.after(wait_ms, Happening::ToolDone(step, outcome));
    }

    fn record(&mut self, event: CallEventKind) {
        match event {
            CallEventKind::Said { speaker: Speaker::Receptionist, text, .. } => {
                self.recorded.push(text.into_inner());
            }
            CallEventKind::Transfer { to, status } => {
                self.log.push(Entry::Fact(format!("transfer to {to} {status}")));
            }
            CallEventKind::HandOver { to, outcome } => {
                let became = outcome.map_or("begins", |outcome| outcome.name());
                self.log.push(Entry::Fact(format!("hand-over to {to}: {became}")));
            }
            _ => {}
        }
    }

    fn hang_up(&mut self, outcome: Outcome) {
        if self.outcome.replace(outcome).is_some() {
            self.violations.push(format!("{} ended twice", self.now));
        }
        self.stop_speaking();
        let reason = serde_json::to_value(outcome.reason).expect("a reason has a name");
        self.log.push(Entry::Fact(format!("ended {}", reason.as_str().unwrap_or_default())));
    }

    /// The rules that matter most to a caller: no dead air while it is our turn, and no endless silence ever.
    fn check_silence(&mut self, until: CallTime) {
        let phase = self.snapshot().phase;
        if self.is_over()
            || phase == "ringing"
            || self.gone
            || self.held
            || self.recogniser.is_sounding()
            || self.voice.is_audible()
        {
            self.last_sound = until;
            return;
        }
        let ours_ms = self.our_turn_since.map_or(0, |since| until.since_ms(since.max(self.last_sound)));
        let all_ms = until.since_ms(self.last_sound);
        if ours_ms > faults::SILENCE_MS_MAX || all_ms > faults::ANY_SILENCE_MS_MAX {
            self.violations.push(format!("{until} dead air for {ours_ms} of {all_ms} ms while {phase}"));
            self.last_sound = until;
        }
    }

    /// What the record says was said, and what was heard, where they differ.
    pub(crate) fn check_record(&mut self) {
        let heard: Vec<String> = self
            .log
            .iter()
            .filter_map(|entry| match entry {
                Entry::Heard { text, .. } if !text.is_empty() => Some(text.clone()),
                _ => None,
            })
            .collect();
        // What was heard of the last words before the line went away is an estimate.
        let one = heard.iter().zip(&self.recorded).position(|(heard, recorded)| heard != recorded);
        let last = heard.len().max(self.recorded.len()).saturating_sub(1);
        if one.unwrap_or(heard.len().min(self.recorded.len())) < last {
            let recorded = self.recorded.clone();
            self.violations
                .push(format!("the record differs from what was heard: {recorded:?}, not {heard:?}"));
        }
    }
}
