//! Bad input, certificates, and words that must never reach another call.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRng, TestRunner};
use tokio::sync::mpsc;
use tonic::Code;

use super::fixture::{Caller, Node, PATIENCE, Wire, remote, runtime, settings, wait_for};
use crate::Error;
use crate::remote::client::link::Link;
use crate::remote::wire::{Embed, Keep, Open, Say, ToEar, to_ear};
use crate::remote::{Certificates, Remote, Served, Server, ServerSettings, Settings};
use crate::scripted::{self, Control, Recogniser};

fn to_ear(kind: to_ear::Kind) -> ToEar {
    ToEar { kind: Some(kind) }
}

fn open() -> Open {
    Open { rate_hz: 8_000, phrases: Vec::new(), expectation: 0, tenant: 0 }
}

/// What becomes of a caller's stream with these messages.
fn hears(runtime: &tokio::runtime::Runtime, link: &Link, messages: Vec<to_ear::Kind>) -> Option<Code> {
    runtime.block_on(async {
        let (sender, receiver) = mpsc::channel(64);
        for kind in messages {
            sender.send(to_ear(kind)).await.expect("sends");
        }
        let ended = async {
            let mut incoming = match link.hear(receiver).await {
                Ok(incoming) => incoming,
                Err(status) => return Some(status.code()),
            };
            loop {
                match incoming.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(status) => return Some(status.code()),
                }
            }
        };
        let ended = tokio::time::timeout(PATIENCE, ended).await.expect("an end");
        drop(sender);
        ended
    })
}

#[test]
fn peer_what_is_out_of_bounds_is_refused_and_disturbs_nobody() {
    let runtime = runtime();
    let node = Node::start(&runtime, ServerSettings { first_ms: 300, ..ServerSettings::default() });
    let remote = remote(&runtime, vec![node.url()]);
    let engine = remote.speech_to_text(None).expect("starts");
    let mut caller = Caller::on(engine.as_ref()).expect("a session");
    caller.says("i am still");
    caller.is_heard(3);
    let link = {
        let _within = runtime.enter();
        Link::new(&settings(vec![node.url()]), &node.url()).expect("a link")
    };
    let bad = Some(Code::InvalidArgument);
    assert_eq!(hears(&runtime, &link, vec![]), bad, "nothing is opened");
    assert_eq!(hears(&runtime, &link, vec![to_ear::Kind::Audio(vec![0; 320])]), bad, "audio before all else");
    let absurd = Open { rate_hz: 3, ..open() };
    assert_eq!(hears(&runtime, &link, vec![to_ear::Kind::Open(absurd)]), bad);
    let phrases = Open { phrases: vec!["x".into(); 1_001], ..open() };
    assert_eq!(hears(&runtime, &link, vec![to_ear::Kind::Open(phrases)]), bad);
    let keep = || to_ear::Kind::Keep(Keep { tenant: 7 });
    for then in [to_ear::Kind::Audio(vec![0; 320]), keep()] {
        assert_eq!(hears(&runtime, &link, vec![keep(), then]), bad, "not what is opened");
    }
    for then in [to_ear::Kind::Audio(vec![0; 321]), to_ear::Kind::Mark(77), to_ear::Kind::Open(open())] {
        assert_eq!(hears(&runtime, &link, vec![to_ear::Kind::Open(open()), then]), bad);
    }
    let huge = to_ear::Kind::Audio(vec![0; 300 * 1_024]);
    assert_eq!(hears(&runtime, &link, vec![to_ear::Kind::Open(open()), huge]), Some(Code::OutOfRange));
    let said = |say: Say| runtime.block_on(link.say(say)).err().map(|status| status.code());
    let say = Say { text: "x".repeat(4_001), rate_hz: 8_000, ..Say::default() };
    assert_eq!(said(say), bad);
    assert_eq!(said(Say { text: "x".into(), rate_hz: 0, ..Say::default() }), bad);
    let embedded = runtime.block_on(link.embed(Embed::default())).err().map(|status| status.code());
    assert_eq!(embedded, Some(Code::Unimplemented), "there is no such engine");
    for garbage in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 4_096], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\xff"]
    {
        let mut stream = TcpStream::connect(node.server.address()).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.write_all(garbage).expect("writes");
        stream.shutdown(std::net::Shutdown::Write).expect("ends");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    caller.says("here");
    assert_eq!(caller.finishes().expect("words"), "i am still here");
    drop(caller);
    wait_for("every place to be free", || node.server.open() == (0, 0, 0));
}

/// A certificate authority of the test's, and a certificate by it.
fn certificates(home: &Path, name: &str) -> Certificates {
    let file = |what: &str| home.join(format!("{name}-{what}.pem"));
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("an authority");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).expect("signs");
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let own = rcgen::CertificateParams::new(names).expect("a certificate").signed_by(&key, &issuer);
    std::fs::write(file("certificate"), own.expect("signs").pem()).expect("writes");
    std::fs::write(file("key"), key.serialize_pem()).expect("writes");
    std::fs::write(file("trust"), authority_certificate.pem()).expect("writes");
    Certificates {
        certificate_file: Some(file("certificate")),
        key_file: Some(file("key")),
        trust_file: Some(file("trust")),
        reload_ms: 20,
    }
}

#[test]
fn peer_only_those_who_show_a_certificate_are_heard() {
    let runtime = runtime();
    let home = tempfile::tempdir().expect("a directory");
    let (ours, theirs) = (certificates(home.path(), "ours"), certificates(home.path(), "theirs"));
    let served = Settings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        certificates: ours.clone(),
        ..Settings::default()
    };
    let recogniser = Recogniser::start(scripted::Settings::default(), Control::default()).expect("starts");
    let engines = Served { speech_to_text: Some(Arc::new(recogniser)), ..Served::default() };
    let server = runtime.block_on(Server::start(&served, engines)).expect("starts");
    let port = server.address().port();
    let secure = format!("https://localhost:{port}");
    let heard = |node: &str, certificates: Certificates| {
        let settings = Settings { certificates, ..settings(vec![node.to_owned()]) };
        let remote = Remote::start(&settings, runtime.handle()).expect("starts");
        let engine = remote.speech_to_text(None).expect("starts");
        let mut caller = Caller::on(engine.as_ref())?;
        caller.says("hello");
        caller.finishes()
    };
    assert_eq!(heard(&secure, ours.clone()), Ok("hello".to_owned()));
    assert_eq!(heard(&format!("https://127.0.0.1:{port}"), ours.clone()), Ok("hello".to_owned()));
    assert!(matches!(heard(&secure, theirs.clone()), Err(Error::Failed { .. })), "a stranger");
    let impostor = Certificates { trust_file: ours.trust_file.clone(), ..theirs };
    assert!(matches!(heard(&secure, impostor), Err(Error::Failed { .. })), "whom the node does not believe");
    let plain = format!("http://127.0.0.1:{port}");
    assert!(matches!(heard(&plain, Certificates::default()), Err(Error::Failed { .. })), "in plain text");
}

#[test]
fn peer_certificates_are_replaced_while_streams_go_on() {
    let runtime = runtime();
    let home = tempfile::tempdir().expect("a directory");
    let ours = certificates(home.path(), "ours");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let served = Settings { listen, certificates: ours.clone(), ..Settings::default() };
    let recogniser = Recogniser::start(scripted::Settings::default(), Control::default()).expect("starts");
    let engines = Served { speech_to_text: Some(Arc::new(recogniser)), ..Served::default() };
    let server = runtime.block_on(Server::start(&served, engines)).expect("starts");
    let node = format!("https://localhost:{}", server.address().port());
    let start = |certificates: &Certificates| {
        let settings = Settings { certificates: certificates.clone(), ..settings(vec![node.clone()]) };
        let remote = Remote::start(&settings, runtime.handle()).expect("starts");
        remote.speech_to_text(None).expect("starts")
    };
    let engine = start(&ours);
    let mut before = Caller::on(engine.as_ref()).expect("a session");
    before.says("before and");
    before.is_heard(2);
    // A copy of what was used until then, for whoever comes with it later.
    let copy = |of: &std::path::Path| {
        let to = of.with_extension("old");
        std::fs::copy(of, &to).expect("copies");
        to
    };
    let file = |file: &Option<std::path::PathBuf>| copy(file.as_deref().expect("a file"));
    let old = Certificates {
        certificate_file: Some(file(&ours.certificate_file)),
        key_file: Some(file(&ours.key_file)),
        trust_file: Some(file(&ours.trust_file)),
        reload_ms: 20,
    };
    // Half a set can't be used: what was in use stays.
    let key = ours.key_file.clone().expect("a file");
    std::fs::write(&key, "no key at all").expect("writes");
    std::thread::sleep(Duration::from_millis(100));
    let mut still = Caller::on(engine.as_ref()).expect("a session");
    still.says("still here");
    assert_eq!(still.finishes().expect("words"), "still here");
    // The whole set is another, by another authority.
    let again = certificates(home.path(), "ours");
    assert_eq!(again, ours, "the same files");
    let is_refused = || {
        let engine = start(&old);
        let heard = Caller::on(engine.as_ref()).and_then(|mut caller| {
            caller.says("hello");
            caller.finishes()
        });
        heard.is_err()
    };
    wait_for("the old authority to be believed no more", is_refused);
    let is_heard = || {
        Caller::on(engine.as_ref()).is_ok_and(|mut caller| {
            caller.says("with the new ones");
            caller.finishes() == Ok("with the new ones".to_owned())
        })
    };
    wait_for("the new ones to be shown", is_heard);
    before.says("after");
    assert_eq!(before.finishes().expect("words"), "before and after", "its connection stayed");
}

/// What happens next, somewhere.
#[derive(Debug, Clone)]
enum Step {
    Joins,
    Speaks { whom: usize, words: usize },
    Finishes { whom: usize },
    Leaves { whom: usize },
    Snaps { wire: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Joins),
        6 => (0_usize..8, 1_usize..4).prop_map(|(whom, words)| Step::Speaks { whom, words }),
        4 => (0_usize..8).prop_map(|whom| Step::Finishes { whom }),
        1 => (0_usize..8).prop_map(|whom| Step::Leaves { whom }),
        1 => (0_usize..2).prop_map(|wire| Step::Snaps { wire }),
    ];
    proptest::collection::vec(step, 10..60)
}

/// Somebody whose words are nobody else's.
struct Somebody {
    caller: Caller,
    name: usize,
    words: usize,
    said: Vec<String>,
}

#[test]
fn peer_nobody_s_words_reach_another_call_whatever_is_cut() {
    let runtime = runtime();
    let nodes = [(); 2].map(|()| Node::start(&runtime, ServerSettings::default()));
    let wires = [0, 1].map(|at: usize| Wire::to(&runtime, nodes[at].server.address()));
    let config = ProptestConfig { cases: 6, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&steps(), |steps| {
        let remote = remote(&runtime, wires.iter().map(Wire::url).collect());
        let own = Recogniser::start(scripted::Settings::default(), Control::default()).expect("starts");
        let engine = remote.speech_to_text(Some(Arc::new(own))).expect("starts");
        let (mut people, mut names) = (Vec::<Somebody>::new(), 0);
        for step in steps {
            match step {
                Step::Joins => {
                    names += 1;
                    let caller = Caller::on(engine.as_ref()).expect("a session");
                    people.push(Somebody { caller, name: names, words: 0, said: Vec::new() });
                }
                Step::Speaks { whom, words } => {
                    let Some(somebody) = people.get_mut(whom) else { continue };
                    for _ in 0..words {
                        let word = format!("n{}w{}", somebody.name, somebody.words);
                        somebody.words += 1;
                        somebody.caller.says(&word);
                        somebody.said.push(word);
                    }
                }
                Step::Finishes { whom } => {
                    let Some(somebody) = people.get_mut(whom) else { continue };
                    let heard = somebody.caller.finishes().expect("words");
                    prop_assert_eq!(heard, std::mem::take(&mut somebody.said).join(" "));
                }
                Step::Leaves { whom } if whom < people.len() => drop(people.remove(whom)),
                Step::Leaves { .. } => {}
                Step::Snaps { wire } => wires[wire].snap(),
            }
        }
        for somebody in &mut people {
            let heard = somebody.caller.finishes().expect("words");
            prop_assert_eq!(heard, std::mem::take(&mut somebody.said).join(" "));
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    wait_for("every place to be free", || nodes.iter().all(|node| node.server.open() == (0, 0, 0)));
}
