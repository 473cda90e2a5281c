//! Session timers, in both roles.

use super::*;

fn header(headers: &super::super::super::wire::Headers, name: &HeaderName) -> String {
    text(headers, name).unwrap_or_default()
}

/// A call that came in with these headers, answered and acknowledged; its 200 with it.
fn up_with(extra: &str) -> (Line, Response) {
    let mut line = Line::incoming(extra, &sdp("sendrecv"));
    let out = line.command(Command::Answer);
    let response = out.response().clone();
    line.ask(plain("ACK", 1));
    (line, response)
}

#[test]
fn we_refresh_by_update_until_nobody_answers() {
    let (mut line, response) = up_with("Supported: 100rel,timer\r\nAllow: INVITE, UPDATE\r\nMin-SE: 120\r\n");
    assert_eq!(header(&response.headers, &HeaderName::SessionExpires), "1800;refresher=uas");
    assert_eq!(header(&response.headers, &HeaderName::Require), "timer");
    for _ in 0..3 {
        assert!(line.wait(899_000).nothing());
        let out = line.wait(1_000);
        assert_eq!(out.methods(), ["UPDATE"]);
        let (id, update, _) = &out.requests[0];
        assert_eq!(header(&update.headers, &HeaderName::SessionExpires), "1800;refresher=uac");
        assert!(update.body().is_empty());
        line.answer(*id, respond_to(update, 200, "far", "Session-Expires: 1800;refresher=uac\r\n", ""));
    }
    let out = line.wait(900_000);
    let out = line.handle(Input::Unanswered { id: out.requests[0].0 });
    assert_eq!((out.methods(), out.events), (vec!["BYE".to_owned()], vec![Event::Ended(Ending::Timeout)]));
}

#[test]
fn a_call_that_the_far_side_stops_refreshing_is_ended() {
    let (mut line, response) = up_with("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    assert_eq!(header(&response.headers, &HeaderName::SessionExpires), "90;refresher=uac");
    assert_eq!(header(&response.headers, &HeaderName::Require), "timer");
    for sequence in 2..5 {
        assert!(line.wait(55_000).nothing());
        let refresh = "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n";
        let out = line.ask(request("UPDATE", sequence, refresh, "", ""));
        assert_eq!(out.statuses(), [200]);
        assert_eq!(header(&out.response().headers, &HeaderName::SessionExpires), "90;refresher=uac");
    }
    assert!(line.wait(59_000).nothing());
    let out = line.wait(1_000);
    assert_eq!((out.methods(), out.events), (vec!["BYE".to_owned()], vec![Event::Ended(Ending::Timeout)]));
}

#[test]
fn who_wants_to_be_asked_too_often_is_told_how_often_we_ask() {
    let often = request(
        "INVITE",
        1,
        "Supported: timer\r\nSession-Expires: 60\r\n",
        "application/sdp",
        &sdp("sendrecv"),
    );
    let refused = Dialog::incoming(own(), negotiation(), 0, TransactionId(1), &often).unwrap_err();
    assert_eq!(refused, Error::TooBrief { least_s: 90 });
    // A proxy has put it in for a phone that does not know what it means.
    let (_, response) = up_with("Session-Expires: 60\r\n");
    assert_eq!(header(&response.headers, &HeaderName::SessionExpires), "90;refresher=uas");
    assert_eq!(header(&response.headers, &HeaderName::Require), "");
    let (mut line, _) = up_with("");
    assert!(line.wait(10_000_000).nothing(), "who knows nothing of timers is not bothered");
    let out = line.ask(request("UPDATE", 2, "Supported: timer\r\nSession-Expires: 5\r\n", "", ""));
    assert_eq!(out.statuses(), [422]);
    assert_eq!(header(&out.response().headers, &HeaderName::MinSe), "90");
}

#[test]
fn where_there_is_no_update_we_refresh_by_an_invite_that_changes_nothing() {
    let (mut line, response) = up_with("Supported: timer\r\nAllow: INVITE, BYE\r\n");
    let out = line.wait(900_000);
    assert_eq!(out.methods(), ["INVITE"]);
    let (id, invite, _) = out.requests[0].clone();
    assert_eq!(invite.body(), response.body(), "the description is the same, and so is its version");
    let crossing = line.ask(request("INVITE", 2, "", "application/sdp", &sdp("sendrecv")));
    assert_eq!(crossing.statuses(), [491]);

    assert!(line.answer(id, respond_to(&invite, 491, "far", "", "")).nothing());
    let out = line.wait(2_100);
    let (id, invite, _) = out.requests[0].clone();
    let success =
        respond_to(&invite, 200, "far", "Session-Expires: 1800;refresher=uac\r\n", &sdp("sendrecv"));
    let out = line.answer(id, success.clone());
    let sequence = wire_sequence(&invite);
    assert_eq!(header(&out.acknowledgements[0].headers, &HeaderName::CSeq), format!("{sequence} ACK"));
    assert_eq!(line.answer(id, success).acknowledgements.len(), 1, "a repeated 200 is acknowledged again");
    assert_eq!(line.wait(900_000).methods(), ["INVITE"], "and so on");
}

fn wire_sequence(request: &Request) -> u32 {
    super::super::super::wire::sequence(&request.headers).unwrap()
}

#[test]
fn a_call_that_we_make_agrees_on_who_refreshes() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = out.requests[0].clone();
    assert_eq!(header(&invite.headers, &HeaderName::SessionExpires), "1800");
    assert_eq!(header(&invite.headers, &HeaderName::MinSe), "90");
    assert_eq!(header(&invite.headers, &HeaderName::Supported), "timer, 100rel, replaces");
    let out = line.answer(id, respond_to(&invite, 422, "far", "Min-SE: 3600\r\n", ""));
    let (id, invite, _) = out.requests[0].clone();
    assert_eq!(header(&invite.headers, &HeaderName::SessionExpires), "3600");
    assert_eq!(header(&invite.headers, &HeaderName::CSeq), "2 INVITE");
    let answer = "Require: timer\r\nSession-Expires: 3600;refresher=uas\r\n";
    let out = line.answer(id, respond_to(&invite, 200, "far", answer, &sdp("sendrecv")));
    assert!(out.events.contains(&Event::Established));
    assert!(line.wait(3_567_000).nothing());
    assert_eq!(line.wait(1_000).events, [Event::Ended(Ending::Timeout)]);

    // Twice too brief, or without saying what is enough, is a refusal.
    let (mut line, out) = Line::outgoing();
    let out = line.answer(out.requests[0].0, respond_to(&out.requests[0].1, 422, "far", "", ""));
    assert_eq!(out.events, [Event::Ended(Ending::Refused(422))]);
}

#[test]
fn a_refusal_is_no_reason_to_ask_without_pause() {
    let (mut line, _) = up_with("Supported: timer\r\nAllow: UPDATE\r\n");
    let out = line.wait(900_000);
    let (id, update, _) = out.requests[0].clone();
    assert!(line.answer(id, respond_to(&update, 501, "far", "", "")).nothing());
    let out = line.wait(2_100);
    assert_eq!(out.methods(), ["INVITE"], "it has no UPDATE after all");
    let (id, invite, _) = out.requests[0].clone();
    assert!(line.answer(id, respond_to(&invite, 500, "far", "", "")).nothing());
    assert!(line.wait(179_000).nothing());
    assert_eq!(line.wait(1_000).methods(), ["INVITE"]);
    // The answer never comes, and nobody else refreshes.
    let out = line.wait(800_000);
    assert_eq!((out.methods(), out.events), (vec!["BYE".to_owned()], vec![Event::Ended(Ending::Timeout)]));
}

#[test]
fn a_far_side_that_has_lost_the_call_ends_it() {
    let (mut line, _) = up_with("Supported: timer\r\nAllow: UPDATE\r\n");
    let out = line.wait(900_000);
    let (id, update, _) = out.requests[0].clone();
    let out = line.answer(id, respond_to(&update, 481, "far", "", ""));
    assert_eq!((out.methods(), out.events), (vec!["BYE".to_owned()], vec![Event::Ended(Ending::Timeout)]));
}
