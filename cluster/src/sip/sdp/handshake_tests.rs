//! Offers of browsers, gateways and softphones that want keys by DTLS and checks of the way, and our answers.

use super::tests::means;
use super::*;

const OURS: u8 = 0x11;

fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint { hash: Hash::Sha256, bytes: vec![byte; 32] }
}

fn negotiation(protection: Protection) -> Negotiation {
    Negotiation::new("203.0.113.9:7000".parse().unwrap(), 42)
        .certified(Some(fingerprint(OURS)))
        .protected(protection, Secret::from([7; SECRET_BYTES]))
}

/// As a browser offers, cut to what matters here.
fn browsers(setup: &str) -> String {
    format!(
        "v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=msid-semantic: WMS\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
         a=ice-ufrag:Yzq1\r\na=ice-pwd:2bcHhSbVVb2CyZdcx1xvQJAz\r\na=ice-options:trickle\r\n\
         a=fingerprint:sha-256 {}\r\na=setup:{setup}\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n\
         a=rtpmap:111 opus/48000/2\r\na=rtpmap:126 telephone-event/8000\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n",
        ["AB"; 32].join(":")
    )
}

fn answered(negotiation: &mut Negotiation, offer: &str) -> (String, Agreed) {
    let answer = negotiation.answer(offer.as_bytes()).unwrap();
    (String::from_utf8(answer).unwrap(), negotiation.agreed().unwrap().clone())
}

#[test]
fn a_browsers_offer_is_answered() {
    let mut ours = negotiation(Protection::Required);
    let (answer, agreed) = answered(&mut ours, &browsers("actpass"));
    assert_eq!(agreed.handshake, Some(Box::new(Handshake { begins: false, theirs: fingerprint(0xab) })));
    let connectivity = agreed.connectivity.unwrap();
    assert_eq!(connectivity.theirs, "Yzq1");
    assert!(agreed.multiplexed && !agreed.held && agreed.protected.is_none());
    assert_eq!(agreed.direction, Direction::SendReceive, "nowhere yet is no hold");
    for line in [
        "a=ice-lite\r\na=group:BUNDLE 0\r\nm=audio 7000 UDP/TLS/RTP/SAVPF 0 126\r\n".to_owned(),
        "a=setup:passive\r\n".to_owned(),
        format!("a=fingerprint:sha-256 {}\r\n", ["11"; 32].join(":")),
        format!("a=ice-ufrag:{}\r\n", connectivity.ours.fragment),
        "a=candidate:1 1 UDP 2130706431 203.0.113.9 7000 typ host\r\n".to_owned(),
        "a=rtcp-mux\r\n".to_owned(),
        "a=mid:0\r\n".to_owned(),
        "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n".to_owned(),
    ] {
        assert!(answer.contains(&line), "{line} in {answer}");
    }
    assert!(!answer.contains("a=crypto"), "{answer}");
    assert!(acceptable(browsers("actpass").as_bytes(), means(Protection::Required, true)).is_ok());
}

/// What Chromium 156 offers with video and a channel for data, most of the video's codecs left out.
const CHROMIUM: &str = include_str!("../../../fuzz/seeds/sdp/chromium");

#[test]
fn chromiums_whole_offer_is_answered_to_the_letter() {
    let (answer, agreed) = answered(&mut negotiation(Protection::Accepted), CHROMIUM);
    let ours = agreed.connectivity.unwrap().ours;
    let expected = format!(
        "v=0\r\n\
         o=- 42 1 IN IP4 203.0.113.9\r\n\
         s=-\r\n\
         c=IN IP4 203.0.113.9\r\n\
         t=0 0\r\n\
         a=ice-lite\r\n\
         a=group:BUNDLE 0\r\n\
         m=audio 7000 UDP/TLS/RTP/SAVPF 0 126\r\n\
         a=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:126 telephone-event/8000\r\n\
         a=fmtp:126 0-15\r\n\
         a=setup:passive\r\n\
         a=fingerprint:sha-256 {}\r\n\
         a=ice-ufrag:{}\r\n\
         a=ice-pwd:{}\r\n\
         a=candidate:1 1 UDP 2130706431 203.0.113.9 7000 typ host\r\n\
         a=end-of-candidates\r\n\
         a=rtcp-mux\r\n\
         a=mid:0\r\n\
         a=ptime:20\r\n\
         a=sendrecv\r\n\
         m=video 0 UDP/TLS/RTP/SAVPF 96 97 102 103 104 107 108 109 114 115 116 117 39 40 45 46 98 99 100 101 118 119 120\r\n\
         m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        ["11"; 32].join(":"),
        ours.fragment,
        ours.password
    );
    assert_eq!(answer, expected);
}

#[test]
fn a_browser_that_begins_its_checks_anew_is_given_new_names() {
    let mut ours = negotiation(Protection::Accepted);
    let credentials = |agreed: Agreed| agreed.connectivity.unwrap().ours;
    let first = credentials(answered(&mut ours, &browsers("actpass")).1);
    let again = credentials(answered(&mut ours, &browsers("actpass")).1);
    assert_eq!((&first.fragment, &first.password), (&again.fragment, &again.password));
    let mut before = first;
    for name in ["Nnq1", "Nnq2"] {
        let offer = browsers("actpass").replace("Yzq1", name);
        let (answer, agreed) = answered(&mut ours, &offer);
        assert!(agreed.handshake.is_some_and(|handshake| !handshake.begins), "the keys stay");
        let now = agreed.connectivity.unwrap();
        assert_eq!(now.theirs, name);
        assert!(now.ours.fragment != before.fragment && now.ours.password != before.password);
        let lines = format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", now.ours.fragment, now.ours.password);
        assert!(answer.contains(&lines), "{answer}");
        // What we offer then is no restart.
        assert!(String::from_utf8(ours.offer()).unwrap().contains(&lines));
        before = now.ours;
    }
}

#[test]
fn a_browser_that_hides_its_addresses_is_found_by_its_checks() {
    let hidden = browsers("actpass").replace("c=IN IP4 0.0.0.0", "c=IN IP4 3f2a.local");
    let agreed = answered(&mut negotiation(Protection::Accepted), &hidden).1;
    assert!(agreed.remote.ip().is_unspecified() && !agreed.held);
    let nowhere = hidden.replace("a=ice-pwd", "a=pwd");
    assert_eq!(negotiation(Protection::Accepted).answer(nowhere.as_bytes()), Err(Unacceptable::Address));
}

#[test]
fn who_begins_is_agreed_on_and_stays() {
    for (offered, ours, begins) in [("active", "passive", false), ("passive", "active", true)] {
        let mut negotiation = negotiation(Protection::Accepted);
        let (answer, agreed) = answered(&mut negotiation, &browsers(offered));
        assert!(answer.contains(&format!("a=setup:{ours}\r\n")), "{answer}");
        assert_eq!(agreed.handshake.unwrap().begins, begins);
        // Offered again, whoever may begin now: the handshake is done, and the roles are as they were.
        let (answer, agreed) = answered(&mut negotiation, &browsers("actpass"));
        assert!(answer.contains(&format!("a=setup:{ours}\r\n")), "{answer}");
        assert_eq!(agreed.handshake.unwrap().begins, begins);
    }
}

#[test]
fn our_own_offer_in_such_a_call_is_such_an_offer() {
    let mut negotiation = negotiation(Protection::Accepted);
    let (_, before) = answered(&mut negotiation, &browsers("actpass"));
    let offer = String::from_utf8(negotiation.offer()).unwrap();
    assert!(offer.contains(" UDP/TLS/RTP/SAVPF ") && offer.contains("a=setup:actpass\r\n"), "{offer}");
    assert!(offer.contains("a=group:BUNDLE 0\r\n") && offer.contains("a=rtcp-mux\r\n"), "{offer}");
    let answer = browsers("active").replace(" 111 9 0 8 13 110 126", " 0 126");
    negotiation.accept(answer.as_bytes()).unwrap();
    assert_eq!(negotiation.agreed().unwrap().handshake, before.handshake);
    // It is never talked down.
    let plain = "v=0\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    assert_eq!(negotiation.accept(plain.as_bytes()), Err(Unacceptable::Unprotected));
}

#[test]
fn what_can_not_be_proved_is_refused() {
    let refused = |offer: String, certified: bool| {
        let mut ours = Negotiation::new("203.0.113.9:7000".parse().unwrap(), 42)
            .certified(certified.then(|| fingerprint(OURS)))
            .protected(Protection::Accepted, Secret::from([7; SECRET_BYTES]));
        let why = ours.answer(offer.as_bytes()).unwrap_err();
        assert_eq!(acceptable(offer.as_bytes(), means(Protection::Accepted, certified)), Err(why));
        why
    };
    assert_eq!(refused(browsers("actpass"), false), Unacceptable::Transport);
    let weak = browsers("actpass").replace("sha-256", "sha-1");
    assert_eq!(refused(weak, true), Unacceptable::NoFingerprint);
    let none = browsers("actpass").replace("a=fingerprint", "a=print");
    assert_eq!(refused(none, true), Unacceptable::NoFingerprint);
}

#[test]
fn a_gateways_offer_without_checks_and_a_shared_port_is_answered_so() {
    let offer = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\na=setup:actpass\r\na=fingerprint:SHA-384 {}\r\n\
         t=0 0\r\nm=audio 4000 UDP/TLS/RTP/SAVP 8\r\n",
        ["cd"; 48].join(":")
    );
    let (answer, agreed) = answered(&mut negotiation(Protection::Accepted), &offer);
    assert_eq!(agreed.handshake.unwrap().theirs, Fingerprint { hash: Hash::Sha384, bytes: vec![0xcd; 48] });
    assert!(agreed.connectivity.is_none() && !agreed.multiplexed);
    assert!(answer.contains("m=audio 7000 UDP/TLS/RTP/SAVP 8\r\n"), "{answer}");
    assert!(!answer.contains("ice") && !answer.contains("mux") && !answer.contains("candidate"), "{answer}");
    // A far side that makes no checks either is believed by its packets.
    let lite = browsers("actpass").replace("a=msid-semantic: WMS", "a=ice-lite");
    assert!(answered(&mut negotiation(Protection::Accepted), &lite).1.connectivity.is_none());
}
