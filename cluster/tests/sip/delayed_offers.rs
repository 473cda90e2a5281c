//! Calls that we make without an offer, by the wire: whoever is called offers, in the answer or before it, or does not.

use std::net::SocketAddr;
use std::time::Duration;

use actors::call::leg::{Command, Event};
use actors::types::{EndReason, HandOverOutcome};
use cluster::edge::sip_trunk::{Settings, Transport};
use cluster::sip::dialog::Offers;

use super::arriving::{House, person};
use super::desk;
use super::dialling::{ear, until};
use super::early_media::{NOWHERE, body, calling, confirm, stop};
use super::end::End;
use super::sipp::scenario;
use super::taking_over::named;
use super::wire::{is, to_tag};
use super::{address, settings};

/// Whoever is called at home offers.
fn delayed() -> Settings {
    let mut near = named("near", "127.0.0.1");
    near.offers = Some(Offers::Delayed);
    Settings { trunk: vec![near], ..settings() }
}

/// A business that forwards its calls there, by a trunk that wants no offers.
async fn forwarding(to: SocketAddr) -> House {
    let rules = format!(
        "[[department]]\nname = \"elsewhere\"\nuri = \"sip:elsewhere@{to}\"\n[forwarding]\nalways = \"elsewhere\"\n"
    );
    House::open_with(&rules, delayed(), |_| {}).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_offers_when_it_answers_or_before_and_the_two_hear_each_other() {
    for name in ["offers_when_it_answers.xml", "offers_before_it_answers.xml"] {
        let (mut called, port, _home) = person(&["-sf", &scenario(name), "-rtp_echo"]).await;
        let house = forwarding(([127, 0, 0, 1], port).into()).await;
        let (caller, _media, _desk) = desk::open(settings()).await;
        let (leg, told) = house.called_by(&caller).await;
        until(&told, |event| *event == Event::Established).await;
        let share = super::arriving::echo_of_a_tone(&leg).await;
        assert!(share > 0.9, "{name}: what comes back from there: {share}");
        leg.command(Command::HangUp).unwrap();
        let (record, tried) = house.record().await;
        assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::Transferred), "{name}");
        assert_eq!(tried, [("elsewhere".to_owned(), HandOverOutcome::Answered)], "{name}");
        assert_eq!(called.ended(Duration::from_secs(20)).await, Some(0), "{name}");
        house.close().await;
        caller.stop(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_whose_offer_is_of_no_use_is_told_why_and_the_receptionist_answers() {
    for name in [
        "offers_what_nobody_speaks.xml",
        "offers_what_nobody_speaks_early.xml",
        "never_offers.xml",
        "changes_its_mind.xml",
    ] {
        let (mut called, port, _home) = person(&["-sf", &scenario(name)]).await;
        let house = forwarding(([127, 0, 0, 1], port).into()).await;
        let (caller, _media, _desk) = desk::open(settings()).await;
        let (leg, told) = house.called_by(&caller).await;
        until(&told, |event| *event == Event::Established).await;
        // Its script ends well only by what it is told in our ACK or PRACK, and in our BYE or CANCEL.
        assert_eq!(called.ended(Duration::from_secs(20)).await, Some(0), "{name}");
        leg.command(Command::HangUp).unwrap();
        let (record, tried) = house.record().await;
        assert!(record.answered_at.is_some(), "{name}: the caller is not left alone");
        assert_eq!(tried, [("elsewhere".to_owned(), HandOverOutcome::Unreachable)], "{name}");
        stop(house).await;
        caller.stop(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_offers_before_it_answers_is_heard_from_then_on() {
    let person = End::of("127.0.0.1", SocketAddr::from(NOWHERE), "offering").await;
    let house = forwarding(person.own).await;
    let person = End { trunk: address(&house.trunk, Transport::Udp), ..person };
    let mut caller = calling(&house, "hears", "Supported: 100rel\r\n").await;
    let invite = person.next("INVITE ").await;
    assert_eq!(body(&invite), "");
    // What nobody confirms is a preview, and nothing is agreed on by it.
    person.answer(&invite, 183, "", &person.sdp()).await;
    person.answer(&invite, 183, "Require: 100rel\r\nRSeq: 41\r\n", &person.sdp()).await;
    let prack = person.next("PRACK ").await;
    assert!(prack.contains("RAck: 41 1 INVITE"), "{prack}");
    let there = End::audio_in(&prack);
    person.answer(&prack, 200, "", "").await;
    let (progress, ()) = tokio::join!(caller.next("SIP/2.0 183"), person.speak(there));
    caller.theirs = to_tag(&progress).trim_start_matches(";tag=").trim().to_owned();
    confirm(&mut caller, &progress).await;
    let (heard, ()) = tokio::join!(caller.hears_a_voice(), person.speak(there));
    assert!(heard, "the line is heard before it answers");

    person.answer(&invite, 200, "", "").await;
    let ack = person.next("ACK ").await;
    assert_eq!(body(&ack), "", "all was said");
    caller.next("SIP/2.0 200").await;
    caller.send(caller.request("ACK", 1, "", "")).await;
    let theirs = End::audio_in(&progress);
    for (speaker, to, listener) in [(&caller, theirs, &person), (&person, there, &caller)] {
        let (heard, ()) = tokio::join!(listener.hears_a_voice(), speaker.speak(to));
        assert!(heard, "{} hears nothing", listener.call_id);
    }
    assert!(is(&caller.ask("BYE", "").await, 200));
    let bye = person.next("BYE ").await;
    person.answer(&bye, 200, "", "").await;
    let (_, tried) = house.record().await;
    assert_eq!(tried, [("elsewhere".to_owned(), HandOverOutcome::Answered)]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_without_a_word_of_audio_is_hung_up_on_and_the_leg_is_told_so() {
    let (trunk, media, _desk) = desk::open(Settings { offers: Offers::Delayed, ..settings() }).await;
    let person = End::at("127.0.0.1", &trunk, "silent").await;
    let (told, events) = ear();
    let _leg = trunk.call(&format!("sip:2000@{}", person.own), "+442079460001", events).await.unwrap();
    let invite = person.next("INVITE ").await;
    person.answer(&invite, 200, "", "").await;
    person.next("ACK ").await;
    let bye = person.next("BYE ").await;
    let why = "Reason: SIP;cause=488;text=\"the INVITE had no offer, and nothing is offered in its answer\"";
    assert!(bye.contains(why), "{bye}");
    person.answer(&bye, 200, "", "").await;
    until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;
    assert!(told.lock().contains(&Event::Refused(488)) && !told.lock().contains(&Event::Established));
    super::quiet(&trunk, Duration::from_secs(10)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}
