//! Audio before the answer, in both roles.

use super::*;

fn prack(sequence: u32, number: u32, body: &str) -> Request {
    request("PRACK", sequence, &format!("RAck: {number} 1 INVITE\r\n"), "application/sdp", body)
}

fn number(response: &Response) -> u32 {
    text(&response.headers, &HeaderName::RSeq).unwrap().parse().unwrap()
}

fn described(response: &Response) -> Option<Vec<u8>> {
    sdp_of(&response.headers, response.body())
}

fn agreed(out: &Out) -> bool {
    matches!(out.events.as_slice(), [Event::Agreed(_)])
}

#[test]
fn a_caller_who_confirms_hears_us_and_the_200_says_the_same_again() {
    let mut line = Line::incoming("Supported: 100rel, timer\r\n", &sdp("sendrecv"));
    assert_eq!(line.command(Command::Ring).statuses(), [180]);
    let out = line.command(Command::Progress);
    assert_eq!(out.statuses(), [183]);
    assert!(agreed(&out));
    let early = described(out.response()).unwrap();
    let number = number(out.response());
    assert_eq!(text(&out.response().headers, &HeaderName::Require).as_deref(), Some("100rel"));
    assert!(line.command(Command::Progress).nothing(), "once is enough");
    assert!(line.command(Command::Ring).nothing(), "a 180 would make the caller's phone ring over us");
    // No 200 before the 183 is confirmed.
    assert!(line.command(Command::Answer).nothing());
    assert_eq!(line.wait(500).retransmissions, 1);
    let out = line.ask(prack(2, number, ""));
    assert_eq!(out.statuses(), [200, 200], "of the PRACK, and of the INVITE");
    assert_eq!(described(&out.responses[1].1), Some(early));
    assert_eq!(line.wait(100).retransmissions, 0);
    assert_eq!(line.ask(plain("ACK", 1)).events, [Event::Established]);
}

#[test]
fn a_caller_who_can_not_confirm_hears_us_too() {
    let mut line = Line::incoming("", &sdp("sendrecv"));
    let out = line.command(Command::Progress);
    assert_eq!((out.statuses(), text(&out.response().headers, &HeaderName::RSeq)), (vec![183], None));
    let early = described(out.response());
    // Its offer is not answered yet, by the letter: it may not offer anew.
    let update = request("UPDATE", 2, "", "application/sdp", &sdp("sendonly"));
    assert_eq!(line.ask(update).statuses(), [500]);
    let out = line.command(Command::Answer);
    assert_eq!(out.statuses(), [200]);
    assert!(early.is_some() && described(out.response()) == early);
}

#[test]
fn without_an_offer_it_only_rings() {
    let mut line = Line::incoming("Supported: 100rel\r\n", "");
    assert!(line.command(Command::Progress).nothing());
    assert_eq!(line.command(Command::Ring).statuses(), [180]);
    assert!(described(line.command(Command::Answer).response()).is_some());
}

#[test]
fn a_183_waits_for_the_confirmation_of_the_180_before_it() {
    let mut line = Line::incoming("Require: 100rel\r\n", &sdp("sendrecv"));
    let first = number(line.command(Command::Ring).response());
    assert!(line.command(Command::Progress).nothing());
    let out = line.ask(prack(2, first, ""));
    assert_eq!(out.statuses(), [200, 183]);
    assert_eq!(number(&out.responses[1].1), first + 1);
    assert_eq!(line.ask(prack(3, first + 1, "")).statuses(), [200]);
    assert_eq!(line.command(Command::Answer).statuses(), [200]);
}

#[test]
fn a_new_offer_before_the_answer_is_answered_where_it_comes() {
    for by_update in [false, true] {
        let mut line = Line::incoming("Supported: 100rel\r\n", &sdp("sendrecv"));
        let number = number(line.command(Command::Progress).response());
        let other = sdp("sendonly");
        let out = if by_update {
            assert_eq!(line.ask(prack(2, number, "")).statuses(), [200]);
            line.ask(request("UPDATE", 3, "", "application/sdp", &other))
        } else {
            line.ask(prack(2, number, &other))
        };
        assert_eq!(out.statuses(), [200]);
        let body = String::from_utf8(described(out.response()).unwrap()).unwrap();
        assert!(body.contains("a=recvonly"), "{body}");
        let out = line.command(Command::Answer);
        assert_eq!((out.statuses(), described(out.response())), (vec![200], None), "all is said");
    }
}

#[test]
fn a_caller_who_gives_up_while_hearing_us_gets_the_487_at_once() {
    let mut line = Line::incoming("Supported: 100rel\r\n", &sdp("sendrecv"));
    line.command(Command::Progress);
    line.command(Command::Answer);
    let out = line.ask(request("CANCEL", 1, "", "", ""));
    assert_eq!(out.statuses(), [200, 487]);
    assert_eq!(out.events, [Event::Ended(Ending::Cancelled)]);
    assert_eq!(line.wait(40_000).retransmissions, 0);
    assert!(line.dialog.is_over());
}

#[test]
fn a_183_that_is_never_confirmed_ends_the_call_and_nothing_is_answered() {
    let mut line = Line::incoming("Supported: 100rel\r\n", &sdp("sendrecv"));
    line.command(Command::Progress);
    line.command(Command::Answer);
    let out = line.wait(32_000);
    assert_eq!((out.statuses(), out.events), (vec![504], vec![Event::Ended(Ending::Timeout)]));
}

#[test]
fn an_answer_in_a_confirmed_183_is_the_answer() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = out.requests[0].clone();
    let confirmed = "Require: 100rel\r\nRSeq: 5\r\n";
    let out = line.answer(id, respond_to(&invite, 183, "far", confirmed, &sdp("sendrecv")));
    assert_eq!(out.methods(), ["PRACK"]);
    // The 200 need not say it again.
    let out = line.answer(id, respond_to(&invite, 200, "far", "", ""));
    assert!(out.events.contains(&Event::Established), "{:?}", out.events);
    assert_eq!(out.acknowledgements.len(), 1);
}

#[test]
fn an_answer_in_a_183_that_is_not_confirmed_or_of_another_phone_is_none() {
    for (extra, tag) in [("", "far"), ("Require: 100rel\r\nRSeq: 5\r\n", "another")] {
        let (mut line, out) = Line::outgoing();
        let (id, invite, _) = out.requests[0].clone();
        line.answer(id, respond_to(&invite, 183, tag, extra, &sdp("sendrecv")));
        let out = line.answer(id, respond_to(&invite, 200, "far", "", ""));
        assert_eq!(out.events, [Event::Ended(Ending::Refused(488))]);
        assert_eq!(out.methods(), ["BYE"]);
    }
}
