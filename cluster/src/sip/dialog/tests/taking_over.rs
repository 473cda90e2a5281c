//! One call in the place of another, and calls that the far side asks for.

use super::super::super::replaces::Replaces;
use super::*;

fn named(to_tag: &str, from_tag: &str) -> Replaces {
    Replaces { call_id: "call".into(), to_tag: to_tag.into(), from_tag: from_tag.into(), early_only: false }
}

fn header(request: &Request, name: &HeaderName) -> String {
    text(&request.headers, name).unwrap_or_default()
}

#[test]
fn a_dialog_is_found_by_all_three_parts_of_its_name_and_says_how_far_it_is() {
    let mut line = Line::incoming("", &sdp("sendrecv"));
    let (ours, stranger) = (named(TAG, "far"), Replaces { call_id: "other".into(), ..named(TAG, "far") });
    for (replaces, is_meant) in
        [(&ours, true), (&named("far", TAG), false), (&named(TAG, "0"), false), (&stranger, false)]
    {
        assert_eq!(line.dialog.is_replaced_by(replaces), is_meant, "{replaces:?}");
    }
    assert_eq!(line.dialog.standing(), Standing::RingsHere);
    line.command(Command::Answer);
    assert_eq!(line.dialog.standing(), Standing::Confirmed);
    line.ask(plain("ACK", 1));
    line.command(Command::HangUp);
    assert_eq!(line.dialog.standing(), Standing::Over);
    assert!(line.dialog.is_replaced_by(&ours), "it is still known by its name");
}

#[test]
fn a_call_that_we_make_can_be_taken_from_any_phone_that_it_rings_at() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    assert!(!line.dialog.is_replaced_by(&named(TAG, "desk")));
    for tag in ["desk", "kitchen"] {
        line.answer(*id, respond_to(invite, 180, tag, "", ""));
        assert!(line.dialog.is_replaced_by(&named(TAG, tag)), "{tag}");
    }
    assert_eq!(line.dialog.standing(), Standing::RingsThere);
    line.answer(*id, respond_to(invite, 200, "desk", "Supported: replaces\r\n", &sdp("sendrecv")));
    assert!(line.dialog.is_replaced_by(&named(TAG, "desk")));
    assert!(!line.dialog.is_replaced_by(&named(TAG, "kitchen")), "that one rings no more");
    // What others need to take our place with them.
    let uri = line.dialog.reachable_by().unwrap();
    assert_eq!(uri, format!("sip:desk@192.0.2.1:5080?Replaces=call%3Bto-tag%3Ddesk%3Bfrom-tag%3D{TAG}"));
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    line.answer(*id, respond_to(invite, 200, "desk", "", &sdp("sendrecv")));
    assert_eq!(line.dialog.reachable_by(), None, "it does not say that it can do that");
}

fn refer(sequence: u32, to: &str) -> Request {
    request("REFER", sequence, &format!("Refer-To: {to}\r\n"), "", "")
}

#[test]
fn the_far_side_asks_for_a_call_and_hears_how_that_stands() {
    let mut line = Line::up();
    let to = "<sip:2000@192.0.2.7?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2>";
    let out = line.ask(refer(2, to));
    assert_eq!((out.statuses(), out.methods()), (vec![202], vec!["NOTIFY".to_owned()]));
    let [Event::Referred(referred)] = out.events.as_slice() else { panic!("{:?}", out.events) };
    assert_eq!(referred.target, "sip:2000@192.0.2.7");
    assert_eq!(referred.replaces.as_deref(), Some("x@y;to-tag=1;from-tag=2"));
    let notify = &out.requests[0].1;
    assert_eq!(header(notify, &HeaderName::Event), "refer;id=2");
    assert!(header(notify, &HeaderName::SubscriptionState).starts_with("active;expires="));
    assert_eq!(notify.body(), b"SIP/2.0 100 Trying\r\n".as_slice());
    assert_eq!(line.ask(refer(3, to)).statuses(), [491], "one at a time");
    let out = line.command(Command::Report(486));
    let notify = &out.requests[0].1;
    assert!(header(notify, &HeaderName::SubscriptionState).starts_with("terminated"));
    assert_eq!(notify.body(), b"SIP/2.0 486 Busy Here\r\n".as_slice());
    assert!(line.command(Command::Report(200)).nothing(), "it was the last report");
    assert_eq!(line.ask(refer(4, to)).statuses(), [202], "the next one may come");
}

#[test]
fn who_may_not_ask_or_asks_for_nobody_is_refused() {
    let mut line = Line::up();
    for (to, status) in [("<http://192.0.2.7/>", 400), ("<sip:a@b;method=BYE>", 400)] {
        let sequence = line.dialog.remote_sequence.unwrap() + 1;
        let out = line.ask(refer(sequence, to));
        assert_eq!((out.statuses(), out.events.len()), (vec![status], 0), "{to}");
    }
    line.dialog.own.takes_referrals = false;
    let out = line.ask(refer(9, "<sip:2000@192.0.2.7>"));
    assert_eq!((out.statuses(), out.events.len(), out.requests.len()), (vec![603], 0, 0));
    let mut line = Line::incoming("", &sdp("sendrecv"));
    assert_eq!(line.ask(refer(2, "<sip:2000@192.0.2.7>")).statuses(), [481], "nothing is up yet");
}

#[test]
fn a_call_that_is_to_replace_another_says_so_and_again_where_it_is_sent_again() {
    let calling = Calling {
        call_id: "new",
        target: "sip:2000@192.0.2.1",
        from: "sip:1000@192.0.2.9",
        replaces: Some("x;to-tag=1;from-tag=2".into()),
        ..Calling::default()
    };
    let dialog = Dialog::outgoing(own(), negotiation(), 0, calling).unwrap();
    let mut line = Line { dialog, now: 0, next: 1 };
    let out = line.drain();
    let (id, invite, _) = &out.requests[0];
    let out = line.answer(*id, respond_to(invite, 422, "far", "Min-SE: 3600\r\n", ""));
    for invite in [invite, &out.requests[0].1] {
        assert_eq!(header(invite, &HeaderName::Replaces), "x;to-tag=1;from-tag=2");
        assert_eq!(header(invite, &HeaderName::Require), "replaces");
    }
}
