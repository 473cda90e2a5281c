//! The seeds of the fuzzers, given to their targets once: what a fuzzer has found stays mended without one.

use std::fs;
use std::path::{Path, PathBuf};

use cluster::fuzzing::TARGETS;

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_target_takes_its_seeds_whole_cut_and_changed() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let captures: Vec<PathBuf> = ["rfc4475", "rfc5118"]
        .iter()
        .flat_map(|name| files_of(&here.join("tests/captures").join(name)))
        .collect();
    for (name, target) in TARGETS {
        let mut files = files_of(&here.join("fuzz/seeds").join(name));
        assert!(files.len() >= 3, "{name} has {} seeds", files.len());
        if name.starts_with("sip_message") || name.starts_with("sip_salvage") {
            files.extend_from_slice(&captures);
        }
        for file in files {
            let seed = fs::read(&file).expect("a seed");
            println!("{name}: {}", file.display());
            target(&seed);
            let step = seed.len() / 40 + 1;
            for at in (0..seed.len()).step_by(step) {
                target(&seed[..at]);
                let mut changed = seed.clone();
                for bits in [0x01, 0x20, 0x80] {
                    changed[at] ^= bits;
                    target(&changed);
                }
            }
        }
    }
}

#[test]
fn every_target_has_a_program_and_a_folder() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(here.join("Cargo.toml")).expect("a manifest");
    let names = |folder: &str| -> Vec<String> {
        let files = files_of(&here.join(folder));
        files.iter().map(|file| file.file_stem().unwrap_or_default().to_string_lossy().into_owned()).collect()
    };
    let mut known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(names("targets"), known);
    assert_eq!(names("seeds"), known);
    for name in known {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} is in no [[bin]]");
        let program = fs::read_to_string(here.join("targets").join(format!("{name}.rs"))).expect("a program");
        assert!(program.contains(&format!("run(\"{name}\"")), "{name}.rs runs another target");
    }
}
