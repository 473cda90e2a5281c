//! The fuzz targets are built from the node's own source files, in a workspace of their own that no other test builds.

use std::collections::BTreeSet;
use std::fs;

use crate::source::{expect_none, rust_files, top};

/// What `cluster/fuzz/src` includes.
const INCLUDED: &[&str] =
    &["cluster/src/sip/", "cluster/src/rtp/", "cluster/src/fuzzing/", "cluster/src/edge/carriers/provider/"];

/// The packages that a manifest's dependencies name, as a source file names them.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(top().join(manifest)).unwrap();
    let (_, after) = text.split_once("\n[dependencies]\n").unwrap();
    let section = after.split("\n[").next().unwrap_or_default();
    let names = section.lines().filter(|line| !line.starts_with('#'));
    names.filter_map(|line| line.split([' ', '.', '=']).next()).map(|name| name.replace('-', "_")).collect()
}

#[test]
fn what_the_fuzzers_are_built_from_names_what_they_depend_on() {
    let (node, fuzzers) = (dependencies("cluster/Cargo.toml"), dependencies("cluster/fuzz/Cargo.toml"));
    assert!(node.len() > 20 && fuzzers.contains("sipx_sip"), "the manifests were not read");
    let mut findings = Vec::new();
    for file in rust_files() {
        if file.is_test() || !INCLUDED.iter().any(|part| file.path.starts_with(part)) {
            continue;
        }
        let text = file.product_text();
        let is_named = |package: &str| {
            let path = format!("{package}::");
            text.match_indices(&path).any(|(at, _)| {
                let before = text.get(..at).and_then(|before| before.chars().next_back());
                !before.is_some_and(|before| before.is_alphanumeric() || "_:".contains(before))
            })
        };
        for package in node.difference(&fuzzers).filter(|package| is_named(package)) {
            findings.push(format!("{} names {package}, which cluster/fuzz/Cargo.toml does not", file.path));
        }
    }
    expect_none(&findings, "add these to the dependencies there, or ops/fuzz builds no more:");
}
