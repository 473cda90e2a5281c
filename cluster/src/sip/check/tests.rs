use super::super::wire::{Message, parse_own, text};
use super::*;
use proptest::prelude::*;

const INVITE: &str = "INVITE sip:1000@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
    Max-Forwards: 70\r\nFrom: <sip:2000@192.0.2.1>;tag=a\r\nTo: <sip:1000@192.0.2.9>\r\nCall-ID: c\r\n\
    CSeq: 1 INVITE\r\nContact: <sip:2000@192.0.2.1>\r\nContent-Length: 0\r\n\r\n";

fn request(message: &str) -> Request {
    match parse_own(message.as_bytes()) {
        Some(Message::Request(request)) => request,
        _ => panic!("not a request: {message}"),
    }
}

fn refusal(message: &str) -> Response {
    let request = request(message);
    check(&request, 1_000).unwrap_err().response(&request, "t")
}

#[test]
fn a_good_request_passes_even_at_its_last_hop() {
    assert_eq!(check(&request(INVITE), 1_000), Ok(()));
    assert_eq!(check(&request(&INVITE.replace("Max-Forwards: 70", "Max-Forwards: 0")), 1_000), Ok(()));
    assert_eq!(check(&request(&INVITE.replace("Max-Forwards: 70\r\n", "")), 1_000), Ok(()));
    let choosy = INVITE.replace("Contact:", "Accept: text/plain, application/sdp;level=1\r\nContact:");
    assert_eq!(check(&request(&choosy), 1_000), Ok(()));
    // A phone of RFC 2543: no tag, no Contact, no branch.
    let old = INVITE
        .replace(";tag=a", "")
        .replace("Contact: <sip:2000@192.0.2.1>\r\n", "")
        .replace(";branch=z9hG4bK1", "");
    assert_eq!(check(&request(&old), 1_000), Ok(()));
}

#[test]
fn what_is_wrong_is_named() {
    for (from, to, status, phrase) in [
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", 400, "CSeq method does not match"),
        ("CSeq: 1 INVITE", "CSeq: 4294967296 INVITE", 400, "Malformed CSeq"),
        ("CSeq: 1 INVITE\r\n", "", 400, "Missing CSeq"),
        ("Call-ID: c\r\n", "", 400, "Missing Call-ID"),
        ("To: <sip:1000@192.0.2.9>\r\n", "", 400, "Missing To"),
        ("From: <sip:2000@192.0.2.1>;tag=a\r\n", "", 400, "Missing From"),
        (";branch=z9hG4bK1", ";branch=z9hG4bK", 400, "Via branch has no identifier"),
        (";branch=z9hG4bK1", ";;,;,,", 400, "Malformed Via"),
        ("sip:1000@192.0.2.9 SIP", "soap.beep://192.0.2.9:3002 SIP", 416, "Unsupported URI Scheme"),
        ("Contact:", "Accept: text/plain\r\nContact:", 406, "Not Acceptable: Accept has no application/sdp"),
        ("From:", "From: <sip:x@y>;tag=b\r\nFrom:", 400, "Repeated From"),
        ("Contact: <sip:2000@192.0.2.1>\r\n", "", 400, "Missing Contact"),
        ("Max-Forwards: 70", "Max-Forwards: many", 400, "Malformed Max-Forwards"),
        ("SIP/2.0\r\nVia", "SIP/3.0\r\nVia", 505, "Version Not Supported"),
        ("sip:1000@192.0.2.9 SIP", "sip:1000@192.0.2.9?a=b SIP", 400, "Request-URI has headers"),
    ] {
        let message = INVITE.replacen(from, to, 1);
        let response = refusal(&message);
        assert_eq!(response.status.code(), status, "{message}");
        assert_eq!(response.reason.as_ref(), phrase.as_bytes(), "{message}");
    }
}

#[test]
fn methods_and_extensions_that_we_do_not_have_are_said_to_be_so() {
    let with_method = |method: &str| INVITE.replace("INVITE", method);
    let response = refusal(&with_method("FOOBAR"));
    assert_eq!(response.status.code(), 501);
    let response = refusal(&with_method("SUBSCRIBE"));
    assert_eq!(response.status.code(), 405);
    assert_eq!(text(&response.headers, &HeaderName::Allow).as_deref(), Some(ALLOW));
    let response = refusal(&INVITE.replace("Contact", "Require: 100rel, made-up\r\nContact"));
    assert_eq!(response.status.code(), 420);
    assert_eq!(text(&response.headers, &HeaderName::Unsupported).as_deref(), Some("made-up"));
    let odd = INVITE
        .replace("Content-Length: 0\r\n\r\n", "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(refusal(&odd).status.code(), 415);
    let long = "a".repeat(1_001);
    let large = INVITE.replace("Content-Length: 0\r\n\r\n", &format!("Content-Length: 1001\r\n\r\n{long}"));
    assert_eq!(refusal(&large).status.code(), 513);
}

#[test]
fn a_name_in_latin_1_is_no_reason_to_lose_a_call() {
    let mut bytes = INVITE.replace("From: <", "From: \"Ren? B\" <").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[at] = 0xe9;
    let Some(Message::Request(request)) = parse_own(&bytes) else { panic!("a request") };
    assert_eq!(check(&request, 1_000), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Mutated messages go through everything that reads them: nothing panics.
    #[test]
    fn no_message_panics(edits in proptest::collection::vec((0usize..500, any::<u8>(), 0usize..3), 1..12)) {
        let proved = "Authorization: Digest username=\"a\\\"b\", realm=\"r\", nonce=\"n\", uri=\"sip:a@b\", \
            response=\"0\", nc=00000001, qop=auth, cnonce=\"c\"\r\nContact:";
        let mut bytes = INVITE.replace("Contact:", proved).into_bytes();
        for (at, byte, kind) in edits {
            let at = at % bytes.len().max(1);
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        let _ = super::super::wire::call_id_of(&bytes);
        let _ = super::super::salvage::salvage(&bytes);
        if let Some(Message::Request(mut request)) = parse_own(&bytes) {
            super::super::destination::stamp(&mut request, "192.0.2.77:9".parse().unwrap());
            let _ = is_answerable(&request);
            let _ = super::super::digest::answer_in(&request);
            let _ = super::super::numbers::caller(&request, true);
            let _ = super::super::numbers::called(&request);
            if let Err(refusal) = check(&request, 1_000) {
                let response = refusal.response(&request, "t");
                let _ = super::super::destination::of_response(&response);
            }
        }
    }
}
