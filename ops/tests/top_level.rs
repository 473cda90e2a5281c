//! The top level is fixed, and what every file at it says of the tree is true.

use std::fs;

use crate::source::{expect_none, rust_files, top};

const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "actors", "cluster", "loadtest", "models", "ops"];

#[test]
fn nothing_else_lies_at_the_top() {
    let mut findings = Vec::new();
    for entry in fs::read_dir(top()).expect("the top folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let generated = matches!(name.as_str(), "target" | "data");
        if !name.starts_with('.') && !generated && !TOP_LEVEL.contains(&name.as_str()) {
            findings.push(name);
        }
    }
    expect_none(&findings, "the top level is fixed by the design:");
}

#[test]
fn paths_in_the_readme_exist() {
    let readme = fs::read_to_string(top().join("README.md")).expect("README.md");
    let mut findings = Vec::new();
    for path in readme.split('`').skip(1).step_by(2) {
        let first = path.split('/').next().unwrap_or_default();
        let is_path =
            path.contains('/') && TOP_LEVEL.contains(&first) && !path.contains([' ', '<', '*', '…', '{']);
        if is_path && !top().join(path).exists() {
            findings.push(path.to_owned());
        }
    }
    expect_none(&findings, "the README names what is not there:");
}

#[test]
fn metrics_named_in_monitoring_and_readme_exist() {
    let sources: String =
        rust_files().into_iter().filter(|file| !file.is_test()).map(|file| file.text).collect();
    let mut documents =
        vec![("README.md".to_owned(), fs::read_to_string(top().join("README.md")).expect("README.md"))];
    let monitoring = top().join("ops/monitoring");
    if monitoring.is_dir() {
        collect_texts(&monitoring, &mut documents);
    }
    let mut findings = Vec::new();
    for (path, text) in documents {
        for word in text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_')) {
            let name = ["_bucket", "_sum", "_count"]
                .iter()
                .fold(word, |name, end| name.strip_suffix(end).unwrap_or(name));
            if word.starts_with("strowger_")
                && !sources.contains(&format!("\"{word}\""))
                && !sources.contains(&format!("\"{name}\""))
            {
                findings.push(format!("{path} names {word}"));
            }
        }
    }
    expect_none(&findings, "no code declares these metrics:");
}

fn collect_texts(folder: &std::path::Path, documents: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_texts(&path, documents);
        } else if let Ok(text) = fs::read_to_string(&path) {
            documents.push((path.display().to_string(), text));
        }
    }
}

#[test]
fn every_metric_is_declared_beside_its_code() {
    let mut findings = Vec::new();
    for file in rust_files() {
        if file.is_test() || file.package() == "ops" || file.path.ends_with("metrics.rs") {
            continue;
        }
        for (number, line) in file.product_text().lines().enumerate() {
            if line.contains("\"strowger_") {
                findings.push(format!("{}:{}", file.path, number + 1));
            }
        }
    }
    expect_none(&findings, "declare the metric's name as a constant in the part's metrics.rs:");
}
