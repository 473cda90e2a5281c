//! Every path of a dialog on virtual time. Before each step the dialog is written to bytes and read again by
//! an owner whose clock shows something else.

use super::super::sdp::{Negotiation, Unacceptable, sdp_of};
use super::super::wire::{HeaderName, Message, Method, Request, Response, parse_own, text, to_tag};
use super::*;

const TAG: &str = "00c0ffee00c0ffee";

struct Line {
    dialog: Dialog,
    now: Moment,
    next: u64,
}

/// What came out of a step, in words.
#[derive(Debug, Default)]
struct Out {
    responses: Vec<(TransactionId, Response)>,
    requests: Vec<(RequestId, Request, String)>,
    acknowledgements: Vec<Request>,
    events: Vec<Event>,
    retransmissions: usize,
    unusable: Vec<Unacceptable>,
    ignored: usize,
}

impl Out {
    fn statuses(&self) -> Vec<u16> {
        self.responses.iter().map(|(_, response)| response.status.code()).collect()
    }

    fn methods(&self) -> Vec<String> {
        self.requests.iter().map(|(_, request, _)| request.method.to_string()).collect()
    }

    fn response(&self) -> &Response {
        &self.responses.first().expect("a response").1
    }

    fn nothing(&self) -> bool {
        self.responses.is_empty() && self.requests.is_empty() && self.events.is_empty()
    }
}

fn own() -> Own {
    Own {
        tag: TAG.to_owned(),
        contact: "<sip:strowger@192.0.2.9:5060>".to_owned(),
        via: "SIP/2.0/UDP 192.0.2.9:5060".to_owned(),
        timing: Timing::default(),
        takes_referrals: true,
        follows_redirects: true,
    }
}

fn negotiation() -> Negotiation {
    Negotiation::new("192.0.2.9:7000".parse().unwrap(), 1)
}

fn sdp(direction: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na={direction}\r\n"
    )
}

fn request(method: &str, sequence: u32, extra: &str, kind: &str, body: &str) -> Request {
    let to_tag = if method == "INVITE" && sequence == 1 { String::new() } else { format!(";tag={TAG}") };
    let content = if body.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
    let message = format!(
        "{method} sip:1000@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK{method}{sequence}\r\n\
         Max-Forwards: 70\r\nFrom: \"Ren\" <sip:2000@192.0.2.1>;tag=far\r\nTo: <sip:1000@192.0.2.9>{to_tag}\r\n\
         Call-ID: call\r\nCSeq: {sequence} {method}\r\nContact: <sip:2000@192.0.2.1:5070>\r\n{extra}{content}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    match parse_own(message.as_bytes()) {
        Some(Message::Request(request)) => request,
        _ => panic!("not a request: {message}"),
    }
}

fn plain(method: &str, sequence: u32) -> Request {
    request(method, sequence, "", "", "")
}

fn respond_to(request: &Request, status: u16, tag: &str, extra: &str, body: &str) -> Response {
    let header = |name: &HeaderName| text(&request.headers, name).unwrap_or_default();
    let mut to = header(&HeaderName::To);
    if !tag.is_empty() && !to.contains("tag=") {
        to.push_str(&format!(";tag={tag}"));
    }
    let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let message = format!(
        "SIP/2.0 {status} X\r\nVia: {}\r\nFrom: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <sip:desk@192.0.2.1:5080>\r\n{extra}{content}Content-Length: {}\r\n\r\n{body}",
        header(&HeaderName::Via),
        header(&HeaderName::From),
        header(&HeaderName::CallId),
        header(&HeaderName::CSeq),
        body.len()
    );
    match parse_own(message.as_bytes()) {
        Some(Message::Response(response)) => response,
        _ => panic!("not a response: {message}"),
    }
}

impl Line {
    fn incoming(extra: &str, body: &str) -> Self {
        let invite = request("INVITE", 1, extra, "application/sdp", body);
        let dialog = Dialog::incoming(own(), negotiation(), 0, TransactionId(1), &invite).unwrap();
        Self { dialog, now: 0, next: 2 }
    }

    fn outgoing() -> (Self, Out) {
        let dialog = Dialog::outgoing(
            own(),
            negotiation(),
            0,
            Calling {
                call_id: "call",
                target: "sip:2000@192.0.2.1",
                from: "sip:1000@192.0.2.9",
                ..Calling::default()
            },
        )
        .unwrap();
        let mut line = Self { dialog, now: 0, next: 1 };
        let out = line.drain();
        (line, out)
    }

    /// A call that came in, was answered and acknowledged.
    fn up() -> Self {
        let mut line = Self::incoming("", &sdp("sendrecv"));
        line.command(Command::Answer);
        line.ask(plain("ACK", 1));
        line
    }

    fn handle(&mut self, input: Input) -> Out {
        // Another process takes the dialog up, by whose clock it is another time.
        let bytes = self.dialog.capture(self.now).unwrap();
        let there = Dialog::restore(&bytes, self.now + 1_000_000).unwrap();
        let bytes = there.capture(self.now + 1_000_000).unwrap();
        let back = Dialog::restore(&bytes, self.now).unwrap();
        assert_eq!(back, self.dialog, "bytes change nothing");
        self.dialog = back;
        self.dialog.handle(self.now, input);
        self.drain()
    }

    fn drain(&mut self) -> Out {
        let mut out = Out::default();
        for effect in self.dialog.drain() {
            match effect {
                Effect::Respond { transaction, response } => out.responses.push((transaction, response)),
                Effect::Send { id, request, next_hop } => out.requests.push((id, request, next_hop)),
                Effect::Acknowledge { request, .. } => out.acknowledgements.push(request),
                Effect::Retransmit { .. } => out.retransmissions += 1,
                Effect::Tell(event) => out.events.push(event),
                Effect::Unusable { why } => out.unusable.push(why),
                Effect::Ignored { .. } => out.ignored += 1,
            }
        }
        out
    }

    fn command(&mut self, command: Command) -> Out {
        self.handle(Input::Command(command))
    }

    fn ask(&mut self, request: Request) -> Out {
        let transaction = (request.method != Method::Ack).then_some(TransactionId(self.next));
        self.next += 1;
        self.handle(Input::Request { transaction, request })
    }

    fn answer(&mut self, id: RequestId, response: Response) -> Out {
        self.handle(Input::Response { id, response })
    }

    /// Lets time pass, ticking when the dialog asks for it.
    fn wait(&mut self, milliseconds: u64) -> Out {
        let until = self.now + milliseconds;
        let mut all = Out::default();
        while let Some(at) = self.dialog.deadline().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            let out = self.handle(Input::Tick);
            all.responses.extend(out.responses);
            all.requests.extend(out.requests);
            all.events.extend(out.events);
            all.retransmissions += out.retransmissions;
        }
        self.now = until;
        all
    }
}

#[test]
fn a_call_rings_is_answered_acknowledged_and_ended_by_the_caller() {
    let mut line = Line::incoming("Record-Route: <sip:proxy@192.0.2.5;lr>\r\n", &sdp("sendrecv"));
    let out = line.command(Command::Ring);
    assert_eq!(out.statuses(), [180]);
    assert_eq!(to_tag(&out.response().headers).as_deref(), Some(TAG));

    let out = line.command(Command::Answer);
    assert_eq!(out.statuses(), [200]);
    assert!(matches!(out.events.as_slice(), [Event::Agreed(_)]));
    let answer = out.response();
    assert!(sdp_of(&answer.headers, answer.body()).is_some());
    for name in [HeaderName::RecordRoute, HeaderName::Contact, HeaderName::Allow] {
        assert!(answer.headers.get(&name).is_some(), "{name}");
    }
    assert_eq!(line.ask(plain("ACK", 1)).events, [Event::Established]);
    assert!(line.ask(plain("ACK", 1)).nothing(), "the ACK came again");

    let out = line.ask(plain("BYE", 2));
    assert_eq!(out.statuses(), [200]);
    assert_eq!(out.events, [Event::Ended(Ending::Remote)]);
    assert!(line.dialog.is_over());
    assert_eq!(line.dialog.deadline(), None);
}

#[test]
fn the_200_is_repeated_until_its_ack_and_given_up_after_32_seconds() {
    let mut line = Line::incoming("", &sdp("sendrecv"));
    line.command(Command::Answer);
    let out = line.wait(31_999);
    // 0.5, 1.5, 3.5, 7.5, then every 4 seconds: 11.5, 15.5, 19.5, 23.5, 27.5, 31.5.
    assert_eq!(out.retransmissions, 10);
    assert!(out.events.is_empty());
    let out = line.wait(2);
    assert_eq!(out.methods(), ["BYE"]);
    assert_eq!(out.events, [Event::Ended(Ending::Timeout)]);
    let bye = out.requests[0].0;
    assert!(!line.dialog.is_over());
    line.handle(Input::Unanswered { id: bye });
    assert!(line.dialog.is_over());
}

#[test]
fn a_lost_ack_is_made_good_by_the_next_one() {
    let mut line = Line::incoming("", &sdp("sendrecv"));
    line.command(Command::Answer);
    assert_eq!(line.wait(600).retransmissions, 1);
    assert_eq!(line.ask(plain("ACK", 1)).events, [Event::Established]);
    assert_eq!(line.wait(40_000).retransmissions, 0);
    assert!(!line.dialog.is_over());
}

#[test]
fn cancel_gets_200_and_the_invite_487_with_the_tag_of_the_180() {
    let mut line = Line::incoming("", &sdp("sendrecv"));
    line.command(Command::Ring);
    let out = line.ask(plain("CANCEL", 1));
    assert_eq!(out.statuses(), [200, 487]);
    assert_eq!(out.responses[1].0, TransactionId(1));
    assert_eq!(to_tag(&out.responses[1].1.headers).as_deref(), Some(TAG));
    assert_eq!(out.events, [Event::Ended(Ending::Cancelled)]);
    assert!(line.dialog.is_over());
    assert_eq!(line.command(Command::Answer).ignored, 1);
}

#[test]
fn a_cancel_that_crosses_the_answer_changes_nothing() {
    let mut line = Line::incoming("", &sdp("sendrecv"));
    line.command(Command::Answer);
    let out = line.ask(plain("CANCEL", 1));
    assert_eq!(out.statuses(), [200]);
    assert!(out.events.is_empty());
    assert_eq!(line.ask(plain("ACK", 1)).events, [Event::Established]);
}

#[test]
fn bye_before_the_answer_cancels() {
    let mut line = Line::incoming("", &sdp("sendrecv"));
    let out = line.ask(plain("BYE", 2));
    assert_eq!(out.statuses(), [200, 487]);
    assert_eq!(out.events, [Event::Ended(Ending::Cancelled)]);
}

#[test]
fn refusals_and_ringing_too_long_end_the_call() {
    let mut line = Line::incoming("", &sdp("sendrecv"));
    let out = line.command(Command::Refuse { status: 503, retry_after_s: Some(7) });
    assert_eq!(out.statuses(), [503]);
    assert_eq!(text(&out.response().headers, &HeaderName::RetryAfter).as_deref(), Some("7"));
    assert_eq!(out.events, [Event::Ended(Ending::Refused(503))]);
    assert!(line.dialog.is_over());

    let mut line = Line::incoming("", &sdp("sendrecv"));
    let out = line.wait(60_000);
    assert_eq!(out.statuses(), [480]);
    assert!(line.dialog.is_over());

    let mut line = Line::incoming("", &sdp("sendrecv"));
    assert_eq!(line.command(Command::HangUp).statuses(), [480]);
}

#[test]
fn our_bye_waits_for_the_ack_and_a_crossing_bye_is_answered() {
    let mut line = Line::incoming("", &sdp("sendrecv"));
    line.command(Command::Answer);
    let out = line.command(Command::HangUp);
    assert!(out.requests.is_empty(), "a callee sends no BYE before the ACK");
    assert_eq!(out.events, [Event::Ended(Ending::Local)]);
    let out = line.ask(plain("ACK", 1));
    assert_eq!(out.methods(), ["BYE"]);
    assert!(out.events.is_empty());
    let (id, bye, next_hop) = &out.requests[0];
    assert_eq!(next_hop, "sip:2000@192.0.2.1:5070");
    assert_eq!(text(&bye.headers, &HeaderName::CSeq).as_deref(), Some("1 BYE"));
    assert_eq!(to_tag(&bye.headers).as_deref(), Some("far"));

    let out = line.ask(plain("BYE", 2));
    assert_eq!(out.statuses(), [200]);
    assert!(out.events.is_empty(), "the end was told already");
    assert!(line.dialog.is_over());
    let answer = respond_to(bye, 200, "", "", "");
    assert!(line.answer(*id, answer).nothing());
}

#[test]
fn routes_are_kept_in_order_and_a_strict_router_gets_its_own_uri() {
    let loose = "Record-Route: <sip:a@192.0.2.5;lr>, <sip:b@192.0.2.6;lr>\r\n";
    let mut line = Line::incoming(loose, &sdp("sendrecv"));
    line.command(Command::Answer);
    line.ask(plain("ACK", 1));
    let out = line.command(Command::HangUp);
    let (_, bye, next_hop) = &out.requests[0];
    let routes: Vec<_> =
        bye.headers.get_all(&HeaderName::Route).map(|header| header.value().into_owned()).collect();
    assert_eq!(routes, [b"<sip:a@192.0.2.5;lr>".to_vec(), b"<sip:b@192.0.2.6;lr>".to_vec()]);
    assert_eq!(bye.uri.to_string(), "sip:2000@192.0.2.1:5070");
    assert_eq!(next_hop, "sip:a@192.0.2.5;lr");

    let mut line = Line::incoming("Record-Route: <sip:strict@192.0.2.5>\r\n", &sdp("sendrecv"));
    line.command(Command::Answer);
    line.ask(plain("ACK", 1));
    let out = line.command(Command::HangUp);
    assert_eq!(out.requests[0].1.uri.to_string(), "sip:strict@192.0.2.5");
    assert_eq!(
        text(&out.requests[0].1.headers, &HeaderName::Route).as_deref(),
        Some("<sip:2000@192.0.2.1:5070>")
    );
}

#[test]
fn hold_and_resume_are_answered_by_what_was_offered() {
    let mut line = Line::up();
    for (sequence, offered, answered, held) in [
        (2, "sendonly", "a=recvonly", true),
        (3, "inactive", "a=inactive", true),
        (4, "sendrecv", "a=sendrecv", false),
    ] {
        let was_held = sequence == 3;
        let out = line.ask(request("INVITE", sequence, "", "application/sdp", &sdp(offered)));
        assert_eq!(out.statuses(), [200]);
        let body = String::from_utf8_lossy(out.response().body()).into_owned();
        assert!(body.contains(answered), "{body}");
        let told = out.events.contains(&Event::Held(held));
        assert_eq!(told, !was_held, "a hold is told once");
        assert!(line.ask(plain("ACK", sequence)).events.is_empty(), "established is told once");
    }
}

#[test]
fn offers_that_come_too_early_or_can_not_be_taken_leave_the_call_as_it_was() {
    let mut line = Line::up();
    let out =
        line.ask(request("INVITE", 2, "", "application/sdp", &sdp("sendonly").replace("AVP 0", "AVP 18")));
    assert_eq!(out.statuses(), [488]);
    assert!(out.response().headers.get(&HeaderName::Warning).is_some());
    assert!(out.events.is_empty());

    line.ask(request("INVITE", 3, "", "application/sdp", &sdp("sendonly")));
    let out = line.ask(request("INVITE", 4, "", "application/sdp", &sdp("sendrecv")));
    assert_eq!(out.statuses(), [491], "the last 200 is not acknowledged");
    let out = line.ask(request("INVITE", 4, "", "application/sdp", &sdp("sendrecv")));
    assert_eq!(out.statuses(), [500], "a sequence number that was used");

    let mut ringing = Line::incoming("", &sdp("sendrecv"));
    let out = ringing.ask(request("INVITE", 2, "", "application/sdp", &sdp("sendrecv")));
    assert_eq!(out.statuses(), [500]);
    assert!(out.response().headers.get(&HeaderName::RetryAfter).is_some());
}

#[test]
fn an_offer_that_comes_late_is_ours_and_the_ack_answers_it() {
    let mut line = Line::incoming("", "");
    let out = line.command(Command::Answer);
    assert!(String::from_utf8_lossy(out.response().body()).contains("m=audio 7000 RTP/AVP 0 8 9 96 101 102"));
    assert!(out.events.is_empty());
    let out = line.ask(request("ACK", 1, "", "application/sdp", &sdp("sendrecv")));
    assert!(matches!(out.events.as_slice(), [Event::Agreed(_), Event::Established]), "{:?}", out.events);

    let mut line = Line::incoming("", "");
    line.command(Command::Answer);
    let out = line.ask(plain("ACK", 1));
    assert_eq!(out.methods(), ["BYE"], "an ACK without an answer leaves a call without audio");
    assert_eq!(out.events, [Event::Ended(Ending::Refused(488))]);
    assert_eq!(out.unusable, [Unacceptable::NoAudio]);
}

#[test]
fn an_answer_that_can_not_be_used_ends_the_call_and_the_bye_says_why() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    let without = sdp("sendrecv").replace("RTP/AVP 0", "RTP/AVP 18");
    let out = line.answer(*id, respond_to(invite, 200, "desk", "", &without));
    assert_eq!(out.acknowledgements.len(), 1);
    assert_eq!(out.methods(), ["BYE"]);
    let why = text(&out.requests[0].1.headers, &HeaderName::parse(&bytes::Bytes::from_static(b"Reason")));
    assert_eq!(
        why.as_deref(),
        Some("SIP;cause=488;text=\"no audio codec in common; PCMU, PCMA, G722 and opus are supported\"")
    );
    assert_eq!(out.events, [Event::Ended(Ending::Refused(488))]);
    assert_eq!(out.unusable, [Unacceptable::NoCodec]);
}

#[test]
fn a_call_that_is_ended_for_a_reason_says_it_however_late_its_bye_is() {
    let because = || Command::HangUpBecause { status: 488, text: "no \"keys\"".to_owned() };
    let said = |out: &Out| {
        let reason = HeaderName::parse(&bytes::Bytes::from_static(b"Reason"));
        text(&out.requests[0].1.headers, &reason)
    };
    let expected = Some("SIP;cause=488;text=\"no 'keys'\"".to_owned());
    let out = Line::up().command(because());
    assert_eq!((out.methods(), said(&out)), (vec!["BYE".to_owned()], expected.clone()));
    assert_eq!(out.events, [Event::Ended(Ending::Local)]);
    // Nobody has acknowledged the answer yet.
    let mut line = Line::incoming("", &sdp("sendrecv"));
    line.command(Command::Answer);
    assert!(line.command(because()).requests.is_empty());
    let out = line.ask(plain("ACK", 1));
    assert_eq!((out.methods(), said(&out)), (vec!["BYE".to_owned()], expected));
}

#[test]
fn small_requests_within_the_call() {
    let mut line = Line::up();
    let out = line.ask(request("INFO", 2, "", "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"));
    assert_eq!((out.statuses(), out.events), (vec![200], vec![Event::Digit('5')]));
    assert_eq!(line.ask(request("INFO", 3, "", "text/plain", "hello")).statuses(), [415]);
    let out = line.ask(plain("OPTIONS", 4));
    assert_eq!(out.statuses(), [200]);
    assert!(text(&out.response().headers, &HeaderName::Allow).unwrap().contains("UPDATE"));
    let out = line.ask(request("UPDATE", 5, "", "application/sdp", &sdp("sendonly")));
    assert_eq!(out.statuses(), [200]);
    assert!(out.events.contains(&Event::Held(true)));
    assert_eq!(line.ask(plain("UPDATE", 6)).statuses(), [200]);
    assert_eq!(line.ask(plain("REFER", 7)).statuses(), [400], "to nobody");
    let out = line.ask(request("NOTIFY", 8, "Event: refer\r\n", "message/sipfrag", "SIP/2.0 200 OK"));
    assert_eq!(out.statuses(), [481], "nothing was transferred");
}

fn notify(sequence: u32, state: &str, fragment: &str) -> Request {
    let extra = format!("Event: refer\r\nSubscription-State: {state}\r\n");
    request("NOTIFY", sequence, &extra, "message/sipfrag", fragment)
}

#[test]
fn a_transfer_is_reported_until_it_ends() {
    let mut line = Line::up();
    let out = line.command(Command::Transfer("sip:3000@192.0.2.7".to_owned()));
    assert_eq!(out.methods(), ["REFER"]);
    let (id, refer, _) = &out.requests[0];
    assert_eq!(text(&refer.headers, &HeaderName::ReferTo).as_deref(), Some("<sip:3000@192.0.2.7>"));
    let second = line.command(Command::Transfer("sip:4000@192.0.2.7".to_owned()));
    assert_eq!(second.events, [Event::TransferProgress(491)]);
    // A report may overtake the answer.
    let out = line.ask(notify(2, "active;expires=60", "SIP/2.0 100 Trying"));
    assert_eq!((out.statuses(), out.events), (vec![200], vec![Event::TransferProgress(100)]));
    assert!(line.answer(*id, respond_to(refer, 202, "", "", "")).nothing());
    let out = line.ask(notify(3, "terminated;reason=noresource", "SIP/2.0 200 OK"));
    assert_eq!(out.events, [Event::TransferProgress(200)]);
    assert_eq!(line.ask(notify(4, "terminated", "SIP/2.0 200 OK")).statuses(), [481]);
    assert_eq!(line.ask(plain("BYE", 5)).events, [Event::Ended(Ending::Transferred)]);
}

#[test]
fn a_transfer_that_fails_leaves_the_call_up() {
    type Step = fn(&mut Line, RequestId, &Request) -> Out;
    let steps: [(&str, Step, u16); 5] = [
        ("refused", |line, id, refer| line.answer(id, respond_to(refer, 603, "", "", "")), 603),
        ("no answer to the REFER", |line, id, _| line.handle(Input::Unanswered { id }), 408),
        ("busy", |line, _, _| line.ask(notify(2, "terminated", "SIP/2.0 486 Busy Here")), 486),
        ("reports end without an outcome", |line, _, _| line.ask(notify(2, "terminated", "")), 408),
        ("no report", |line, _, _| line.wait(40_000), 408),
    ];
    for (what, step, status) in steps {
        let mut line = Line::up();
        let out = line.command(Command::Transfer("sip:3000@192.0.2.7".to_owned()));
        let (id, refer, _) = &out.requests[0];
        let out = step(&mut line, *id, refer);
        assert_eq!(out.events, [Event::TransferProgress(status)], "{what}");
        assert_eq!(line.ask(plain("BYE", 9)).events, [Event::Ended(Ending::Remote)], "{what}");
    }
}

#[test]
fn a_call_that_we_make_is_answered_and_ended_by_us() {
    let (mut line, out) = Line::outgoing();
    assert_eq!(out.methods(), ["INVITE"]);
    let (id, invite, next_hop) = &out.requests[0];
    assert_eq!(next_hop, "sip:2000@192.0.2.1");
    assert!(sdp_of(&invite.headers, invite.body()).is_some());
    assert!(line.answer(*id, respond_to(invite, 100, "", "", "")).nothing());
    assert_eq!(line.answer(*id, respond_to(invite, 180, "far", "", "")).events, [Event::Ringing]);

    let routes = "Record-Route: <sip:b@192.0.2.6;lr>, <sip:a@192.0.2.5;lr>\r\n";
    let success = respond_to(invite, 200, "far", routes, &sdp("sendrecv"));
    let out = line.answer(*id, success.clone());
    assert!(matches!(out.events.as_slice(), [Event::Agreed(_), Event::Established]), "{:?}", out.events);
    let ack = &out.acknowledgements[0];
    assert_eq!(text(&ack.headers, &HeaderName::CSeq).as_deref(), Some("1 ACK"));
    assert_eq!(text(&ack.headers, &HeaderName::Route).as_deref(), Some("<sip:a@192.0.2.5;lr>"));
    assert_eq!(ack.uri.to_string(), "sip:desk@192.0.2.1:5080");

    let again = line.answer(*id, success);
    assert_eq!(again.acknowledgements.len(), 1, "a repeated 200 is acknowledged again");
    assert!(again.events.is_empty());

    let fork = line.answer(*id, respond_to(invite, 200, "other", "", &sdp("sendrecv")));
    assert_eq!((fork.acknowledgements.len(), fork.methods()), (1, vec!["BYE".to_owned()]));
    assert_eq!(to_tag(&fork.requests[0].1.headers).as_deref(), Some("other"));
    assert!(fork.events.is_empty());

    let out = line.command(Command::HangUp);
    assert_eq!((out.methods(), out.events), (vec!["BYE".to_owned()], vec![Event::Ended(Ending::Local)]));
    let (id, bye, _) = &out.requests[0];
    assert_eq!(text(&bye.headers, &HeaderName::CSeq).as_deref(), Some("2 BYE"));
    line.answer(*id, respond_to(bye, 200, "", "", ""));
    assert!(line.dialog.is_over());
}

#[test]
fn a_call_that_we_make_may_fail() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    let out = line.answer(*id, respond_to(invite, 486, "far", "", ""));
    assert_eq!(out.events, [Event::Ended(Ending::Refused(486))]);
    assert!(line.dialog.is_over());

    let (mut line, out) = Line::outgoing();
    assert_eq!(
        line.handle(Input::Unanswered { id: out.requests[0].0 }).events,
        [Event::Ended(Ending::Timeout)]
    );
    assert!(line.dialog.is_over());

    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    let out = line.answer(*id, respond_to(invite, 200, "far", "", ""));
    assert_eq!(out.acknowledgements.len(), 1);
    assert_eq!(out.methods(), ["BYE"], "a 200 without an answer");
}

#[test]
fn hanging_up_while_it_rings_cancels_once_the_far_side_has_reacted() {
    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    let out = line.command(Command::HangUp);
    assert!(out.requests.is_empty(), "no CANCEL before a response");
    assert_eq!(out.events, [Event::Ended(Ending::Local)]);
    let out = line.answer(*id, respond_to(invite, 180, "far", "", ""));
    assert_eq!(out.methods(), ["CANCEL"]);
    let branch = |request: &Request| text(&request.headers, &HeaderName::Via);
    assert_eq!(branch(&out.requests[0].1), branch(invite));
    assert!(line.answer(*id, respond_to(invite, 180, "far", "", "")).requests.is_empty(), "cancelled once");
    assert!(line.answer(*id, respond_to(invite, 487, "far", "", "")).events.is_empty());
    assert!(line.dialog.is_over());

    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    line.answer(*id, respond_to(invite, 180, "far", "", ""));
    assert_eq!(line.command(Command::HangUp).methods(), ["CANCEL"]);
    let out = line.answer(*id, respond_to(invite, 200, "far", "", &sdp("sendrecv")));
    assert_eq!(out.acknowledgements.len(), 1);
    assert_eq!(out.methods(), ["BYE"], "the answer crossed the CANCEL");

    let (mut line, out) = Line::outgoing();
    let (id, invite, _) = &out.requests[0];
    line.answer(*id, respond_to(invite, 180, "far", "", ""));
    let out = line.wait(180_000);
    assert_eq!((out.methods(), out.events), (vec!["CANCEL".to_owned()], vec![Event::Ended(Ending::Timeout)]));
    line.wait(33_000);
    assert!(line.dialog.is_over(), "even if nothing ever comes");
}

#[test]
fn bytes_of_another_version_are_refused() {
    let line = Line::up();
    let mut bytes = line.dialog.capture(0).unwrap();
    assert!(bytes.len() < 1_024, "{} bytes", bytes.len());
    bytes[0] = 99;
    assert!(Dialog::restore(&bytes, 0).is_err());
    assert!(Dialog::restore(&[], 0).is_err());
    let whole = line.dialog.capture(0).unwrap();
    assert!(Dialog::restore(&whole[..whole.len() / 2], 0).is_err());
}

mod again;
mod delayed;
mod early;
mod provisional;
mod session;
mod taking_over;
