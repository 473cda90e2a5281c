//! What the call was about, for the business.

use super::parse::name;
use super::say::{self, Style};
use super::state::{Done, State, Task};
use crate::call::brain::Context;
use crate::types::{Heading, Slot};

/// The heading that what was done deserves.
pub(crate) fn heading(done: &[Done]) -> Heading {
    let weight = |done: &Done| match done {
        Done::Booked(_) => (4, Heading::Booked),
        Done::Moved(_) => (4, Heading::Moved),
        Done::Cancelled(_) => (4, Heading::Cancelled),
        Done::Message(_) => (3, Heading::Message),
        Done::Transferred(_) => (3, Heading::Transferred),
        Done::WrongNumber => (2, Heading::WrongNumber),
        Done::Answered(_) => (1, Heading::Question),
        Done::Requested(_) => (0, Heading::Nothing),
    };
    done.iter().map(weight).max_by_key(|(weight, _)| *weight).map_or(Heading::Nothing, |(_, heading)| heading)
}

fn slot(context: &Context<'_>, slot: &Slot) -> String {
    let business = context.business;
    let service = business.service(&slot.service).map_or("an appointment", |service| service.name.as_str());
    let who = business
        .resource(&slot.resource)
        .map(|resource| format!(" with {}", resource.name))
        .unwrap_or_default();
    let at = context.now.time_zone().to_datetime(slot.start);
    let style = Style::of(&business.language);
    let day = say::date::full(at.date(), context.now.date(), style);
    format!("{}{who} on {day} at {}", say::service::lower_first(service), say::time::full(at.time(), style))
}

/// One or two sentences.
pub(crate) fn summary(context: &Context<'_>, state: &State) -> String {
    let who = state
        .person
        .name
        .as_ref()
        .map_or_else(|| "The caller".to_owned(), |name| name::display(name.reveal()));
    let questions: Vec<&str> = state
        .done
        .iter()
        .filter_map(|done| match done {
            Done::Answered(about) => Some(about.as_str()),
            _ => None,
        })
        .take(3)
        .collect();
    let mut deeds: Vec<String> = state
        .done
        .iter()
        .filter_map(|done| match done {
            Done::Booked(at) => Some(format!("booked {}", slot(context, at))),
            Done::Requested(at) => {
                Some(format!("requested {}, which the calendar did not confirm", slot(context, at)))
            }
            Done::Moved(at) => Some(format!("moved an appointment to {}", slot(context, at))),
            Done::Cancelled(at) => Some(format!("cancelled {}", slot(context, at))),
            Done::Message(Some(whom)) => Some(format!("left a message for {whom}")),
            Done::Message(None) => Some("left a message".to_owned()),
            Done::Transferred(whom) => Some(format!("was transferred to {whom}")),
            Done::WrongNumber => Some("had dialled a wrong number".to_owned()),
            Done::Answered(_) => None,
        })
        .collect();
    if !questions.is_empty() {
        let asked: Vec<String> = questions.iter().map(|each| (*each).to_owned()).collect();
        deeds.push(format!("asked about {}", say::list::and(&asked)));
    }
    let unfinished = match &state.task {
        Some(Task::Book(_)) => " They were booking an appointment when the call ended.",
        Some(Task::Change(_)) => " They were asking about an appointment when the call ended.",
        Some(Task::Message(_)) => " They were leaving a message when the call ended.",
        None => "",
    };
    if deeds.is_empty() {
        let what = if unfinished.is_empty() { " called; nothing was asked or done." } else { " called." };
        return format!("{who}{what}{unfinished}");
    }
    format!("{who} {}.{unfinished}", say::list::and(&deeds))
}
