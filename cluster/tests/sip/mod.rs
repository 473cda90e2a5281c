//! The SIP trunk against real peers.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod arriving;
mod attesting;
mod baresip;
mod baresip_audio;
mod bridging;
mod browser;
mod calling_back;
mod chromium;
mod delayed_offers;
mod desk;
mod dialling;
mod early_media;
mod echo;
mod end;
mod guard;
mod handing_over;
mod kamailio;
mod keyed;
mod keys_in_vain;
mod leaks;
mod name_server;
mod peer;
mod registering;
mod rfc3665;
mod scenarios;
mod scripted;
mod sessions;
mod sipp;
mod sipp_answers;
mod softphone;
mod taking_over;
mod tls;
mod tones;
mod torture;
mod trial;
mod websocket;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use cluster::edge::sip_trunk::{Settings, Transport, Trunk};
use tokio::time::{Instant, sleep};

/// Settings for a trunk on loopback, with timers shortened so that transactions end within seconds.
fn settings() -> Settings {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let mut settings =
        Settings { udp: Some(any), tcp: Some(any), shards: 2, t4_ms: 200, ..Settings::default() };
    settings.timing.t1_ms = 50;
    settings.timing.t2_ms = 400;
    settings.timing.ringing_ms = 10_000;
    settings
}

fn address(trunk: &Trunk, transport: Transport) -> SocketAddr {
    let all = trunk.local_addresses();
    all.iter().find(|one| one.transport == transport).map(|one| one.address).unwrap()
}

/// Waits until nothing of any call is left.
async fn quiet(trunk: &Trunk, within: Duration) {
    let until = Instant::now() + within;
    while !trunk.counts().is_quiet() {
        assert!(Instant::now() < until, "left behind: {:?}", trunk.counts());
        sleep(Duration::from_millis(20)).await;
    }
}
