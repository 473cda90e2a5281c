//! What the command line prints, compared with the texts beside this file. `UPDATE_EXPECT=1` writes them anew.

mod erase;
mod keys;
pub(crate) mod sample;
mod users;

use std::path::{Path, PathBuf};

use clap::Parser;
use cluster::command::{Cli, run};

/// The demo business's file.
pub(crate) const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ops/config/demo.toml");

/// Runs a command line and returns what it printed, or what was wrong.
pub(crate) fn strowger(data: &Path, words: &[&str]) -> Result<String, String> {
    let data = data.to_string_lossy().into_owned();
    let line = ["strowger", "--data", &data].into_iter().chain(words.iter().copied());
    let cli = Cli::try_parse_from(line).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    run(cli, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).expect("text"))
}

pub(crate) fn expect(name: &str, found: &str) {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "command_line", name].iter().collect();
    if std::env::vars().any(|(name, value)| name == "UPDATE_EXPECT" && value == "1") {
        std::fs::write(&file, found).expect("writes");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "{name} differs; found:\n{found}\nexpected:\n{expected}\n(UPDATE_EXPECT=1 takes it over)"
    );
}

#[test]
fn a_business_is_imported_listed_and_shown() {
    let data = tempfile::tempdir().expect("a directory");
    let import = || strowger(data.path(), &["tenant", "import", DEMO]);
    assert_eq!(import().as_deref(), Ok("fleet-street-barbers added, version 1\n"));
    assert_eq!(import().as_deref(), Ok("fleet-street-barbers changed, version 2\n"));
    expect("tenant_list.txt", &strowger(data.path(), &["tenant", "list"]).expect("lists"));
    expect("tenant_show.txt", &strowger(data.path(), &["tenant", "show"]).expect("shows"));
    let json = strowger(data.path(), &["tenant", "show", "--json"]).expect("shows");
    let json: serde_json::Value = serde_json::from_str(&json).expect("json");
    assert_eq!(json["id"], "fleet-street-barbers");
}

#[test]
fn mistakes_are_told_all_at_once_with_file_and_line() {
    let data = tempfile::tempdir().expect("a directory");
    let file = data.path().join("shop.toml");
    std::fs::write(&file, "[business]\nid = \"shop\"\nname = 3\ncolour = \"red\"\n").expect("writes");
    let told = strowger(data.path(), &["tenant", "import", &file.to_string_lossy()]).expect_err("mistakes");
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines.len() > 2, "{told}");
    assert!(lines.iter().skip(1).all(|line| line.contains("shop.toml: line ")), "{told}");
    let left = strowger(data.path(), &["tenant", "list"]).expect("lists");
    assert_eq!(left.lines().count(), 1, "nothing was imported: {left}");
}

#[test]
fn calls_bookings_and_messages_are_shown_as_they_were() {
    let data = tempfile::tempdir().expect("a directory");
    strowger(data.path(), &["tenant", "import", DEMO]).expect("imports");
    sample::write(data.path());
    let shown = |words: &[&str]| strowger(data.path(), words).expect("shows");
    expect("calls_list.txt", &shown(&["calls", "list"]));
    expect("calls_show.txt", &shown(&["calls", "show", sample::CALL]));
    expect("bookings_list.txt", &shown(&["bookings", "list", "--from", "2026-01-01"]));
    expect("messages_list.txt", &shown(&["messages", "list"]));
    let none = shown(&["bookings", "list", "--from", "2026-01-01", "--until", "2026-02-01"]);
    assert_eq!(none.lines().count(), 1, "{none}");
}

#[test]
fn calls_are_found_by_what_was_said() {
    let data = tempfile::tempdir().expect("a directory");
    strowger(data.path(), &["tenant", "import", DEMO]).expect("imports");
    sample::write(data.path());
    let search = |words: &[&str]| strowger(data.path(), &[&["calls", "search"], words].concat());
    expect("calls_search.txt", &search(&["haircuts", "monday"]).expect("finds"));
    expect(
        "calls_search_all.txt",
        &search(&["--from", "2026-03-27", "--until", "2026-03-27"]).expect("finds"),
    );
    let found = |words: &[&str]| search(words).expect("searches").lines().count() - 1;
    assert_eq!(found(&["\"monday at ten\" -beard", "--tag", "booked", "--caller", "+44 1632 960123"]), 1);
    assert_eq!(found(&["haircut", "--outcome", "refused"]), 0);
    assert_eq!(found(&["--outcome", "refused"]), 1);
    assert_eq!(found(&["haircut", "--until", "2026-03-26"]), 0);
    let json = search(&["haircut", "--json", "--best"]).expect("finds");
    let json: serde_json::Value = serde_json::from_str(&json).expect("json");
    assert_eq!(json["hits"][0]["record"]["id"], sample::CALL);
    assert_eq!(json["hits"][0]["line"]["pieces"][1], serde_json::json!({ "text": "haircut", "found": true }));
    assert_eq!(json["complete"], true);
    let told = search(&["\"haircut"]).expect_err("a mistake");
    assert!(told.contains("never closed"), "{told}");
    let told = search(&["haircut", "--tag", "lovely"]).expect_err("a mistake");
    assert!(told.contains("booked"), "{told}");
    let reindexed = strowger(data.path(), &["calls", "reindex"]).expect("builds");
    assert_eq!(reindexed, "the index is built anew: 2 call(s)\n");
    assert_eq!(found(&["haircut"]), 1);
    let off = data.path().join("off.toml");
    std::fs::write(&off, "[search]\non = false\n").expect("writes");
    let told = search(&["haircut", "--config", &off.to_string_lossy()]).expect_err("it is off");
    assert!(told.contains("search.on"), "{told}");
}

#[test]
fn a_listing_is_read_in_pages() {
    let data = tempfile::tempdir().expect("a directory");
    strowger(data.path(), &["tenant", "import", DEMO]).expect("imports");
    sample::write(data.path());
    let mut after: Option<String> = None;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let mut words = vec!["calls", "list", "--json", "--limit", "1"];
        if let Some(after) = &after {
            words.extend(["--after", after]);
        }
        let page = strowger(data.path(), &words).expect("lists");
        let page: serde_json::Value = serde_json::from_str(&page).expect("json");
        seen.extend(page["rows"].as_array().expect("rows").iter().map(|row| row["id"].to_string()));
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 2, "both calls, each once: {seen:?}");
    assert_ne!(seen.first(), seen.last());
}

#[test]
fn what_is_not_there_is_named() {
    let data = tempfile::tempdir().expect("a directory");
    let nowhere = data.path().join("nowhere");
    let told = strowger(&nowhere, &["calls", "list"]).expect_err("no data");
    assert!(told.contains("nowhere") && told.contains("--data"), "{told}");
    let told = strowger(data.path(), &["calls", "list"]).expect_err("no business");
    assert!(told.contains("tenant import"), "{told}");
    strowger(data.path(), &["tenant", "import", DEMO]).expect("imports");
    let told = strowger(data.path(), &["calls", "list", "--tenant", "nobody"]).expect_err("no such business");
    assert_eq!(told, "there is no business nobody");
    let told = strowger(data.path(), &["calls", "show", sample::CALL]).expect_err("no such call");
    assert!(told.contains(sample::CALL), "{told}");
    let told = strowger(data.path(), &["call", "hello"]).expect_err("no node");
    assert!(told.contains("no node runs on"), "{told}");
}

/// What `ops/install test` gets.
const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/weights");

fn with_weights(folder: &Path, words: &[&str]) -> Result<String, String> {
    let data = tempfile::tempdir().expect("a directory");
    let config = data.path().join("node.toml");
    let text = format!(
        "[engines.weights]\nfolder = \"{}\"\nhub = \"http://127.0.0.1:1/{{path}}\"\npackages = \"http://127.0.0.1:1\"\n\
         attempts_max = 1\n",
        folder.display()
    );
    std::fs::write(&config, text).expect("writes");
    let config = config.to_string_lossy().into_owned();
    let words: Vec<&str> = words.iter().copied().chain(["--config", &config]).collect();
    strowger(data.path(), &words)
}

#[test]
fn weights_are_listed_checked_and_refused_with_a_reason() {
    let here = Path::new(WEIGHTS);
    let rows = |words: &[&str], folder: &Path| -> serde_json::Value {
        serde_json::from_str(&with_weights(folder, words).expect("shows")).expect("json")
    };
    let listed = rows(&["weights", "list", "--json"], here);
    assert_eq!(listed[0]["name"], "all-minilm-l6-v2");
    assert_eq!((&listed[0]["here"], &listed[0]["licence"]), (&"yes".into(), &"Apache-2.0".into()));
    assert!(listed.as_array().is_some_and(|rows| rows.len() > 5 && rows[1]["here"] == "no"));
    let verified = rows(&["weights", "verify", "--json"], here);
    let right = |row: &serde_json::Value| row["state"] == "right";
    assert!(verified.as_array().is_some_and(|rows| rows.len() == 4 && rows.iter().all(right)), "{verified}");
    let empty = tempfile::tempdir().expect("a directory");
    let refused = |words: &[&str]| with_weights(empty.path(), words).expect_err("refused");
    for (words, reason) in [
        (&["weights", "pull", "gpt-5"][..], "there is no model gpt-5; there are all-minilm-l6-v2, "),
        (&["weights", "pull", "pocket-tts"], "--accept-unverified"),
        (&["weights", "pull", "all-minilm-l6-v2"], "no network to 127.0.0.1:1"),
        (&["weights", "verify", "all-minilm-l6-v2"], "3 file(s) are not what they should be"),
    ] {
        let told = refused(words);
        assert!(told.contains(reason), "{told}");
    }
    let folder = empty.path().join("all-minilm-l6-v2");
    std::fs::write(folder.join("config.json"), "x".repeat(612)).expect("writes");
    let told = refused(&["weights", "verify"]);
    assert!(told.contains("1 file(s)"), "{told}");
}

#[test]
fn a_relative_folder_of_weights_is_the_data_directorys() {
    let data = tempfile::tempdir().expect("a directory");
    let told = strowger(data.path(), &["doctor"]).expect("a node can live without weights");
    for file in ["all-minilm-l6-v2/config.json", "smart-turn-v3"] {
        let looked_at = data.path().join("weights").join(file).display().to_string();
        assert!(told.contains(&looked_at), "{told}");
    }
}

#[test]
fn a_doctor_tries_every_engine() {
    let shown = with_weights(Path::new(WEIGHTS), &["doctor", "--json"]).expect("all are well");
    let rows: serde_json::Value = serde_json::from_str(&shown).expect("json");
    let engines: Vec<_> = rows
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| (row["engine"].as_str(), row["well"].as_bool()))
        .collect();
    assert_eq!(
        engines,
        [
            (Some("pocketsphinx"), Some(true)),
            (Some("flite"), Some(true)),
            (Some("all-MiniLM-L6-v2"), Some(true)),
            (Some("smart-turn-v3"), Some(true))
        ]
    );
    assert!(rows[0]["quality"].as_str().is_some_and(|text| text.contains("of 34 words wrong")), "{rows}");
    let empty = tempfile::tempdir().expect("a directory");
    let without = with_weights(empty.path(), &["doctor"]).expect("a node can live without embeddings");
    for absent in ["all-minilm-l6-v2", "smart-turn-v3"] {
        assert!(without.contains(&format!("strowger weights pull {absent}")), "{without}");
    }
}
