//! `[policy]`: how calls are answered.

use super::duration;
use super::section::Section;
use super::spelling::closest;
use crate::types::{Announcement, Policy};

const RECORDING: [(&str, Announcement); 3] = [
    ("announced", Announcement::Announced),
    ("silent", Announcement::Silent),
    ("none", Announcement::NotRecorded),
];

/// Reads the policy; each key has its default.
pub(super) fn read(file: &Section<'_>) -> Policy {
    let mut policy = Policy::default();
    let Some(section) = file.table("policy", "[policy]") else { return policy };
    policy.greeting = section.text("greeting").map(|text| text.value);
    policy.announcement = recording(&section).unwrap_or_default();
    policy.voice = section.text("voice").map(|text| text.value).unwrap_or_default();
    if let Some(calls) = section.number("calls_at_once", 1, 100_000) {
        policy.concurrent_calls_max = calls;
    }
    if let Some(minutes) = duration::minutes(&section, "longest_call", 1, 1_440) {
        policy.call_minutes_max = minutes;
    }
    if let Some(days) = duration::days(&section, "book_ahead", 730) {
        policy.booking_days_max = days;
    }
    if section.has("keep_recordings") {
        policy.retention_days = retention_days(&section).unwrap_or_default();
    }
    policy.legal_hold = section.flag("legal_hold").unwrap_or_default();
    section.finish();
    policy
}

/// 0 keeps for ever.
fn retention_days(section: &Section<'_>) -> Option<u32> {
    let for_ever = section.number_or_text("keep_recordings")?.value.to_lowercase() == "forever";
    if for_ever { Some(0) } else { duration::days(section, "keep_recordings", 3_650) }
}

fn recording(section: &Section<'_>) -> Option<Announcement> {
    let text = section.text("recording")?;
    let word = text.value.to_lowercase();
    let found = RECORDING.into_iter().find(|(name, _)| *name == word).map(|(_, announcement)| announcement);
    if found.is_none() {
        let names = RECORDING.map(|(name, _)| name);
        section.report.add(
            &text.at,
            format!("`recording` in {} is not known: \"{}\"", section.name, text.value),
            closest(&word, names).map_or_else(
                || format!("write one of \"{}\"", names.join("\", \"")),
                |meant| format!("did you mean \"{meant}\"?"),
            ),
        );
    }
    found
}
