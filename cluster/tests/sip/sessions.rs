//! Calls whose two sides ask each other now and then whether they are still there, ringing that is confirmed,
//! and offers that come late: with SIPp as the other side.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::EndReason;
use cluster::edge::sip_trunk::Transport;

use super::desk::{self, ANSWERS, RINGS};
use super::sipp::{scenario, sipp};
use super::{address, quiet, settings};

/// Plays a scenario with sessions of two seconds; what its call was told.
async fn play(name: &str, number: &str, modes: &[(Transport, &str)]) -> Vec<Vec<Event>> {
    let mut brief = settings();
    (brief.timing.session_s, brief.timing.session_least_s) = (2, 2);
    let (trunk, media, desk) = desk::open(brief).await;
    for (transport, mode) in modes.iter().copied() {
        let file = scenario(name);
        let arguments = ["-sf", &file, "-s", number, "-m", "1", "-t", mode, "-recv_timeout", "10000"];
        let (status, said) = sipp(address(&trunk, transport), &arguments).await;
        assert_eq!(status, 0, "{name} by {transport:?}: {said}");
    }
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
    desk.calls(number)
}

const BOTH: &[(Transport, &str)] = &[(Transport::Udp, "u1"), (Transport::Tcp, "t1")];

fn all_ended(calls: &[Vec<Event>], reason: EndReason) {
    assert!(!calls.is_empty());
    for events in calls {
        assert!(events.contains(&Event::Ended(reason)), "{events:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_leaves_the_offer_to_us() {
    let calls = play("late_offer.xml", ANSWERS, BOTH).await;
    all_ended(&calls, EndReason::CallerHungUp);
    assert!(calls.iter().all(|events| events.contains(&Event::Established)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_confirms_that_it_rings() {
    // SIPp passes over repeated answers by UDP only.
    all_ended(&play("ringing_confirmed.xml", RINGS, &[(Transport::Udp, "u1")]).await, EndReason::Cancelled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_stops_refreshing_and_is_hung_up_on() {
    all_ended(&play("refreshes.xml", ANSWERS, BOTH).await, EndReason::SignallingTimeout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_is_refreshed() {
    all_ended(&play("refreshed.xml", ANSWERS, BOTH).await, EndReason::CallerHungUp);
    all_ended(&play("refreshed_by_invite.xml", ANSWERS, BOTH).await, EndReason::CallerHungUp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_wants_to_be_refreshed_too_often() {
    assert!(play("refused_422.xml", ANSWERS, BOTH).await.is_empty(), "nobody has taken the call");
}
