//! Calls that we make without an offer.

use super::*;

const CONFIRMED: &str = "Require: 100rel\r\nRSeq: 5\r\n";

fn delayed() -> (Line, RequestId, Request) {
    let calling = Calling {
        call_id: "call",
        target: "sip:2000@192.0.2.1",
        from: "sip:1000@192.0.2.9",
        offers: Offers::Delayed,
        ..Calling::default()
    };
    let mut line =
        Line { dialog: Dialog::outgoing(own(), negotiation(), 0, calling).unwrap(), now: 0, next: 1 };
    let out = line.drain();
    let (id, invite, _) = out.requests[0].clone();
    assert!(described(&invite).is_none() && invite.body().is_empty());
    assert_eq!(text(&invite.headers, &HeaderName::ContentLength).as_deref(), Some("0"));
    (line, id, invite)
}

fn described(request: &Request) -> Option<String> {
    sdp_of(&request.headers, request.body()).map(|body| String::from_utf8(body).unwrap())
}

fn only_in_g729() -> String {
    sdp("sendrecv").replace("RTP/AVP 0", "RTP/AVP 18")
}

fn reason(request: &Request) -> String {
    text(&request.headers, &HeaderName::parse(&bytes::Bytes::from_static(b"Reason"))).unwrap()
}

fn is_up(out: &Out) -> bool {
    matches!(out.events.as_slice(), [Event::Agreed(_), Event::Established])
}

#[test]
fn an_offer_in_the_answer_is_answered_in_the_ack_however_often_it_comes() {
    let (mut line, id, invite) = delayed();
    assert_eq!(line.answer(id, respond_to(&invite, 180, "far", "", "")).events, [Event::Ringing]);
    let answer = respond_to(&invite, 200, "far", "", &sdp("sendrecv"));
    let out = line.answer(id, answer.clone());
    assert!(is_up(&out), "{:?}", out.events);
    let said = described(&out.acknowledgements[0]).unwrap();
    assert!(said.contains("m=audio 7000 RTP/AVP 0\r\n") && said.contains("a=sendrecv"), "{said}");
    // Our ACK was lost: the next is the same.
    let out = line.answer(id, answer);
    assert!(out.nothing());
    assert_eq!(described(&out.acknowledgements[0]), Some(said.clone()));
    // From here on it is a call like any other: what we describe later goes on from there.
    let hold = request("INVITE", 1, "", "application/sdp", &sdp("sendonly"));
    let held = line.ask(hold);
    let body = String::from_utf8(held.response().body().to_vec()).unwrap();
    assert!(body.contains("o=- 1 2 IN IP4 192.0.2.9") && body.contains("a=recvonly"), "{body}");
    assert!(said.contains("o=- 1 1 IN IP4 192.0.2.9"), "{said}");
}

#[test]
fn an_offer_in_a_confirmed_183_is_answered_in_its_prack_and_the_200_may_be_silent() {
    for repeated in [String::new(), sdp("sendrecv"), sdp("sendrecv").replace("4000", "4002")] {
        let (mut line, id, invite) = delayed();
        let progress = respond_to(&invite, 183, "far", CONFIRMED, &sdp("sendrecv"));
        let out = line.answer(id, progress.clone());
        assert_eq!(out.methods(), ["PRACK"]);
        let said = described(&out.requests[0].1).unwrap();
        assert!(said.contains("m=audio 7000 RTP/AVP 0\r\n"), "{said}");
        assert!(matches!(out.events.as_slice(), [Event::Agreed(_), Event::Ringing]), "{:?}", out.events);
        assert!(line.answer(id, progress).nothing(), "it came already");
        // Said again in the next, it is no second offer.
        let again = CONFIRMED.replace('5', "6");
        let out = line.answer(id, respond_to(&invite, 180, "far", &again, &sdp("sendrecv")));
        assert_eq!((out.methods(), described(&out.requests[0].1)), (vec!["PRACK".to_owned()], None));
        let out = line.answer(id, respond_to(&invite, 200, "far", "", &repeated));
        let [Event::Agreed(agreed), Event::Established] = out.events.as_slice() else {
            panic!("{:?}", out.events)
        };
        let moved = repeated.contains("4002");
        assert_eq!(agreed.remote.port(), if moved { 4_002 } else { 4_000 });
        assert_eq!(described(&out.acknowledgements[0]), None);
    }
}

#[test]
fn what_an_unconfirmed_183_describes_is_neither_offer_nor_answer() {
    let (mut line, id, invite) = delayed();
    let out = line.answer(id, respond_to(&invite, 183, "far", "", &sdp("sendrecv")));
    assert!(out.requests.is_empty());
    assert_eq!(out.events, [Event::Ringing]);
    let out = line.answer(id, respond_to(&invite, 200, "far", "", ""));
    assert_eq!(out.events, [Event::Ended(Ending::Refused(488))]);
    assert_eq!(out.unusable, [Unacceptable::NoOffer]);
    assert_eq!(out.methods(), ["BYE"]);
    assert!(reason(&out.requests[0].1).starts_with("SIP;cause=488;text=\"the INVITE had no offer"));
    assert_eq!((out.acknowledgements.len(), described(&out.acknowledgements[0])), (1, None));

    let (mut line, id, invite) = delayed();
    line.answer(id, respond_to(&invite, 183, "far", "", &sdp("sendrecv")));
    let out = line.answer(id, respond_to(&invite, 200, "far", "", &sdp("sendrecv").replace("4000", "4002")));
    assert!(is_up(&out) && described(&out.acknowledgements[0]).is_some(), "the offer is the 200's");
}

#[test]
fn an_offer_that_can_not_be_taken_is_answered_with_nothing_and_the_bye_says_why() {
    for (offer, answered) in [(only_in_g729(), true), ("v=0\r\nm=audio\r\n".to_owned(), false)] {
        let (mut line, id, invite) = delayed();
        let out = line.answer(id, respond_to(&invite, 200, "far", "", &offer));
        assert_eq!(out.methods(), ["BYE"]);
        assert_eq!(out.events, [Event::Ended(Ending::Refused(488))]);
        assert!(reason(&out.requests[0].1).starts_with("SIP;cause=488;text="));
        let said = described(&out.acknowledgements[0]);
        assert_eq!(
            said.as_ref().is_some_and(|said| said.contains("m=audio 0 RTP/AVP 18\r\n")),
            answered,
            "{said:?}"
        );
        assert_eq!(said.is_some(), answered, "what can't be read can't be answered");
    }
}

#[test]
fn an_offer_in_a_183_that_can_not_be_taken_is_answered_with_nothing_and_the_call_is_cancelled() {
    let (mut line, id, invite) = delayed();
    let out = line.answer(id, respond_to(&invite, 183, "far", CONFIRMED, &only_in_g729()));
    assert_eq!(out.methods(), ["PRACK", "CANCEL"]);
    assert!(described(&out.requests[0].1).unwrap().contains("m=audio 0 RTP/AVP 18\r\n"));
    assert!(reason(&out.requests[1].1).contains("no audio codec in common"));
    assert_eq!(out.events, [Event::Ended(Ending::Refused(488))]);
    assert_eq!(out.unusable, [Unacceptable::NoCodec]);
    // Its answer crosses our CANCEL.
    let out = line.answer(id, respond_to(&invite, 200, "far", "", ""));
    assert_eq!((out.acknowledgements.len(), out.methods()), (1, vec!["BYE".to_owned()]));
    assert!(out.events.is_empty(), "told once");
}

#[test]
fn an_answer_that_says_something_else_than_the_183_ends_the_call() {
    let both = sdp("sendrecv").replace("RTP/AVP 0", "RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000");
    for other in [sdp("sendrecv").replace("RTP/AVP 0", "RTP/AVP 8"), both, only_in_g729()] {
        let (mut line, id, invite) = delayed();
        line.answer(id, respond_to(&invite, 183, "far", CONFIRMED, &sdp("sendrecv")));
        let out = line.answer(id, respond_to(&invite, 200, "far", "", &other));
        assert_eq!((out.acknowledgements.len(), described(&out.acknowledgements[0])), (1, None));
        assert_eq!(out.methods(), ["BYE"]);
        assert_eq!(out.events, [Event::Ended(Ending::Refused(488))]);
    }
}

#[test]
fn another_offer_in_a_later_confirmed_answer_is_answered_too() {
    let (mut line, id, invite) = delayed();
    line.answer(id, respond_to(&invite, 183, "far", CONFIRMED, &sdp("sendrecv")));
    let later = CONFIRMED.replace('5', "6");
    let out = line.answer(id, respond_to(&invite, 183, "far", &later, &sdp("sendonly")));
    let said = described(&out.requests[0].1).unwrap();
    assert!(said.contains("a=recvonly") && said.contains("o=- 1 2 "), "{said}");
    let out = line.answer(id, respond_to(&invite, 200, "far", "", ""));
    assert!(out.events.contains(&Event::Established));
    assert!(line.dialog.is_held(), "the later one counts");
}

#[test]
fn each_phone_offers_for_itself_and_who_answers_is_talked_to() {
    let (mut line, id, invite) = delayed();
    for (tag, port) in [("first", "4000"), ("second", "4002")] {
        let offer = sdp("sendrecv").replace("4000", port);
        let out = line.answer(id, respond_to(&invite, 183, tag, CONFIRMED, &offer));
        assert!(described(&out.requests[0].1).unwrap().contains("o=- 1 1 "), "a dialog of its own");
    }
    let out = line.answer(id, respond_to(&invite, 200, "first", "", ""));
    let [Event::Agreed(agreed), Event::Established] = out.events.as_slice() else {
        panic!("{:?}", out.events)
    };
    assert_eq!(agreed.remote.port(), 4_000);
    // The other answers as well, and a third that has said nothing before.
    let out = line.answer(id, respond_to(&invite, 200, "second", "", ""));
    assert_eq!((out.methods(), described(&out.acknowledgements[0])), (vec!["BYE".to_owned()], None));
    let out = line.answer(id, respond_to(&invite, 200, "third", "", &sdp("sendrecv")));
    assert_eq!(out.methods(), ["BYE"]);
    assert!(described(&out.acknowledgements[0]).unwrap().contains("m=audio 0 RTP/AVP 0\r\n"));
    assert!(line.dialog.is_up());
}

#[test]
fn who_had_hung_up_answers_the_offer_that_crosses_with_nothing() {
    let (mut line, id, invite) = delayed();
    line.answer(id, respond_to(&invite, 180, "far", "", ""));
    assert_eq!(line.command(Command::HangUp).methods(), ["CANCEL"]);
    let out = line.answer(id, respond_to(&invite, 200, "far", "", &sdp("sendrecv")));
    assert!(described(&out.acknowledgements[0]).unwrap().contains("m=audio 0 RTP/AVP 0\r\n"));
    assert_eq!(out.methods(), ["BYE"]);
}

#[test]
fn an_invite_that_is_sent_once_more_still_offers_nothing() {
    let (mut line, id, invite) = delayed();
    let out = line.answer(id, respond_to(&invite, 422, "far", "Min-SE: 4000\r\n", ""));
    let (id, again, _) = out.requests[0].clone();
    assert_eq!((again.method.to_string().as_str(), described(&again)), ("INVITE", None));
    let out = line.answer(id, respond_to(&again, 302, "far", "", ""));
    let (id, elsewhere, _) = out.requests[0].clone();
    assert_eq!(
        (elsewhere.uri.to_string().as_str(), described(&elsewhere)),
        ("sip:desk@192.0.2.1:5080", None)
    );
    assert!(is_up(&line.answer(id, respond_to(&elsewhere, 200, "other", "", &sdp("sendrecv")))));
}
