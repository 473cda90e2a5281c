//! What the playbook would take an utterance for, by name: to measure its understanding, not to act on.

use super::Settings;
use super::heard::Heard;
use super::intent::Intent;
use super::meaning::Meaning;
use super::respond::{implies_booking, may_want};
use super::state::State;
use super::turn::Turn;
use crate::call::brain::Context;

/// What a playbook at the start of a call would take these words for, as `tests/understanding/FORMAT.txt` names it;
/// nothing where it would say that it doesn't know. Where it would ask whether something is wanted, that with a
/// question mark.
#[must_use]
pub fn reading(context: &Context<'_>, text: &str, meaning: Option<Meaning>) -> Vec<String> {
    let mut state = State::default();
    let mut turn = Turn::new(context, &mut state, Settings::default());
    turn.meaning = meaning;
    let heard = Heard::of(&turn, text, 1.0);
    // Greetings and thanks go along with anything.
    let says = |intent: &Intent| !matches!(intent, Intent::Hello | Intent::Thanks);
    let mut found: Vec<Intent> = heard.intents.iter().map(|(intent, _)| *intent).filter(says).collect();
    if found.is_empty()
        && let Some(intent) = may_want(&turn, &heard)
    {
        return vec![format!("{}?", intent.name())];
    }
    if found.is_empty() && implies_booking(&turn, &heard) {
        found.push(Intent::Book);
    }
    found.into_iter().map(Intent::name).collect()
}

/// What the meaning alone says, by the same names.
#[must_use]
pub fn meaning_name(meaning: Meaning) -> Option<String> {
    meaning.wanted().map(|(intent, _)| intent.name())
}
