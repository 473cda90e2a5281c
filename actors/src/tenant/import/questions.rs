//! `[[question]]`: what callers ask, and the answer.

use super::section::Section;
use crate::types::Faq;

/// Reads the questions, in order.
pub(super) fn read(file: &Section<'_>) -> Vec<Faq> {
    let mut seen: Vec<String> = Vec::new();
    let mut faqs = Vec::new();
    for section in file.tables("question", "[[question]]") {
        if !section.has("ask") {
            section.missing("ask", "[\"Do you have parking?\"]");
        }
        let asked = section.texts("ask");
        if asked.is_empty() && section.has("ask") {
            section.report.add_if_whole(
                &section.place("ask"),
                "this [[question]] asks nothing",
                "write `ask = [\"Do you have parking?\"]`",
            );
        }
        for text in &asked {
            let plain = text.value.to_lowercase().trim_end_matches('?').to_owned();
            if seen.contains(&plain) {
                let what = format!("the question \"{}\" is asked twice", text.value);
                section.report.add(&text.at, what, "remove one, so that its answer is clear");
            }
            seen.push(plain);
        }
        let answer = section.required_text("answer", "\"Yes, behind the house.\"").value;
        section.finish();
        faqs.push(Faq { questions: asked.into_iter().map(|text| text.value).collect(), answer });
    }
    faqs
}
