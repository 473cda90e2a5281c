//! The source tree as values: every Rust file with its text, its syntax and its place.

use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file of the workspace.
pub(crate) struct SourceFile {
    /// Its path from the top, with `/`.
    pub(crate) path: String,
    /// Its whole text.
    pub(crate) text: String,
}

impl SourceFile {
    /// Whether it is a test, a bench, an example or a fuzz target rather than product.
    pub(crate) fn is_test(&self) -> bool {
        let path = &self.path;
        ["/tests/", "/benches/", "/examples/", "/fuzz/", "/conformance/"]
            .iter()
            .any(|part| path.contains(part))
            || path.ends_with("/tests.rs")
            || path.ends_with("_tests.rs")
    }

    /// The crate it belongs to: the first folder.
    pub(crate) fn package(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// The text without comments, string literals and what follows the first `#[cfg(test)]`: what the product
    /// says, one line per line.
    pub(crate) fn product_text(&self) -> String {
        let code = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        code.lines().map(strip_line_comment).collect::<Vec<_>>().join("\n")
    }

    /// Its syntax tree.
    pub(crate) fn syntax(&self) -> syn::File {
        syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }
}

fn strip_line_comment(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") {
        return "";
    }
    line.split(" // ").next().unwrap_or(line)
}

/// The workspace's top folder.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ops lies in the workspace").to_owned()
}

/// Every Rust file of the five crates.
pub(crate) fn rust_files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    for package in ["models", "actors", "cluster", "ops", "loadtest"] {
        collect(&top().join(package), &mut files);
    }
    assert!(files.len() > 10, "the source tree was not found below {}", top().display());
    files
}

fn collect(folder: &Path, files: &mut Vec<SourceFile>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, files);
            }
        } else if name.ends_with(".rs") {
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let path = path.strip_prefix(top()).expect("below the top").to_string_lossy().replace('\\', "/");
            files.push(SourceFile { path, text });
        }
    }
}

/// Fails with one line per finding, under a heading that says what to do.
pub(crate) fn expect_none(findings: &[String], what_to_do: &str) {
    assert!(findings.is_empty(), "{what_to_do}\n  {}", findings.join("\n  "));
}
