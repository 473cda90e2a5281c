use super::super::digest::{Algorithm, Digest, Verdict, answer_in};
use super::super::wire::{Message, Request, parse_own};
use super::*;

fn account(realm: Option<&str>) -> Prover {
    let realm = realm.map(str::to_owned);
    Prover::new(Account { user: "alice".into(), password: "secret".into(), realm })
}

fn response(status: u16, headers: &[String]) -> Response {
    let text = format!("SIP/2.0 {status} x\r\n{}\r\n", headers.concat());
    match parse_own(text.as_bytes()) {
        Some(Message::Response(response)) => response,
        _ => panic!("not a response: {text}"),
    }
}

fn asks(challenges: &[String]) -> Response {
    let rows: Vec<String> = challenges.iter().map(|one| format!("WWW-Authenticate: {one}\r\n")).collect();
    response(401, &rows)
}

fn register(sequence: u32, proofs: &[(HeaderName, String)]) -> Request {
    let rows: String = proofs.iter().map(|(name, value)| format!("{}: {value}\r\n", name)).collect();
    let text =
        format!("REGISTER sip:example.org SIP/2.0\r\nCall-ID: c\r\nCSeq: {sequence} REGISTER\r\n{rows}\r\n");
    match parse_own(text.as_bytes()) {
        Some(Message::Request(request)) => request,
        _ => panic!("not a request: {text}"),
    }
}

/// Our own server's view of our own answers: the two sides were written apart from each other.
#[test]
fn the_side_that_asks_knows_us_by_every_hash_and_counts_along() {
    for algorithms in [&[Algorithm::Md5][..], &[Algorithm::Sha256], &[Algorithm::Md5, Algorithm::Sha256]] {
        let mut server = Digest::new("example", algorithms, 60_000, 8, [3; 32]);
        let mut prover = account(Some("example"));
        assert!(prover.headers(&Method::Register, "sip:example.org", 1).is_empty(), "nobody has asked");
        prover.challenged(&asks(&server.challenges(1_000, 9, false))).unwrap();
        for sequence in 2..6 {
            let proofs = prover.headers(&Method::Register, "sip:example.org", u64::from(sequence));
            assert_eq!(proofs.len(), 1);
            assert!(proofs[0].1.contains(&format!("nc={:08x}", sequence - 1)), "{proofs:?}");
            let request = register(sequence, &proofs);
            let answer = answer_in(&request).unwrap();
            assert_eq!(server.judge(2_000, &request, &answer, Some("secret")), Verdict::Known);
            let other = register(sequence + 100, &proofs);
            assert_eq!(server.judge(2_000, &other, &answer, Some("other")), Verdict::Wrong);
        }
    }
}

/// RFC 7616 section 3.9.2 has the only published SHA-512-256 example, with a hashed user; this is our own, computed
/// by another implementation (Python's hashlib: `sha512_256`).
#[test]
fn the_strongest_hash_is_taken_whatever_comes_first() {
    let challenge = |algorithm: &str| {
        format!("Digest realm=\"r\", nonce=\"n\", qop=\"auth,auth-int\", algorithm={algorithm}")
    };
    let mut prover = account(None);
    prover
        .challenged(&asks(&[
            challenge("MD5"),
            challenge("SHA-512-256"),
            challenge("SHA-256"),
            "Basic x".into(),
        ]))
        .unwrap();
    let proofs = prover.headers(&Method::Register, "sip:example.org", 0x0a);
    let value = &proofs[0].1;
    assert!(
        value.contains("algorithm=SHA-512-256") && value.contains("cnonce=\"000000000000000a\""),
        "{value}"
    );
    assert!(value.contains(SHA512_256_RESPONSE), "{value}");
}

/// `H(H("alice:r:secret"):n:00000001:000000000000000a:auth:H("REGISTER:sip:example.org"))`.
const SHA512_256_RESPONSE: &str = "73c1226c2c0910b90097db328c63f2b75748dbd9c612b337b0200acded71a572";

#[test]
fn a_refused_answer_is_a_wrong_password_and_a_worn_nonce_is_not() {
    let challenge =
        |nonce: &str, more: &str| format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"{more}");
    let mut prover = account(None);
    let mut ask = |nonce: &str, more: &str, sends: u32| {
        let told = prover.challenged(&asks(&[challenge(nonce, more)]));
        for _ in 0..sends {
            prover.headers(&Method::Register, "sip:r", 1);
        }
        told
    };
    ask("1", "", 3).unwrap();
    // It served three requests; a new one without a word about stale is no refusal.
    ask("2", "", 1).unwrap();
    ask("3", ", stale=true", 1).unwrap();
    ask("4", ", stale=TRUE", 1).unwrap();
    let stale = Unprovable::Stale { realm: "r".into() };
    assert_eq!(ask("5", ", stale=true", 1), Err(stale));
    ask("6", "", 1).unwrap();
    assert_eq!(ask("7", "", 1), Err(Unprovable::Wrong { realm: "r".into() }));
    ask("8", "", 1).unwrap();
}

#[test]
fn who_asks_in_another_name_or_another_way_gets_no_answer() {
    let mut prover = account(Some("mine"));
    let other = asks(&["Digest realm=\"theirs\", nonce=\"n\"".to_owned()]);
    assert_eq!(prover.challenged(&other), Err(Unprovable::OtherRealm { realm: "theirs".into() }));
    for nothing in [
        asks(&["Basic realm=\"mine\"".to_owned()]),
        asks(&["Digest realm=\"mine\", nonce=\"n\", algorithm=SHA3".to_owned()]),
        asks(&["Digest realm=\"mine\", nonce=\"n\", qop=\"auth-int\"".to_owned()]),
        asks(&[]),
    ] {
        assert_eq!(prover.challenged(&nothing), Err(Unprovable::NoChallenge));
    }
    assert!(!prover.was_asked());
}

#[test]
fn a_proxy_and_the_server_behind_it_are_both_answered() {
    let mut prover = account(None);
    let proxy = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"a\"\r\n".to_owned();
    prover.challenged(&response(407, &[proxy])).unwrap();
    prover.headers(&Method::Invite, "sip:x", 1);
    prover.challenged(&asks(&["Digest realm=\"s\", nonce=\"b\", opaque=\"o\"".to_owned()])).unwrap();
    let proofs = prover.headers(&Method::Invite, "sip:x", 1);
    let names: Vec<&HeaderName> = proofs.iter().map(|(name, _)| name).collect();
    assert_eq!(names, [&HeaderName::ProxyAuthorization, &HeaderName::Authorization]);
    assert!(proofs[1].1.contains("opaque=\"o\"") && !proofs[1].1.contains("qop"), "{proofs:?}");
    assert!(!format!("{prover:?}").contains("secret"));
}
