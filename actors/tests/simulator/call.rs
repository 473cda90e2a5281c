//! One call of a random caller.

use std::hash::{DefaultHasher, Hash, Hasher};

use actors::call::conversation::{Effect, Input, PlaybackEnd, UtteranceId};
use actors::types::{Business, CallEventKind, EndReason, PhoneNumber, ToolOutcome, ToolStep};
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::chance::{Dice, Failures};
use crate::telephone::{Desk, Entry, Happening, Incoming, Telephone, new_mind, quick_mind};

/// What all calls share.
pub(super) struct Setting {
    pub(super) business: Business,
    pub(super) sentences: Vec<String>,
}

/// What came of a call.
pub(super) struct Call {
    pub(super) violations: Vec<String>,
    pub(super) effects: Vec<String>,
    pub(super) ending: String,
    pub(super) state_bytes_max: usize,
    pub(super) fingerprint: u64,
}

/// Every so many calls, the playbook answers; else a quicker brain does, for the conversation's own rules.
const PLAYBOOK_EVERY: u64 = 10;
/// A caller does at most so many things.
const ACTS_MAX: u64 = 25;
/// No state is larger.
const STATE_BYTES_MAX: usize = 64 * 1_024;
/// How long everything may take to come to rest after the caller is gone: a goodbye and a tool.
const REST_MS: u64 = 60_000;

pub(super) fn simulate(setting: &Setting, seed: u64) -> Call {
    let mut dice = Dice::new(seed);
    let zone = TimeZone::get(&setting.business.time_zone).expect("the business's time zone is known");
    let day = i64::try_from(dice.below(20)).expect("a small number");
    let hour = i8::try_from(dice.below(24)).expect("an hour");
    // Around the change of the clocks on 29 March.
    let at = date(2026, 3, 15).saturating_add(jiff::Span::new().days(day)).at(hour, 17, 0, 0);
    let caller = dice.in_thousand(700).then(|| PhoneNumber::parse("+442079460001")).flatten();
    let incoming = Incoming {
        business: setting.business.clone(),
        at: at.to_zoned(zone).expect("a time"),
        caller,
        is_recorded: dice.in_thousand(700),
        is_handed_over: false,
        mind: if seed.is_multiple_of(PLAYBOOK_EVERY) { new_mind() } else { quick_mind() },
    };
    let mut telephone = Telephone::new(incoming, Desk::new(), false);
    let rate = *dice.one_of(&[0, 0, 10, 50, 200, 600]);
    telephone.faults.chance = Some(Box::new(Failures { dice: Dice::new(dice.next()), rate }));
    for _ in 0..dice.below(ACTS_MAX) {
        if telephone.is_over() {
            break;
        }
        wait(&mut telephone, &mut dice);
        act(&mut telephone, &mut dice, setting, rate);
    }
    if !telephone.is_over() && dice.in_thousand(500) {
        telephone.caller_hangs_up();
    }
    come_to_rest(&mut telephone);
    judge(telephone)
}

/// Waits for a random moment, or for the caller's turn.
fn wait(telephone: &mut Telephone, dice: &mut Dice) {
    let polite = dice.in_thousand(600);
    let until = telephone.now + if polite { 60_000 } else { dice.below(4_000) };
    while !telephone.is_over() && telephone.next_at().is_some_and(|at| at <= until) {
        if polite && telephone.is_callers_turn() {
            return;
        }
        telephone.step();
    }
    if !polite {
        telephone.run_until(until);
    }
}

fn act(telephone: &mut Telephone, dice: &mut Dice, setting: &Setting, rate: u64) {
    match dice.below(100) {
        0..60 if !telephone.is_caller_busy() => {
            let text = dice.one_of(&setting.sentences);
            let said_ms = telephone.speak(dice.below(600), text);
            let until = telephone.now + said_ms + 1;
            telephone.run_until(until);
        }
        60..68 => {
            let keys: String =
                (0..=dice.below(12)).map(|_| *dice.one_of(&['0', '1', '5', '9', '#', '*'])).collect();
            telephone.press(0, &keys);
        }
        68..74 => {
            let until = telephone.now + dice.below(40_000);
            telephone.run_until(until);
        }
        74..79 => {
            let held = !telephone.held;
            telephone.after(0, Happening::Input(Input::Held(held)));
        }
        79..82 => telephone.caller_hangs_up(),
        82..86 => {
            let status = *dice.one_of(&[100, 180, 200, 486, 603]);
            telephone.after(dice.below(3_000), Happening::Input(Input::TransferProgress(status)));
        }
        86..90 if dice.in_thousand(rate) => {
            let restored_after_ms = dice.in_thousand(700).then(|| dice.below(6_000));
            telephone.recogniser_dies(restored_after_ms);
        }
        90 if dice.in_thousand(300) => telephone.tell(Input::NodeStopping),
        91 if dice.in_thousand(300) => telephone.tell(Input::LegEnded(EndReason::MediaTimeout)),
        92..97 => telephone.tell(impossible(dice)),
        _ => {}
    }
}

/// Something that makes no sense, or came too late.
fn impossible(dice: &mut Dice) -> Input {
    match dice.below(8) {
        0 => Input::Final { turn: dice.below(9), text: "too late".into(), confidence: 0.5 },
        1 => Input::Partial { turn: 900, text: "too early".into(), confidence: 0.5 },
        2 => {
            let end = PlaybackEnd { complete: dice.in_thousand(500), words: 7 };
            Input::PlaybackEnded { utterance: UtteranceId(900), end }
        }
        3 => Input::VoiceFailed { utterance: UtteranceId(900) },
        4 => Input::Tool { step: ToolStep(900), outcome: ToolOutcome::NotFound },
        5 => Input::Digit('x'),
        6 => Input::Established,
        _ => Input::Timeout,
    }
}

fn come_to_rest(telephone: &mut Telephone) {
    // A caller who holds for ever is ended by the longest call; one who is there, by their silence.
    if telephone.held {
        telephone.after(0, Happening::Input(Input::Held(false)));
    }
    let mut steps = 0;
    while !telephone.is_over() && telephone.step() {
        steps += 1;
        if steps > 20_000 {
            telephone.violations.push("it never comes to rest".to_owned());
            return;
        }
    }
    let until = telephone.now + REST_MS;
    while telephone.next_at().is_some_and(|at| at <= until) && telephone.step() {}
}

fn judge(mut telephone: Telephone) -> Call {
    telephone.check_record();
    let mut violations = std::mem::take(&mut telephone.violations);
    let count = |is: fn(&Effect) -> bool| telephone.performed.iter().filter(|effect| is(effect)).count();
    for (name, times) in [
        ("Answer", count(|effect| matches!(effect, Effect::Answer))),
        ("HangUp", count(|effect| matches!(effect, Effect::HangUp(_)))),
        ("Record(Ended)", count(|effect| matches!(effect, Effect::Record(CallEventKind::Ended { .. })))),
    ] {
        if times != 1 {
            violations.push(format!("{times} times {name}"));
        }
    }
    if telephone.conversation.next_deadline().is_some() {
        violations.push("a deadline is left after the end".to_owned());
    }
    if telephone.state_bytes_max > STATE_BYTES_MAX {
        violations.push(format!("the state grew to {} bytes", telephone.state_bytes_max));
    }
    let promised = telephone.log.iter().filter(|entry| match entry {
        Entry::Heard { text, .. } => text.starts_with("That's booked"),
        _ => false,
    });
    if promised.count() > telephone.acknowledged as usize {
        violations.push("something was called booked that was not acknowledged".to_owned());
    }
    let ending = telephone.log.iter().rev().find_map(|entry| match entry {
        Entry::Fact(fact) => fact.strip_prefix("ended ").map(str::to_owned),
        _ => None,
    });
    let mut hasher = DefaultHasher::new();
    telephone.effects.hash(&mut hasher);
    format!("{:?}", telephone.log).hash(&mut hasher);
    Call {
        violations,
        effects: telephone.effects,
        ending: ending.unwrap_or_else(|| "never".to_owned()),
        state_bytes_max: telephone.state_bytes_max,
        fingerprint: hasher.finish(),
    }
}
