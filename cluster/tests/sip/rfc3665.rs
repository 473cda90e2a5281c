//! The flows of RFC 3665 in which we have a part, each by the wire with the outcome that it has there.
//!
//! | Flow | What it is | Seen in |
//! |---|---|---|
//! | 2.1 | registration | `registering::a_trunk_registers_refreshes_calls_and_leaves`, `registering::peer_kamailio_registers_us_and_sends_us_calls` |
//! | 2.2 | a binding is kept up | the same |
//! | 2.3 | bindings are asked for | never: we know ours by the answer |
//! | 2.4 | a binding is taken back | the same, `registering::a_draining_trunk_leaves_and_comes_back_when_it_takes_calls_again` |
//! | 2.5 | registration fails | `registering::a_wrong_password_is_told_and_not_tried_again_and_again` |
//! | 3.1 | a call, end to end | here, both roles |
//! | 3.2 | through proxies that stay in the path | `kamailio::peer_kamailio_stays_in_the_path_of_every_request`, and here with two of them |
//! | 3.3 | proxies ask for a password | here, for one; for two passwords of two networks a trunk has no settings |
//! | 3.4 | a proxy fails | `registering::a_call_goes_on_to_the_next_server_and_what_is_known_of_names_runs_out` |
//! | 3.5 | a gateway that rewrites addresses | here |
//! | 3.6 | sent elsewhere, and the description in the ACK | here |
//! | 3.7 | a caller moves to another address | here |
//! | 3.8 | nobody answers | here, both roles |
//! | 3.9 | busy | here, both roles |
//! | 3.10 | the other side says nothing | here |
//! | 3.11 | unavailable for now | here, both roles |

use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event};
use actors::types::EndReason;
use cluster::edge::sip_trunk::{Settings, Trunk};
use models::audio::{Clip, Speech};
use tokio::time::Instant;

use super::desk::{self, ANSWERS, BUSY, Desk, RINGS};
use super::dialling::{ear, until};
use super::end::End;
use super::taking_over::{REFUSED, over};
use super::tones::tone;
use super::wire::{is, to_tag};
use super::{quiet, settings};

fn last(desk: &Desk, number: &str) -> Option<Event> {
    desk.calls(number).last().and_then(|told| told.last().cloned())
}

async fn phone(trunk: &Trunk, name: &str) -> End {
    End::at("127.0.0.1", trunk, name).await
}

/// Waits until so many calls were up.
pub(super) async fn up(desk: &Desk, calls: usize) {
    let until = Instant::now() + Duration::from_secs(10);
    while desk.count(|event| *event == Event::Established) < calls {
        assert!(Instant::now() < until, "{:?}", desk.calls(ANSWERS));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An INVITE to this number.
fn to(end: &End, number: &str, extra: &str) -> String {
    let invite = end.request("INVITE", 1, extra, &end.sdp());
    invite.replace(&format!("INVITE sip:{ANSWERS}@"), &format!("INVITE sip:{number}@"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flow_3_1_and_3_7_a_call_comes_in_moves_and_ends() {
    let (trunk, media, desk) = desk::open(settings()).await;
    let mut alice = phone(&trunk, "flow31").await;
    let answer = alice.invite("").await;
    assert!(is(&answer, 200) && answer.contains("Content-Type: application/sdp"), "{answer}");
    assert!(answer.contains("Contact: <sip:") && answer.contains("Allow: INVITE, ACK"), "{answer}");
    up(&desk, 1).await;
    let clip = Clip::with_estimated_words(8_000, tone(8_000, 440.0, 30).into(), "a tone");
    desk.command(ANSWERS, Command::Play { utterance: UtteranceId(1), speech: Speech::clip(clip) });
    assert!(alice.hears().await);
    // 3.7: from another address, in the same dialog; the audio goes there.
    let mut moved = End::at("127.0.0.2", &trunk, "flow31").await;
    (moved.theirs, moved.sequence) = (alice.theirs.clone(), 1);
    assert!(is(&moved.invite("").await, 200));
    assert!(moved.hears().await);
    assert!(is(&moved.ask("BYE", "").await, 200));
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(last(&desk, ANSWERS), Some(Event::Ended(EndReason::CallerHungUp)));
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flow_3_2_and_3_5_two_proxies_or_a_gateway_stand_between() {
    let (trunk, _media, desk) = desk::open(settings()).await;
    let mut alice = phone(&trunk, "flow32").await;
    let own = alice.own;
    let routes = format!("Record-Route: <sip:{own};lr>\r\nRecord-Route: <sip:ss1.invalid;lr>\r\n");
    let answer = alice.invite(&routes).await;
    let (one, two) = (answer.find(&format!("<sip:{own};lr>")), answer.find("<sip:ss1.invalid;lr>"));
    assert!(is(&answer, 200) && one.is_some() && one < two, "in the same order: {answer}");
    up(&desk, 1).await;
    desk.command(ANSWERS, Command::HangUp);
    // Our own request goes by both, the nearer one first, to the caller's own address.
    let bye = alice.next("BYE ").await;
    let routes: Vec<&str> = bye.lines().filter(|line| line.starts_with("Route: ")).collect();
    assert_eq!(routes, [format!("Route: <sip:{own};lr>").as_str(), "Route: <sip:ss1.invalid;lr>"], "{bye}");
    assert!(bye.starts_with(&format!("BYE sip:2000@{own} SIP/2.0")), "{bye}");
    alice.answer(&bye, 200, "", "").await;
    quiet(&trunk, Duration::from_secs(20)).await;

    // A gateway has written its own address over the caller's, in Contact, Via and description.
    let mut gateway = phone(&trunk, "flow35").await;
    assert!(is(&gateway.invite("").await, 200));
    up(&desk, 2).await;
    desk.command(ANSWERS, Command::HangUp);
    let bye = gateway.next("BYE ").await;
    gateway.answer(&bye, 200, "", "").await;
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(last(&desk, ANSWERS), Some(Event::Ended(EndReason::Completed)));
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flow_3_6_a_call_is_sent_elsewhere_and_one_describes_itself_in_its_ack() {
    let (trunk, _media, desk) = desk::open(Settings { follow_redirects: true, ..settings() }).await;
    let server = phone(&trunk, "flow36").await;
    let (told, events) = ear();
    let leg = trunk.call(&format!("sip:bob@{}", server.own), "1", events).await.unwrap();
    let first = server.next("INVITE sip:bob@").await;
    let contact = format!("Contact: <sip:2000@{}>", server.own);
    // What it says in the place of its own Contact.
    let moved = "Contact: <sip:bob@office.invalid>";
    server.answer_with(&first, 302, "", "", (&contact, moved)).await;
    server.next("ACK ").await;
    let second = server.next("INVITE sip:bob@office.invalid SIP/2.0").await;
    let line =
        |message: &str, name: &str| message.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert_eq!(line(&first, "Call-ID"), line(&second, "Call-ID"));
    assert_eq!(line(&first, "To"), line(&second, "To"));
    assert_ne!(line(&first, "CSeq"), line(&second, "CSeq"));
    server.answer(&second, 200, "", &server.sdp()).await;
    server.next("ACK ").await;
    until(&told, |event| *event == Event::Established).await;
    leg.command(Command::HangUp).unwrap();
    let bye = server.next("BYE ").await;
    server.answer(&bye, 200, "", "").await;
    over(&trunk).await;
    // Who goes round in circles is not followed for ever.
    let (told, events) = ear();
    let _leg = trunk.call(&format!("sip:bob@{}", server.own), "1", events).await.unwrap();
    for _ in 0..6 {
        let invite = server.next("INVITE ").await;
        server.answer_with(&invite, 302, "", "", (&contact, moved)).await;
    }
    until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;
    trunk.stop(Duration::from_secs(1)).await;

    // The description in the ACK: our 200 brings the offer.
    let (trunk, _media, desk_b) = desk::open(settings()).await;
    drop(desk);
    let mut late = phone(&trunk, "flow36late").await;
    late.sequence = 1;
    late.send(late.request("INVITE", 1, "", "")).await;
    let offer = late.next("SIP/2.0 200").await;
    assert!(offer.contains("m=audio "), "{offer}");
    late.theirs = to_tag(&offer).trim_start_matches(";tag=").trim().to_owned();
    late.send(late.request("ACK", 1, "", &late.sdp())).await;
    assert!(is(&late.ask("BYE", "").await, 200));
    // Where it is not wanted, a call that is sent elsewhere has failed.
    let (told, events) = ear();
    let _leg = trunk.call(&format!("sip:bob@{}", late.own), "1", events).await.unwrap();
    let invite = late.next("INVITE ").await;
    late.answer(&invite, 302, "", "").await;
    until(&told, |event| *event == Event::Refused(302)).await;
    quiet(&trunk, REFUSED).await;
    assert_eq!(last(&desk_b, ANSWERS), Some(Event::Ended(EndReason::CallerHungUp)));
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_3_8_to_3_11_a_call_that_comes_in_does_not_succeed() {
    let (trunk, media, desk) = desk::open(settings()).await;
    // 3.8: the caller gives up.
    let alice = phone(&trunk, "flow38").await;
    alice.send(to(&alice, RINGS, "")).await;
    let ringing = alice.next("SIP/2.0 180").await;
    let cancel = to(&alice, RINGS, "").replace("CSeq: 1 INVITE", "CSeq: 1 CANCEL");
    let cancel = cancel.replace("INVITE sip:", "CANCEL sip:");
    alice.send(cancel).await;
    let mut answers = [alice.next("SIP/2.0 ").await, alice.next("SIP/2.0 ").await];
    answers.sort();
    assert!(is(&answers[0], 200) && is(&answers[1], 487), "{answers:?}");
    assert_eq!(to_tag(&answers[1]), to_tag(&ringing));
    alice.send(alice.request("ACK", 1, "", "").replace("flow38ACK1", "flow38INVITE1")).await;
    // Nobody gives up: it rings out here, for as long as the settings say.
    // 3.9 and 3.11: the reception has no place.
    for (number, status) in [(BUSY, 486), (desk::FULL, 503), (desk::UNKNOWN, 404)] {
        let name = format!("flow39{number}");
        let caller = phone(&trunk, &name).await;
        caller.send(to(&caller, number, "")).await;
        let mut answer = caller.next("SIP/2.0 ").await;
        while answer.starts_with("SIP/2.0 1") {
            answer = caller.next("SIP/2.0 ").await;
        }
        assert!(is(&answer, status), "{answer}");
        let ack = caller.request("ACK", 1, "", "").replace("ACK1;", "INVITE1;");
        caller
            .send(ack.replace(&format!("branch=z9hG4bK{name}ACK1"), &format!("branch=z9hG4bK{name}INVITE1")))
            .await;
    }
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(last(&desk, RINGS), Some(Event::Ended(EndReason::Cancelled)));
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;

    // 3.11: nobody takes it in the time that it may ring.
    let mut short = settings();
    short.timing.ringing_ms = 300;
    let (trunk, _media, _desk) = desk::open(short).await;
    let caller = phone(&trunk, "flow311").await;
    caller.send(to(&caller, RINGS, "")).await;
    assert!(is(&caller.next("SIP/2.0 4").await, 480));
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_3_8_to_3_11_a_call_that_we_make_does_not_succeed() {
    let mut short = settings();
    short.timing.answer_ms = 600;
    let (trunk, media, _desk) = desk::open(short).await;
    // 3.8: it rings and nobody answers.
    let bob = phone(&trunk, "flow38out").await;
    let (told, events) = ear();
    let _leg = trunk.call(&format!("sip:bob@{}", bob.own), "1", events).await.unwrap();
    let invite = bob.next("INVITE ").await;
    bob.answer(&invite, 180, "", "").await;
    until(&told, |event| *event == Event::Ringing).await;
    let cancel = bob.next("CANCEL ").await;
    let via = |message: &str| message.lines().find(|line| line.starts_with("Via")).unwrap().to_owned();
    assert_eq!(via(&cancel), via(&invite));
    bob.answer(&cancel, 200, "", "").await;
    bob.answer(&invite, 487, "", "").await;
    bob.next("ACK ").await;
    until(&told, |event| *event == Event::Ended(EndReason::SignallingTimeout)).await;
    // 3.9 and 3.11: busy, and unavailable for now.
    for status in [486, 480, 603] {
        let (told, events) = ear();
        let _leg = trunk.call(&format!("sip:bob@{}", bob.own), "1", events).await.unwrap();
        let invite = bob.next("INVITE ").await;
        bob.answer(&invite, status, "", "").await;
        let ack = bob.next("ACK ").await;
        assert_eq!(via(&ack), via(&invite), "a refusal is acknowledged in its own transaction");
        until(&told, |event| *event == Event::Refused(status)).await;
        until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;
    }
    trunk.stop(Duration::from_secs(1)).await;
    assert_eq!(media.counts().sessions, 0);

    // 3.10: it says nothing at all. 64 times T1, which is 50 ms here.
    let (trunk, media, _desk) = desk::open(settings()).await;
    let (told, events) = ear();
    let _leg = trunk.call(&format!("sip:bob@{}", bob.own), "1", events).await.unwrap();
    until(&told, |event| *event == Event::Ended(EndReason::SignallingTimeout)).await;
    assert!(!told.lock().iter().any(|event| matches!(event, Event::Ringing | Event::Refused(_))));
    over(&trunk).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flow_3_3_a_proxy_asks_for_a_password_and_the_ack_and_bye_prove_themselves_too() {
    let mut by_account = super::registering::with_account("sip:127.0.0.1:9");
    let bob_trunk = desk::open(settings()).await;
    let proxy = phone(&bob_trunk.0, "flow33").await;
    let account = by_account.trunk[0].account.as_mut().unwrap();
    (account.server, account.register) = (format!("sip:{}", proxy.own), false);
    let (trunk, _media, _desk) = desk::open(by_account).await;
    let (told, events) = ear();
    let leg = trunk.call_by("provider", "+442079460001", None, events).await.unwrap();
    // It is the trunk that calls which is spoken with from here on.
    let proxy = End { trunk: super::address(&trunk, cluster::edge::sip_trunk::Transport::Udp), ..proxy };
    let first = proxy.next("INVITE ").await;
    assert!(!first.contains("Proxy-Authorization"));
    let asks = |nonce: &str| {
        format!(
            "Proxy-Authenticate: Digest realm=\"provider\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"\r\n"
        )
    };
    proxy.answer(&first, 407, &asks("one"), "").await;
    proxy.next("ACK ").await;
    let second = proxy.next("INVITE ").await;
    assert!(second.contains("Proxy-Authorization: Digest") && second.contains("nonce=\"one\""), "{second}");
    proxy.answer(&second, 200, "", &proxy.sdp()).await;
    let ack = proxy.next("ACK ").await;
    assert!(ack.contains("Proxy-Authorization: Digest"), "{ack}");
    until(&told, |event| *event == Event::Established).await;
    // A transfer and a goodbye are asked, too, each with a nonce of its own.
    leg.command(Command::Transfer(actors::types::Destination::Uri("sip:2001@127.0.0.1".into()))).unwrap();
    let refer = proxy.next("REFER ").await;
    proxy.answer(&refer, 407, &asks("two"), "").await;
    let refer = proxy.next("REFER ").await;
    assert!(refer.contains("nonce=\"two\"") && refer.contains("Refer-To: <sip:2001@127.0.0.1>"), "{refer}");
    proxy.answer(&refer, 603, "", "").await;
    until(&told, |event| *event == Event::TransferProgress(603)).await;
    leg.command(Command::HangUp).unwrap();
    let bye = proxy.next("BYE ").await;
    proxy.answer(&bye, 407, &asks("three"), "").await;
    let bye = proxy.next("BYE ").await;
    assert!(bye.contains("nonce=\"three\""), "{bye}");
    proxy.answer(&bye, 200, "", "").await;
    until(&told, |event| *event == Event::Ended(EndReason::Completed)).await;
    over(&trunk).await;
    trunk.stop(Duration::from_secs(1)).await;
    bob_trunk.0.stop(Duration::from_secs(1)).await;
}
