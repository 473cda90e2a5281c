//! What can be booked, what it costs, and how long it takes.

use crate::call::brain::playbook::heard::Heard;
use crate::call::brain::playbook::intent::Intent;
use crate::call::brain::playbook::say;
use crate::call::brain::playbook::state::{Asked, Task};
use crate::call::brain::playbook::turn::Turn;
use crate::types::Service;

/// The services that are meant: named, being booked, or talked about last.
fn meant<'b>(turn: &Turn<'_, 'b>, heard: &Heard) -> Vec<&'b Service> {
    let business = turn.business();
    let named: Vec<&Service> =
        heard.services.iter().filter_map(|mention| business.services.get(mention.index)).collect();
    if !named.is_empty() {
        return named;
    }
    let booking = match &turn.state.task {
        Some(Task::Book(book)) => book.service.clone(),
        _ => None,
    };
    let current = booking.or_else(|| turn.state.topic.clone()).and_then(|id| business.service(&id));
    match (current, business.services.as_slice()) {
        (Some(service), _) => vec![service],
        (None, [only]) => vec![only],
        _ => Vec::new(),
    }
}

pub(super) fn offered(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    let business = turn.business();
    let named: Vec<&Service> =
        heard.services.iter().filter_map(|mention| business.services.get(mention.index)).collect();
    if let [only] = named.as_slice() {
        turn.state.topic = Some(only.id.clone());
        let busy = turn.state.task.is_some();
        turn.say(format!("Yes, we offer {}.", say::service::with_article(&only.name)));
        if !busy {
            turn.ask(Asked::Offer(Intent::Book), "Would you like to book one?");
        }
        return true;
    }
    let list = if named.len() > 1 { named } else { business.services.iter().collect() };
    let names: Vec<String> =
        list.iter().take(3).map(|service| say::service::lower_first(&service.name)).collect();
    match (names.is_empty(), list.len() > 3) {
        (true, _) if business.description.is_empty() => return false,
        (true, _) => turn.say(business.description.clone()),
        (false, true) => turn.say(format!("Among other things, we offer {}.", say::list::and(&names))),
        (false, false) => turn.say(format!("We offer {}.", say::list::and(&names))),
    }
    true
}

pub(super) fn price(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    let services = meant(turn, heard);
    match services.as_slice() {
        [] => {
            ask_which(turn, Intent::Price, "Which service would you like the price of?");
            true
        }
        [only] => {
            turn.state.topic = Some(only.id.clone());
            match &only.price {
                Some(price) => {
                    turn.say(format!("{} is {price}.", say::capital(&say::service::with_article(&only.name))))
                }
                None => {
                    turn.say(format!("I don't have a price for {}.", say::service::with_article(&only.name)))
                }
            }
            true
        }
        several => {
            let prices: Vec<String> = several
                .iter()
                .take(3)
                .filter_map(|service| {
                    let price = service.price.as_ref()?;
                    Some(format!("{} is {price}", say::service::with_article(&service.name)))
                })
                .collect();
            if prices.is_empty() {
                return false;
            }
            turn.say(format!("{}.", say::capital(&say::list::and(&prices))));
            true
        }
    }
}

pub(super) fn duration(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    let services = meant(turn, heard);
    match services.first() {
        None => ask_which(turn, Intent::Duration, "Which service do you mean?"),
        Some(_) => {
            let spoken: Vec<String> = services
                .iter()
                .take(3)
                .map(|service| {
                    let name = say::service::with_article(&service.name);
                    format!("{name} takes {}", say::service::duration(service.duration_minutes))
                })
                .collect();
            if let [only] = services.as_slice() {
                turn.state.topic = Some(only.id.clone());
            }
            turn.say(format!("{}.", say::capital(&say::list::and(&spoken))));
        }
    }
    true
}

fn ask_which(turn: &mut Turn<'_, '_>, intent: Intent, question: &str) {
    if turn.state.task.is_some() {
        turn.say(question);
    } else {
        turn.ask(Asked::About(intent), question);
    }
}
