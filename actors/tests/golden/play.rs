//! Plays a golden call.

use actors::call::conversation::{Input, UtteranceId};
use actors::types::{Business, Contact, PhoneNumber, Private, Slot, ToolCall, ToolOutcome};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::script::{Script, Step};
use crate::telephone::{
    BrainFault, Desk, Entry, Incoming, RESTORE_MS, Telephone, ToolFault, VoiceFault, milliseconds, new_mind,
    uncertain_mind,
};

/// How soon a caller answers.
const REACTION_MS: u64 = 400;
/// No call of a script lasts longer.
const CALL_MS_MAX: u64 = 40 * 60_000;

/// What came of it.
pub(super) struct Played {
    /// The call's lines, as they would be written.
    pub(super) heard: Vec<String>,
    pub(super) effects: Vec<String>,
    pub(super) faults: Vec<String>,
}

pub(super) fn play(script: &Script, resumes: bool) -> Played {
    let business = crate::import::business(&format!("{}.toml", script.business));
    let mut desk = Desk::new();
    let mut faults = Vec::new();
    for given in &script.given {
        faults.extend(prepare(&mut desk, &business, script, given).err());
    }
    let mind = if script.is_uncertain { uncertain_mind(&business) } else { new_mind() };
    let incoming = Incoming {
        business,
        at: script.now.clone(),
        caller: script.caller.clone(),
        is_recorded: script.is_recorded,
        is_handed_over: script.is_handed_over,
        mind,
    };
    let mut telephone = Telephone::new(incoming, desk, resumes);
    let steps = script.steps();
    for (place, (text, step)) in steps.iter().enumerate() {
        if let Err(fault) = take(&mut telephone, place, step) {
            faults.push(format!("{text}: {fault}"));
            break;
        }
    }
    if faults.is_empty() {
        run(&mut telephone, |telephone| telephone.is_over() || telephone.is_callers_turn());
        if !telephone.is_over() {
            faults.push(
                "the script ends and the call goes on; add what the caller does next, or `hangs up`".into(),
            );
        }
    }
    run(&mut telephone, |telephone| telephone.is_over());
    telephone.check_record();
    faults.append(&mut telephone.violations);
    Played { heard: written(&telephone, &steps), effects: telephone.effects, faults }
}

fn take(telephone: &mut Telephone, place: usize, step: &Step) -> Result<(), String> {
    let begin = |telephone: &mut Telephone| telephone.log.push(Entry::Step(place));
    let over = match step {
        Step::Says { over, .. } | Step::Presses { over, .. } | Step::HangsUp { over } => *over,
        // At the top, it fails from the start.
        Step::Fails { .. } | Step::Works { .. } if place == 0 => {
            begin(telephone);
            return fail(telephone, step);
        }
        Step::Fails { .. } | Step::Works { .. } => None,
        // The node does not ask whether it is convenient, and a transfer has no turns.
        Step::NodeStops | Step::Silence(_) | Step::Holds(_) | Step::Transfer(_) | Step::Person(_) => None,
    };
    let told_before: Option<UtteranceId> = telephone.audible_words().map(|(id, _)| id);
    let ready = |telephone: &Telephone| match over {
        Some(words) => telephone.audible_words().is_some_and(|(_, begun)| begun >= words),
        None => telephone.is_callers_turn(),
    };
    run(telephone, |telephone| telephone.is_over() || ready(telephone));
    if let (Some(words), Some((id, begun))) = (over, telephone.audible_words())
        && begun < words
    {
        return Err(format!("only {begun} words of {id:?} were to be heard ({told_before:?} before)"));
    }
    if telephone.is_over() {
        return Err("the call is over by then".to_owned());
    }
    if !ready(telephone) {
        return Err("it never came to that".to_owned());
    }
    begin(telephone);
    match step {
        Step::Says { over, text } => {
            let reaction_ms = if over.is_some() { 0 } else { REACTION_MS };
            let said_ms = telephone.speak(reaction_ms, text);
            let until = telephone.now + said_ms + 1;
            telephone.run_until(until);
        }
        Step::Presses { keys, .. } => telephone.press(REACTION_MS, keys),
        Step::HangsUp { .. } => telephone.caller_hangs_up(),
        Step::Silence(ms) => {
            let until = telephone.now + *ms;
            telephone.run_until(until);
        }
        Step::Holds(held) => {
            telephone.held = *held;
            telephone.tell(Input::Held(*held));
        }
        Step::Transfer(status) => telephone.tell(Input::TransferProgress(*status)),
        Step::Person(news) => telephone.tell(Input::HandOver(*news)),
        Step::NodeStops => telephone.tell(Input::NodeStopping),
        Step::Fails { .. } | Step::Works { .. } => return fail(telephone, step),
    }
    Ok(())
}

/// Lets things happen until `done`, or nothing ever happens again.
fn run(telephone: &mut Telephone, done: impl Fn(&Telephone) -> bool) {
    while !done(telephone) && telephone.now.as_ms() < CALL_MS_MAX {
        // Words begin between things that happen; look often.
        match telephone.next_at() {
            Some(at) if at.since_ms(telephone.now) > 50 && telephone.audible_words().is_some() => {
                let until = telephone.now + 50;
                telephone.run_until(until);
            }
            Some(_) => {
                telephone.step();
            }
            None => return,
        }
    }
}

fn fail(telephone: &mut Telephone, step: &Step) -> Result<(), String> {
    let (what, how, works) = match step {
        Step::Fails { what, how } => (what.as_str(), how.as_str(), false),
        Step::Works { what } => (what.as_str(), "", true),
        _ => return Ok(()),
    };
    let slow = how.strip_prefix("slow ").map(milliseconds);
    match (what, how) {
        ("recogniser", _) if works => telephone.restored(),
        ("recogniser", "for good") => telephone.recogniser_dies(None),
        ("recogniser", _) => telephone.recogniser_dies(slow.or(Some(RESTORE_MS))),
        ("words", _) => telephone.faults.deaf = !works,
        ("sound", _) if works => telephone.faults.sound = None,
        ("sound", _) => {
            let (finished, wait_ms) = how.split_once(" slow ").unwrap_or((how, "120ms"));
            let finished = finished.parse().map_err(|_| "how finished? 0.9 is nearly sure".to_owned())?;
            telephone.faults.sound = Some((finished, milliseconds(wait_ms)));
        }
        ("voice", "once") => telephone.faults.voice_once = VoiceFault::Fails,
        ("voice", _) if works => telephone.faults.voice = VoiceFault::None,
        ("voice", "silent") => telephone.faults.voice = VoiceFault::Silent,
        ("voice", _) if slow.is_some() => telephone.faults.voice = VoiceFault::Slow(slow.unwrap_or(0)),
        ("voice", "") => telephone.faults.voice = VoiceFault::Fails,
        ("brain", _) if works => telephone.faults.brain = BrainFault::None,
        ("brain", "") => telephone.faults.brain = BrainFault::Silent,
        ("brain", "gives up") => telephone.faults.brain = BrainFault::GivesUp,
        ("brain", _) if slow.is_some() => telephone.faults.brain = BrainFault::Slow(slow.unwrap_or(0)),
        (tool, how) => {
            let fault = match (how, slow) {
                (_, Some(ms)) => ToolFault::Slow(ms),
                ("failed", _) => ToolFault::Failed,
                ("unknown", _) => ToolFault::Unknown,
                ("silent", _) => ToolFault::Silent,
                _ if works => ToolFault::None,
                _ => return Err("FORMAT.txt says what can fail, and how".to_owned()),
            };
            telephone.faults.tools.insert(tool.to_owned(), fault);
        }
    }
    Ok(())
}

/// Puts `booked Haircut with Anna on 2026-03-11 at 15:00 for Jo Bloggs +44…` into the calendar.
fn prepare(desk: &mut Desk, business: &Business, script: &Script, given: &str) -> Result<(), String> {
    let mistake = |why: &str| format!("given: {given}: {why}");
    let rest = given.strip_prefix("booked ").ok_or_else(|| mistake("begins with `booked`"))?;
    let (service, rest) = rest.split_once(" with ").ok_or_else(|| mistake("`with` whom?"))?;
    let (resource, rest) = rest.split_once(" on ").ok_or_else(|| mistake("`on` which day?"))?;
    let (when, who) = rest.split_once(" for ").unwrap_or((rest, ""));
    let when: DateTime = when.replacen(" at ", " ", 1).parse().map_err(|_| mistake("when?"))?;
    let zone = TimeZone::get(&business.time_zone).map_err(|_| mistake("where?"))?;
    let start = when.to_zoned(zone).map_err(|_| mistake("when?"))?.timestamp();
    let by_name = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted.trim());
    let service = business.services.iter().find(|one| by_name(&one.name, service));
    let resource = business.resources.iter().find(|one| by_name(&one.name, resource));
    let (Some(service), Some(resource)) = (service, resource) else {
        return Err(mistake("the business has no such service or staff"));
    };
    let (name, number) =
        match who.rsplit_once(' ').and_then(|(name, last)| Some((name, PhoneNumber::parse(last)?))) {
            Some((name, number)) => (name, Some(Private::new(number))),
            None => (who, None),
        };
    let name = (!name.is_empty()).then(|| Private::from(name));
    let slot = Slot { service: service.id.clone(), resource: resource.id.clone(), start, end: start };
    let call = ToolCall::Book { slot, contact: Contact { name, number } };
    // Made a week ago, so that no rule about notice is in the way.
    let made_at = script.now.timestamp() - jiff::SignedDuration::from_hours(7 * 24);
    match desk.given(business, made_at, &call) {
        ToolOutcome::Booked { .. } => Ok(()),
        other => Err(mistake(&format!("{other:?}"))),
    }
}

fn written(telephone: &Telephone, steps: &[(String, Step)]) -> Vec<String> {
    let line = |entry: &Entry| match entry {
        Entry::Step(place) => steps.get(*place).map(|(text, _)| text.trim().to_owned()),
        Entry::Heard { text, .. } if text.is_empty() => None,
        Entry::Heard { text, complete: true, .. } => Some(format!("< {text}")),
        Entry::Heard { text, .. } => Some(format!("< {text} —")),
        Entry::Beep => Some("~ beep".to_owned()),
        Entry::Fact(fact) => Some(format!("= {fact}")),
    };
    telephone.log.iter().filter_map(line).collect()
}
