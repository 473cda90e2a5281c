//! `[[department]]`: the people whom callers may ask for.

use super::section::Section;
use super::{business, hours};
use crate::types::{Department, Destination, PhoneNumber};

/// Reads the departments, in order.
pub(super) fn read(file: &Section<'_>) -> Vec<Department> {
    let mut departments: Vec<Department> = Vec::new();
    for section in file.tables("department", "[[department]]") {
        let name = section.required_text("name", "\"the manager\"");
        if departments.iter().any(|other| other.name.eq_ignore_ascii_case(&name.value)) {
            section.report.add(
                &name.at,
                format!("there are two departments called \"{}\"", name.value),
                "give each its own `name`",
            );
        }
        let also_called = section.texts("also_called").into_iter().map(|text| text.value).collect();
        let destination = destination(&section);
        let hours = hours::own(&section, "department", "closed");
        section.finish();
        departments.push(Department { name: name.value, also_called, destination, hours });
    }
    departments
}

fn destination(section: &Section<'_>) -> Destination {
    let (number, uri) = (section.text("number"), section.text("uri"));
    match (number, uri) {
        (Some(text), None) => {
            if let Some(number) = business::number(section, "number", &text) {
                return Destination::Number(number);
            }
        }
        (None, Some(text)) => {
            let well_formed = ["sip:", "sips:"].iter().any(|scheme| {
                text.value.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.contains(' '))
            });
            if well_formed {
                return Destination::Uri(text.value);
            }
            section.report.add(
                &text.at,
                format!("`uri` in {} is not a SIP address: \"{}\"", section.name, text.value),
                "write `uri = \"sip:manager@example.com\"`",
            );
        }
        (Some(_), Some(text)) => section.report.add(
            &text.at,
            format!("{} has both `number` and `uri`", section.name),
            "keep the one where its calls go",
        ),
        (None, None) if section.has("number") || section.has("uri") => {}
        (None, None) => section.missing("number", "\"+442079460101\"` or `uri = \"sip:manager@example.com\""),
    }
    // Never seen: a mistake was reported.
    PhoneNumber::parse("00").map_or_else(|| Destination::Uri(String::new()), Destination::Number)
}
