//! What was expected and what came: compared, shown, or written down.

use super::script::{Line, Script};

/// Whether an expected line allows an actual one; `…` stands for anything.
fn allows(expected: &str, actual: &str) -> bool {
    let parts: Vec<&str> = expected.split('…').map(str::trim).collect();
    let [only] = parts.as_slice() else {
        let mut rest = actual;
        for (place, part) in parts.iter().enumerate() {
            let found = match (place, rest.find(part)) {
                (0, Some(0)) => Some(0),
                (0, _) => None,
                (_, found) => found,
            };
            let Some(found) = found else { return false };
            rest = &rest[found + part.len()..];
        }
        return parts.last().is_some_and(|last| last.is_empty() || actual.ends_with(last));
    };
    *only == actual
}

/// Both sides by line, where they differ.
pub(super) fn difference(expected: &[String], actual: &[String]) -> Option<String> {
    let same = expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(expected, actual)| allows(expected, actual));
    if same {
        return None;
    }
    let mut lines = Vec::new();
    let (mut left, mut right) = (expected, actual);
    while let (Some(expected), Some(actual)) = (left.first(), right.first()) {
        if allows(expected, actual) {
            lines.push(format!("    {actual}"));
            (left, right) = (&left[1..], &right[1..]);
            continue;
        }
        // The nearest line after which both agree again.
        let again = right.iter().position(|line| allows(expected, line));
        let back = left.iter().position(|line| allows(line, actual));
        match (again, back) {
            (Some(again), back) if back.is_none_or(|back| again <= back) => {
                lines.extend(right[..again].iter().map(|line| format!("  + {line}")));
                right = &right[again..];
            }
            (_, Some(back)) => {
                lines.extend(left[..back].iter().map(|line| format!("  - {line}")));
                left = &left[back..];
            }
            _ => {
                lines.push(format!("  - {expected}"));
                lines.push(format!("  + {actual}"));
                (left, right) = (&left[1..], &right[1..]);
            }
        }
    }
    lines.extend(left.iter().map(|line| format!("  - {line}")));
    lines.extend(right.iter().map(|line| format!("  + {line}")));
    Some(lines.join("\n"))
}

/// The script with what was really heard and done. Lines with `…` that hold are kept.
pub(super) fn updated(script: &Script, actual: &[String]) -> String {
    let mut lines = script.head.clone();
    let wild: Vec<&str> = script
        .body
        .iter()
        .filter_map(|line| match line {
            Line::Expected(text) if text.contains('…') => Some(text.trim()),
            _ => None,
        })
        .collect();
    let mut actual = actual.iter().peekable();
    let is_step = |line: &str| !["< ", "~ ", "= "].iter().any(|mark| line.starts_with(mark));
    let take_heard = |lines: &mut Vec<String>,
                      actual: &mut std::iter::Peekable<std::slice::Iter<'_, String>>| {
        while let Some(line) = actual.next_if(|line| !is_step(line)) {
            let kept = wild.iter().find(|wild| allows(wild, line));
            lines.push(kept.map_or_else(|| line.clone(), |wild| (*wild).to_owned()));
        }
    };
    take_heard(&mut lines, &mut actual);
    for line in &script.body {
        match line {
            Line::Other(text) => lines.push(text.clone()),
            Line::Step(text, _) => {
                lines.push(text.clone());
                actual.next();
                take_heard(&mut lines, &mut actual);
            }
            Line::Expected(_) => {}
        }
    }
    take_heard(&mut lines, &mut actual);
    lines.join("\n").trim_end().to_owned() + "\n"
}

/// Where a call that was resumed at every step went another way.
pub(super) fn first_difference(straight: &[String], resumed: &[String]) -> String {
    let place = straight.iter().zip(resumed).position(|(one, other)| one != other);
    let place = place.unwrap_or(straight.len().min(resumed.len()));
    let at = |effects: &[String]| effects.get(place).cloned().unwrap_or_else(|| "nothing".to_owned());
    format!("resumed from its state it goes another way: {} instead of {}", at(resumed), at(straight))
}

#[test]
fn three_dots_stand_for_anything() {
    assert!(allows("< Thank you … How can I help?", "< Thank you for calling. How can I help?"));
    assert!(allows("< …", "< anything"));
    assert!(allows("< a … b …", "< a 1 b 2"));
    assert!(!allows("< a … b", "< a 1 c"));
    assert!(!allows("< a", "< b"));
}
