//! Lines to people whom a caller may be put together with: called, spoken to, bridged, and let go.

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics::counter;
use models::answering::Answering;
use models::audio::{Speech, TELEPHONE_HZ, audio_ring};
use models::engine::{SpeakRequest, Speaking};

use super::answering::{Tap, tap};
use crate::call::conversation::UtteranceId;
use crate::call::hand_over::Input;
use crate::call::leg::{Command, Event, Leg, NotCalled, Outgoing};
use crate::call::services::Counted;
use crate::call::shell::Shell;
use crate::call::understanding::tenant;
use crate::metrics::MAILBOXES;
use crate::types::{Destination, EndReason, PhoneNumber};

/// Audio between the two that may wait, in milliseconds: more is delay that they would hear.
pub(super) const BRIDGE_MS: u32 = 200;
/// How many digits of the caller's number a person is told.
const DIGITS_TOLD: usize = 3;

/// What comes from a person's side.
pub(crate) enum Person {
    /// Their leg is there, or can't be had.
    Leg(Result<Arc<dyn Leg>, NotCalled>),
    /// By their leg.
    Event(Event),
    /// The words to them are ready to be played.
    Speech(Result<Speech, models::Error>),
    /// Nothing here can speak.
    Mute,
    /// What has answered, by its sound.
    Answering(Answering),
}

/// The lines to people, by number; what older ones tell is passed over.
#[derive(Default)]
pub(in crate::call) struct People {
    number: u64,
    lines: BTreeMap<u64, Line>,
}

struct Line {
    leg: Option<Arc<dyn Leg>>,
    /// The URI by which the caller's side can reach the person's line without us.
    direct: Option<String>,
    text: String,
    /// The engine works on the words; dropping its work cancels it.
    speaking: Option<Box<dyn Speaking>>,
    /// What has answered is listened to.
    tap: Option<Tap>,
    /// Counted among what the business may do at once, until this is dropped.
    counted: Counted,
}

impl Shell {
    /// Calls somebody who will be told `text`; the number of their line, or none where they can't be called.
    pub(super) fn call_person(&mut self, to: Destination, text: String) -> Option<u64> {
        let exchange = self.services.outgoing.exchange.get().cloned();
        let (Some(counted), Some(exchange)) = (self.count(&to), exchange) else {
            tracing::warn!(call_id = %self.case.call, "nobody can be called: there is no trunk, or it is not allowed");
            return None;
        };
        self.people.number += 1;
        let number = self.people.number;
        self.people
            .lines
            .insert(number, Line { leg: None, direct: None, text, speaking: None, tap: None, counted });
        let inlet = self.inlet.clone();
        let outgoing = Outgoing { to, from: self.case.caller.clone() };
        // Looking a provider up takes a while, and no handler here waits.
        tokio::spawn(async move {
            let told = inlet.clone();
            let events = Arc::new(move |event| told.person(number, Person::Event(event)));
            let leg = exchange.call(outgoing, events).await;
            inlet.person(number, Person::Leg(leg));
        });
        Some(number)
    }

    /// One more call of the business, where it may make it.
    pub(super) fn count(&self, to: &Destination) -> Option<Counted> {
        self.services.count(self.case.call, self.case.tenant.tenant(), to)
    }

    /// What the person's side means to whoever had them called; none where that is nothing.
    pub(super) fn of_person(&mut self, number: u64, person: Person) -> Option<Input> {
        // A leg that comes too late is dropped here, and so hung up.
        let line = self.people.lines.get_mut(&number)?;
        Some(match person {
            Person::Leg(Ok(leg)) => {
                line.leg = Some(leg);
                return None;
            }
            Person::Leg(Err(why)) => {
                tracing::warn!(call_id = %self.case.call, %why, "a person was not called");
                Input::Unreachable
            }
            Person::Speech(Ok(speech)) => {
                let play = Command::Play { utterance: UtteranceId(0), speech };
                match line.leg.as_ref().map(|leg| leg.command(play)) {
                    Some(Ok(())) => return None,
                    _ => Input::Gone,
                }
            }
            // Without a voice they are asked all the same: silence on the line makes people press something.
            Person::Mute | Person::Speech(Err(_)) | Person::Event(Event::PlaybackEnded { .. }) => Input::Said,
            Person::Event(Event::ReachableBy(uri)) => {
                line.direct = Some(uri);
                return None;
            }
            Person::Answering(Answering::ShortGreeting) => return None,
            Person::Answering(Answering::Beep | Answering::LongGreeting) => {
                counter!(MAILBOXES, "call" => "person").increment(1);
                Input::Mailbox
            }
            Person::Event(Event::Ringing) => Input::Ringing,
            Person::Event(Event::Established) => {
                line.counted.answered();
                Input::Answered
            }
            Person::Event(Event::Refused(status)) => Input::Refused(status),
            Person::Event(Event::Digit(key)) => Input::Digit(key),
            // Nobody has said a word.
            Person::Event(Event::Ended(EndReason::SignallingTimeout)) => Input::Unreachable,
            Person::Event(Event::Ended(_)) => Input::Gone,
            Person::Event(_) => return None,
        })
    }

    /// The URI by which the caller's side can reach a person's line without us.
    pub(super) fn direct_way(&self, number: u64) -> Option<String> {
        self.people.lines.get(&number).and_then(|line| line.direct.clone())
    }

    /// Tells a person why they were called.
    pub(super) fn speak_to_person(&mut self, number: u64) {
        let inlet = self.inlet.clone();
        let Some(line) = self.people.lines.get_mut(&number) else { return };
        let heard = inlet.clone();
        let settings = self.services.settings.answering.clone();
        let (tap, command) = tap(settings, move |what| heard.person(number, Person::Answering(what)));
        line.tap = Some(tap);
        if let Some(leg) = &line.leg {
            // A leg that is gone tells so.
            let _ = leg.command(command);
        }
        let request = SpeakRequest {
            text: line.text.clone(),
            voice: self.case.business.policy.voice.clone(),
            rate_hz: TELEPHONE_HZ,
            tenant: tenant(&self.case.business),
            ..SpeakRequest::default()
        };
        let told = inlet.clone();
        let spoken = self.services.text_to_speech.as_ref().map(|engine| {
            engine.speak(request, Box::new(move |speech| told.person(number, Person::Speech(speech))))
        });
        match spoken {
            Some(Ok(speaking)) => line.speaking = Some(speaking),
            Some(Err(error)) => inlet.person(number, Person::Speech(Err(error))),
            None => inlet.person(number, Person::Mute),
        }
    }

    /// Tells a person's leg something; false where there is none. One that is gone tells so itself.
    pub(super) fn person_command(&self, number: u64, command: Command) -> bool {
        let leg = self.people.lines.get(&number).and_then(|line| line.leg.as_ref());
        leg.is_some_and(|leg| leg.command(command).is_ok())
    }

    /// Puts a person and the caller together. The receptionist hears them no more.
    pub(super) fn join_person(&mut self, number: u64) {
        let samples = usize::try_from(TELEPHONE_HZ / 1_000 * BRIDGE_MS).unwrap_or_default();
        let (caller_says, person_hears) = audio_ring(TELEPHONE_HZ, samples);
        let (person_says, caller_hears) = audio_ring(TELEPHONE_HZ, samples);
        let Some(line) = self.people.lines.get_mut(&number) else { return };
        (line.speaking, line.tap) = (None, None);
        if let Some(leg) = &line.leg {
            // A leg that is gone tells so.
            let _ = leg.command(Command::StopPlaying);
            let _ = leg.command(Command::Bridge { says: person_says, hears: person_hears });
        }
        self.hearing.close();
        self.stop_speaking();
        self.command(Command::Bridge { says: caller_says, hears: caller_hears });
    }

    /// Hangs a person up.
    pub(super) fn release_person(&mut self, number: u64) {
        if let Some(line) = self.people.lines.remove(&number)
            && let Some(leg) = &line.leg
        {
            let _ = leg.command(Command::HangUp);
        }
    }

    /// The caller's number as a person is told it: "the number that ends in 1 2 3".
    pub(super) fn callers_number(&self) -> Option<String> {
        let told = |caller: &PhoneNumber| {
            let digits: Vec<char> = caller.digits().chars().collect();
            let last = digits.iter().skip(digits.len().saturating_sub(DIGITS_TOLD));
            let last: Vec<String> = last.map(char::to_string).collect();
            format!("the number that ends in {}", last.join(" "))
        };
        self.case.caller.as_ref().map(|caller| told(caller.reveal()))
    }
}
