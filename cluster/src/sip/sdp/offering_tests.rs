//! What we offer first, to the letter, and what may be answered to it.

use super::*;
use proptest::prelude::*;

const OURS: u8 = 0x11;
const THEIRS: u8 = 0xab;

/// As whoever has this byte, where its packets are wanted, for certificate and keys.
fn one(byte: u8, protection: Protection, keys: KeyManagement) -> Negotiation {
    Negotiation::new(format!("203.0.113.{byte}:7000").parse().unwrap(), 42)
        .speaking(vec![Codec::Pcmu, Codec::Opus])
        .certified(Some(Fingerprint { hash: Hash::Sha256, bytes: vec![byte; 32] }))
        .protected(protection, Secret::from([byte; SECRET_BYTES]))
        .keyed(keys)
}

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap()
}

fn digits(byte: u8) -> String {
    vec![format!("{byte:02X}"); 32].join(":")
}

/// An answer of another make to an offer by DTLS.
fn answer(protocol: &str, lines: &str) -> Vec<u8> {
    format!(
        "v=0\r\no=- 9 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 {protocol} 0 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\n{lines}"
    )
    .into_bytes()
}

fn proved(setup: &str) -> String {
    format!("a=setup:{setup}\r\na=fingerprint:sha-256 {}\r\n", digits(THEIRS))
}

#[test]
fn a_carrier_is_offered_keys_by_dtls() {
    let mut ours = one(OURS, Protection::Offered, KeyManagement::Dtls);
    let expected = format!(
        "v=0\r\n\
         o=- 42 1 IN IP4 203.0.113.17\r\n\
         s=-\r\n\
         c=IN IP4 203.0.113.17\r\n\
         t=0 0\r\n\
         m=audio 7000 UDP/TLS/RTP/SAVP 0 96 101 102\r\n\
         a=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:96 opus/48000/2\r\n\
         a=fmtp:96 maxplaybackrate=8000;stereo=0\r\n\
         a=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-15\r\n\
         a=rtpmap:102 telephone-event/48000\r\n\
         a=fmtp:102 0-15\r\n\
         a=setup:actpass\r\n\
         a=fingerprint:sha-256 {}\r\n\
         a=rtcp-mux\r\n\
         a=ptime:20\r\n\
         a=sendrecv\r\n",
        digits(OURS)
    );
    assert_eq!(text(ours.offer()), expected);
    assert_eq!(text(ours.offer()), expected, "the same while nothing is agreed on");
}

#[test]
fn a_browser_is_offered_checks_and_one_port_too() {
    // Whatever the settings say of others: a browser takes nothing else.
    let mut ours = one(OURS, Protection::Accepted, KeyManagement::Sdes).for_browsers(true);
    let credentials = Secret::from([OURS; SECRET_BYTES]).credentials(0);
    let expected = format!(
        "v=0\r\n\
         o=- 42 1 IN IP4 203.0.113.17\r\n\
         s=-\r\n\
         c=IN IP4 203.0.113.17\r\n\
         t=0 0\r\n\
         a=ice-lite\r\n\
         a=group:BUNDLE 0\r\n\
         m=audio 7000 UDP/TLS/RTP/SAVPF 0 96 101 102\r\n\
         a=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:96 opus/48000/2\r\n\
         a=fmtp:96 maxplaybackrate=8000;stereo=0\r\n\
         a=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-15\r\n\
         a=rtpmap:102 telephone-event/48000\r\n\
         a=fmtp:102 0-15\r\n\
         a=setup:actpass\r\n\
         a=fingerprint:sha-256 {}\r\n\
         a=ice-ufrag:{}\r\n\
         a=ice-pwd:{}\r\n\
         a=candidate:1 1 UDP 2130706431 203.0.113.17 7000 typ host\r\n\
         a=end-of-candidates\r\n\
         a=rtcp-mux\r\n\
         a=mid:0\r\n\
         a=ptime:20\r\n\
         a=sendrecv\r\n",
        digits(OURS),
        credentials.fragment,
        credentials.password
    );
    assert_eq!(text(ours.offer()), expected);
}

#[test]
fn the_answer_says_who_begins_and_that_stays() {
    for (said, begins) in [("active", false), ("passive", true)] {
        let mut ours = one(OURS, Protection::Required, KeyManagement::Dtls);
        ours.offer();
        ours.accept(&answer("UDP/TLS/RTP/SAVP", &proved(said))).unwrap();
        let before = ours.agreed().unwrap().clone();
        let handshake = before.handshake.clone().unwrap();
        assert_eq!((handshake.begins, handshake.theirs.bytes.clone()), (begins, vec![THEIRS; 32]));
        assert!(before.protected.is_none() && before.connectivity.is_none());
        assert!(!before.multiplexed, "who does not say so wants its reports on the next port");
        // Offered anew by us: either may begin, and whoever answers so leaves the roles as they are (RFC 8842
        // section 5.5); by the far side, the same.
        let again = text(ours.offer());
        assert!(again.contains(" UDP/TLS/RTP/SAVP ") && again.contains("a=setup:actpass\r\n"), "{again}");
        assert!(!again.contains("rtcp-mux"), "{again}");
        ours.accept(&answer("UDP/TLS/RTP/SAVP", &proved(said))).unwrap();
        assert_eq!(ours.agreed(), Some(&before));
        let answered = text(ours.answer(&answer("UDP/TLS/RTP/SAVP", &proved("actpass"))).unwrap());
        let role = if begins { "active" } else { "passive" };
        assert!(answered.contains(&format!("a=setup:{role}\r\n")), "{answered}");
        assert_eq!(ours.agreed().unwrap().handshake, before.handshake);
    }
}

#[test]
fn two_of_us_agree_and_offer_each_other_anew() {
    for browsers in [false, true] {
        let mut caller = one(OURS, Protection::Required, KeyManagement::Dtls).for_browsers(browsers);
        let mut callee = one(THEIRS, Protection::Required, KeyManagement::Sdes);
        let answer = callee.answer(&caller.offer()).unwrap();
        caller.accept(&answer).unwrap();
        let (here, there) = (caller.agreed().unwrap().clone(), callee.agreed().unwrap().clone());
        let (one, two) = (here.handshake.clone().unwrap(), there.handshake.clone().unwrap());
        assert!(one.begins != two.begins, "{browsers}");
        assert_eq!((one.theirs.bytes, two.theirs.bytes), (vec![THEIRS; 32], vec![OURS; 32]));
        assert!(here.multiplexed && there.multiplexed);
        // Nobody makes checks where both only answer them.
        assert!(here.connectivity.is_none() && there.connectivity.is_none());
        for _ in 0..2 {
            let answer = caller.answer(&callee.offer()).unwrap();
            callee.accept(&answer).unwrap();
            let answer = callee.answer(&caller.offer()).unwrap();
            caller.accept(&answer).unwrap();
            // The same as a refresh says it.
            let refresh = callee.unchanged();
            assert!(text(refresh.clone()).contains("a=setup:actpass\r\n"));
            callee.accept(&caller.answer(&refresh).unwrap()).unwrap();
            let refresh = caller.unchanged();
            caller.accept(&callee.answer(&refresh).unwrap()).unwrap();
            assert_eq!((caller.agreed(), callee.agreed()), (Some(&here), Some(&there)));
        }
    }
}

#[test]
fn a_refresh_leaves_open_who_begins_and_says_nothing_else_new() {
    for (offered, role) in [("active", "passive"), ("passive", "active"), ("actpass", "passive")] {
        let mut ours = one(OURS, Protection::Required, KeyManagement::Dtls);
        let answered = text(ours.answer(&answer("UDP/TLS/RTP/SAVP", &proved(offered))).unwrap());
        let before = ours.agreed().cloned();
        let refresh = text(ours.unchanged());
        let expected =
            answered.replace(&format!("a=setup:{role}"), "a=setup:actpass").replace("o=- 42 1 ", "o=- 42 2 ");
        assert_eq!(refresh, expected);
        // Whoever answers keeps the roles; the next refresh is the same to the letter.
        let theirs = if role == "passive" { "active" } else { "passive" };
        ours.accept(&answer("UDP/TLS/RTP/SAVP", &proved(theirs))).unwrap();
        assert_eq!(ours.agreed(), before.as_ref());
        assert_eq!(text(ours.unchanged()), refresh);
    }
    let mut plain = one(OURS, Protection::Accepted, KeyManagement::Sdes);
    let answered = text(plain.answer(&answer("RTP/AVP", "")).unwrap());
    assert_eq!(text(plain.unchanged()), answered, "where there is no handshake nothing changes");
}

#[test]
fn what_is_answered_without_proof_is_not_agreed_on() {
    let key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
    let weak = proved("active").replace("sha-256", "sha-1");
    for (protocol, lines, why) in [
        ("RTP/AVP", String::new(), Unacceptable::Unprotected),
        ("RTP/AVP", proved("active"), Unacceptable::Unprotected),
        ("UDP/TLS/RTP/SAVP", "a=setup:active\r\n".to_owned(), Unacceptable::NoFingerprint),
        ("UDP/TLS/RTP/SAVP", weak, Unacceptable::NoFingerprint),
        ("RTP/SAVP", key.to_owned(), Unacceptable::NoFingerprint),
    ] {
        for protection in [Protection::Offered, Protection::Required] {
            let mut ours = one(OURS, protection, KeyManagement::Dtls);
            ours.offer();
            assert_eq!(ours.accept(&answer(protocol, &lines)), Err(why), "{protocol} {lines}");
            assert_eq!(ours.agreed(), None);
            // Nor in mid-call.
            ours.accept(&answer("UDP/TLS/RTP/SAVP", &proved("active"))).unwrap();
            let before = ours.agreed().cloned();
            ours.offer();
            assert_eq!(ours.accept(&answer(protocol, &lines)), Err(why), "{protocol} {lines}");
            assert_eq!(ours.agreed().cloned(), before);
        }
    }
    let mut described = one(OURS, Protection::Offered, KeyManagement::Sdes);
    assert!(!text(described.offer()).contains("fingerprint"));
    assert_eq!(
        described.accept(&answer("UDP/TLS/RTP/SAVP", &proved("active"))),
        Err(Unacceptable::Transport),
        "a handshake that nobody asked for"
    );
}

#[test]
fn who_has_no_certificate_offers_keys_in_the_description() {
    let mut ours = one(OURS, Protection::Offered, KeyManagement::Dtls).certified(None).for_browsers(true);
    let offer = text(ours.offer());
    assert!(offer.contains(" RTP/SAVP ") && offer.contains("a=crypto:1 "), "{offer}");
    assert!(!offer.contains("fingerprint") && !offer.contains("ice"), "{offer}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]
    /// Whatever has become of an answer on its way: it agrees on a handshake with somebody, or on nothing.
    #[test]
    fn no_answer_talks_us_down(at in 0usize..400, length in 0usize..60, junk in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut ours = one(OURS, Protection::Offered, KeyManagement::Dtls);
        ours.offer();
        let mut body = answer("UDP/TLS/RTP/SAVP", &proved("active"));
        let at = at.min(body.len());
        let end = (at + length).min(body.len());
        body.splice(at..end, junk);
        match ours.accept(&body) {
            Ok(()) => prop_assert!(ours.agreed().is_some_and(|agreed| agreed.handshake.is_some())),
            Err(_) => prop_assert!(ours.agreed().is_none()),
        }
    }
}
