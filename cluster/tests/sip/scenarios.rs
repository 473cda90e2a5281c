//! SIPp with scenarios of our own, by UDP and by TCP.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::{Attestation, Distrust, EndReason, Route};
use cluster::edge::sip_trunk::{Believing, Settings, Transport};

use super::arriving::House;
use super::desk::{self, ANSWERS, BUSY, FULL, HANGS_UP, RINGS, TRANSFERS, UNKNOWN};
use super::end::End;
use super::sipp::{scenario, sipp};
use super::wire::is;
use super::{address, quiet, settings};

/// Runs a scenario by both transports and returns what the calls to `number` were told, one list per call.
async fn play(name: &str, number: &str) -> Vec<Vec<Event>> {
    play_by(&[(Transport::Udp, "u1"), (Transport::Tcp, "t1")], name, number).await
}

async fn play_by(transports: &[(Transport, &str)], name: &str, number: &str) -> Vec<Vec<Event>> {
    let (trunk, media, desk) = desk::open(settings()).await;
    for (transport, mode) in transports.iter().copied() {
        let file = scenario(name);
        let arguments = ["-sf", &file, "-s", number, "-m", "1", "-t", mode, "-recv_timeout", "20000"];
        let (status, said) = sipp(address(&trunk, transport), &arguments).await;
        assert_eq!(status, 0, "{name} by {transport:?}: {said}");
    }
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
    desk.calls(number)
}

fn ended(events: &[Event]) -> Option<EndReason> {
    match events {
        [.., Event::Quality(_), Event::Ended(reason)] => Some(*reason),
        _ => None,
    }
}

fn each_ended(calls: &[Vec<Event>], reason: EndReason) {
    assert_eq!(calls.len(), 2);
    for events in calls {
        assert_eq!(ended(events), Some(reason), "{events:?}");
        assert_eq!(events.iter().filter(|event| matches!(event, Event::Ended(_))).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_cancels_a_ringing_call() {
    let calls = play("cancel.xml", RINGS).await;
    each_ended(&calls, EndReason::Cancelled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_acknowledges_late() {
    // SIPp passes over repeated answers by UDP only.
    let calls = play_by(&[(Transport::Udp, "u1")], "late_ack.xml", ANSWERS).await;
    assert_eq!(calls.len(), 1);
    assert_eq!(ended(&calls[0]), Some(EndReason::CallerHungUp));
    assert!(calls[0].contains(&Event::Established));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_never_acknowledges() {
    let calls = play("no_ack.xml", ANSWERS).await;
    each_ended(&calls, EndReason::SignallingTimeout);
    assert!(!calls.iter().any(|events| events.contains(&Event::Established)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_holds_and_resumes() {
    let calls = play("hold.xml", ANSWERS).await;
    each_ended(&calls, EndReason::CallerHungUp);
    for events in calls {
        let told: Vec<&Event> =
            events.iter().filter(|event| matches!(event, Event::Held(_) | Event::Digit(_))).collect();
        assert_eq!(told, [&Event::Held(true), &Event::Digit('5'), &Event::Held(false)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_is_transferred() {
    let calls = play("transferred.xml", TRANSFERS).await;
    each_ended(&calls, EndReason::Transferred);
    for events in calls {
        assert!(
            events.contains(&Event::TransferProgress(100)) && events.contains(&Event::TransferProgress(200))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_is_hung_up_on() {
    each_ended(&play("hung_up_on.xml", HANGS_UP).await, EndReason::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_is_refused() {
    for (name, number) in [("refused_404.xml", UNKNOWN), ("refused_486.xml", BUSY), ("refused_503.xml", FULL)]
    {
        assert!(play(name, number).await.is_empty(), "nobody has taken the call");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_takes_the_place_of_a_call_that_is_up() {
    let (trunk, media, desk) = desk::open(settings()).await;
    let mut before = End::at("127.0.0.1", &trunk, "before").await;
    assert!(is(&before.invite("").await, 200));
    let replaces = before.replaces().trim().trim_start_matches("Replaces: ").to_owned();
    let file = scenario("takes_the_place.xml");
    let arguments =
        ["-sf", &file, "-s", ANSWERS, "-m", "1", "-key", "replaces", &replaces, "-recv_timeout", "20000"];
    let sipp = sipp(address(&trunk, Transport::Udp), &arguments);
    let let_go = async {
        let bye = before.next("BYE ").await;
        before.answer(&bye, 200, "", "").await;
    };
    let ((status, said), ()) = tokio::join!(sipp, let_go);
    assert_eq!(status, 0, "{said}");
    quiet(&trunk, Duration::from_secs(20)).await;
    let calls = desk.calls(ANSWERS);
    assert_eq!(calls.len(), 1, "it is the same call");
    assert_eq!(ended(&calls[0]), Some(EndReason::CallerHungUp));
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_is_not_wanted_and_gets_the_status_that_the_business_chose() {
    let house = House::open("[screening]\nblocked = [\"+44207946*\"]\n").await;
    let file = scenario("refused_607.xml");
    let arguments = ["-sf", &file, "-s", "1000", "-m", "1", "-recv_timeout", "20000"];
    let (status, said) = sipp(address(&house.trunk, Transport::Udp), &arguments).await;
    assert_eq!(status, 0, "{said}");
    let (record, _) = house.record().await;
    assert_eq!((record.sip_status, record.arrived.map(|arrived| arrived.route)), (607, Some(Route::Blocked)));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_calls_one_of_several_numbers() {
    let house = House::open("[[line]]\nnumber = \"+442079460100\"\nlabel = \"emergencies\"\n").await;
    let target = address(&house.trunk, Transport::Udp);
    let arguments = ["-sn", "uac", "-s", "+442079460100", "-m", "1", "-d", "300"];
    let (status, said) = sipp(target, &arguments).await;
    assert_eq!(status, 0, "{said}");
    let (record, _) = house.record().await;
    assert_eq!(record.arrived.and_then(|arrived| arrived.line).as_deref(), Some("emergencies"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_brings_an_old_identity_which_is_recorded_and_refuses_nobody() {
    // Somebody has to be trusted, or nothing is looked at.
    let home = tempfile::tempdir().unwrap();
    let anybody = rcgen::generate_simple_self_signed(vec!["authority.invalid".to_owned()]).unwrap();
    let trusted = home.path().join("trusted.pem");
    std::fs::write(&trusted, anybody.cert.pem()).unwrap();
    let attesting = Believing { trust_file: Some(trusted), ..Believing::default() };
    let (trunk, _media, desk) = desk::open(Settings { attesting, ..settings() }).await;
    let file = scenario("identity_stale.xml");
    let arguments = ["-sf", &file, "-s", ANSWERS, "-m", "1", "-recv_timeout", "20000"];
    let (status, said) = sipp(address(&trunk, Transport::Udp), &arguments).await;
    assert_eq!(status, 0, "{said}");
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(desk.attested(), Some(Attestation::Failed(Distrust::Stale)));
    trunk.stop(Duration::from_secs(1)).await;
}
