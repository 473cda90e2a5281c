use super::*;
use crate::types::{Destination, PhoneNumber, TenantId};

fn at(ms: u64) -> CallTime {
    CallTime::from_ms(ms)
}

fn told(effects: &[Effect]) -> Option<News> {
    effects.iter().find_map(|effect| match effect {
        Effect::Tell(news) => Some(*news),
        _ => None,
    })
}

fn handing() -> HandOver {
    HandOver::new(Settings::default(), at(1_000))
}

/// One that was answered, and was told all.
fn asking() -> HandOver {
    let mut handing = handing();
    assert_eq!(handing.handle(at(2_000), Input::Ringing), [Effect::Tell(News::Ringing)]);
    assert_eq!(handing.handle(at(5_000), Input::Answered), [Effect::Say]);
    assert!(handing.handle(at(9_000), Input::Said).is_empty());
    handing
}

#[test]
fn who_presses_one_speaks_with_the_caller_until_they_leave() {
    let mut handing = asking();
    assert!(handing.handle(at(9_500), Input::Digit('7')).is_empty(), "any other key is none");
    let joined = handing.handle(at(10_000), Input::Digit('1'));
    assert_eq!(joined, [Effect::Join, Effect::Tell(News::Joined)]);
    assert_eq!(handing.deadline(), None, "they speak as long as they want");
    let left = handing.handle(at(99_000), Input::Gone);
    assert_eq!(left, [Effect::Release, Effect::Tell(News::Left)]);
    assert!(handing.is_over() && handing.handle(at(99_001), Input::Digit('1')).is_empty());
    // Nobody has to wait for the end of the sentence.
    let mut handing = self::handing();
    handing.handle(at(2_000), Input::Answered);
    assert!(handing.handle(at(2_500), Input::Digit('1')).contains(&Effect::Join));
}

/// One in which the two speak and were asked to do so without us.
fn leaving() -> HandOver {
    let settings = Settings { leave_path: true, ..Settings::default() };
    let mut handing = HandOver::new(settings, at(1_000));
    handing.handle(at(2_000), Input::Answered);
    let joined = handing.handle(at(3_000), Input::Digit('1'));
    assert_eq!(joined, [Effect::Join, Effect::Tell(News::Joined), Effect::Leave]);
    assert!(handing.handle(at(3_100), Input::Moved(180)).is_empty() && handing.is_leaving());
    handing
}

#[test]
fn the_two_go_on_without_us_or_by_way_of_us_and_nobody_is_left_alone() {
    let done = [Effect::Tell(News::Moved), Effect::Release];
    let mut handing = leaving();
    assert_eq!(handing.handle(at(4_000), Input::Moved(200)), done);
    assert!(handing.is_over());
    // The person's new line takes the place of the one with us: that it goes is no news.
    let mut handing = leaving();
    assert!(handing.handle(at(3_900), Input::Gone).is_empty());
    assert_eq!(handing.handle(at(4_000), Input::Moved(200)), done);
    // Or their side can't, and they speak by way of us, as if nobody had been asked.
    for input in [Input::Moved(405), Input::Tick] {
        let mut handing = leaving();
        assert!(handing.handle(at(48_000), input).is_empty(), "{input:?}");
        assert_eq!((handing.is_leaving(), handing.deadline()), (false, None));
        assert_eq!(handing.handle(at(99_000), Input::Gone), [Effect::Release, Effect::Tell(News::Left)]);
        // Where the person has gone meanwhile, the caller comes back.
        let mut handing = leaving();
        handing.handle(at(4_000), Input::Gone);
        assert_eq!(handing.handle(at(48_000), input), [Effect::Release, Effect::Tell(News::Left)]);
    }
    assert_eq!(leaving().handle(at(4_000), Input::Stop), [Effect::Release]);
}

#[test]
fn each_way_to_fail_has_its_name_and_lets_the_person_go() {
    let calling: [(Input, u64, HandOverOutcome); 9] = [
        (Input::Refused(486), 2_000, HandOverOutcome::Busy),
        (Input::Refused(600), 2_000, HandOverOutcome::Busy),
        (Input::Refused(603), 2_000, HandOverOutcome::Declined),
        (Input::Refused(480), 2_000, HandOverOutcome::NoAnswer),
        (Input::Refused(408), 2_000, HandOverOutcome::NoAnswer),
        (Input::Refused(404), 2_000, HandOverOutcome::Unreachable),
        (Input::Refused(503), 2_000, HandOverOutcome::Unreachable),
        (Input::Unreachable, 2_000, HandOverOutcome::Unreachable),
        (Input::Tick, 26_000, HandOverOutcome::NoAnswer),
    ];
    for (input, when, outcome) in calling {
        let mut handing = handing();
        assert!(handing.handle(at(25_999), Input::Tick).is_empty());
        let effects = handing.handle(at(when), input);
        assert_eq!(effects, [Effect::Release, Effect::Tell(News::Failed(outcome))], "{input:?}");
    }
    for (input, when, outcome) in [
        (Input::Digit('2'), 9_500, HandOverOutcome::Declined),
        (Input::Gone, 9_500, HandOverOutcome::Declined),
        (Input::Tick, 17_000, HandOverOutcome::Voicemail),
    ] {
        let mut handing = asking();
        assert!(handing.handle(at(16_999), Input::Tick).is_empty());
        assert_eq!(told(&handing.handle(at(when), input)), Some(News::Failed(outcome)), "{input:?}");
    }
    let mut mailbox = asking();
    assert_eq!(
        told(&mailbox.handle(at(9_500), Input::Mailbox)),
        Some(News::Failed(HandOverOutcome::Voicemail))
    );
    // A voice that never says anything does not keep the caller waiting.
    let mut handing = handing();
    handing.handle(at(2_000), Input::Answered);
    assert_eq!(handing.deadline(), Some(at(22_000)));
    assert_eq!(
        told(&handing.handle(at(22_000), Input::Tick)),
        Some(News::Failed(HandOverOutcome::Voicemail))
    );
}

#[test]
fn whoever_answers_unasked_has_the_call_and_nobody_else() {
    let mut handing = HandOver::unasked(Settings::default(), at(1_000));
    let joined = handing.handle(at(5_000), Input::Answered);
    assert_eq!(joined, [Effect::Join, Effect::Tell(News::Joined)]);
    assert!(handing.handle(at(5_100), Input::Mailbox).is_empty(), "it is theirs");
    let mut handing = HandOver::unasked(Settings::default(), at(1_000));
    let busy = handing.handle(at(5_000), Input::Refused(486));
    assert_eq!(busy, [Effect::Release, Effect::Tell(News::Failed(HandOverOutcome::Busy))]);
}

#[test]
fn a_caller_who_hangs_up_takes_the_person_with_them() {
    for mut handing in [handing(), asking()] {
        assert_eq!(handing.handle(at(9_600), Input::Stop), [Effect::Release]);
        assert!(handing.is_over());
    }
}

#[test]
fn a_business_calls_no_more_and_nowhere_else_than_it_may() {
    let settings = CapSettings {
        allowed: vec!["+44".into(), "+1".into()],
        at_once_max: 2,
        per_hour_max: 3,
        ..CapSettings::default()
    };
    let mut caps = Caps::new(settings);
    let (one, other) = (TenantId::new("one"), TenantId::new("other"));
    let number = |text: &str| Destination::Number(PhoneNumber::parse(text).unwrap());
    for (to, may) in [
        (number("+442079460001"), true),
        (number("+449098790000"), false),
        (number("+19005550100"), false),
        (number("+33142685300"), false),
        (number("1000"), false),
        (Destination::Uri("sip:desk@192.0.2.1".into()), true),
    ] {
        let told = caps.begin(0, &other, &to);
        assert_eq!(told.err(), (!may).then_some(Denied::Number), "{to:?}");
        if let Ok(begun) = told {
            caps.end(0, &other, begun);
        }
    }
    let to = number("+442079460001");
    let (first, second) = (caps.begin(0, &one, &to).unwrap(), caps.begin(10, &one, &to).unwrap());
    assert_eq!(caps.begin(20, &one, &to), Err(Denied::AtOnce));
    assert!(caps.begin(20, &other, &to).is_ok(), "each business has its own");
    caps.end(25, &one, first);
    caps.end(25, &one, second);
    let third = caps.begin(30, &one, &to).unwrap();
    caps.end(35, &one, third);
    assert_eq!(caps.begin(40, &one, &to), Err(Denied::PerHour));
    assert!(caps.begin(3_600_000, &one, &to).is_ok(), "the first is an hour old");
}

#[test]
fn a_business_spends_no_more_in_a_day_than_it_may() {
    let price = |start: &str, per_minute| Price { start: start.to_owned(), per_minute };
    let settings = CapSettings {
        prices: vec![price("+44", 10), price("+447", 50)],
        price_otherwise: 300,
        spend_per_day_max: 200,
        ..CapSettings::default()
    };
    let (mut caps, one) = (Caps::new(settings), TenantId::new("one"));
    let number = |text: &str| Destination::Number(PhoneNumber::parse(text).unwrap());
    let (fixed, mobile) = (number("+442079460001"), number("+447700900001"));
    assert_eq!(caps.begin(0, &one, &number("+12125550100")), Err(Denied::Spend), "a minute is too much");
    assert!(caps.begin(0, &one, &Destination::Uri("sip:desk@192.0.2.1".into())).is_ok());
    // Nobody answers: it costs nothing, but while it rings it might.
    let rings: Vec<Begun> = (0..4).map(|_| caps.begin(0, &one, &mobile).unwrap()).collect();
    assert_eq!(caps.begin(0, &one, &fixed), Err(Denied::Spend));
    for begun in rings {
        caps.end(20_000, &one, begun);
    }
    // Two minutes and a second are three.
    let begun = caps.begin(30_000, &one, &mobile).unwrap();
    caps.answered(40_000, &one, begun);
    assert!(caps.begin(40_000, &one, &fixed).is_ok_and(|begun| {
        caps.end(41_000, &one, begun);
        true
    }));
    caps.end(161_000, &one, begun);
    let begun = caps.begin(162_000, &one, &mobile).unwrap();
    caps.end(163_000, &one, begun);
    // One that goes on counts by what it has cost so far.
    let begun = caps.begin(170_000, &one, &fixed).unwrap();
    caps.answered(170_000, &one, begun);
    assert_eq!(caps.begin(170_000 + 5 * 60_000, &one, &fixed), Err(Denied::Spend));
    caps.end(170_000 + 5 * 60_000, &one, begun);
    assert_eq!(caps.begin(23 * 3_600_000, &one, &fixed), Err(Denied::Spend));
    assert!(caps.begin(24 * 3_600_000, &one, &fixed).is_ok(), "a day later");
}
