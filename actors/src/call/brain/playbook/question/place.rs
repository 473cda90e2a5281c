//! Where the business is, and how to reach it.

use crate::call::brain::playbook::say;
use crate::call::brain::playbook::turn::Turn;

pub(super) fn address(turn: &mut Turn<'_, '_>) -> bool {
    match turn.business().address.clone() {
        Some(address) => {
            turn.say(format!("We're at {}.", address.trim_end_matches('.')));
            true
        }
        None => false,
    }
}

pub(super) fn directions(turn: &mut Turn<'_, '_>) -> bool {
    match turn.business().directions.clone() {
        Some(directions) => {
            turn.say(directions);
            true
        }
        None => address(turn),
    }
}

pub(super) fn number(turn: &mut Turn<'_, '_>) -> bool {
    let Some(number) = turn.business().numbers.first() else { return false };
    let spoken = say::number::telephone(number.as_str(), turn.style());
    turn.say(format!("Our number is {spoken}."));
    true
}
