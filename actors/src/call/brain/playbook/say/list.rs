//! Lists as spoken; never longer than three.

/// "a", "a or b", "a, b or c".
pub(crate) fn joined(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [start @ .., end] => format!("{} {last} {end}", start.join(", ")),
    }
}

pub(crate) fn or(items: &[String]) -> String {
    joined(items, "or")
}

pub(crate) fn and(items: &[String]) -> String {
    joined(items, "and")
}
