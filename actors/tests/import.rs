//! Businesses from files: what good ones become, and what is said about bad ones.

use std::path::PathBuf;

use actors::tenant::import::{Settings, read};
use actors::types::{
    Announcement, Business, Condition, DayOfWeek, Destination, PhoneNumber, ResourceId, ServiceId,
};
use jiff::civil::{date, time};

fn text(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/businesses").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn business(name: &str) -> Business {
    read(&text(name), &Settings::default()).unwrap_or_else(|mistakes| panic!("{name}:\n{mistakes}"))
}

/// Compares with `<name>.expected`; shows what it would have to hold where it differs.
fn check_mistakes(name: &str) {
    let mistakes = read(&text(&format!("broken/{name}.toml")), &Settings::default()).unwrap_err().to_string();
    let expected = text(&format!("broken/{name}.expected"));
    assert!(mistakes.trim() == expected.trim(), "{name}.expected should hold:\n{mistakes}\n");
}

#[test]
fn every_mistake_is_told_with_line_reason_and_remedy() {
    check_mistakes("many");
}

#[test]
fn mistakes_in_the_toml_itself_are_all_told_and_hide_no_others() {
    check_mistakes("syntax");
}

#[test]
fn an_empty_file_is_told_how_to_begin() {
    check_mistakes("empty");
}

#[test]
fn what_is_missing_is_told_with_an_example() {
    check_mistakes("bare");
}

#[test]
fn mistakes_in_what_comes_before_the_receptionist_are_told_too() {
    check_mistakes("arrival");
}

#[test]
fn a_callers_number_is_never_shown() {
    for name in ["many", "arrival"] {
        let file = text(&format!("broken/{name}.toml"));
        let mistakes = read(&file, &Settings::default()).unwrap_err().to_string();
        assert!(!mistakes.contains("secret"));
    }
}

#[test]
fn a_file_that_is_too_big_is_refused_unread() {
    let settings = Settings { file_bytes_max: 10, ..Settings::default() };
    let mistakes = read(&text("barbers.toml"), &settings).unwrap_err();
    assert_eq!(mistakes.0.len(), 1);
    assert!(mistakes.to_string().contains("bytes"));
}

#[test]
fn the_demo_business_is_what_its_file_says() {
    let barbers = business("barbers.toml");
    assert_eq!(barbers.id.as_str(), "fleet-street-barbers");
    assert_eq!(barbers.version, 1);
    assert_eq!(
        barbers.numbers,
        [PhoneNumber::parse("1000"), PhoneNumber::parse("+442079460100")].map(Option::unwrap)
    );
    assert_eq!(barbers.resources.len(), 3);
    assert_eq!(barbers.services.len(), 5);
    assert_eq!(barbers.faqs.len(), 8);
    assert!(barbers.faqs.iter().all(|faq| !faq.questions.is_empty() && !faq.answer.is_empty()));
    assert!(barbers.hours.is_open(date(2026, 11, 26), time(19, 59, 0, 0)));
    assert!(!barbers.hours.is_open(date(2026, 11, 29), time(12, 0, 0, 0)));
    assert!(barbers.hours.on(date(2026, 12, 26)).is_empty());
    assert_eq!(barbers.hours.on(date(2026, 12, 24)).len(), 1);
    let shave = barbers.service(&ServiceId::new("hot-towel-shave")).unwrap();
    assert_eq!((shave.duration_minutes, shave.buffer_minutes, shave.notice_minutes), (40, 10, 60));
    assert_eq!(shave.resources, [ResourceId::new("sam"), ResourceId::new("marco")]);
    assert_eq!(barbers.service(&ServiceId::new("haircut")).unwrap().resources.len(), 3);
    let marco = barbers.resource(&ResourceId::new("marco")).unwrap().hours.as_ref().unwrap();
    assert_eq!(marco.week[&DayOfWeek::Monday].len(), 2);
    assert!(marco.on(date(2027, 2, 10)).is_empty());
    assert_eq!(barbers.transfer_rules.len(), 3);
    assert!(matches!(&barbers.transfer_rules[0].when, Condition::CallerIs(numbers) if numbers.len() == 2));
    assert_eq!(barbers.transfer_rules[2].when, Condition::AsksForPerson);
    assert!(barbers.department("The Manager").is_some());
    assert_eq!(barbers.policy.announcement, Announcement::Announced);
}

#[test]
fn the_clinic_has_doctors_rooms_and_days_that_differ() {
    let clinic = business("clinic.toml");
    assert_eq!(clinic.time_zone, "America/New_York");
    assert_eq!(clinic.hours.on(date(2026, 11, 25)).len(), 1, "Wednesday overrides weekdays");
    assert_eq!(clinic.hours.on(date(2026, 11, 24)).len(), 2);
    assert_eq!(clinic.resources.len(), 4);
    assert_eq!(
        clinic.service(&ServiceId::new("check-up")).unwrap().resources,
        [ResourceId::new("dr-patel"), ResourceId::new("dr-nguyen")],
        "by id or by name"
    );
    assert_eq!(clinic.service(&ServiceId::new("physiotherapy")).unwrap().notice_minutes, 1_440);
    assert_eq!(clinic.policy.announcement, Announcement::NotRecorded);
}

#[test]
fn the_plumber_is_reached_in_an_emergency() {
    let plumber = business("plumber.toml");
    assert_eq!(plumber.language.as_str(), "en-GB", "where none is named");
    assert!(plumber.service(&ServiceId::new("boiler-service")).is_some(), "an id is made of the name");
    let line = plumber.department("the emergency line").unwrap();
    assert_eq!(line.destination, Destination::Uri("sip:emergency@127.0.0.1:5999".to_owned()));
    assert!(line.hours.as_ref().unwrap().is_open(date(2026, 11, 22), time(3, 0, 0, 0)));
    assert_eq!(plumber.policy.retention_days, 0);
    assert_eq!(plumber.policy.call_minutes_max, 10);
}

#[test]
fn the_demo_is_one_of_the_tested_businesses() {
    let demo = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ops/config/demo.toml");
    assert_eq!(std::fs::read_to_string(demo).unwrap(), text("barbers.toml"));
}
