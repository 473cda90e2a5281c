use super::super::wire::{Message, parse_own};
use super::*;

const SECRET: [u8; 32] = [7; 32];

fn digest(algorithms: &[Algorithm]) -> Digest {
    Digest::new("strowger", algorithms, 30_000, 4, SECRET)
}

fn invite(call_id: &str, sequence: u32, authorization: &str) -> Request {
    let text = format!(
        "INVITE sip:1000@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCall-ID: {call_id}\r\n\
         CSeq: {sequence} INVITE\r\nAuthorization: {authorization}\r\n\r\n"
    );
    match parse_own(text.as_bytes()) {
        Some(Message::Request(request)) => request,
        _ => panic!("not a request: {text}"),
    }
}

/// What a device answers to the challenge with this number.
fn answered(challenge: &str, password: &str, count: u32) -> String {
    let challenge = Challenge::parse(challenge.as_bytes(), false).unwrap();
    answer_to(
        &challenge,
        &Credentials::new("carrier", password),
        "INVITE",
        "sip:1000@192.0.2.9",
        count,
        "abc",
    )
}

fn judged(digest: &mut Digest, now_ms: u64, request: &Request) -> Verdict {
    let answer = answer_in(request).unwrap();
    let password = (answer.user == "carrier").then_some("right");
    digest.judge(now_ms, request, &answer, password)
}

#[test]
fn who_knows_the_password_is_known_by_either_hash() {
    for algorithms in [&[Algorithm::Md5][..], &[Algorithm::Sha256], &[Algorithm::Sha256, Algorithm::Md5]] {
        let mut digest = digest(algorithms);
        let challenges = digest.challenges(1_000, 5, false);
        assert_eq!(challenges.len(), algorithms.len());
        for (count, challenge) in (1..).zip(&challenges) {
            let good = invite("c", count, &answered(challenge, "right", count));
            assert_eq!(judged(&mut digest, 2_000, &good), Verdict::Known, "{challenge}");
            let bad = invite("c", count, &answered(challenge, "wrong", count + 10));
            assert_eq!(judged(&mut digest, 2_000, &bad), Verdict::Wrong);
        }
    }
}

#[test]
fn a_nonce_ages_and_its_counts_are_used_once() {
    let mut digest = digest(&[Algorithm::Md5]);
    let challenge = digest.challenges(1_000, 5, false).remove(0);
    let first = invite("c", 1, &answered(&challenge, "right", 1));
    assert_eq!(judged(&mut digest, 2_000, &first), Verdict::Known);
    assert_eq!(judged(&mut digest, 2_000, &first), Verdict::Known, "the same request came again");
    let replayed = invite("another call", 1, &answered(&challenge, "right", 1));
    assert_eq!(judged(&mut digest, 2_000, &replayed), Verdict::Stale);
    let third = invite("d", 1, &answered(&challenge, "right", 3));
    assert_eq!(judged(&mut digest, 2_000, &third), Verdict::Known);
    let second = invite("e", 1, &answered(&challenge, "right", 2));
    assert_eq!(judged(&mut digest, 2_000, &second), Verdict::Stale);
    let late = invite("f", 1, &answered(&challenge, "right", 4));
    assert_eq!(judged(&mut digest, 31_001, &late), Verdict::Stale);
    assert!(digest.challenges(0, 0, true)[0].ends_with("stale=true"));
}

#[test]
fn what_is_not_ours_or_not_for_this_request_is_not_taken() {
    let mut digest = digest(&[Algorithm::Md5]);
    let challenge = digest.challenges(1_000, 5, false).remove(0);
    let good = answered(&challenge, "right", 1);
    for (from, to, verdict) in [
        ("nonce=\"0", "nonce=\"1", Verdict::Unasked),
        ("realm=\"strowger\"", "realm=\"other\"", Verdict::Unasked),
        ("algorithm=MD5", "algorithm=SHA-256", Verdict::Unasked),
        ("qop=auth, ", "", Verdict::Unasked),
        ("uri=\"sip:1000@", "uri=\"sip:1001@", Verdict::Wrong),
        ("username=\"carrier\"", "username=\"nobody\"", Verdict::Wrong),
        ("nc=00000001", "nc=00000002", Verdict::Wrong),
    ] {
        assert!(good.contains(from), "{good}");
        let request = invite("c", 1, &good.replace(from, to));
        assert_eq!(judged(&mut digest, 2_000, &request), verdict, "{to}");
    }
    let other = Digest::new("strowger", &[Algorithm::Md5], 30_000, 4, [8; 32]);
    let foreign = answered(&other.challenges(1_000, 5, false)[0], "right", 1);
    assert_eq!(judged(&mut digest, 2_000, &invite("c", 1, &foreign)), Verdict::Unasked);
    assert_eq!(answer_in(&invite("c", 1, "NoOneKnowsThisScheme opaque-data=here")), None);
    assert_eq!(answer_in(&invite("c", 1, "Digest username=\"a")), None);
}

#[test]
fn an_answer_is_to_one_uri() {
    let mut digest = digest(&[Algorithm::Md5]);
    let challenge = digest.challenges(1_000, 5, false).remove(0);
    let challenge = Challenge::parse(challenge.as_bytes(), false).unwrap();
    let answer = |uri: &str| {
        let header = answer_to(&challenge, &Credentials::new("carrier", "right"), "INVITE", uri, 1, "abc");
        invite("c", 1, &header)
    };
    assert_eq!(judged(&mut digest, 2_000, &answer("sip:2000@192.0.2.9")), Verdict::OtherUri);
    assert_eq!(judged(&mut digest, 2_000, &answer("SIP:1000@192.0.2.9")), Verdict::Known);
}

#[test]
fn the_memory_of_nonces_is_bounded() {
    let mut digest = digest(&[Algorithm::Md5]);
    let known = (0..10).filter(|number| {
        let challenge = digest.challenges(1_000, *number, false).remove(0);
        let request = invite("c", 1, &answered(&challenge, "right", 1));
        judged(&mut digest, 2_000, &request) == Verdict::Known
    });
    assert_eq!(known.count(), 4);
    let challenge = digest.challenges(40_000, 99, false).remove(0);
    let request = invite("c", 1, &answered(&challenge, "right", 1));
    assert_eq!(judged(&mut digest, 40_000, &request), Verdict::Known, "the old ones have aged");
}

#[test]
fn quoted_fields_may_hold_anything() {
    let found = fields(r#" username="a\"b, c=d", realm = "r",nc=00000001 , qop=auth"#);
    assert_eq!(found.get("username").map(String::as_str), Some("a\"b, c=d"));
    assert_eq!(found.get("realm").map(String::as_str), Some("r"));
    assert_eq!(found.get("nc").map(String::as_str), Some("00000001"));
    assert_eq!(found.get("qop").map(String::as_str), Some("auth"));
}
