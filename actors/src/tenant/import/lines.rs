//! `[[line]]`: what is different for one of the business's numbers.

use super::section::Section;
use super::{arrival, business};
use crate::types::{Department, Line};

/// Reads the lines, in order.
pub(super) fn read(file: &Section<'_>, departments: &[Department]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for section in file.tables("line", "[[line]]") {
        let text = section.required_text("number", "\"+442079460100\"");
        let number = if text.value.is_empty() { None } else { business::number(&section, "number", &text) };
        let label = section.required_text("label", "\"the salon\"").value;
        let greeting = section.text("greeting").map(|text| text.value);
        let voice = section.text("voice").map(|text| text.value);
        let ring_first = section.flag("ring_first").unwrap_or(true);
        let forward = section
            .text("forward_to")
            .and_then(|text| arrival::callee(&section, "forward_to", &text, departments));
        if let Some(number) = &number
            && lines.iter().any(|other| other.number == *number)
        {
            section.report.add(
                &text.at,
                format!("there are two [[line]] for the number {}", number.as_str()),
                "keep one",
            );
        }
        section.finish();
        lines.extend(number.map(|number| Line { number, label, greeting, voice, ring_first, forward }));
    }
    lines
}
