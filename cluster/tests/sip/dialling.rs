//! Calls that we make: to ourselves, and to SIPp.

use std::sync::Arc;
use std::time::Duration;

use actors::call::leg::{Command, Event, Events};
use actors::types::EndReason;
use cluster::edge::sip_trunk::{Transport, Trunk};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::desk::{self, ANSWERS, HANGS_UP, RINGS, UNKNOWN};
use super::{address, quiet, settings};

pub(super) type Told = Arc<Mutex<Vec<Event>>>;

pub(super) fn ear() -> (Told, Events) {
    let told: Told = Arc::default();
    let events = Arc::clone(&told);
    (told, Arc::new(move |event| events.lock().push(event)))
}

pub(super) async fn until(told: &Told, what: impl Fn(&Event) -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !told.lock().iter().any(&what) {
        assert!(Instant::now() < end, "only {:?}", told.lock());
        sleep(Duration::from_millis(5)).await;
    }
}

fn target(trunk: &Trunk, number: &str, transport: Transport) -> String {
    let parameter = if transport == Transport::Tcp { ";transport=tcp" } else { "" };
    format!("sip:{number}@{}{parameter}", address(trunk, transport))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_calls_itself_by_udp_and_tcp() {
    let (trunk, media, desk) = desk::open(settings()).await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let (told, events) = ear();
        let leg = trunk.call(&target(&trunk, ANSWERS, transport), "+442079460001", events).await.unwrap();
        until(&told, |event| *event == Event::Established).await;
        assert_eq!(trunk.counts().dialogs, 2);
        leg.command(Command::HangUp).unwrap();
        until(&told, |event| *event == Event::Ended(EndReason::Completed)).await;
        assert!(leg.command(Command::HangUp).is_err(), "the leg is gone");

        let (told, events) = ear();
        let _leg = trunk.call(&target(&trunk, HANGS_UP, transport), "+442079460001", events).await.unwrap();
        until(&told, |event| *event == Event::Ended(EndReason::CallerHungUp)).await;

        let (told, events) = ear();
        let _leg = trunk.call(&target(&trunk, UNKNOWN, transport), "+442079460001", events).await.unwrap();
        until(&told, |event| *event == Event::Ended(EndReason::Refused)).await;

        let (told, events) = ear();
        let leg = trunk.call(&target(&trunk, RINGS, transport), "+442079460001", events).await.unwrap();
        while desk.legs() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        drop(leg);
        until(&told, |event| matches!(event, Event::Ended(_))).await;
    }
    // Refused INVITEs are remembered for 32 seconds (timer D); no call is.
    let end = Instant::now() + Duration::from_secs(10);
    while trunk.counts().dialogs > 0 || media.counts().sessions > 0 {
        assert!(Instant::now() < end, "left behind: {:?}", trunk.counts());
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(desk.count(|event| *event == Event::Ended(EndReason::Cancelled)), 2);
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_called_says_why() {
    let (trunk, _media, _desk) = desk::open(settings()).await;
    for wrong in ["tel:+442079460001", "hello", "sip:1@127.0.0.1;transport=sctp"] {
        let (_, events) = ear();
        assert!(trunk.call(wrong, "1", events).await.is_err(), "{wrong}");
    }
    let (told, events) = ear();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _leg = trunk.call(&format!("sip:1@{nobody};transport=tcp"), "1", events).await.unwrap();
    until(&told, |event| *event == Event::Ended(EndReason::SignallingTimeout)).await;
    quiet(&trunk, Duration::from_secs(5)).await;
    trunk.stop(Duration::from_secs(1)).await;
}
