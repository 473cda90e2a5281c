//! Vonage's REST: hanging up and transfers, by tokens that a server checks as Vonage does.

use std::collections::BTreeSet;
use std::time::Duration;

use actors::call::leg::{Command, Event};
use actors::types::{Destination, EndReason, PhoneNumber};
use cluster::edge::carriers::provider::Provider;
use cluster::edge::carriers::{Carriers, Settings};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::application;
use super::carrier::{Carrier, path_of, settings};
use super::desk::Edge;
use super::http::{Manner, Rest};
use super::player::Player;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"))
}

/// A call that is up.
async fn up(edge: &Edge) -> (Carrier, Player) {
    let carrier = Carrier::new(Provider::Vonage, edge.address);
    let player = Player::start(Provider::Vonage, "c-1", 8_000, carrier.calls("c-1").await);
    edge.desk.until("the stream", |event| *event == Event::Established).await;
    (carrier, player)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_up_is_asked_for_with_a_new_token_each_time_until_it_is_known_and_no_longer() {
    use Manner::{Cut, Silent, Status};
    for (manners, asked) in [
        (vec![], 1),
        (vec![Status(401)], 1),
        (vec![Status(403)], 1),
        (vec![Status(404)], 1),
        (vec![Status(429)], 2),
        (vec![Status(500), Status(503)], 3),
        (vec![Cut, Silent], 3),
        (vec![Cut, Status(429), Silent], 3),
    ] {
        let rest = Rest::start().await;
        let mut quick = settings(&rest.url);
        quick.rest.timeout_ms = 300;
        let edge = Edge::start(quick).await;
        let (_carrier, player) = up(&edge).await;
        manners.iter().for_each(|manner| rest.next(*manner));
        edge.desk.command(Command::HangUp);
        edge.desk.until("the end", |event| *event == Event::Ended(EndReason::Completed)).await;
        player.until("the close", |seen| seen.closed.is_some()).await;
        // Waits for what is still asked.
        edge.stop().await;
        let all = rest.asked();
        assert_eq!(all.len(), asked, "{manners:?}");
        let mut tokens = BTreeSet::new();
        for one in &all {
            assert_eq!(one.line, "PUT /v1/calls/c-1 HTTP/1.1");
            assert_eq!(parsed(&one.body), json!({ "action": "hangup" }));
            let token = application::admits(&one.authorization).unwrap_or_else(|why| panic!("{why}"));
            assert!(tokens.insert(token), "the same token twice");
        }
    }
}

/// A call that is to be transferred, and the path by which Vonage asks what to do.
async fn transferring(edge: &Edge, rest: &Rest) -> (Carrier, Player, String) {
    let (carrier, player) = up(edge).await;
    let number = PhoneNumber::parse("+442079460123").expect("a number");
    edge.desk.command(Command::Transfer(Destination::Number(number)));
    let asked = rest.after(1).await;
    assert_eq!(asked[0].line, "PUT /v1/calls/c-1 HTTP/1.1");
    assert!(application::admits(&asked[0].authorization).is_ok());
    let body = parsed(&asked[0].body);
    let url = body["destination"]["url"][0].as_str().expect("a URL").to_owned();
    assert_eq!(body, json!({ "action": "transfer", "destination": { "type": "ncco", "url": [url] } }));
    (carrier, player, path_of(&url, Provider::Vonage))
}

/// Vonage asks what to do with the call; where it will tell what became of it.
async fn fetched(carrier: Carrier, path: &str) -> String {
    let (status, ncco) = carrier.asks(path, "c-1", &[]).await;
    assert_eq!(status, 200);
    let connect = &parsed(&ncco)[0];
    assert_eq!((&connect["action"], &connect["from"]), (&json!("connect"), &json!("1000")), "one of ours");
    assert_eq!(connect["endpoint"], json!([{ "type": "phone", "number": "442079460123" }]));
    let then = connect["eventUrl"][0].as_str().expect("a URL");
    assert_eq!(parsed(&ncco)[1]["eventUrl"][0], then, "that it is over is told, too");
    path_of(then, Provider::Vonage)
}

const OVER: &str = r#"{"conversation_uuid":"CON-1","payload":{"told":"dialling is over"}}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_is_reached_and_the_call_goes_on_without_us() {
    let rest = Rest::start().await;
    let edge = Edge::start(settings(&rest.url)).await;
    let (carrier, player, path) = transferring(&edge, &rest).await;
    let then = fetched(carrier, &path).await;
    player.hangs_up();
    // Those are of the other's call.
    for status in ["started", "ringing"] {
        assert_eq!(carrier.asks(&then, "c-2", &[("status", status)]).await.0, 204, "{status}");
    }
    let (status, answer) = carrier.asks(&then, "c-2", &[("status", "answered")]).await;
    assert_eq!((status, answer.as_str()), (204, ""), "a list would be done instead of what is under way");
    edge.desk.until("the answer", |event| *event == Event::TransferProgress(200)).await;
    edge.desk.until("the end", |event| *event == Event::Ended(EndReason::Transferred)).await;
    assert_eq!(carrier.tells(&then, OVER).await, (200, "[]".to_owned()));
    edge.stop().await;
    assert_eq!(rest.asked().len(), 1, "a transferred call is not hung up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_reached_and_the_caller_is_back_with_us() {
    let busy = json!({ "uuid": "c-2", "status": "busy" }).to_string();
    for (news, told) in [(busy.as_str(), 486), (OVER, 480)] {
        let rest = Rest::start().await;
        let edge = Edge::start(settings(&rest.url)).await;
        let (carrier, player, path) = transferring(&edge, &rest).await;
        let then = fetched(carrier, &path).await;
        player.hangs_up();
        sleep(Duration::from_millis(100)).await;
        let (_, back) = carrier.tells(&then, news).await;
        let again =
            Player::start(Provider::Vonage, "c-1", 8_000, carrier.connects(&back).await.expect("a stream"));
        edge.desk.until("why it failed", |event| *event == Event::TransferProgress(told)).await;
        edge.desk.says(5, "they are busy");
        again.until("words", |seen| !seen.sounded.is_empty()).await;
        again.hangs_up();
        edge.desk.until("the end", |event| *event == Event::Ended(EndReason::CallerHungUp)).await;
        edge.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_a_transfer_is_told_by_what_vonage_says_and_what_is_not_known_stays_so() {
    use Manner::{Cut, Silent, Status};
    for (manner, told) in [
        (Status(401), Some(503)),
        (Status(404), Some(481)),
        (Status(429), Some(503)),
        (Status(500), Some(503)),
        (Silent, None),
        (Cut, None),
    ] {
        let rest = Rest::start().await;
        let mut quick = settings(&rest.url);
        (quick.rest.timeout_ms, quick.transfer_ms) = (200, 1_500);
        let edge = Edge::start(quick).await;
        rest.next(manner);
        let (_, player, _) = transferring(&edge, &rest).await;
        match told {
            Some(status) => {
                edge.desk.until("the failure", |event| *event == Event::TransferProgress(status)).await;
            }
            None => {
                sleep(Duration::from_millis(700)).await;
                let known = |event: &Event| matches!(event, Event::TransferProgress(200..));
                assert!(!edge.desk.told().iter().any(known), "{manner:?}: nobody knows");
                edge.desk.until("no answer", |event| *event == Event::TransferProgress(408)).await;
            }
        }
        edge.desk.says(1, "sorry");
        player.until("words", |seen| !seen.sounded.is_empty()).await;
        assert_eq!(rest.asked().len(), 1, "{manner:?}: what may have been done is not asked for twice");
        player.hangs_up();
        edge.desk.until("the end", |event| *event == Event::Ended(EndReason::CallerHungUp)).await;
        edge.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_another_application_is_not_let_in_and_says_so_once() {
    let rest = Rest::start().await;
    let mut another = settings(&rest.url);
    another.vonage.application = "app-2".to_owned();
    let edge = Edge::start(another).await;
    // Its own messages are of app-1, and not believed.
    let (status, _) = Carrier::new(Provider::Vonage, edge.address).asks("answer", "c-1", &[]).await;
    assert_eq!(status, 403);
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_none_is_told_at_the_start() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("private.key");
    let started = async |change: &dyn Fn(&mut Settings)| {
        let mut settings = settings("http://127.0.0.1:9");
        change(&mut settings);
        let edge = Edge::start(super::carrier::settings("http://127.0.0.1:9")).await;
        let reception = edge.reception();
        let started = Carriers::start(settings, reception, edge.media.clone()).await;
        edge.stop().await;
        started.err().map(|why| why.to_string()).unwrap_or_default()
    };
    let key = |text: &'static str| {
        std::fs::write(&file, text).expect("written");
        let file = file.clone();
        move |settings: &mut Settings| settings.vonage.private_key_file = Some(file.clone())
    };
    for text in ["", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        let why = started(&key(text)).await;
        assert!(why.contains("private_key_file") && why.contains("private.key"), "{why}");
    }
    let why = started(&|settings| settings.vonage.application = String::new()).await;
    assert!(why.contains("carriers.vonage.application"), "{why}");
}
