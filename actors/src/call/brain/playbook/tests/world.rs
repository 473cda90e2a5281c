//! A business, a calendar that is only a list, and a caller who reads from a script.

use jiff::civil::{Time, date};
use jiff::{Timestamp, ToSpan, Zoned};

use crate::call::brain::playbook::{Meaning, Playbook};
use crate::call::brain::{Brain, Context, Question, Thought};
use crate::types::*;

pub(in crate::call::brain::playbook) fn span(from: i8, until: i8) -> OpeningHours {
    OpeningHours { from: Time::constant(from, 0, 0, 0), until: Time::constant(until, 0, 0, 0) }
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

fn service(id: &str, name: &str, also: &[&str], minutes: u32, price: &str, by: &[&str]) -> Service {
    Service {
        id: ServiceId::new(id),
        name: name.to_owned(),
        also_called: also.iter().map(|each| (*each).to_owned()).collect(),
        duration_minutes: minutes,
        buffer_minutes: 0,
        price: (!price.is_empty()).then(|| price.to_owned()),
        resources: by.iter().map(|each| ResourceId::new(*each)).collect(),
        notice_minutes: 0,
    }
}

/// A salon in London: open Tuesday to Saturday, nine to six.
pub(in crate::call::brain::playbook) fn salon() -> Business {
    let mut hours = Hours::default();
    for day in [DayOfWeek::Tuesday, DayOfWeek::Wednesday, DayOfWeek::Thursday, DayOfWeek::Friday] {
        hours.week.insert(day, vec![span(9, 18)]);
    }
    hours.week.insert(DayOfWeek::Saturday, vec![span(9, 16)]);
    hours.exceptions.push(Closure {
        from: date(2026, 12, 24),
        until: date(2026, 12, 28),
        hours: vec![],
        reason: Some("the Christmas holidays".to_owned()),
    });
    let faq = |questions: &[&str], answer: &str| Faq {
        questions: questions.iter().map(|each| (*each).to_owned()).collect(),
        answer: answer.to_owned(),
    };
    let to_manager = |when: Condition| TransferRule { when, to: "the manager".to_owned() };
    Business {
        id: TenantId::new("salon"),
        version: 1,
        name: "Shears and Co".to_owned(),
        description: "A hair salon in Camden.".to_owned(),
        time_zone: "Europe/London".to_owned(),
        language: Language::new("en-GB"),
        address: Some("twelve High Street, Camden".to_owned()),
        directions: Some("We're two minutes from Camden Town station, next to the bakery.".to_owned()),
        numbers: vec![number("+442079460100")],
        hours,
        services: vec![
            service("mens", "Men's haircut", &["gents cut"], 30, "twenty-five pounds", &["anna", "ben"]),
            service("womens", "Women's haircut", &["ladies cut"], 60, "forty pounds", &["anna"]),
            service("colour", "Colour", &["hair dye", "highlights"], 90, "seventy pounds", &["anna"]),
            service("beard", "Beard trim", &[], 15, "", &["ben"]),
        ],
        resources: vec![
            Resource { id: ResourceId::new("anna"), name: "Anna".to_owned(), hours: None },
            Resource { id: ResourceId::new("ben"), name: "Ben".to_owned(), hours: None },
        ],
        faqs: vec![
            faq(&["Do you have parking?", "Where can I park?"], "There's a car park behind the building."),
            faq(&["Do you take cards?", "Can I pay by card?"], "Yes, we take all major cards."),
            faq(&["Do you sell gift vouchers?"], "Yes, we sell gift vouchers at the front desk."),
        ],
        departments: vec![
            Department {
                name: "the manager".to_owned(),
                also_called: vec!["the boss".to_owned(), "Maria".to_owned()],
                destination: Destination::Number(number("+442079460101")),
                hours: None,
            },
            Department {
                name: "accounts".to_owned(),
                also_called: vec!["billing".to_owned(), "invoices".to_owned()],
                destination: Destination::Uri("sip:accounts@example.com".to_owned()),
                hours: None,
            },
        ],
        transfer_rules: vec![
            to_manager(Condition::CallerIs(vec![number("+447700900999")])),
            to_manager(Condition::CallerSays(vec!["allergic reaction".to_owned()])),
            to_manager(Condition::AsksForPerson),
        ],
        policy: Policy::default(),
        arrival: Default::default(),
    }
}

/// One call to a [`salon`], on a Wednesday at ten.
pub(in crate::call::brain::playbook) struct World {
    pub(in crate::call::brain::playbook) business: Business,
    pub(in crate::call::brain::playbook) now: Zoned,
    pub(in crate::call::brain::playbook) caller: Option<PhoneNumber>,
    pub(in crate::call::brain::playbook) playbook: Playbook,
    /// What a model says that the caller's words mean.
    pub(in crate::call::brain::playbook) meaning: Option<Meaning>,
    /// Starts that are taken, by resource.
    pub(in crate::call::brain::playbook) taken: Vec<(ResourceId, Timestamp)>,
    pub(in crate::call::brain::playbook) bookings: Vec<Booking>,
    pub(in crate::call::brain::playbook) messages: Vec<ToolCall>,
    pub(in crate::call::brain::playbook) calls: Vec<ToolCall>,
    /// What tools other than searches answer instead, in order.
    pub(in crate::call::brain::playbook) instead: Vec<ToolOutcome>,
    pub(in crate::call::brain::playbook) thoughts: Vec<Thought>,
    pub(in crate::call::brain::playbook) heading: Heading,
}

impl World {
    pub(in crate::call::brain::playbook) fn new() -> Self {
        Self::at(date(2026, 11, 25).at(10, 0, 0, 0).in_tz("Europe/London").unwrap())
    }

    pub(in crate::call::brain::playbook) fn at(now: Zoned) -> Self {
        Self {
            business: salon(),
            now,
            caller: Some(number("+447700900123")),
            playbook: Playbook::new(),
            meaning: None,
            taken: vec![],
            bookings: vec![],
            messages: vec![],
            calls: vec![],
            instead: vec![],
            thoughts: vec![],
            heading: Heading::Nothing,
        }
    }

    pub(in crate::call::brain::playbook) fn take(&mut self, resource: &str, at: &str) {
        let at: jiff::civil::DateTime = at.parse().unwrap();
        let at = at.to_zoned(self.now.time_zone().clone()).unwrap().timestamp();
        self.taken.push((ResourceId::new(resource), at));
    }

    pub(in crate::call::brain::playbook) fn with_booking(
        &mut self,
        service: &str,
        resource: &str,
        at: &str,
        name: &str,
        phone: &str,
    ) {
        let at: jiff::civil::DateTime = at.parse().unwrap();
        let start = at.to_zoned(self.now.time_zone().clone()).unwrap().timestamp();
        let slot = Slot {
            service: ServiceId::new(service),
            resource: ResourceId::new(resource),
            start,
            end: start.checked_add(30.minutes()).unwrap(),
        };
        let contact =
            Contact { name: Some(Private::new(name.to_owned())), number: Some(Private::new(number(phone))) };
        self.add(slot, contact);
    }

    fn add(&mut self, slot: Slot, contact: Contact) -> Booking {
        let id = BookingId::new(uuid::Uuid::from_u128(self.bookings.len() as u128 + 1));
        let booking = Booking {
            id,
            tenant: self.business.id.clone(),
            slot,
            contact,
            call: CallId::default(),
            state: BookingState::Confirmed,
            version: 1,
            made_at: self.now.timestamp(),
        };
        self.bookings.push(booking.clone());
        booking
    }

    /// Asks, answers tools, and returns what was said until the caller's turn.
    pub(in crate::call::brain::playbook) fn ask(&mut self, question: Question) -> String {
        let mut said = Vec::new();
        let mut next = Some(question);
        for _ in 0..40 {
            let Some(question) = next.take() else { break };
            let business = self.business.clone();
            let caller = self.caller.clone();
            let context = Context { business: &business, now: self.now.clone(), caller: caller.as_ref() };
            // Every answer is given by a playbook that was packed and unpacked.
            self.playbook = Playbook::from_bytes(&self.playbook.to_bytes()).unwrap();
            let thoughts = self.playbook.think_with(&context, question, self.meaning);
            check(&thoughts);
            for thought in &thoughts {
                match thought {
                    Thought::Say { text } => said.push(text.clone()),
                    Thought::About(heading) => self.heading = *heading,
                    Thought::UseTool { call, .. } => {
                        next = Some(Question::ToolAnswered(self.answer(call.clone())))
                    }
                    _ => {}
                }
            }
            self.thoughts = thoughts;
        }
        assert!(next.is_none(), "the tools are asked without end");
        said.join(" ")
    }

    pub(in crate::call::brain::playbook) fn say(&mut self, text: &str) -> String {
        self.ask(Question::Heard { text: text.into(), confidence: 0.9, interrupted_after: None })
    }

    pub(in crate::call::brain::playbook) fn last(&self) -> &Thought {
        self.thoughts.last().unwrap()
    }

    pub(in crate::call::brain::playbook) fn summary(&self) -> String {
        self.playbook.summary(&Context {
            business: &self.business,
            now: self.now.clone(),
            caller: self.caller.as_ref(),
        })
    }

    fn answer(&mut self, call: ToolCall) -> ToolOutcome {
        self.calls.push(call.clone());
        let search = matches!(call, ToolCall::FindSlots { .. } | ToolCall::FindBookings { .. });
        if !search && !self.instead.is_empty() {
            return self.instead.remove(0);
        }
        match call {
            ToolCall::FindSlots { service, resource, window, limit } => {
                ToolOutcome::Slots { slots: self.free(&service, resource.as_ref(), window, limit) }
            }
            ToolCall::Book { slot, contact } => ToolOutcome::Booked { booking: self.add(slot, contact) },
            ToolCall::FindBookings { number, name } => {
                let same = |booking: &&Booking| {
                    let kept = booking.contact.number.as_ref().map(|each| each.reveal().clone());
                    let by_number = number
                        .as_ref()
                        .is_none_or(|each| kept.is_some_and(|kept| kept.reaches_same_line(each.reveal())));
                    let kept = booking.contact.name.as_ref().map(|each| each.reveal().to_lowercase());
                    let by_name = name.as_ref().is_none_or(|each| kept == Some(each.reveal().to_lowercase()));
                    by_number && by_name && booking.state == BookingState::Confirmed
                };
                ToolOutcome::Bookings { bookings: self.bookings.iter().filter(same).cloned().collect() }
            }
            ToolCall::Move { booking, to } => {
                let booking = self.bookings.iter_mut().find(|each| each.id == booking).unwrap();
                booking.slot = to;
                ToolOutcome::Moved { booking: booking.clone() }
            }
            ToolCall::Cancel { booking } => {
                let booking = self.bookings.iter_mut().find(|each| each.id == booking).unwrap();
                booking.state = BookingState::Cancelled;
                ToolOutcome::Cancelled { booking: booking.clone() }
            }
            message @ ToolCall::TakeMessage { .. } => {
                self.messages.push(message);
                ToolOutcome::MessageTaken { message: MessageId::default() }
            }
        }
    }

    /// Every half hour of opening that is not taken.
    fn free(&self, service: &ServiceId, only: Option<&ResourceId>, window: Window, limit: u32) -> Vec<Slot> {
        let zone = self.now.time_zone();
        let service = self.business.service(service).unwrap();
        let mut slots = Vec::new();
        let mut day = zone.to_datetime(window.from).date();
        let last = zone.to_datetime(window.until).date();
        while day <= last && slots.len() < limit as usize {
            for open in self.business.hours.on(day) {
                let mut at = day.to_datetime(open.from);
                let end = day.to_datetime(open.until);
                while at.checked_add(i64::from(service.duration_minutes).minutes()).unwrap() <= end {
                    let start = at.to_zoned(zone.clone()).unwrap().timestamp();
                    for resource in
                        service.resources.iter().filter(|each| only.is_none_or(|only| only == *each))
                    {
                        let busy = self.taken.contains(&(resource.clone(), start))
                            || self.bookings.iter().any(|each| {
                                each.slot.resource == *resource
                                    && each.slot.start == start
                                    && each.state == BookingState::Confirmed
                            });
                        if window.from <= start
                            && start < window.until
                            && !busy
                            && slots.len() < limit as usize
                        {
                            slots.push(Slot {
                                service: service.id.clone(),
                                resource: resource.clone(),
                                start,
                                end: start
                                    .checked_add(i64::from(service.duration_minutes).minutes())
                                    .unwrap(),
                            });
                        }
                    }
                    at = at.checked_add(30.minutes()).unwrap();
                }
            }
            day = day.tomorrow().unwrap();
        }
        slots
    }
}

/// What holds for every answer: it is closed by exactly one closing thought, and it speaks in sentences.
fn check(thoughts: &[Thought]) {
    let closing = |thought: &Thought| {
        matches!(
            thought,
            Thought::Listen { .. }
                | Thought::UseTool { .. }
                | Thought::Transfer { .. }
                | Thought::End { .. }
                | Thought::GiveUp { .. }
        )
    };
    assert_eq!(thoughts.iter().filter(|thought| closing(thought)).count(), 1, "{thoughts:?}");
    assert!(thoughts.last().is_some_and(closing), "{thoughts:?}");
    for thought in thoughts {
        if let Thought::Say { text } = thought {
            assert!(text.ends_with(['.', '?', '!']), "no sentence: {text}");
            assert!(text.starts_with(char::is_uppercase), "no sentence: {text}");
        }
    }
}
