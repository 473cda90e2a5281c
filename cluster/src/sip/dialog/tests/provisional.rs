//! Provisional answers that are acknowledged, in both roles.

use super::*;

fn prack(sequence: u32, confirmed: &str) -> Request {
    request("PRACK", sequence, &format!("RAck: {confirmed}\r\n"), "", "")
}

fn number(response: &Response) -> u32 {
    text(&response.headers, &HeaderName::RSeq).unwrap().parse().unwrap()
}

#[test]
fn ringing_is_repeated_until_it_is_confirmed() {
    let mut line = Line::incoming("Require: 100rel\r\n", &sdp("sendrecv"));
    let out = line.command(Command::Ring);
    let number = number(out.response());
    assert_eq!(text(&out.response().headers, &HeaderName::Require).as_deref(), Some("100rel"));
    assert!((1..=0x7fff_ffff).contains(&number));
    assert_eq!(line.wait(499).retransmissions, 0);
    assert_eq!(line.wait(1).retransmissions, 1);
    assert_eq!(line.wait(1_000).retransmissions, 1);
    assert_eq!(line.ask(prack(2, &format!("{} 1 INVITE", number + 1))).statuses(), [481]);
    assert_eq!(line.ask(prack(3, &format!("{number} 1 INVITE"))).statuses(), [200]);
    assert_eq!(line.wait(10_000).retransmissions, 0);
    assert_eq!(line.ask(prack(4, &format!("{number} 1 INVITE"))).statuses(), [481], "it waits no more");
    assert_eq!(line.command(Command::Answer).statuses(), [200]);
}

#[test]
fn a_call_whose_ringing_is_never_confirmed_is_given_up() {
    let mut line = Line::incoming("Require: 100rel\r\n", &sdp("sendrecv"));
    line.command(Command::Ring);
    let out = line.wait(32_000);
    assert_eq!((out.statuses(), out.events), (vec![504], vec![Event::Ended(Ending::Timeout)]));
    assert_eq!(out.retransmissions, 6, "after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s");
}

#[test]
fn who_only_could_confirm_is_not_made_to() {
    let mut line = Line::incoming("Supported: 100rel\r\n", &sdp("sendrecv"));
    let out = line.command(Command::Ring);
    assert_eq!(text(&out.response().headers, &HeaderName::RSeq), None);
    // Without an offer a confirmed 180 would have to bring ours, so there is none; the 200 brings it.
    let mut line = Line::incoming("Require: 100rel\r\n", "");
    assert!(line.command(Command::Ring).nothing());
    let out = line.command(Command::Answer);
    assert!(sdp_of(&out.response().headers, out.response().body()).is_some());
}

#[test]
fn we_confirm_each_answer_once_and_in_order() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = out.requests[0].clone();
    let rings = |number: u32, body: &str| {
        respond_to(&invite, 183, "far", &format!("Require: 100rel\r\nRSeq: {number}\r\n"), body)
    };
    let out = line.answer(id, rings(5, &sdp("sendrecv")));
    assert_eq!(out.methods(), ["PRACK"]);
    let prack = &out.requests[0].1;
    assert_eq!(text(&prack.headers, &HeaderName::RAck).as_deref(), Some("5 1 INVITE"));
    assert_eq!(text(&prack.headers, &HeaderName::CSeq).as_deref(), Some("2 PRACK"));
    assert_eq!(to_tag(&prack.headers).as_deref(), Some("far"));
    assert_eq!(prack.uri.to_string(), "sip:desk@192.0.2.1:5080");
    assert!(matches!(out.events.as_slice(), [Event::Ringing, Event::Agreed(_)]));
    line.answer(out.requests[0].0, respond_to(prack, 200, "far", "", ""));

    assert!(line.answer(id, rings(5, "")).nothing(), "it came already");
    assert!(line.answer(id, rings(7, "")).nothing(), "one is missing");
    assert_eq!(line.answer(id, rings(6, "")).methods(), ["PRACK"]);
    let out = line.answer(id, respond_to(&invite, 200, "far", "", &sdp("sendrecv")));
    assert_eq!(text(&out.acknowledgements[0].headers, &HeaderName::CSeq).as_deref(), Some("1 ACK"));
    let out = line.command(Command::HangUp);
    assert_eq!(text(&out.requests[0].1.headers, &HeaderName::CSeq).as_deref(), Some("4 BYE"));
}
