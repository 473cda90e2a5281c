//! ◇ Screening: what is done with a call before the receptionist has it. A pure function of the business's policy, the
//! call, the time and what its caller did lately.
//!
//! ```text
//! blocked? ─ anonymous? ─ likely spam? ─▶ turned away, or a message
//!    └ all calls forwarded? ─ closed? ─ people first? ─▶ reached by telephone ─ nobody there ─▶ the receptionist
//! ```

mod history;
mod settings;
mod spam;

pub use history::{History, Recent};
pub use settings::Settings;

use crate::call::reaching::{Plan, Round};
use crate::types::{
    Anonymous, Arrived, Attestation, Business, Callee, Forwarding, NumberPattern, PhoneNumber, Private,
    RingFirst, RingWhen, Route, Screening, Turned,
};

/// The status of a call that is turned away for want of a number (RFC 5079).
const ANONYMITY_DISALLOWED: u16 = 433;

/// A call that rings.
#[derive(Debug, Clone, Copy)]
pub struct Arriving<'a> {
    /// Who calls, where they show it.
    pub caller: Option<&'a PhoneNumber>,
    /// Which of the business's numbers.
    pub called: &'a PhoneNumber,
    /// What their network vouches for.
    pub attestation: Attestation,
    /// The business is open.
    pub is_open: bool,
    /// What they did lately.
    pub recent: Recent,
}

/// What is to be done, and what the record says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What is to be done.
    pub then: Then,
    /// How the call arrived.
    pub arrived: Arrived,
}

/// What is done with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// The receptionist answers.
    Receptionist {
        /// And asks for the number that was not shown.
        ask_number: bool,
    },
    /// People are called, and the receptionist answers where none of them takes the call.
    Reach(Plan),
    /// The call is answered, this is said, and it ends.
    Message(String),
    /// It is not answered, with this status.
    Turn(u16),
    /// It is one that we make, to call somebody back. Never decided here.
    CallBack {
        /// Because their call was cut off; else because nobody answered it.
        cut_off: bool,
    },
}

/// What is done with this call.
#[must_use]
pub fn decide(business: &Business, call: &Arriving<'_>, settings: &Settings) -> Verdict {
    let arrival = &business.arrival;
    let line = arrival.line(call.called);
    let mut arrived = Arrived { line: line.map(|line| line.label.clone()), ..Arrived::default() };
    let mut ask_number = false;
    if let Some(screening) = &arrival.screening {
        if let Some(then) = screened(screening, call, settings, &mut arrived) {
            return Verdict { then, arrived };
        }
        ask_number = call.caller.is_none() && screening.anonymous == Anonymous::Ask;
    }
    if let Some(to) = line.and_then(|line| line.forward.as_ref()).or(arrival.forwarding.always.as_ref()) {
        return forwarded(&arrival.forwarding, to, Route::ForwardedAlways, arrived);
    }
    if !call.is_open {
        if let Some(to) = &arrival.forwarding.after_hours {
            return forwarded(&arrival.forwarding, to, Route::ForwardedAfterHours, arrived);
        }
        let message = arrival.screening.as_ref().and_then(|screening| screening.after_hours.as_ref());
        if let (Some(message), false) = (message, arrived.vip) {
            arrived.route = Route::Message;
            return Verdict { then: Then::Message(message.clone()), arrived };
        }
    }
    let ring_first = arrival.ring_first.as_ref().filter(|ring| {
        let wanted = line.is_none_or(|line| line.ring_first) && arrived.spam.is_none() && !ask_number;
        wanted
            && match ring.when {
                RingWhen::Open => call.is_open,
                RingWhen::Always => true,
                RingWhen::Vip => arrived.vip,
            }
    });
    if let Some(ring) = ring_first {
        arrived.route = Route::RingFirst;
        return Verdict { then: Then::Reach(people_first(ring, &arrival.forwarding)), arrived };
    }
    if ask_number {
        arrived.route = Route::AskedNumber;
    }
    Verdict { then: Then::Receptionist { ask_number }, arrived }
}

/// What is done with a call that finds no room, where the business has somewhere for it to go. `arrived` is what was
/// found of it before.
#[must_use]
pub fn overflow(business: &Business, arrived: Arrived) -> Option<Verdict> {
    let forwarding = &business.arrival.forwarding;
    let to = forwarding.busy.as_ref()?;
    Some(forwarded(forwarding, to, Route::ForwardedBusy, arrived))
}

/// What screening alone decides.
fn screened(
    screening: &Screening,
    call: &Arriving<'_>,
    settings: &Settings,
    arrived: &mut Arrived,
) -> Option<Then> {
    let Some(caller) = call.caller else {
        let (route, then) = match &screening.anonymous {
            Anonymous::Answer | Anonymous::Ask => return None,
            Anonymous::Reject => (Route::TurnedAsAnonymous, Then::Turn(ANONYMITY_DISALLOWED)),
            Anonymous::Message(text) => (Route::Message, Then::Message(text.clone())),
        };
        arrived.route = route;
        return Some(then);
    };
    let named = |patterns: &[Private<NumberPattern>]| {
        patterns.iter().filter_map(|pattern| pattern.reveal().matches(caller)).max()
    };
    // Whatever names the caller most closely counts; of both alike, the welcome.
    let (blocked, vip) = (named(&screening.blocked), named(&screening.vip));
    arrived.vip = vip.is_some() && vip >= blocked;
    if blocked.is_some() && !arrived.vip {
        return Some(turned(&screening.blocked_get, Route::Blocked, arrived));
    }
    if arrived.vip {
        return None;
    }
    let spam = spam::score(call, settings);
    if spam.score < screening.spam_score {
        return None;
    }
    arrived.spam = Some(spam);
    screening.spam_gets.as_ref().map(|gets| turned(gets, Route::TurnedAsSpam, arrived))
}

fn turned(gets: &Turned, route: Route, arrived: &mut Arrived) -> Then {
    arrived.route = route;
    match gets {
        Turned::Declined => Then::Turn(603),
        Turned::Unwanted => Then::Turn(607),
        Turned::Busy => Then::Turn(486),
        Turned::Message(text) => {
            arrived.route = Route::Message;
            Then::Message(text.clone())
        }
    }
}

fn forwarded(forwarding: &Forwarding, to: &Callee, route: Route, arrived: Arrived) -> Verdict {
    let plan =
        Plan { announcement: forwarding.announcement.clone(), rounds: vec![forward_round(forwarding, to)] };
    Verdict { then: Then::Reach(plan), arrived: Arrived { route, ..arrived } }
}

fn forward_round(forwarding: &Forwarding, to: &Callee) -> Round {
    Round { people: vec![to.clone()], ring_ms: seconds(forwarding.ring_s), by_key: forwarding.by_key }
}

fn people_first(ring: &RingFirst, forwarding: &Forwarding) -> Plan {
    let round = |people: Vec<Callee>| Round { people, ring_ms: seconds(ring.ring_s), by_key: ring.by_key };
    let mut rounds: Vec<Round> = if ring.at_once {
        vec![round(ring.people.clone())]
    } else {
        ring.people.iter().map(|one| round(vec![one.clone()])).collect()
    };
    rounds.extend(forwarding.no_answer.as_ref().map(|to| forward_round(forwarding, to)));
    Plan { announcement: ring.announcement.clone(), rounds }
}

const fn seconds(count: u32) -> u64 {
    count as u64 * 1_000
}

#[cfg(test)]
mod tests;
