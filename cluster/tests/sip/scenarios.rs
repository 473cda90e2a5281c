//! SIPp with scenarios of our own, by UDP and by TCP.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::EndReason;
use cluster::edge::sip_trunk::Transport;

use super::desk::{self, ANSWERS, BUSY, FULL, HANGS_UP, RINGS, TRANSFERS, UNKNOWN};
use super::sipp::{scenario, sipp};
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
