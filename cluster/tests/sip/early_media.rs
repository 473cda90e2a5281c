//! What is heard before a call is answered, by the wire: of the line that it is forwarded to, and of us.

use std::net::SocketAddr;
use std::time::Duration;

use actors::types::{EndReason, HandOverOutcome};
use cluster::edge::sip_trunk::Transport;
use cluster::sip::respond::respond;
use cluster::sip::wire::Method;
use tokio::time::timeout;

use super::address;
use super::arriving::House;
use super::end::End;
use super::scripted::Server;
use super::sipp::{scenario, sipp};
use super::wire::{is, to_tag};

/// Nobody is there.
pub(super) const NOWHERE: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

pub(super) fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").unwrap().1
}

/// A business that forwards its calls to this person, and the person.
async fn forwarding() -> (House, End) {
    let person = End::of("127.0.0.1", SocketAddr::from(NOWHERE), "person").await;
    let house = House::open(&format!(
        "[[department]]\nname = \"elsewhere\"\nuri = \"sip:elsewhere@{}\"\n[forwarding]\nalways = \"elsewhere\"\n",
        person.own
    ))
    .await;
    let trunk = address(&house.trunk, Transport::Udp);
    (house, End { trunk, ..person })
}

/// Stops without waiting until the INVITE that was refused is forgotten, which takes half a minute (timer D).
pub(super) async fn stop(house: House) {
    house.trunk.stop(Duration::from_secs(1)).await;
    house.supervision.stop(Duration::from_secs(1)).await;
}

/// A caller's INVITE is on its way, and rings.
pub(super) async fn calling(house: &House, name: &str, extra: &str) -> End {
    let mut caller = End::of("127.0.0.1", address(&house.trunk, Transport::Udp), name).await;
    caller.sequence = 1;
    caller.send(caller.request("INVITE", 1, extra, &caller.sdp())).await;
    caller
}

/// Confirms a provisional answer.
pub(super) async fn confirm(caller: &mut End, provisional: &str) {
    let number = provisional.lines().find_map(|line| line.strip_prefix("RSeq: ")).unwrap().to_owned();
    caller.sequence += 1;
    let extra = format!("RAck: {number} 1 INVITE\r\n");
    caller.send(caller.request("PRACK", caller.sequence, &extra, "")).await;
    // The 183 has come again meanwhile.
    let answer = caller.next("SIP/2.0 200").await;
    assert!(answer.contains("PRACK"), "{answer}");
}

/// The person's line is heard although nobody has answered there; the 183 that said so.
async fn hears_the_line(caller: &mut End, person: &End, invite: &str) -> String {
    person.answer(invite, 183, "", &person.sdp()).await;
    let there = End::audio_in(invite);
    let (progress, ()) = tokio::join!(caller.next("SIP/2.0 183"), person.speak(there));
    caller.theirs = to_tag(&progress).trim_start_matches(";tag=").trim().to_owned();
    caller.heard_at = Some(End::audio_in(&progress));
    if progress.contains("RSeq: ") {
        confirm(caller, &progress).await;
    }
    let (heard, ()) = tokio::join!(caller.hears_a_voice(), person.speak(there));
    assert!(heard, "{}: the line is heard", caller.call_id);
    progress
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_a_call_is_forwarded_to_is_heard_before_it_answers_and_does_not_hear_the_caller() {
    for (name, extra) in [("confirms", "Supported: 100rel\r\n"), ("can-not-confirm", "")] {
        let (house, person) = forwarding().await;
        let mut caller = calling(&house, name, extra).await;
        caller.next("SIP/2.0 180").await;
        let invite = person.next("INVITE ").await;
        let progress = hears_the_line(&mut caller, &person, &invite).await;
        assert_eq!(progress.contains("Require: 100rel"), !extra.is_empty(), "{progress}");
        let theirs = caller.heard_at.unwrap();
        let early = timeout(Duration::from_millis(1_300), person.hears_a_voice());
        let (heard, ()) = tokio::join!(early, caller.speak(theirs));
        assert!(heard.is_err(), "nobody has answered: nobody hears the caller");

        person.answer(&invite, 200, "", &person.sdp()).await;
        person.next("ACK ").await;
        let answer = caller.next("SIP/2.0 200").await;
        assert_eq!(body(&answer), body(&progress), "what was agreed on stays");
        caller.send(caller.request("ACK", 1, "", "")).await;
        for (speaker, there, listener) in
            [(&caller, theirs, &person), (&person, End::audio_in(&invite), &caller)]
        {
            let (heard, ()) = tokio::join!(listener.hears_a_voice(), speaker.speak(there));
            assert!(heard, "{name}: {} hears nothing", listener.call_id);
        }
        assert!(is(&caller.ask("BYE", "").await, 200));
        let bye = person.next("BYE ").await;
        person.answer(&bye, 200, "", "").await;
        let (record, tried) = house.record().await;
        assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::Transferred));
        assert_eq!(tried, [("elsewhere".to_owned(), HandOverOutcome::Answered)]);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_line_that_was_heard_is_busy_the_receptionist_answers() {
    let (house, person) = forwarding().await;
    let mut caller = calling(&house, "busy", "").await;
    let invite = person.next("INVITE ").await;
    hears_the_line(&mut caller, &person, &invite).await;
    person.answer(&invite, 486, "", "").await;
    person.next("ACK ").await;
    caller.next("SIP/2.0 200").await;
    caller.send(caller.request("ACK", 1, "", "")).await;
    assert!(caller.hears_a_voice().await, "the receptionist");
    assert!(is(&caller.ask("BYE", "").await, 200));
    let (record, tried) = house.record().await;
    assert!(record.answered_at.is_some());
    assert_eq!(tried, [("elsewhere".to_owned(), HandOverOutcome::Busy)]);
    stop(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_gives_up_while_hearing_a_line_ends_that_call_too() {
    let (house, person) = forwarding().await;
    let mut caller = calling(&house, "gives-up", "Supported: 100rel\r\n").await;
    let invite = person.next("INVITE ").await;
    hears_the_line(&mut caller, &person, &invite).await;
    let cancel = caller.request("CANCEL", 1, "", "").replace("gives-upCANCEL1", "gives-upINVITE1");
    caller.send(cancel.replace(&format!(";tag={}", caller.theirs), "")).await;
    caller.next("SIP/2.0 487").await;
    caller.send(caller.request("ACK", 1, "", "").replace("gives-upACK1", "gives-upINVITE1")).await;
    let cancel = person.next("CANCEL ").await;
    person.answer(&cancel, 200, "", "").await;
    person.answer(&invite, 487, "", "").await;
    person.next("ACK ").await;
    let (record, _) = house.record().await;
    assert_eq!((record.sip_status, record.answered_at), (487, None));
    stop(house).await;
}

/// A business whose caller is told something while somebody's telephone rings first.
async fn announcing(server: &Server) -> House {
    House::open(&format!(
        "[[department]]\nname = \"sam\"\nuri = \"sip:sam@{}\"\n\
         [ring_first]\npeople = [\"sam\"]\nring = \"5 seconds\"\nannouncement = \"Please hold the line while I ask.\"\n",
        server.address
    ))
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_business_has_its_callers_told_is_heard_before_the_answer_and_then_it_rings() {
    let server = Server::start(Box::new(|request| {
        (request.method == Method::Invite).then(|| respond(request, 180, Some("far")))
    }))
    .await;
    let house = announcing(&server).await;
    let mut caller = calling(&house, "told", "").await;
    let progress = caller.next("SIP/2.0 183").await;
    assert!(body(&progress).contains("m=audio "), "{progress}");
    assert!(caller.hears_a_voice().await, "the announcement");
    // Nobody takes the call; until then a ring tone of ours is heard.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(caller.hears_a_voice().await, "it rings");
    let answer = caller.next("SIP/2.0 200").await;
    assert_eq!(body(&answer), body(&progress));
    caller.theirs = to_tag(&answer).trim_start_matches(";tag=").trim().to_owned();
    caller.send(caller.request("ACK", 1, "", "")).await;
    assert!(is(&caller.ask("BYE", "").await, 200));
    let (_, tried) = house.record().await;
    assert_eq!(tried, [("sam".to_owned(), HandOverOutcome::NoAnswer)]);
    stop(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_confirms_a_183_and_is_answered_with_the_same_description() {
    let server = Server::start(Box::new(|request| {
        (request.method == Method::Invite).then(|| respond(request, 486, Some("far")))
    }))
    .await;
    for (transport, mode) in [(Transport::Udp, "u1"), (Transport::Tcp, "t1")] {
        let house = announcing(&server).await;
        let file = scenario("early_media.xml");
        let arguments = ["-sf", &file, "-s", "1000", "-m", "1", "-t", mode, "-recv_timeout", "20000"];
        let (status, said) = sipp(address(&house.trunk, transport), &arguments).await;
        assert_eq!(status, 0, "{transport:?}: {said}");
        let (record, _) = house.record().await;
        assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::CallerHungUp));
        stop(house).await;
    }
}
