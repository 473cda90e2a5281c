//! Golden calls: `conversations/FORMAT.txt` says how they are written.

mod compare;
mod play;
mod script;

use std::path::{Path, PathBuf};

use self::script::Script;

/// The folder of the golden calls.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations")
}

/// The golden calls, by file name; those alone whose name holds `GOLDEN`, where it is set.
pub(crate) fn scripts() -> Vec<(String, Script)> {
    let wanted = setting("GOLDEN");
    let mut scripts: Vec<(String, Script)> = std::fs::read_dir(folder())
        .expect("the folder of golden calls")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".txt") && name != "FORMAT.txt")
        .filter(|name| wanted.as_ref().is_none_or(|wanted| name.contains(wanted.as_str())))
        .map(|name| {
            let text = std::fs::read_to_string(folder().join(&name)).expect("a golden call");
            let script = Script::parse(&text).unwrap_or_else(|mistake| panic!("{name}: {mistake}"));
            (name, script)
        })
        .collect();
    scripts.sort_by(|(one, _), (other, _)| one.cmp(other));
    scripts
}

#[expect(clippy::disallowed_methods, reason = "a test's switches come from its environment")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[test]
fn conversations_are_as_written() {
    let update = setting("UPDATE_EXPECT").is_some();
    let mut failures = Vec::new();
    for (name, script) in scripts() {
        let played = play::play(&script, false);
        let resumed = play::play(&script, true);
        let mut faults = played.faults.clone();
        if resumed.effects != played.effects || resumed.heard != played.heard {
            faults.push(compare::first_difference(&played.effects, &resumed.effects));
        }
        let expected = script.expected_lines();
        if update && faults.is_empty() {
            let text = compare::updated(&script, &played.heard);
            std::fs::write(folder().join(&name), text).expect("the golden call is written");
        } else if let Some(difference) = compare::difference(&expected, &played.heard) {
            faults.push(difference);
        }
        if setting("GOLDEN").is_some() {
            eprintln!("{name}\n{}\n", played.effects.join("\n"));
        }
        if !faults.is_empty() {
            failures.push(format!("── {name}: {}\n{}", script.title(), faults.join("\n")));
        }
    }
    assert!(failures.is_empty(), "{} golden calls differ\n{}", failures.len(), failures.join("\n\n"));
}
