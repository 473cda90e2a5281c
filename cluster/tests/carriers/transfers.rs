//! Transfers by the carrier's REST: reached, not reached and back, refused, unknown.

use std::time::Duration;

use actors::call::leg::{Command, Event};
use actors::types::{Destination, EndReason, PhoneNumber};
use cluster::edge::carriers::provider::Provider;
use tokio::time::sleep;

use super::carrier::{Carrier, path_of, settings, url_from};
use super::desk::Edge;
use super::http::{Manner, Rest};
use super::player::Player;

/// The URL that a request to transfer names.
fn url_of(body: &str) -> String {
    let plain = body.replace("%3A", ":").replace("%2F", "/");
    let url = url_from(&plain, "http://calls.example/").expect("a URL");
    url.split('&').next().expect("a URL").to_owned()
}

async fn transferring(edge: &Edge, rest: &Rest, provider: Provider) -> (Carrier, Player, String) {
    let carrier = Carrier::new(provider, edge.address);
    let player = Player::start(provider, "c-1", 8_000, carrier.calls("c-1").await);
    edge.desk.until("the stream", |event| *event == Event::Established).await;
    let number = PhoneNumber::parse("+442079460123").expect("a number");
    edge.desk.command(Command::Transfer(Destination::Number(number)));
    let asked = rest.after(1).await;
    (carrier, player, path_of(&url_of(&asked[0].body), provider))
}

const BY_REST: [Provider; 3] = [Provider::Twilio, Provider::Telnyx, Provider::Plivo];

fn fate(provider: Provider, word: &'static str) -> [(&'static str, &'static str); 1] {
    [(if provider == Provider::Plivo { "DialStatus" } else { "DialCallStatus" }, word)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_is_reached_and_the_call_goes_on_without_us() {
    for provider in BY_REST {
        let rest = Rest::start().await;
        let edge = Edge::start(settings(&rest.url)).await;
        let (carrier, player, path) = transferring(&edge, &rest, provider).await;
        let (status, dial) = carrier.asks(&path, "c-1", &[]).await;
        assert_eq!(status, 200);
        assert!(dial.contains(">+442079460123</Number>"), "{dial}");
        assert!(dial.contains("timeout=\"20\""), "{dial}");
        // The carrier ends the stream: the caller listens to the ringing.
        player.hangs_up();
        edge.desk.until("the ringing", |event| *event == Event::TransferProgress(180)).await;
        let then = path_of(&url_from(&dial, "http://").expect("a URL"), provider);
        // They have answered; what is asked when they have hung up again is answered, too.
        let answered = match provider {
            Provider::Plivo => [("DialAction", "answer"), ("DialBLegUUID", "c-2")],
            _ => [("ParentCallSid", "c-1"), ("CallStatus", "in-progress")],
        };
        let (_, answer) = carrier.asks(&then, "c-1", &answered).await;
        assert!(answer.contains("<Hangup/>"), "{answer}");
        edge.desk.until("the answer", |event| *event == Event::TransferProgress(200)).await;
        let (_, answer) = carrier.asks(&then, "c-1", &fate(provider, "completed")).await;
        assert!(answer.contains("<Hangup/>"), "{answer}");
        edge.desk.until("the end", |event| *event == Event::Ended(EndReason::Transferred)).await;
        assert!(edge.desk.told().contains(&Event::TransferProgress(200)));
        edge.stop().await;
        assert_eq!(rest.asked().len(), 1, "a transferred call is not hung up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_reached_and_the_caller_is_back_with_us() {
    for provider in BY_REST {
        let rest = Rest::start().await;
        let edge = Edge::start(settings(&rest.url)).await;
        let (carrier, player, path) = transferring(&edge, &rest, provider).await;
        let (_, dial) = carrier.asks(&path, "c-1", &[]).await;
        player.hangs_up();
        sleep(Duration::from_millis(100)).await;
        let then = path_of(&url_from(&dial, "http://").expect("a URL"), provider);
        let (_, back) = carrier.asks(&then, "c-1", &fate(provider, "busy")).await;
        assert!(
            !edge.desk.told().contains(&Event::TransferProgress(486)),
            "nobody can be spoken to before the stream is back"
        );
        let again = Player::start(provider, "c-1", 8_000, carrier.connects(&back).await.expect("a stream"));
        edge.desk.until("why it failed", |event| *event == Event::TransferProgress(486)).await;
        edge.desk.says(5, "they are busy");
        edge.desk
            .until("the words", |event| matches!(event, Event::PlaybackEnded { complete: true, .. }))
            .await;
        assert_eq!(again.heard(), "they are busy", "{provider:?}");
        assert_eq!(
            edge.desk.told().iter().filter(|event| **event == Event::Established).count(),
            1,
            "it is the same call"
        );
        again.hangs_up();
        edge.desk.until("the end", |event| *event == Event::Ended(EndReason::CallerHungUp)).await;
        edge.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_that_is_refused_is_told_at_once_and_one_unheard_of_in_time() {
    let rest = Rest::start().await;
    let edge = Edge::start(settings(&rest.url)).await;
    rest.next(Manner::Status(500));
    let (_carrier, player, _) = transferring(&edge, &rest, Provider::Twilio).await;
    edge.desk.until("the failure", |event| *event == Event::TransferProgress(503)).await;
    edge.desk.says(1, "sorry");
    player.until("words", |seen| !seen.sounded.is_empty()).await;
    edge.desk.command(Command::Transfer(Destination::Uri("sip:desk@example.com".to_owned())));
    assert_eq!(rest.after(2).await.len(), 2, "one attempt each");
    player.hangs_up();
    edge.stop().await;

    // Whether the carrier has taken it is not known: it has, when it asks; the caller is never left alone.
    let rest = Rest::start().await;
    let mut short = settings(&rest.url);
    (short.transfer_ms, short.rest.timeout_ms) = (700, 200);
    let edge = Edge::start(short).await;
    rest.next(Manner::Silent);
    let (carrier, player, path) = transferring(&edge, &rest, Provider::Twilio).await;
    sleep(Duration::from_millis(400)).await;
    assert!(edge.desk.told().iter().all(|event| !matches!(event, Event::TransferProgress(200..))));
    edge.desk.until("no answer", |event| *event == Event::TransferProgress(408)).await;
    assert_eq!(rest.asked().len(), 1, "what may have been done is not asked for twice");
    let (_, late) = carrier.asks(&path, "c-1", &[]).await;
    player.hangs_up();
    let back =
        Player::start(Provider::Twilio, "c-1", 8_000, carrier.connects(&late).await.expect("a stream"));
    // What is said before the caller is back is not heard, and the call is told so.
    back.until("the line", |seen| seen.played.len() > 25).await;
    edge.desk.says(2, "here i am");
    back.until("words", |seen| !seen.sounded.is_empty()).await;
    back.hangs_up();
    edge.stop().await;
}
