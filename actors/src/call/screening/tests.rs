use proptest::prelude::*;

use super::*;
use crate::tenant::import;
use crate::types::{Distrust, TenantId};

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

fn caller(text: &str) -> Private<PhoneNumber> {
    Private::new(number(text))
}

fn tenant() -> TenantId {
    TenantId::new("one")
}

fn business(rules: &str) -> Business {
    let text = format!("{}\n{rules}", include_str!("../../../tests/businesses/barbers.toml"));
    import::read(&text, &import::Settings::default()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn a_caller_s_calls_and_hang_ups_count_for_a_while_and_for_one_business() {
    let (settings, mut history) = (Settings::default(), History::default());
    let who = caller("+447700900001");
    for call in 0..4 {
        let recent = history.began(&settings, call * 1_000, &tenant(), &who);
        assert_eq!(recent, Recent { calls: call as u32, short: call as u32 });
        history.hung_up_at_once(&settings, call * 1_000 + 500, &tenant(), &who);
        // More than count are not remembered.
        if call == 2 {
            break;
        }
    }
    assert_eq!(history.began(&settings, 3_000, &TenantId::new("other"), &who), Recent::default());
    assert_eq!(history.began(&settings, 3_000, &tenant(), &caller("+447700900002")), Recent::default());
    let later = settings.window_ms + 1_200;
    assert_eq!(history.began(&settings, later, &tenant(), &who), Recent { calls: 1, short: 2 });
}

#[test]
fn what_is_remembered_has_a_bound_whoever_calls() {
    let settings = Settings { callers_max: 10, businesses_max: 3, ..Settings::default() };
    let mut history = History::default();
    for call in 0..1_000_u64 {
        let who = caller(&format!("+4477009{call:05}"));
        history.began(&settings, call, &TenantId::new(format!("tenant-{}", call % 7)), &who);
        assert!(history.remembered() <= 30);
    }
    for call in 0..100_u64 {
        history.began(&settings, 2_000 + call, &tenant(), &caller("+447700900001"));
    }
    assert_eq!(
        history.began(&settings, 3_000, &tenant(), &caller("+447700900001")).calls,
        settings.calls_many
    );
}

#[test]
fn a_business_that_sets_nothing_answers_everybody() {
    let plain = business("");
    for (caller, attestation) in
        [(None, Attestation::Absent), (Some("+447700900123"), Attestation::Failed(Distrust::Forged))]
    {
        let caller = caller.map(number);
        let call = Arriving {
            caller: caller.as_ref(),
            called: &number("1000"),
            attestation,
            is_open: false,
            recent: Recent { calls: 50, short: 50 },
        };
        let verdict = decide(&plain, &call, &Settings::default());
        let expected =
            Verdict { then: Then::Receptionist { ask_number: false }, arrived: Arrived::default() };
        assert_eq!(verdict, expected);
        assert_eq!(overflow(&plain, Arrived::default()), None);
    }
}

const RULES: &str = r#"
[screening]
blocked = ["+4477009*", "+447700900005"]
vip = ["+44770090000*"]
anonymous = "reject"
spam_gets = "busy"
[ring_first]
people = ["the manager", "bookings"]
[forwarding]
no_answer = "+442079460109"
"#;

#[test]
fn whatever_names_a_caller_most_closely_counts() {
    let business = business(RULES);
    let status = |caller: &str| {
        let (caller, called) = (number(caller), number("1000"));
        let recent = Recent::default();
        let call = Arriving {
            caller: Some(&caller),
            called: &called,
            attestation: Attestation::Absent,
            is_open: true,
            recent,
        };
        decide(&business, &call, &Settings::default()).then
    };
    assert_eq!(status("+447700911111"), Then::Turn(607), "by its beginning");
    assert_eq!(status("+447700900005"), Then::Turn(607), "by its whole number");
    let Then::Reach(plan) = status("+447700900007") else { panic!("a longer beginning is welcome") };
    let rounds: Vec<(usize, bool)> =
        plan.rounds.iter().map(|round| (round.people.len(), round.by_key)).collect();
    assert_eq!(rounds, [(1, true), (1, true), (1, false)], "one after the other, then elsewhere");
}

fn any_attestation() -> impl Strategy<Value = Attestation> {
    prop_oneof![
        Just(Attestation::Absent),
        Just(Attestation::Full),
        Just(Attestation::Partial),
        Just(Attestation::Gateway),
        Just(Attestation::Failed(Distrust::Forged))
    ]
}

proptest! {
    /// A caller who is always welcome is never turned away, whatever else is true; a blocked one never gets through.
    #[test]
    fn welcome_and_unwanted_hold_always(
        attestation in any_attestation(), is_open in any::<bool>(), calls in 0..100_u32, short in 0..100_u32, last in 0..10_u32,
    ) {
        let business = business(RULES);
        let called = number("1000");
        let decide = |caller: &str| {
            let caller = number(caller);
            let recent = Recent { calls, short };
            let call = Arriving { caller: Some(&caller), called: &called, attestation, is_open, recent };
            decide(&business, &call, &Settings::default())
        };
        let (welcome, unwanted) = (decide("+447700900001"), decide(&format!("+44770099999{last}")));
        prop_assert!(!matches!(welcome.then, Then::Turn(_) | Then::Message(_)), "{welcome:?}");
        prop_assert!(welcome.arrived.vip && welcome.arrived.spam.is_none());
        prop_assert_eq!(unwanted.then, Then::Turn(607));
        prop_assert_eq!(unwanted.arrived.route, Route::Blocked);
    }

    /// More that speaks for spam never makes a call less likely spam, and no score leaves its bounds.
    #[test]
    fn the_score_grows_with_what_speaks_for_it(attestation in any_attestation(), calls in 0..20_u32, short in 0..20_u32) {
        let settings = Settings::default();
        let (caller, called) = (number("+447700900123"), number("+442079460100"));
        let score = |attestation, calls, short| {
            let recent = Recent { calls, short };
            let call = Arriving { caller: Some(&caller), called: &called, attestation, is_open: true, recent };
            spam::score(&call, &settings)
        };
        let one = score(attestation, calls, short);
        prop_assert!(one.score <= 100);
        prop_assert!(score(attestation, calls + 1, short).score >= one.score);
        prop_assert!(score(attestation, calls, short + 1).score >= one.score);
        prop_assert!(score(Attestation::Failed(Distrust::Forged), calls, short).score >= one.score);
        prop_assert!(one.score == 0 || !one.reasons.is_empty());
    }
}
