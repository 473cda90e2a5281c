//! `ops/config/reference.toml` has every key, at its default, with its reason.

use std::path::Path;

use cluster::config::{NodeConfig, keys, load};

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ops/config/reference.toml");

#[test]
fn is_read_as_the_defaults() {
    let read = load(Some(Path::new(REFERENCE)), Vec::new()).expect("the reference has no mistakes");
    assert_eq!(read, NodeConfig::default());
}

#[test]
fn has_every_key_with_its_reason_above_it() {
    let text = std::fs::read_to_string(REFERENCE).expect("the reference");
    let mut table = String::new();
    let mut commented = false;
    let mut found = Vec::new();
    let mut findings = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = format!("{}.", name.trim_end_matches(']'));
        }
        // A key without a default stands there as a comment: `# public_address = "203.0.113.1"`.
        let optional = line.strip_prefix("# ").and_then(key_of);
        if let Some(key) = key_of(line).or(optional) {
            let key = format!("{table}{key}");
            if !commented {
                findings.push(format!("{key} has no comment above it"));
            }
            found.push(key);
        }
        commented = line.starts_with('#');
    }
    let known = keys();
    findings.extend(known.iter().filter(|key| !found.contains(key)).map(|key| format!("{key} is missing")));
    findings.extend(found.iter().filter(|key| !known.contains(key)).map(|key| format!("{key} is no key")));
    assert!(findings.is_empty(), "in ops/config/reference.toml:\n{}", findings.join("\n"));
    assert!(known.len() > 10, "the list of keys is empty: {known:?}");
}

fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    key.chars()
        .all(|character| character.is_ascii_lowercase() || character == '_' || character.is_ascii_digit())
        .then_some(key)
}
