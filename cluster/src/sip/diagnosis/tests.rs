use super::super::destination::Transport;
use super::super::proof::Unprovable;
use super::super::wire::{Message, Response, parse_own};
use super::*;

fn answered(step: Step, status: u16) -> Advice {
    let happened =
        Happened::Answered { status, phrase: "Because".into(), warning: None, retry_after_s: Some(30) };
    advise(step, &happened)
}

#[test]
fn each_outcome_says_what_to_change() {
    let realm = || "r".to_owned();
    for (step, happened, says) in [
        (Step::Find, Happened::NotFound { unanswered: true }, "sip.names.servers"),
        (Step::Find, Happened::NotFound { unanswered: false }, "spelling"),
        (Step::Connect(Transport::Tcp), Happened::Refused, "5060"),
        (Step::Connect(Transport::Tcp), Happened::Silent, "firewall"),
        (Step::Options, Happened::Silent, ";transport=tcp"),
        (Step::Call, Happened::Silent, "large datagrams"),
        (Step::Options, Happened::Closed, ";transport=tls"),
        (Step::Connect(Transport::Tls), Happened::NoTls { why: "x".into() }, "5061"),
        (Step::Connect(Transport::Tls), Happened::NoWay { why: "x".into() }, "routes"),
        (Step::Connect(Transport::Tls), Happened::Certificate(Certificate::Expired), "clock"),
        (Step::Connect(Transport::Tls), Happened::Certificate(Certificate::NotYet), "clock"),
        (Step::Connect(Transport::Tls), Happened::Certificate(Certificate::UnknownIssuer), "trust_file"),
        (
            Step::Register,
            Happened::Unprovable { status: 401, why: Unprovable::Wrong { realm: realm() } },
            "account.login",
        ),
        (
            Step::Register,
            Happened::Unprovable { status: 401, why: Unprovable::OtherRealm { realm: realm() } },
            "\"r\"",
        ),
        (
            Step::Register,
            Happened::Unprovable { status: 407, why: Unprovable::Stale { realm: realm() } },
            "nonces",
        ),
        (Step::Register, Happened::Unprovable { status: 401, why: Unprovable::NoChallenge }, "SHA-512-256"),
    ] {
        let advice = advise(step, &happened);
        assert!(!advice.works && advice.change.contains(says), "{happened:?}: {advice:?}");
    }
    for (step, status, says) in [
        (Step::Register, 403, "may not register"),
        (Step::Call, 403, "countries"),
        (Step::Register, 404, "account.user"),
        (Step::Call, 404, "other form"),
        (Step::Register, 405, "register = false"),
        (Step::Call, 401, "[sip.trunk.account]"),
        (Step::Call, 402, "credit"),
        (Step::Call, 408, "public_address"),
        (Step::Call, 480, "can't be reached"),
        (Step::Call, 488, "codec"),
        (Step::Options, 483, "circles"),
        (Step::Register, 503, "after 30 s"),
        (Step::Call, 502, "try again"),
        (Step::Register, 302, "elsewhere"),
        (Step::Register, 499, "ask the provider"),
    ] {
        let advice = answered(step, status);
        assert!(!advice.works && advice.change.contains(says), "{status}: {advice:?}");
    }
    for (step, status) in [
        (Step::Options, 200),
        (Step::Options, 405),
        (Step::Register, 200),
        (Step::Call, 180),
        (Step::Call, 486),
    ] {
        let advice = answered(step, status);
        assert!(advice.works && advice.change.is_empty(), "{status}: {advice:?}");
    }
    let other = Certificate::OtherName { wanted: "a.example".into(), names: vec!["b.example".into()] };
    let advice = advise(Step::Connect(Transport::Tls), &Happened::Certificate(other));
    assert_eq!(advice.what, "the certificate is for b.example, and not for a.example");
}

fn response(via: &str) -> Response {
    match parse_own(format!("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {via}\r\n\r\n").as_bytes()) {
        Some(Message::Response(response)) => response,
        _ => panic!("not a response: {via}"),
    }
}

#[test]
fn the_via_tells_nat_from_a_meddling_router() {
    let own = "10.0.0.5:5062".parse().unwrap();
    let (open, near) = ("198.51.100.1".parse().unwrap(), "10.0.0.1".parse().unwrap());
    let seen = |via: &str, peer| path(&response(via), own, peer);
    assert_eq!(seen("10.0.0.5:5062;branch=z9hG4bK1;received=10.0.0.5;rport=5062", near), Path::Plain);
    assert_eq!(seen("10.0.0.5:5062;branch=z9hG4bK1", near), Path::Plain);
    assert_eq!(
        seen("10.0.0.5:5062;branch=z9hG4bK1;received=203.0.113.7;rport=40001", open),
        Path::Nat("203.0.113.7:40001".into())
    );
    assert_eq!(
        seen("203.0.113.7:40001;branch=z9hG4bK1", open),
        Path::Rewritten { to: "203.0.113.7:40001".into() }
    );
    assert!(matches!(seen("10.0.0.5:5062;branch=z9hG4bK1", open), Path::Rewritten { .. }));
    assert_eq!(seen("10.0.0.5:5062;branch=z9hG4bK1;rport=5062", near), Path::Plain);
}

#[test]
fn what_is_shown_has_no_numbers_and_never_a_proof() {
    let message = b"INVITE sip:+442079460001@carrier.example SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK1;rport\r\n\
        From: \"Jo Bloggs\" <sip:+447700900123@carrier.example>;tag=1\r\n\
        To: <tel:+442079460001>\r\n\
        Contact: <sip:carrier.example>\r\n\
        Authorization: Digest username=\"alice\", realm=\"r\", nonce=\"n\", uri=\"sip:+442079460001@x\", response=\"abc\", algorithm=MD5\r\n\
        \r\nv=0\r\no=secret";
    let shown = redacted(message, false).join("\n");
    assert_eq!(
        shown,
        "INVITE sip:…@carrier.example SIP/2.0\n\
         Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK1;rport\n\
         From: <sip:…@carrier.example>;tag=1\n\
         To: <tel:…>\n\
         Contact: <sip:carrier.example>\n\
         Authorization: Digest username=…, realm=\"r\", algorithm=MD5, response=…"
    );
    let all = redacted(message, true).join("\n");
    assert!(all.contains("Jo Bloggs") && all.contains("+442079460001") && !all.contains("abc"), "{all}");
    assert_eq!(redacted(b"\xff\xfe", false).len(), 1);
}
