//! Who works here, and when.

use crate::call::brain::playbook::heard::Heard;
use crate::call::brain::playbook::say;
use crate::call::brain::playbook::turn::Turn;
use crate::types::{Resource, Service};

pub(super) fn staff(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    let business = turn.business();
    if let Some(resource) = heard.staff.as_ref().and_then(|mention| business.resources.get(mention.index)) {
        return one(turn, heard, resource);
    }
    let service = match heard.services.as_slice() {
        [only] => business.services.get(only.index),
        _ => None,
    };
    let gives = |service: &Service, resource: &Resource| service.resources.contains(&resource.id);
    let names: Vec<String> = business
        .resources
        .iter()
        .filter(|resource| service.is_none_or(|service| gives(service, resource)))
        .map(|resource| resource.name.clone())
        .take(3)
        .collect();
    if names.is_empty() {
        return false;
    }
    let names = say::list::and(&names);
    turn.say(match service {
        Some(service) => format!("{names} can give you {}.", say::service::with_article(&service.name)),
        None => format!("You can see {names}."),
    });
    true
}

/// Whether somebody is in on a day.
fn one(turn: &mut Turn<'_, '_>, heard: &Heard, resource: &Resource) -> bool {
    let business = turn.business();
    let hours = resource.hours.as_ref().unwrap_or(&business.hours);
    let date = heard.when.days.first().and_then(super::super::parse::date::Days::single);
    let text = match date {
        Some(date) => {
            let on = say::date::on(date, turn.today(), turn.style());
            let spans = hours.on(date);
            if spans.is_empty() || business.hours.on(date).is_empty() {
                format!("{} isn't in {on}.", resource.name)
            } else {
                format!("Yes, {} is in {on} {}.", resource.name, say::hours::spans(spans, turn.style()))
            }
        }
        None => format!("Yes, {} works here.", resource.name),
    };
    turn.say(text);
    true
}
