//! One way only: who may use which module, and who may name which package.

use crate::source::{SourceFile, expect_none, rust_files, top};

/// A package and the path prefixes that may name it.
const PACKAGES: &[(&str, &[&str])] = &[
    (
        "candle",
        &[
            "models/src/arithmetic",
            "models/src/speech_to_text",
            "models/src/language",
            "models/src/text_to_speech",
            "models/src/voice_activity",
            "models/src/embeddings",
            "models/src/step_loop",
        ],
    ),
    ("tonic", &["models/src/remote", "cluster/src/node", "ops/"]),
    ("ractor", &["actors/src/", "cluster/src/node", "cluster/src/membership"]),
    ("ractor_cluster", &["cluster/src/membership"]),
    ("scylla", &["actors/src/storage/scylla"]),
    ("fred", &["actors/src/storage/redis"]),
    ("redb", &["actors/src/storage/embedded"]),
    ("object_store", &["actors/src/storage/recordings", "cluster/src/node"]),
    // In rtp, to hold the library that is used against another.
    (
        "aws_lc_rs",
        &[
            "actors/src/storage/recordings",
            "actors/src/storage/audit",
            "actors/src/storage/backup",
            "actors/src/storage/search",
            "cluster/src/rtp/protection",
            "cluster/src/rtp/stun",
            "cluster/src/edge/media/handshake",
            "cluster/src/edge/carriers/provider",
            "cluster/src/edge/carriers/vonage_token",
            "cluster/src/edge/sip_trunk/attesting",
        ],
    ),
    ("x509_parser", &["cluster/src/edge/sip_trunk/attesting"]),
    ("tokio_tungstenite", &["cluster/src/edge"]),
    ("form_urlencoded", &["cluster/src/edge/carriers/provider"]),
    ("tantivy", &["actors/src/storage/search"]),
    ("metrics_exporter_prometheus", &["cluster/src/telemetry"]),
    ("tracing_subscriber", &["cluster/src/telemetry"]),
    ("sipx_sip", &["cluster/src/sip"]),
    ("hickory_resolver", &["cluster/src/edge/sip_trunk/names"]),
    ("rtc_sdp", &["cluster/src/sip"]),
    ("dimpl", &["cluster/src/edge/media/handshake"]),
    ("rtc_srtp", &["cluster/src/rtp"]),
    ("nnnoiseless", &["cluster/src/rtp/noise_suppression"]),
    ("audio_codec", &["cluster/src/rtp/codec"]),
    ("audio_codec_algorithms", &["models/src/audio/g711"]),
    ("opus", &["cluster/src/rtp/codec", "actors/src/storage/recordings", "actors/src/call/waiting/file"]),
    ("libloading", &["models/src/offline/ffi"]),
    ("axum", &["cluster/src/gateway", "cluster/src/node"]),
    ("clap", &["cluster/src/main.rs", "cluster/src/command", "ops/", "loadtest/src/main.rs"]),
];

#[test]
fn packages_are_named_where_they_may_be() {
    let mut findings = Vec::new();
    for file in product_files() {
        for (package, places) in PACKAGES {
            if places.iter().any(|place| file.path.starts_with(place)) {
                continue;
            }
            for (number, line) in file.product_text().lines().enumerate() {
                if names_package(line, package) {
                    findings.push(format!(
                        "{}:{} names {package}; only {places:?} may",
                        file.path,
                        number + 1
                    ));
                }
            }
        }
    }
    expect_none(&findings, "a package is named in one place, so that it can be replaced there:");
}

fn names_package(line: &str, package: &str) -> bool {
    line.match_indices(package).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let starts = before
            .is_none_or(|character| !(character.is_alphanumeric() || character == '_' || character == ':'));
        starts && line.get(at + package.len()..).is_some_and(|rest| rest.starts_with("::"))
    })
}

/// A folder and the modules of its own crate that it may not use.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("actors/src/types/", &["crate::"]),
    (
        "actors/src/storage/",
        &["crate::call", "crate::tenant", "crate::integrations", "crate::supervision", "crate::directory"],
    ),
    ("actors/src/integrations/", &["crate::call", "crate::supervision", "crate::directory"]),
    ("actors/src/tenant/", &["crate::call", "crate::supervision"]),
    (
        "actors/src/call/conversation/",
        &[
            "crate::storage",
            "crate::tenant",
            "crate::integrations",
            "crate::supervision",
            "crate::directory",
            "models::",
        ],
    ),
    (
        "actors/src/call/brain/",
        &[
            "crate::storage",
            "crate::tenant",
            "crate::integrations",
            "crate::supervision",
            "crate::directory",
            "models::",
        ],
    ),
    ("actors/src/call/", &["crate::supervision"]),
    ("models/src/batching/", &["crate::engine", "crate::offline", "crate::remote"]),
    ("models/src/engine/", &["crate::remote"]),
    (
        "cluster/src/sip/",
        &[
            "crate::edge",
            "crate::gateway",
            "crate::node",
            "crate::config",
            "crate::rtp",
            "actors::",
            "models::",
        ],
    ),
    (
        "cluster/src/rtp/",
        &["crate::edge", "crate::gateway", "crate::node", "crate::config", "crate::sip", "actors::"],
    ),
    ("cluster/src/edge/", &["crate::gateway", "crate::membership", "crate::node", "crate::config"]),
    ("cluster/src/gateway/", &["crate::edge", "crate::membership", "crate::node", "crate::config"]),
    ("cluster/src/membership/", &["crate::edge", "crate::gateway", "crate::node", "crate::config"]),
];

/// Places where the order is bent, each with its reason.
const EXCEPTIONS: &[(&str, &str, &str)] =
    &[("models/src/engine/choose", "crate::offline", "choosing among engines is knowing them")];

#[test]
fn modules_depend_one_way() {
    let mut findings = Vec::new();
    for file in product_files() {
        for (folder, banned) in FORBIDDEN.iter().filter(|(folder, _)| file.path.starts_with(folder)) {
            for (number, line) in file.product_text().lines().enumerate() {
                for module in banned.iter().filter(|module| uses(line, module)) {
                    if within_own_folder(&file, line, folder) || excepted(&file, module) {
                        continue;
                    }
                    findings.push(format!("{}:{} uses {module}", file.path, number + 1));
                }
            }
        }
    }
    expect_none(&findings, "dependencies go one way (see the README's dependency order):");
}

fn uses(line: &str, module: &str) -> bool {
    line.match_indices(module).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + module.len()..).and_then(|text| text.chars().next());
        let starts = before
            .is_none_or(|character| !(character.is_alphanumeric() || character == '_' || character == ':'));
        let ends = module.ends_with("::")
            || after.is_none_or(|character| !(character.is_alphanumeric() || character == '_'));
        starts && ends
    })
}

/// `crate::types::x` inside `actors/src/types/` is the folder itself.
fn within_own_folder(file: &SourceFile, line: &str, folder: &str) -> bool {
    let own = folder.trim_end_matches('/').split("/src/").nth(1).unwrap_or_default().replace('/', "::");
    file.path.starts_with(folder) && line.contains(&format!("crate::{own}"))
}

fn excepted(file: &SourceFile, module: &str) -> bool {
    EXCEPTIONS.iter().any(|(path, what, _)| file.path.starts_with(path) && module == *what)
}

#[test]
fn crates_depend_one_way() {
    let order = [
        ("models", &[][..]),
        ("actors", &["models"][..]),
        ("cluster", &["models", "actors"][..]),
        ("ops", &["models", "actors", "cluster"][..]),
        ("loadtest", &["models", "actors", "cluster"][..]),
    ];
    let mut findings = Vec::new();
    for (package, allowed) in order {
        let manifest = std::fs::read_to_string(top().join(package).join("Cargo.toml")).expect("a manifest");
        for (other, _) in order {
            let depends = manifest.lines().any(|line| {
                let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
                name == other && line.contains("workspace")
            });
            if depends && other != package && !allowed.contains(&other) {
                findings.push(format!("{package}/Cargo.toml depends on {other}"));
            }
        }
    }
    expect_none(&findings, "models <- actors <- cluster <- { ops | loadtest }:");
}

fn product_files() -> Vec<SourceFile> {
    rust_files().into_iter().filter(|file| !file.is_test() && file.package() != "ops").collect()
}

#[test]
fn the_rules_see_what_they_look_for() {
    assert!(names_package("use redb::Database;", "redb"));
    assert!(names_package("    let store: redb::Database = open();", "redb"));
    assert!(!names_package("use crate::redb_like::Database;", "redb"));
    assert!(!names_package("use other::redb::Database;", "redb"));
    assert!(uses("use crate::storage::Storage;", "crate::storage"));
    assert!(!uses("use crate::storage_like::Storage;", "crate::storage"));
    assert!(uses("use models::audio::Speech;", "models::"));
}
