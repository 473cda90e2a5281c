//! What the playbook remembers of a call: one value.

use serde::{Deserialize, Serialize};

use super::choose::Choosing;
use super::intent::Intent;
use super::wanted::Wanted;
use crate::types::{Booking, BookingId, Heading, PhoneNumber, Private, ServiceId, Slot, Urgency};

/// Everything between two questions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// What is being done.
    pub(crate) task: Option<Task>,
    /// The question of ours that stands open.
    pub(crate) asked: Asked,
    /// The tool that was asked and has not answered.
    pub(crate) pending: Option<Pending>,
    /// Who calls.
    pub(crate) person: Person,
    /// The question answered last, for "and on Sunday?".
    pub(crate) answered: Option<Intent>,
    /// The service talked about last.
    pub(crate) topic: Option<ServiceId>,
    /// All that was said last, for "repeat that".
    pub(crate) said: Private<String>,
    /// The question that was said last, for silence.
    pub(crate) question: Private<String>,
    /// Misunderstandings in a row.
    pub(crate) failures: u32,
    /// The words that were not understood last.
    pub(crate) not_understood: Option<Private<String>>,
    /// What the call is about so far.
    pub(crate) heading: Heading,
    /// What was done, for the summary.
    pub(crate) done: Vec<Done>,
}

/// The caller, as far as they said.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Person {
    /// Lower case, as heard.
    pub(crate) name: Option<Private<String>>,
    pub(crate) number: Option<Private<PhoneNumber>>,
    /// The caller's own number may not be used.
    pub(crate) other_number: bool,
    /// The beginning of a number that is being given in parts.
    pub(crate) partial_number: Private<String>,
    pub(crate) email: Option<Private<String>>,
    /// How often the name was asked for without success.
    pub(crate) name_failures: u32,
    pub(crate) number_failures: u32,
}

/// Something with several steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Task {
    Book(Book),
    /// Moving, cancelling or just telling an appointment.
    Change(Change),
    Message(Message),
}

/// An appointment in the making.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Book {
    pub(crate) service: Option<ServiceId>,
    /// Services that what was said could mean.
    pub(crate) maybe: Vec<ServiceId>,
    pub(crate) choosing: Choosing,
    /// The name came without being asked for: the read-back says which number will be used.
    pub(crate) name_volunteered: bool,
}

/// What to do with an appointment that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Aim {
    Move,
    Cancel,
    Tell,
}

/// A change to an appointment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) aim: Aim,
    pub(crate) choosing: Choosing,
    /// When the one that is meant takes place, as far as the caller said.
    pub(crate) source: Wanted,
    /// Its service, where the caller named one.
    pub(crate) service: Option<ServiceId>,
    /// What was found; none before the search.
    pub(crate) found: Option<Vec<Booking>>,
    /// The one that is meant.
    pub(crate) chosen: Option<BookingId>,
    /// Looked up by the caller's own number already.
    pub(crate) by_own_number: bool,
}

impl Change {
    pub(crate) fn new(aim: Aim) -> Self {
        Self {
            aim,
            choosing: Choosing::default(),
            source: Wanted::default(),
            service: None,
            found: None,
            chosen: None,
            by_own_number: false,
        }
    }

    pub(crate) fn booking(&self) -> Option<&Booking> {
        let chosen = self.chosen?;
        self.found.as_ref()?.iter().find(|booking| booking.id == chosen)
    }
}

/// A message in the making.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) recipient: Option<String>,
    pub(crate) text: Option<Private<String>>,
    pub(crate) urgency: Urgency,
    /// Read back once already: a change is read back shorter.
    pub(crate) read_back: bool,
}

/// A question of ours.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) enum Asked {
    /// Nothing: the caller has the floor.
    #[default]
    Open,
    AnythingElse,
    Service,
    When,
    /// Morning or afternoon?
    Half,
    /// Which of the places offered?
    Slot,
    Name,
    Number,
    /// "Shall I use the number you're calling from?"
    OwnNumber,
    Confirm,
    WhatToChange,
    WhichBooking,
    MessageText,
    /// "Shall I take a message?"; for whom.
    OfferMessage(Option<String>),
    /// "I think you'd like to …, is that right?"
    Guess(Intent),
    /// "Would you like to book one?"
    Offer(Intent),
    /// Which service's price or length?
    About(Intent),
    WhichPerson,
}

/// A tool under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Pending {
    Slots,
    Book(Slot),
    Bookings,
    Move(Slot),
    Cancel,
    Message,
    /// A message to the business that the caller was not asked about.
    Note,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Done {
    Answered(String),
    Booked(Slot),
    Requested(Slot),
    Moved(Slot),
    Cancelled(Slot),
    Message(Option<String>),
    Transferred(String),
    WrongNumber,
}
