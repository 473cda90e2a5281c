//! Requests that are sent once more: proved, or elsewhere.

use super::*;

fn proof() -> Vec<(HeaderName, String)> {
    vec![(HeaderName::ProxyAuthorization, "Digest username=\"a\"".to_owned())]
}

fn header(request: &Request, name: &HeaderName) -> String {
    text(&request.headers, name).unwrap_or_default()
}

impl Line {
    fn again(&mut self, id: RequestId, request: &Request, own: Option<Own>) -> Out {
        let (request, own) = (Box::new(request.clone()), own.map(Box::new));
        self.handle(Input::Again { id, request, proofs: proof(), own })
    }
}

#[test]
fn an_invite_that_is_asked_for_a_password_is_the_same_call() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    assert!(line.dialog.wants(*id) && !line.dialog.wants(RequestId(77)));
    let out = line.again(*id, invite, None);
    let (id, second, _) = &out.requests[0];
    assert_eq!((header(second, &HeaderName::CSeq), second.body()), ("2 INVITE".to_owned(), invite.body()));
    assert_ne!(header(second, &HeaderName::Via), header(invite, &HeaderName::Via));
    assert_eq!(second.headers.iter().next().map(|first| first.name()), Some(&HeaderName::Via));
    assert_eq!(header(second, &HeaderName::CallId), header(invite, &HeaderName::CallId));
    assert_eq!(header(second, &HeaderName::ProxyAuthorization), proof()[0].1);
    // A second challenge replaces the first one's answer.
    let out = line.again(*id, second, None);
    let (id, third, _) = &out.requests[0];
    assert_eq!(third.headers.count(&HeaderName::ProxyAuthorization), 1);
    let out = line.answer(*id, respond_to(third, 200, "far", "", &sdp("sendrecv")));
    let ack = &out.acknowledgements[0];
    assert_eq!(
        (header(ack, &HeaderName::CSeq), header(ack, &HeaderName::ProxyAuthorization)),
        ("3 ACK".to_owned(), proof()[0].1.clone())
    );
    let out = line.command(Command::HangUp);
    let (id, bye, _) = &out.requests[0];
    assert_eq!(header(bye, &HeaderName::CSeq), "4 BYE");
    let out = line.again(*id, bye, None);
    let (id, bye, _) = &out.requests[0];
    assert_eq!(header(bye, &HeaderName::CSeq), "5 BYE");
    line.answer(*id, respond_to(bye, 200, "", "", ""));
    assert!(line.dialog.is_over());
}

#[test]
fn what_nobody_wants_any_more_is_not_sent_again() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    line.command(Command::HangUp);
    assert!(!line.dialog.wants(*id));
    assert!(line.again(*id, invite, None).nothing());
    let out = line.answer(*id, respond_to(invite, 407, "far", "", ""));
    assert!(out.requests.is_empty() && line.dialog.is_over());
}

#[test]
fn a_late_answer_of_a_server_that_was_given_up_is_dismissed() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    let elsewhere = Own {
        contact: "<sip:strowger@192.0.2.77>".to_owned(),
        via: "SIP/2.0/TCP 192.0.2.77".to_owned(),
        ..own()
    };
    let out = line.again(*id, invite, Some(elsewhere));
    let (new, second, _) = &out.requests[0];
    assert!(header(second, &HeaderName::Via).starts_with("SIP/2.0/TCP 192.0.2.77;branch="));
    assert_eq!(header(second, &HeaderName::Contact), "<sip:strowger@192.0.2.77>");
    let late = line.answer(*new, respond_to(invite, 200, "late", "", &sdp("sendrecv")));
    assert_eq!((late.methods(), late.events), (vec!["BYE".to_owned()], Vec::new()));
    assert_eq!(header(&late.acknowledgements[0], &HeaderName::CSeq), "1 ACK");
    let out = line.answer(*new, respond_to(second, 200, "far", "", &sdp("sendrecv")));
    assert!(out.events.contains(&Event::Established));
}
