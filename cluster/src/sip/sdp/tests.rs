use super::*;
use proptest::prelude::*;

fn offer(direction: &str, address: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18 8 0 96\r\n\
         a=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\na={direction}\r\n"
    )
}

pub(super) const fn means(protection: Protection, certified: bool) -> Means<'static> {
    Means { protection, has_secret: true, certified, codecs: &Codec::ALL }
}

fn negotiation() -> Negotiation {
    Negotiation::new("203.0.113.9:7000".parse().unwrap(), 42)
}

fn protected(protection: Protection, port: u16) -> Negotiation {
    let local = std::net::SocketAddr::from(([203, 0, 113, 9], port));
    let mut bytes = [port as u8; SECRET_BYTES];
    bytes[31] = 1;
    Negotiation::new(local, u64::from(port)).protected(protection, Secret::from(bytes))
}

fn answered(offer: &str) -> (String, Agreed) {
    let mut negotiation = negotiation();
    let answer = negotiation.answer(offer.as_bytes()).unwrap();
    (String::from_utf8(answer).unwrap(), negotiation.agreed().unwrap().clone())
}

#[test]
fn the_first_codec_in_common_is_taken_with_its_events_and_packet_time() {
    let (answer, agreed) = answered(&offer("sendrecv", "192.0.2.1"));
    assert_eq!(agreed.codec, Codec::Pcma);
    assert_eq!(agreed.telephone_event, Some(96));
    assert_eq!(agreed.packet_ms, 30);
    assert_eq!(agreed.remote, "192.0.2.1:4000".parse().unwrap());
    assert!(answer.contains("m=audio 7000 RTP/AVP 8 96\r\n"), "{answer}");
    assert!(answer.contains("a=sendrecv"), "{answer}");
    assert!(acceptable(answer.as_bytes(), means(Protection::Accepted, false)).is_ok());
}

#[test]
fn wide_codecs_are_taken_where_no_law_is_offered() {
    let with = |formats: &str, maps: &str| {
        format!("v=0\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP {formats}\r\n{maps}")
    };
    let opus = "a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\na=ptime:30\r\n\
                a=rtpmap:126 telephone-event/8000\r\n";
    let (answer, agreed) = answered(&with("111 110 126", opus));
    assert_eq!((agreed.codec, agreed.payload_type, agreed.telephone_event), (Codec::Opus, 111, Some(110)));
    assert_eq!(agreed.packet_ms, 20, "Opus has no packets of 30 ms");
    assert!(answer.contains("RTP/AVP 111 110\r\na=rtpmap:111 opus/48000/2\r\n"), "{answer}");
    assert!(answer.contains("a=rtpmap:110 telephone-event/48000\r\n"), "{answer}");
    let (answer, agreed) = answered(&with("111 9 126", opus));
    assert_eq!((agreed.codec, agreed.telephone_event), (Codec::G722, Some(126)));
    assert!(answer.contains("RTP/AVP 9 126\r\na=rtpmap:9 G722/8000\r\n"), "{answer}");
    let (_, agreed) = answered(&with("111 9 8 0 126", opus));
    assert_eq!(agreed.codec, Codec::Pcma, "what costs nothing is preferred");
}

#[test]
fn no_other_codec_is_spoken_than_those_that_are_wanted() {
    let mut ours = negotiation().speaking(vec![Codec::G722]);
    let offered = String::from_utf8(ours.offer()).unwrap();
    assert!(offered.contains("RTP/AVP 9 101") && !offered.contains("PCMU"), "{offered}");
    assert_eq!(ours.answer(offer("sendrecv", "192.0.2.1").as_bytes()), Err(Unacceptable::NoCodec));
    let mut theirs = negotiation();
    theirs.answer(offered.as_bytes()).unwrap();
    assert_eq!(theirs.agreed().unwrap().codec, Codec::G722);
}

#[test]
fn the_answers_direction_follows_the_offers() {
    for (offered, address, answer, held) in [
        ("sendrecv", "192.0.2.1", "a=sendrecv", false),
        ("sendonly", "192.0.2.1", "a=recvonly", true),
        ("recvonly", "192.0.2.1", "a=sendonly", false),
        ("inactive", "192.0.2.1", "a=inactive", true),
        ("sendrecv", "0.0.0.0", "a=recvonly", true),
        ("recvonly", "0.0.0.0", "a=inactive", true),
    ] {
        let (text, agreed) = answered(&offer(offered, address));
        assert!(text.contains(answer), "{offered} {address}: {text}");
        assert_eq!(agreed.held, held, "{offered} {address}");
    }
}

#[test]
fn the_version_rises_only_when_something_changed() {
    let version = |body: Vec<u8>| {
        let text = String::from_utf8(body).unwrap();
        let origin = text.lines().find(|line| line.starts_with("o=")).unwrap().to_owned();
        origin.split(' ').nth(2).unwrap().parse::<u64>().unwrap()
    };
    let mut negotiation = negotiation();
    let first = version(negotiation.answer(offer("sendrecv", "192.0.2.1").as_bytes()).unwrap());
    let same = version(negotiation.answer(offer("sendrecv", "192.0.2.1").as_bytes()).unwrap());
    let held = version(negotiation.answer(offer("sendonly", "192.0.2.1").as_bytes()).unwrap());
    assert_eq!(first, same);
    assert_eq!(held, first + 1);
}

#[test]
fn other_streams_are_refused_in_their_place() {
    let offer = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nm=video 5000 RTP/AVP 99\nc=IN IP4 192.0.2.1\n\
                 m=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.1\nm=image 4002 udptl t38\nc=IN IP4 192.0.2.1\n";
    let (answer, _) = answered(offer);
    let streams: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(streams, ["m=video 0 RTP/AVP 99", "m=audio 7000 RTP/AVP 0", "m=image 0 udptl t38"]);
}

#[test]
fn what_cannot_be_taken_says_why_and_changes_nothing() {
    let mut negotiation = negotiation();
    negotiation.answer(offer("sendrecv", "192.0.2.1").as_bytes()).unwrap();
    let before = negotiation.clone();
    let with = |audio: &str| format!("v=0\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{audio}\r\n");
    for (body, why) in [
        (with("m=audio 4000 RTP/AVP 18"), Unacceptable::NoCodec),
        (with("m=audio 4000 RTP/SAVP 0"), Unacceptable::Transport),
        (with("m=audio 0 RTP/AVP 0"), Unacceptable::NoAudio),
        (with("m=image 4000 udptl t38"), Unacceptable::NoAudio),
        (with("m=audio many RTP/AVP 0"), Unacceptable::Malformed("an m= line can't be read")),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\n".to_owned(), Unacceptable::Address),
        ("hello".to_owned(), Unacceptable::Malformed("it does not begin with v=0")),
    ] {
        assert_eq!(negotiation.answer(body.as_bytes()), Err(why), "{body}");
        assert_eq!(negotiation, before);
    }
}

#[test]
fn our_offer_is_answered_and_agreed() {
    let (mut ours, mut theirs) = (negotiation(), Negotiation::new("[2001:db8::1]:9000".parse().unwrap(), 7));
    let offer = ours.offer();
    let answer = theirs.answer(&offer).unwrap();
    ours.accept(&answer).unwrap();
    assert_eq!(ours.agreed().unwrap().remote, "[2001:db8::1]:9000".parse().unwrap());
    assert_eq!(ours.agreed().unwrap().telephone_event, Some(TELEPHONE_EVENT_OFFERED));
}

#[test]
fn keys_are_offered_answered_and_each_side_has_the_others() {
    let (mut ours, mut theirs) =
        (protected(Protection::Offered, 7_000), protected(Protection::Accepted, 9_000));
    let offer = ours.offer();
    let text = String::from_utf8(offer.clone()).unwrap();
    assert!(
        text.contains("m=audio 7000 RTP/SAVP 0 8 9 96 101 102\r\n") && text.matches("a=crypto:").count() == 4,
        "{text}"
    );
    let answer = theirs.answer(&offer).unwrap();
    let text = String::from_utf8(answer.clone()).unwrap();
    assert!(
        text.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:") && text.contains("RTP/SAVP"),
        "{text}"
    );
    ours.accept(&answer).unwrap();
    let (one, two) = (ours.agreed().unwrap(), theirs.agreed().unwrap());
    let (one, two) = (one.protected.clone().unwrap(), two.protected.clone().unwrap());
    assert_eq!((&one.ours, &one.theirs), (&two.theirs, &two.ours));
    assert_ne!(one.ours, one.theirs);

    // Offered again in mid-call, by either side: the same suite and the same keys.
    let again = theirs.offer();
    let answer = ours.answer(&again).unwrap();
    theirs.accept(&answer).unwrap();
    assert_eq!(ours.agreed().unwrap().protected, Some(one));
    assert_eq!(String::from_utf8(again).unwrap().matches("a=crypto:").count(), 1);
}

#[test]
fn protection_is_never_talked_down() {
    let plain = offer("sendrecv", "192.0.2.1");
    let mut required = protected(Protection::Required, 7_000);
    assert_eq!(required.answer(plain.as_bytes()), Err(Unacceptable::Unprotected));
    assert_eq!(
        acceptable(plain.as_bytes(), means(Protection::Required, false)),
        Err(Unacceptable::Unprotected)
    );
    let mut offering = protected(Protection::Offered, 7_000);
    offering.offer();
    assert_eq!(offering.accept(plain.as_bytes()), Err(Unacceptable::Unprotected));
    let mut accepting = protected(Protection::Accepted, 7_000);
    accepting.offer();
    let secure = protected(Protection::Offered, 9_000).offer();
    assert_eq!(accepting.accept(&secure), Err(Unacceptable::NoSuite), "keys that nobody asked for");
    let unusable = String::from_utf8(secure).unwrap().replace("inline:", "outline:");
    assert_eq!(accepting.answer(unusable.as_bytes()), Err(Unacceptable::NoSuite));
}

#[test]
fn comfort_noise_is_agreed_on_where_both_know_it() {
    let with = |formats: &str| {
        format!(
            "v=0\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP {formats}\r\na=rtpmap:111 opus/48000/2\r\n\
             a=rtpmap:13 CN/8000\r\n"
        )
    };
    let agreed = |comforting: bool, formats: &str| {
        let mut negotiation = negotiation().comforting(comforting);
        let answer = String::from_utf8(negotiation.answer(with(formats).as_bytes()).unwrap()).unwrap();
        let agreed = negotiation.agreed().unwrap().comfort_noise;
        assert_eq!(answer.contains("a=rtpmap:13 CN/8000"), agreed.is_some(), "{answer}");
        assert_eq!(answer.contains(" 13"), agreed.is_some(), "{answer}");
        agreed
    };
    assert_eq!(agreed(true, "0 13"), Some(13));
    assert_eq!(agreed(true, "9 13"), Some(13));
    assert_eq!(agreed(false, "0 13"), None, "who does not send it does not agree on it");
    assert_eq!(agreed(true, "0"), None);
    assert_eq!(agreed(true, "111 13"), None, "its clock is not that of Opus");
    let (mut ours, mut theirs) = (negotiation().comforting(true), negotiation().comforting(true));
    let answer = theirs.answer(&ours.offer()).unwrap();
    ours.accept(&answer).unwrap();
    assert_eq!(ours.agreed().unwrap().comfort_noise, Some(13));
}

const TELEPHONE_EVENT_OFFERED: u8 = 101;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_description_panics(at in 0usize..200, junk in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut body = offer("sendonly", "192.0.2.1").into_bytes();
        let at = at.min(body.len());
        let end = (at + junk.len()).min(body.len());
        body.splice(at..end, junk);
        let _ = negotiation().answer(&body);
        let _ = negotiation().accept(&body);
        let mut secure = protected(Protection::Offered, 9_000).offer();
        secure.splice(at..at, body);
        let _ = protected(Protection::Required, 7_000).answer(&secure);
    }
}
