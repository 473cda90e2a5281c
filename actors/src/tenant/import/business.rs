//! `[business]`, and the whole from its parts.

use jiff::tz::TimeZone;

use super::section::{Section, Text};
use super::spelling::closest;
use super::{arrival, departments, hours, policy, questions, services, transfers};
use crate::types::{Business, Hours, Language, PhoneNumber, TenantId};

/// Reads the whole file.
pub(super) fn read(file: &Section<'_>) -> Business {
    let resources = services::resources(file);
    let departments = departments::read(file);
    let mut business = Business {
        id: TenantId::default(),
        version: 1,
        name: String::new(),
        description: String::new(),
        time_zone: String::new(),
        language: Language::default(),
        address: None,
        directions: None,
        numbers: Vec::new(),
        hours: opening_hours(file),
        services: services::read(file, &resources),
        faqs: questions::read(file),
        transfer_rules: transfers::read(file, &departments),
        arrival: arrival::read(file, &departments),
        departments,
        resources,
        policy: policy::read(file),
    };
    match file.table("business", "[business]") {
        Some(section) => {
            heading(section, &mut business);
            arrival::check_lines(file, &business);
        }
        None => {
            file.report.add_if_whole(&file.at, "there is no [business]", "begin the file with `[business]`")
        }
    }
    business
}

fn heading(section: Section<'_>, business: &mut Business) {
    business.name = section.required_text("name", "\"Fleet Street Barbers\"").value;
    business.id = TenantId::new(id(&section, &business.name));
    business.description = section.text("description").map(|text| text.value).unwrap_or_default();
    business.time_zone = time_zone(&section);
    business.language = language(&section);
    business.address = section.text("address").map(|text| text.value);
    business.directions = section.text("directions").map(|text| text.value);
    business.numbers = numbers(&section);
    section.finish();
}

/// An id that is given, or made of the name: lower-case letters, digits and dashes.
pub(super) fn id(section: &Section<'_>, name: &str) -> String {
    let made = slug(name);
    let Some(text) = section.text("id") else { return made };
    if slug(&text.value) == text.value && text.value.len() <= 64 {
        return text.value;
    }
    let instead = if slug(&text.value).is_empty() { made } else { slug(&text.value) };
    section.report.add(
        &text.at,
        format!("`id` in {} may have small letters, digits and dashes, at most 64", section.name),
        format!("write `id = \"{}\"`", instead.chars().take(64).collect::<String>()),
    );
    text.value
}

fn slug(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { ' ' })
        .collect();
    plain.to_ascii_lowercase().split_whitespace().collect::<Vec<_>>().join("-")
}

fn time_zone(section: &Section<'_>) -> String {
    let text = section.required_text("time_zone", "\"Europe/London\"");
    // Names without a city, such as EST, know no daylight saving.
    let usable = |name: &str| (name.contains('/') || name == "UTC") && TimeZone::get(name).is_ok();
    if !text.value.is_empty() && !usable(&text.value) {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        let meant = closest(&text.value, names.iter().map(String::as_str).filter(|name| name.contains('/')));
        let meant = meant.or_else(|| {
            let city = text.value.rsplit('/').next()?.replace(' ', "_").to_lowercase();
            let ends = |name: &&String| name.to_lowercase().rsplit('/').next() == Some(city.as_str());
            names.iter().find(ends).map(String::as_str)
        });
        section.report.add(
            &text.at,
            format!("there is no time zone \"{}\"", text.value),
            format!(
                "write continent and city, such as `time_zone = \"{}\"`",
                meant.unwrap_or("Europe/London")
            ),
        );
    }
    text.value
}

fn language(section: &Section<'_>) -> Language {
    let Some(text) = section.text("language") else { return Language::new("en-GB") };
    let mut parts = text.value.split('-');
    let region = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_uppercase());
    if parts.next() != Some("en") || !parts.all(region) {
        section.report.add(
            &text.at,
            format!("callers can't be answered in \"{}\"", text.value),
            "write `language = \"en-GB\"` or `\"en-US\"`: only English is spoken",
        );
    }
    Language::new(text.value)
}

fn numbers(section: &Section<'_>) -> Vec<PhoneNumber> {
    if !section.has("numbers") {
        section.missing("numbers", "[\"+442079460100\"]");
    }
    let texts = section.texts("numbers");
    if texts.is_empty() && section.has("numbers") {
        section.report.add_if_whole(
            &section.place("numbers"),
            "no number reaches this business",
            "write `numbers = [\"+442079460100\"]`",
        );
    }
    let mut numbers = Vec::new();
    for text in texts {
        let Some(number) = number(section, "numbers", &text) else { continue };
        if numbers.contains(&number) {
            let what = format!("the number {} is written twice", number.as_str());
            section.report.add(&text.at, what, "remove one");
        } else {
            numbers.push(number);
        }
    }
    numbers
}

/// Reads a business's own number; not for callers' numbers, since the text is shown.
pub(super) fn number(section: &Section<'_>, key: &str, text: &Text) -> Option<PhoneNumber> {
    let number = PhoneNumber::parse(&text.value);
    if number.is_none() {
        section.report.add(
            &text.at,
            format!("`{key}` in {} is not a telephone number: \"{}\"", section.name, text.value),
            "write its digits with the country's code, such as \"+442079460100\", or an extension, such as \"1000\"",
        );
    }
    number
}

fn opening_hours(file: &Section<'_>) -> Hours {
    let week = match file.table("hours", "[hours]") {
        Some(section) => {
            let at = section.at.clone();
            let week = hours::week(section);
            if week.is_empty() {
                file.report.add_if_whole(&at, "[hours] has no day", "write `monday = \"9:00-17:00\"`");
            }
            week
        }
        None => {
            file.report.add_if_whole(
                &file.at,
                "there is no [hours]",
                "write `[hours]` and below it `monday = \"9:00-17:00\"`",
            );
            Default::default()
        }
    };
    Hours { week, exceptions: hours::closures(file.tables("closed", "[[closed]]")) }
}
