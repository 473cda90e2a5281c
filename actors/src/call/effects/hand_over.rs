//! Handing the caller over to a person: their leg, the words to them, and the two put together.

use std::sync::Arc;

use models::audio::{Speech, TELEPHONE_HZ, audio_ring};
use models::engine::{SpeakRequest, Speaking};

use crate::call::conversation::{Input as ConversationInput, UtteranceId};
use crate::call::hand_over::{Effect, HandOver, Input};
use crate::call::leg::{Command, Event, Leg, NotCalled, Outgoing};
use crate::call::shell::Shell;
use crate::types::{CallTime, Destination, EndReason, PhoneNumber};

/// Audio between the two that may wait, in milliseconds: more is delay that they would hear.
const BRIDGE_MS: u32 = 200;
/// How many digits of the caller's number the person is told.
const DIGITS_TOLD: usize = 3;
/// The status that stands for a transfer that is not allowed (RFC 3261 section 21.4.4).
const FORBIDDEN: u16 = 403;

/// What comes from the person's side.
pub(crate) enum Person {
    /// Their leg is there, or can't be had.
    Leg(Result<Arc<dyn Leg>, NotCalled>),
    /// By their leg.
    Event(Event),
    /// The words to them are ready to be played.
    Speech(Result<Speech, models::Error>),
}

/// The hand-over under way, if there is one.
#[derive(Default)]
pub(in crate::call) struct HandingOver {
    /// The number of the latest; what older ones tell is passed over.
    number: u64,
    open: Option<Open>,
}

struct Open {
    machine: HandOver,
    leg: Option<Arc<dyn Leg>>,
    text: String,
    /// The engine works on the words; dropping its work cancels it.
    speaking: Option<Box<dyn Speaking>>,
    /// The caller was put together with the person.
    joined: bool,
    /// Counted among what the business may do at once, until this is dropped.
    _counted: Counted,
}

/// One call of the business, given back to its bounds when it is over.
struct Counted {
    caps: Arc<parking_lot::Mutex<crate::call::hand_over::Caps>>,
    tenant: crate::types::TenantId,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.caps.lock().end(&self.tenant);
    }
}

impl HandingOver {
    /// Somebody is called, told or asked, and the caller waits for it.
    pub(in crate::call) fn is_waited_for(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.joined)
    }

    pub(in crate::call) fn next_due(&self) -> Option<CallTime> {
        self.open.as_ref().and_then(|open| open.machine.deadline())
    }
}

impl Shell {
    /// Asks the caller's carrier to call somebody, where the business may.
    pub(in crate::call) fn transfer(&mut self, to: Destination) {
        match self.count(&to) {
            // The carrier makes the call, and tells when it is over only by ending ours: it counts for the hour.
            Some(counted) => {
                drop(counted);
                self.transferring = true;
                self.command(Command::Transfer(to));
            }
            None => self.push(ConversationInput::TransferProgress(FORBIDDEN)),
        }
    }

    /// Calls a person to hand the caller over to.
    pub(in crate::call) fn hand_over(&mut self, name: &str, to: Destination) {
        let now = self.case.now();
        self.end_hand_over();
        self.handing_over.number += 1;
        let number = self.handing_over.number;
        let settings = self.services.settings.hand_over.clone();
        let mut machine = HandOver::new(settings, now);
        let exchange = self.services.outgoing.exchange.get().cloned();
        let (Some(counted), Some(exchange)) = (self.count(&to), exchange) else {
            tracing::warn!(call_id = %self.case.call, "nobody can be called: there is no trunk, or it is not allowed");
            let effects = machine.handle(now, Input::Unreachable);
            return self.carry_out(effects);
        };
        let text =
            words(name, &self.case.business.name, self.case.caller.as_ref().map(|caller| caller.reveal()));
        self.handing_over.open =
            Some(Open { machine, leg: None, text, speaking: None, joined: false, _counted: counted });
        let inlet = self.inlet.clone();
        let outgoing = Outgoing { to, from: self.case.caller.clone() };
        // Looking a provider up takes a while, and no handler here waits.
        tokio::spawn(async move {
            let told = inlet.clone();
            let events = Arc::new(move |event| told.person(number, Person::Event(event)));
            let leg = exchange.call(outgoing, events).await;
            inlet.person(number, Person::Leg(leg));
        });
    }

    fn count(&self, to: &Destination) -> Option<Counted> {
        let tenant = self.case.tenant.tenant().clone();
        let caps = Arc::clone(&self.services.outgoing.caps);
        let since = self.services.clock.monotonic().saturating_duration_since(self.services.outgoing.began);
        let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let begun = caps.lock().begin(now_ms, &tenant, to);
        match begun {
            Ok(()) => Some(Counted { caps, tenant }),
            Err(why) => {
                metrics::counter!(crate::metrics::OUTGOING_DENIED).increment(1);
                tracing::warn!(call_id = %self.case.call, tenant_id = %tenant, %why, "a call was not made");
                None
            }
        }
    }

    /// Something came from the person's side.
    pub(in crate::call) fn on_person(&mut self, number: u64, person: Person) {
        if number != self.handing_over.number {
            return;
        }
        let Some(open) = &mut self.handing_over.open else { return };
        let input = match person {
            // A leg that comes too late is dropped here, and so hung up.
            Person::Leg(Ok(leg)) => {
                open.leg = Some(leg);
                return;
            }
            Person::Leg(Err(why)) => {
                tracing::warn!(call_id = %self.case.call, %why, "a person was not called");
                Input::Unreachable
            }
            Person::Speech(Ok(speech)) => {
                let play = Command::Play { utterance: UtteranceId(0), speech };
                match open.leg.as_ref().map(|leg| leg.command(play)) {
                    Some(Ok(())) => return,
                    _ => Input::Gone,
                }
            }
            // Without a voice they are asked all the same: silence on the line makes people press something.
            Person::Speech(Err(_)) | Person::Event(Event::PlaybackEnded { .. }) => Input::Said,
            Person::Event(Event::Ringing) => Input::Ringing,
            Person::Event(Event::Established) => Input::Answered,
            Person::Event(Event::Refused(status)) => Input::Refused(status),
            Person::Event(Event::Digit(key)) => Input::Digit(key),
            // Nobody has said a word.
            Person::Event(Event::Ended(EndReason::SignallingTimeout)) => Input::Unreachable,
            Person::Event(Event::Ended(_)) => Input::Gone,
            Person::Event(_) => return,
        };
        self.tell_hand_over(input);
    }

    pub(in crate::call) fn hand_over_due(&mut self, now: CallTime) {
        if self.handing_over.next_due().is_some_and(|due| due <= now) {
            self.tell_hand_over(Input::Tick);
        }
    }

    /// The hand-over is needed no more.
    pub(in crate::call) fn end_hand_over(&mut self) {
        self.tell_hand_over(Input::Stop);
    }

    fn tell_hand_over(&mut self, input: Input) {
        let now = self.case.now();
        let Some(open) = &mut self.handing_over.open else { return };
        let effects = open.machine.handle(now, input);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Say => self.speak_to_person(),
                Effect::Join => self.join(),
                Effect::Release => self.release(),
                Effect::Tell(news) => self.push(ConversationInput::HandOver(news)),
            }
        }
    }

    fn speak_to_person(&mut self) {
        let (inlet, number) = (self.inlet.clone(), self.handing_over.number);
        let Some(open) = &mut self.handing_over.open else { return };
        let request = SpeakRequest {
            text: open.text.clone(),
            voice: self.case.business.policy.voice.clone(),
            rate_hz: TELEPHONE_HZ,
        };
        let told = inlet.clone();
        let spoken = self.services.text_to_speech.as_ref().map(|engine| {
            engine.speak(request, Box::new(move |speech| told.person(number, Person::Speech(speech))))
        });
        match spoken {
            Some(Ok(speaking)) => open.speaking = Some(speaking),
            Some(Err(error)) => inlet.person(number, Person::Speech(Err(error))),
            None => self.tell_hand_over(Input::Said),
        }
    }

    /// Puts the two together. The receptionist hears them no more.
    fn join(&mut self) {
        let Some(open) = &mut self.handing_over.open else { return };
        open.speaking = None;
        open.joined = true;
        let samples = usize::try_from(TELEPHONE_HZ / 1_000 * BRIDGE_MS).unwrap_or_default();
        let (caller_says, person_hears) = audio_ring(TELEPHONE_HZ, samples);
        let (person_says, caller_hears) = audio_ring(TELEPHONE_HZ, samples);
        if let Some(leg) = &open.leg {
            // A leg that is gone tells so.
            let _ = leg.command(Command::StopPlaying);
            let _ = leg.command(Command::Bridge { says: person_says, hears: person_hears });
        }
        self.hearing.close();
        self.stop_speaking();
        self.command(Command::Bridge { says: caller_says, hears: caller_hears });
    }

    /// Hangs the person up; a caller who is still there is listened to again.
    fn release(&mut self) {
        let Some(open) = self.handing_over.open.take() else { return };
        if let Some(leg) = &open.leg {
            let _ = leg.command(Command::HangUp);
        }
        if open.joined && self.ending.outcome.is_none() && self.ending.leg_ended.is_none() {
            self.command(Command::Part);
            self.open_recogniser();
        }
    }
}

/// What the person is told.
fn words(name: &str, business: &str, caller: Option<&PhoneNumber>) -> String {
    let number: String = caller
        .map(|caller| {
            let digits: Vec<char> = caller.as_str().chars().filter(char::is_ascii_digit).collect();
            let last = digits.iter().skip(digits.len().saturating_sub(DIGITS_TOLD));
            let last: Vec<String> = last.map(char::to_string).collect();
            format!(", on the number that ends in {},", last.join(" "))
        })
        .unwrap_or_default();
    format!(
        "Hello, this is the receptionist of {business}. I have a caller on the line{number} who would like to speak to \
         {name}. Press 1 to take the call, or 2 to send it back to me."
    )
}
