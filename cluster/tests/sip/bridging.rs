//! Two calls put together, and the call that the business's side makes.

use std::sync::Arc;
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event, Outgoing};
use actors::types::{Destination, EndReason, PhoneNumber};
use cluster::edge::sip_trunk::Transport;
use cluster::sip::respond::respond;
use cluster::sip::wire::Method;
use models::audio::{Clip, Speech, audio_ring};

use super::desk::{self, ANSWERS};
use super::dialling::{ear, until};
use super::peer::{self, Peer};
use super::registering::with_account;
use super::scripted::Server;
use super::tones::{share, tone};
use super::{address, quiet, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_hears_whoever_it_is_put_together_with_and_is_heard() {
    let (trunk, media, desk) = desk::open(settings()).await;
    let port = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let (signalling, audio) = (port(), port());
    let home = tempfile::tempdir().unwrap();
    let arguments = [
        "-sn",
        "uas",
        "-nostdin",
        "-i",
        "127.0.0.1",
        "-p",
        &signalling,
        "-mp",
        &audio,
        "-rtp_echo",
        "-m",
        "1",
    ];
    let _echo = Peer::start("sipp", &arguments, &home.path().join("log"));
    peer::bound("udp", signalling.parse().unwrap()).await;
    let (of_echo, events) = ear();
    let echo = trunk.call(&format!("sip:echo@127.0.0.1:{signalling}"), "1", events).await.unwrap();
    until(&of_echo, |event| *event == Event::Established).await;
    let (of_desk, events) = ear();
    let target = format!("sip:{ANSWERS}@{}", address(&trunk, Transport::Udp));
    let person = trunk.call(&target, "2", events).await.unwrap();
    until(&of_desk, |event| *event == Event::Established).await;
    desk.until_up(ANSWERS).await;
    let told = of_desk.lock().clone();
    let first = told.iter().find(|event| !matches!(event, Event::ReachableBy(_)));
    assert!(matches!(first, Some(Event::Ringing | Event::Established)), "{told:?}");

    let ring = || audio_ring(8_000, 1_600);
    let ((echo_says, person_hears), (person_says, echo_hears)) = (ring(), ring());
    echo.command(Command::Bridge { says: echo_says, hears: echo_hears }).unwrap();
    person.command(Command::Bridge { says: person_says, hears: person_hears }).unwrap();
    // At the far end of the person's call: what is said there comes back only by way of the other call.
    let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 10);
    desk.command(ANSWERS, Command::Record(sender));
    let clip = Clip::with_estimated_words(8_000, tone(8_000, 440.0, 3).into(), "a tone");
    desk.command(ANSWERS, Command::Play { utterance: UtteranceId(1), speech: Speech::clip(clip) });
    tokio::time::sleep(Duration::from_millis(3_300)).await;
    echo.command(Command::Part).unwrap();
    let mut both = vec![0; recording.waiting()];
    recording.read(&mut both);
    let heard: Vec<i16> = both.iter().step_by(2).copied().collect();
    assert!(share(&heard, 440.0) > 0.95, "the other call brings back {}", share(&heard, 440.0));
    drop((echo, person));
    until(&of_echo, |event| *event == Event::Ended(EndReason::Completed)).await;
    until(&of_desk, |event| *event == Event::Ended(EndReason::Completed)).await;
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_called_by_the_trunk_with_an_account_and_each_refusal_is_told() {
    for status in [486, 603, 404] {
        let server = Server::start(Box::new(move |request| {
            (request.method == Method::Invite).then(|| respond(request, status, Some("far")))
        }))
        .await;
        let mut settings = with_account(&format!("sip:{}", server.address));
        settings.trunk[0].account.as_mut().unwrap().register = false;
        let (trunk, _media, _desk) = desk::open(settings).await;
        let exchange = trunk.exchange();
        let to = Destination::Number(PhoneNumber::parse("+442079460001").unwrap());
        let (told, events) = ear();
        let _leg = exchange.call(Outgoing { to, from: None }, events).await.unwrap();
        until(&told, |event| matches!(event, Event::Ended(_))).await;
        assert_eq!(told.lock().first(), Some(&Event::Refused(status)));
        assert_eq!(server.asked(&Method::Invite)[0].uri.to_string(), "sip:+442079460001@127.0.0.1");
        trunk.stop(Duration::from_secs(1)).await;
    }
    let (trunk, _media, _desk) = desk::open(settings()).await;
    let exchange = trunk.exchange();
    let to = Destination::Number(PhoneNumber::parse("+442079460001").unwrap());
    let call = Outgoing { to, from: None };
    let refused = exchange.call(call.clone(), Arc::new(|_| {})).await.err().unwrap().to_string();
    assert!(refused.contains("[sip.trunk.account]"), "{refused}");
    trunk.stop(Duration::from_secs(1)).await;
    drop(trunk);
    let refused = exchange.call(call, Arc::new(|_| {})).await.err().unwrap().to_string();
    assert!(refused.contains("stopped"), "the exchange keeps no trunk alive: {refused}");
}
