//! Golden decisions: what is done with calls before the receptionist has them.

use actors::call::reaching::Round;
use actors::call::screening::{Arriving, Recent, Settings, Then, Verdict, decide, overflow};
use actors::tenant::import;
use actors::types::{Arrived, Attestation, Business, Distrust, PhoneNumber};

const BUSINESS: &str = include_str!("business.toml");
const DECISIONS: &str = include_str!("decisions.txt");

fn business() -> Business {
    import::read(BUSINESS, &import::Settings::default()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap_or_else(|| panic!("{text} is no number"))
}

fn vouched(word: &str) -> Attestation {
    match word {
        "not" => Attestation::Absent,
        "fully" => Attestation::Full,
        "partly" => Attestation::Partial,
        "by_gateway" => Attestation::Gateway,
        "falsely" => Attestation::Failed(Distrust::Forged),
        other => panic!("{other} is no way to vouch"),
    }
}

fn decided(business: &Business, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [caller, called, vouches, open, calls, short] = words[..] else { panic!("six words, not: {line}") };
    let caller = (caller != "-").then(|| number(caller));
    let recent = Recent { calls: calls.parse().expect("a count"), short: short.parse().expect("a count") };
    let call = Arriving {
        caller: caller.as_ref(),
        called: &number(called),
        attestation: vouched(vouches),
        is_open: open == "open",
        recent,
    };
    written(&decide(business, &call, &Settings::default()))
}

fn written(verdict: &Verdict) -> String {
    let then = match &verdict.then {
        Then::Receptionist { ask_number: false } => "receptionist".to_owned(),
        Then::Receptionist { ask_number: true } => "receptionist, asks for the number".to_owned(),
        Then::Message(text) => format!("says \"{text}\""),
        Then::Turn(status) => status.to_string(),
        Then::CallBack { .. } => "never".to_owned(),
        Then::Reach(plan) => {
            format!("reach {}", plan.rounds.iter().map(round).collect::<Vec<_>>().join(", "))
        }
    };
    format!("{then} | {}", record(&verdict.arrived))
}

fn round(round: &Round) -> String {
    let names: Vec<&str> = round.people.iter().map(|one| one.name.as_str()).collect();
    let key = if round.by_key { ", key" } else { "" };
    format!("{} ({}s{key})", names.join(" & "), round.ring_ms / 1_000)
}

fn record(arrived: &Arrived) -> String {
    let name = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut text = name(serde_json::to_value(arrived.route).expect("a name"));
    if let Some(line) = &arrived.line {
        text += &format!(", line {line}");
    }
    if arrived.vip {
        text += ", vip";
    }
    if let Some(spam) = &arrived.spam {
        let signs: Vec<String> =
            spam.reasons.iter().map(|sign| name(serde_json::to_value(sign).expect("a name"))).collect();
        text += &format!(", spam {}: {}", spam.score, signs.join(", "));
    }
    text
}

#[test]
fn calls_are_decided_on_as_written_down() {
    let business = business();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in DECISIONS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (call, expected) = line.split_once("=>").expect("=>");
        let found = decided(&business, call);
        count += 1;
        if found != expected.trim() {
            wrong.push(format!("{call}=> {found}"));
        }
    }
    assert!(wrong.is_empty(), "decided otherwise:\n{}", wrong.join("\n"));
    assert!(count > 15);
}

#[test]
fn a_call_that_finds_no_room_goes_where_the_business_says() {
    let verdict = overflow(&business(), Arrived { vip: true, ..Arrived::default() }).expect("somewhere");
    assert_eq!(written(&verdict), "reach the number ending in 398 (25s) | forwarded_busy, vip");
}

#[test]
fn a_line_has_its_own_greeting_and_the_rest_is_the_business_s() {
    let business = business();
    let line = business.arrival.line(&number("+442079460301")).expect("a line");
    let own = business.for_line(line);
    assert_eq!(own.policy.greeting.as_deref(), Some("Camden Plumbers, emergencies."));
    assert_eq!(own.name, business.name);
    let accounts = business.arrival.line(&number("+442079460302")).expect("a line");
    assert_eq!(business.for_line(accounts), business);
}
