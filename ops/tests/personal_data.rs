//! Numbers, names and words of callers never reach a log or a metric's label. A running call proves the same in
//! `cluster/tests`; this finds it in the source.

use crate::source::{expect_none, rust_files};

/// Macros whose arguments are logged or become labels.
const SINKS: &[&str] = &[
    "trace!(",
    "debug!(",
    "info!(",
    "warn!(",
    "error!(",
    "info_span!(",
    "debug_span!(",
    "counter!(",
    "gauge!(",
    "histogram!(",
];

#[test]
fn nothing_private_is_revealed_to_a_log_or_a_label() {
    let mut findings = Vec::new();
    for file in rust_files() {
        if file.is_test() {
            continue;
        }
        let code = file.product_text();
        for sink in SINKS {
            for (at, _) in code.match_indices(sink) {
                let statement = argument_of(&code[at + sink.len()..]);
                if statement.contains(".reveal()") || statement.contains("into_inner()") {
                    let line = code[..at].lines().count();
                    findings.push(format!("{}:{line} reveals private data to `{sink}…)`", file.path));
                }
            }
        }
    }
    expect_none(&findings, "log an id, a length or a kind instead:");
}

/// The text up to the parenthesis that closes the macro's.
fn argument_of(text: &str) -> &str {
    let mut depth = 1;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

#[test]
fn calls_and_tenants_are_no_metric_labels() {
    let mut findings = Vec::new();
    for file in rust_files() {
        if file.is_test() {
            continue;
        }
        let code = file.product_text();
        for sink in ["counter!(", "gauge!(", "histogram!("] {
            for (at, _) in code.match_indices(sink) {
                let statement = argument_of(&code[at + sink.len()..]);
                for label in ["\"call_id\"", "\"tenant_id\"", "\"tenant\"", "\"caller\"", "\"number\""] {
                    if statement.contains(label) {
                        let line = code[..at].lines().count();
                        findings.push(format!("{}:{line} has the label {label}", file.path));
                    }
                }
            }
        }
    }
    expect_none(&findings, "a label has few values; put ids into spans and records:");
}

#[test]
fn the_rule_sees_a_revealed_number() {
    let statement =
        argument_of("caller = %number.reveal(), \"call (from) somewhere\"); next(other.reveal());");
    assert!(statement.contains(".reveal()") && !statement.contains("next"));
}
