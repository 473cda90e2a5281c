//! A carrier calls a node that is another process: it is greeted, understood, and its call is on record.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use cluster::edge::carriers::provider::Provider;
use tokio::time::sleep;

use super::application;
use super::carrier::{Carrier, PUBLIC, SECRET, telnyx_key};
use super::http::Rest;
use super::player::Player;
use crate::command_line::strowger;
use crate::node_calls::get;
use crate::node_life::{calls, start_with, stop};

/// An address that is free now.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address")
}

fn transcript(data: &Path) -> String {
    let id = calls(data)[0]["id"].as_str().expect("an id").to_owned();
    strowger(data, &["calls", "show", &id]).expect("shows")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_twilio_calls_a_node_and_is_understood() {
    is_understood(Provider::Twilio).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_telnyx_calls_a_node_and_is_understood() {
    is_understood(Provider::Telnyx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_plivo_calls_a_node_and_is_understood() {
    is_understood(Provider::Plivo).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_vonage_calls_a_node_and_is_understood() {
    is_understood(Provider::Vonage).await;
}

async fn is_understood(provider: Provider) {
    use aws_lc_rs::signature::KeyPair;
    use base64::Engine;
    let rest = Rest::start().await;
    let data = tempfile::tempdir().expect("a directory");
    let address = free();
    let at = address.to_string();
    let key = base64::engine::general_purpose::STANDARD.encode(telnyx_key().public_key().as_ref());
    let vonages = application::key_file().to_string_lossy().into_owned();
    let environment = [
        ("STROWGER_CARRIERS_ADDRESS", at.as_str()),
        ("STROWGER_CARRIERS_PUBLIC_URL", PUBLIC),
        ("STROWGER_CARRIERS_TWILIO_ACCOUNT", "AC1"),
        ("STROWGER_CARRIERS_TWILIO_AUTH_TOKEN", SECRET),
        ("STROWGER_CARRIERS_TWILIO_REST_URL", rest.url.as_str()),
        ("STROWGER_CARRIERS_TELNYX_ACCOUNT", "T1"),
        ("STROWGER_CARRIERS_TELNYX_API_KEY", SECRET),
        ("STROWGER_CARRIERS_TELNYX_PUBLIC_KEY", key.as_str()),
        ("STROWGER_CARRIERS_TELNYX_REST_URL", rest.url.as_str()),
        ("STROWGER_CARRIERS_PLIVO_ACCOUNT", "MA1"),
        ("STROWGER_CARRIERS_PLIVO_AUTH_TOKEN", SECRET),
        ("STROWGER_CARRIERS_PLIVO_REST_URL", rest.url.as_str()),
        ("STROWGER_CARRIERS_VONAGE_SIGNATURE_SECRET", SECRET),
        ("STROWGER_CARRIERS_VONAGE_APPLICATION", application::ID),
        ("STROWGER_CARRIERS_VONAGE_PRIVATE_KEY_FILE", vonages.as_str()),
        ("STROWGER_CARRIERS_VONAGE_REST_URL", rest.url.as_str()),
    ];
    let node = tokio::task::block_in_place(|| start_with(data.path(), &environment));
    let carrier = Carrier::new(provider, address);
    let player = Player::start(provider, "c-1", 8_000, carrier.calls("c-1").await);
    player.until("a greeting", |seen| seen.sounded.len() > 100).await;
    let quiet = |seen: &super::player::Seen| {
        seen.played.len() > 50 && seen.played.iter().rev().take(50).all(|frame| frame.iter().all(|s| *s == 0))
    };
    player.until("its end", quiet).await;
    let greeted = player.heard();
    assert!(greeted.contains("fleet street barbers"), "{provider:?}: {greeted}");
    player.says("where are you");
    for _ in 0..1_000 {
        if player.heard().contains("186 fleet street") {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert!(player.heard().contains("186 fleet street"), "{provider:?}: {}", player.heard());
    // In the middle of its words.
    player.says("goodbye");
    player.until("the clear", |seen| !seen.cleared.is_empty()).await;
    player.until("the goodbye's end", |seen| seen.closed.is_some()).await;
    let presence = cluster::operator::Presence::find(data.path()).expect("runs");
    let metrics = tokio::task::block_in_place(|| get(presence.http, "/metrics"));
    let connected =
        format!("strowger_carriers_calls_total{{provider=\"{}\",result=\"connected\"}} 1", provider.name());
    assert!(metrics.contains(&connected), "{metrics}");
    let shown = tokio::task::block_in_place(|| {
        let shown = transcript(data.path());
        assert!(stop(node), "a clean exit");
        shown
    });
    // A machine so loaded that this carrier's audio comes late may cost a word its end; what was asked is understood.
    assert!(shown.contains("caller        where") && shown.contains("186 Fleet Street"), "{shown}");
    assert_eq!(rest.asked().len(), 1, "we hung up: {:?}", rest.asked());
}
