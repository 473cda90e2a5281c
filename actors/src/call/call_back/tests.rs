use proptest::prelude::*;

use super::*;
use crate::call::leg::Incoming;
use crate::call::record::opened;
use crate::tenant::import;
use crate::types::{Arrived, CallBackNote, CallId, CallResult, Outcome, Spam};

const RULES: &str =
    "[call_back]\nafter = \"5 minutes\"\nattempts = 2\n[screening]\nblocked = [\"+447700900666\"]\n";

fn business(rules: &str) -> Business {
    let text = format!("{}\n{rules}", include_str!("../../../tests/businesses/barbers.toml"));
    import::read(&text, &import::Settings::default()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A caller who gave up on a Tuesday at noon.
fn missed() -> CallRecord {
    let incoming = Incoming {
        call: CallId::default(),
        called: PhoneNumber::parse("1000").unwrap(),
        caller: PhoneNumber::parse("+447700900123").map(Private::new),
        attestation: crate::types::Attestation::Absent,
        at: at("2026-03-10T11:59:00Z"),
    };
    CallRecord {
        ended_at: Some(at("2026-03-10T12:00:00Z")),
        outcome: Some(Outcome { result: CallResult::Client, reason: EndReason::Cancelled }),
        sip_status: 487,
        ..opened(&incoming, &business(RULES))
    }
}

fn due_for(change: impl FnOnce(&mut CallRecord)) -> Result<Timestamp, Never> {
    let mut record = missed();
    change(&mut record);
    due(&business(RULES), &record, &Settings::default())
}

fn ended(record: &mut CallRecord, reason: EndReason, answered: bool, status: u16) {
    record.outcome = Some(Outcome { result: CallResult::Server, reason });
    record.answered_at = answered.then(|| at("2026-03-10T11:59:00Z"));
    record.sip_status = status;
}

#[test]
fn who_was_missed_or_cut_off_is_called_a_few_minutes_later() {
    let noon = at("2026-03-10T12:05:00Z");
    assert_eq!(due_for(|_| {}), Ok(noon));
    for (reason, answered, status) in [
        (EndReason::MediaTimeout, true, 200),
        (EndReason::Crashed, true, 200),
        (EndReason::NodeDied, true, 200),
        (EndReason::NodeDied, false, 0),
        (EndReason::Refused, false, 486),
        (EndReason::Refused, false, 503),
    ] {
        assert_eq!(due_for(|record| ended(record, reason, answered, status)), Ok(noon), "{reason:?}");
    }
    for reason in
        [EndReason::Completed, EndReason::CallerHungUp, EndReason::CallerHungUpMidway, EndReason::Transferred]
    {
        assert_eq!(due_for(|record| ended(record, reason, true, 200)), Err(Never::DealtWith), "{reason:?}");
    }
    assert_eq!(due_for(|record| ended(record, EndReason::Refused, false, 404)), Err(Never::DealtWith));
}

#[test]
fn nobody_is_called_who_must_not_be() {
    let from = |number: &str| {
        let number = PhoneNumber::parse(number).map(Private::new);
        due_for(|record| record.caller = number)
    };
    assert_eq!(due_for(|record| record.caller = None), Err(Never::NoNumber));
    assert_eq!(from("1001"), Err(Never::NoNumber));
    assert_eq!(from("+442079460100"), Err(Never::NoNumber), "itself");
    assert_eq!(from("+447700900666"), Err(Never::Unwanted));
    assert_eq!(from("+33142685300"), Err(Never::Foreign));
    assert_eq!(from("+12125550100"), Err(Never::Foreign));
    assert!(from("07700900123").is_ok());
    let spam = Spam { score: 80, reasons: Vec::new() };
    let arrived = |arrived: Arrived| due_for(|record| record.arrived = Some(arrived));
    assert_eq!(arrived(Arrived { spam: Some(spam), ..Arrived::default() }), Err(Never::Unwanted));
    assert_eq!(arrived(Arrived { route: Route::CalledBack, ..Arrived::default() }), Err(Never::DealtWith));
    let blocked = due_for(|record| {
        ended(record, EndReason::Refused, false, 486);
        record.arrived = Some(Arrived { route: Route::TurnedAsSpam, ..Arrived::default() });
    });
    assert_eq!(blocked, Err(Never::DealtWith), "busy was only said");
    assert_eq!(due(&business(""), &missed(), &Settings::default()), Err(Never::NotWanted));
    let only_cut_off = business("[call_back]\nmissed = false\n");
    assert_eq!(due(&only_cut_off, &missed(), &Settings::default()), Err(Never::NotWanted));
}

#[test]
fn at_night_they_are_called_when_the_business_opens_and_not_days_later() {
    let ended = |text: &str| due_for(|record| record.ended_at = Some(at(text)));
    // It opens at nine.
    assert_eq!(ended("2026-03-10T22:00:00Z"), Ok(at("2026-03-11T09:00:00Z")));
    assert_eq!(ended("2026-03-11T08:58:00Z"), Ok(at("2026-03-11T09:03:00Z")));
    // It is closed on Sunday: too long after a Saturday's evening.
    assert_eq!(ended("2026-03-14T18:00:00Z"), Err(Never::TooLate));
}

#[test]
fn each_attempt_counts_and_who_was_reached_is_left_in_peace() {
    let noted = |attempts, result| {
        due_for(|record| {
            let last_at = Some(at("2026-03-10T12:05:00Z"));
            record.call_back = Some(CallBackNote { attempts, last_at, result });
        })
    };
    assert_eq!(noted(1, CallBackResult::NotReached), Ok(at("2026-03-10T12:10:00Z")));
    assert_eq!(noted(2, CallBackResult::NotReached), Err(Never::Exhausted));
    for result in [CallBackResult::Reached, CallBackResult::Mailbox, CallBackResult::GivenUp] {
        assert_eq!(noted(1, result), Err(Never::DealtWith), "{result:?}");
    }
}

#[test]
fn a_later_call_counts_unless_it_was_turned_away_or_cut_off_and_nobody_is_called_for_that() {
    let later = |rules: &str, change: &dyn Fn(&mut CallRecord)| {
        let mut record = missed();
        change(&mut record);
        supersedes(&business(rules), &record)
    };
    assert!(later(RULES, &|record| record.outcome = None), "on the line");
    assert!(later(RULES, &|_| {}), "it has a call back of its own");
    assert!(later(RULES, &|record| ended(record, EndReason::CallerHungUp, true, 200)), "dealt with");
    assert!(later(RULES, &|record| ended(record, EndReason::Crashed, true, 200)), "its own");
    let only_missed = "[call_back]\ncut_off = false\n";
    assert!(!later(only_missed, &|record| ended(record, EndReason::Crashed, true, 200)));
    assert!(!later(RULES, &|record| {
        ended(record, EndReason::Refused, false, 486);
        record.arrived = Some(Arrived { route: Route::TurnedAsSpam, ..Arrived::default() });
    }));
}

#[test]
fn a_no_is_a_no_and_busy_is_none() {
    let declined = |answered, status| {
        let mut record = missed();
        ended(&mut record, EndReason::Refused, answered, status);
        is_declined(&record)
    };
    assert!(declined(false, 603) && declined(false, 607));
    assert!(!declined(false, 486) && !declined(false, 480) && !declined(true, 603));
}

proptest! {
    /// Whenever a call ended: who is called back is called within a day, in opening hours, and no earlier than said.
    #[test]
    fn nobody_is_called_at_night(minutes in 0..60_000_i64) {
        let business = business(RULES);
        let ended = at("2026-03-01T00:00:00Z").checked_add(minutes.minutes()).unwrap();
        let record = CallRecord { ended_at: Some(ended), ..missed() };
        if let Ok(due) = due(&business, &record, &Settings::default()) {
            let local = TimeZone::get("Europe/London").unwrap().to_datetime(due);
            prop_assert!(business.hours.is_open(local.date(), local.time()), "{local}");
            let wait = due.duration_since(ended);
            prop_assert!(wait >= SignedDuration::from_mins(5) && wait <= SignedDuration::from_hours(24), "{wait:?}");
        }
    }
}
