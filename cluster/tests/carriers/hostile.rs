//! Strangers, floods and garbage: refused, counted, closed; nothing is left of them.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::EndReason;
use cluster::edge::carriers::provider::Provider;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::carrier::{Carrier, PUBLIC, settings};
use super::desk::Edge;
use super::http::{Rest, ask};
use super::player::Player;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_signed_by_its_carrier_is_refused_and_makes_no_call() {
    let rest = Rest::start().await;
    let edge = Edge::start(settings(&rest.url)).await;
    for provider in Provider::ALL {
        let carrier = Carrier::new(provider, edge.address);
        for what in ["answer", "status", "transfer/00", "dialled/00"] {
            let path = format!("/carriers/{}/{what}", provider.name());
            let body = carrier.body("c-1", &[]);
            let (status, _) = ask(edge.address, "POST", &path, &[], &body).await;
            assert_eq!(status, 403, "{provider:?} {what} unsigned");
            let of_another = carrier.proof(&path, "another body");
            let (status, _) = ask(edge.address, "POST", &path, &of_another, &body).await;
            assert_eq!(status, 403, "{provider:?} {what} signed for another body");
            let garbled: Vec<(&str, String)> = carrier
                .proof(&path, &body)
                .into_iter()
                .map(|(name, value)| (name, format!("x{value}")))
                .collect();
            let (status, _) = ask(edge.address, "POST", &path, &garbled, &body).await;
            assert_eq!(status, 403, "{provider:?} {what} garbled");
        }
        let path = format!("/carriers/{}/answer", provider.name());
        let nothing = "{}";
        let (status, _) = ask(edge.address, "POST", &path, &carrier.proof(&path, nothing), nothing).await;
        assert_eq!(status, 400, "{provider:?}: signed, and of no call");
        let (status, answer) = carrier.asks("dialled/0123", "c-1", &[]).await;
        assert_eq!(status, 200, "a caller of a call that is over hears no error message");
        assert!(answer.contains("<Hangup/>") || answer == "[]", "{answer}");
        for token in ["", "0123456789abcdef0123456789abcdef", "../answer"] {
            let url = format!("ws://calls.example/carriers/{}/stream/{token}", provider.name());
            assert_eq!(carrier.opens(&url).await.err(), Some(403), "{provider:?} {token}");
        }
    }
    let mut unset = settings(&rest.url);
    unset.plivo.auth_token = "".into();
    let without = Edge::start(unset).await;
    let (status, _) = Carrier::new(Provider::Plivo, without.address).asks("answer", "c-1", &[]).await;
    assert_eq!(status, 403, "a carrier that is not configured brings no calls");
    without.stop().await;
    for path in ["/", "/carriers/", "/carriers/other/answer", "/carriers/twilio/other", "/metrics"] {
        assert_eq!(ask(edge.address, "GET", path, &[], "").await.0, 404, "{path}");
    }
    assert_eq!(ask(edge.address, "GET", "/carriers/twilio/stream/00", &[], "").await.0, 400, "no websocket");
    assert_eq!(edge.carriers.counts().calls, 0);
    assert!(edge.desk.offered.lock().is_empty());
    edge.stop().await;
}

/// A stream that has begun.
async fn begun(edge: &Edge, call: &str) -> WebSocketStream<TcpStream> {
    let mut socket = Carrier::new(Provider::Twilio, edge.address).calls(call).await;
    let start =
        json!({ "event": "start", "streamSid": "MZ1", "start": { "streamSid": "MZ1", "callSid": call } });
    socket.send(Message::text(start.to_string())).await.expect("sends");
    socket
}

/// Waits until the edge has closed a stream.
async fn closed(mut socket: WebSocketStream<TcpStream>) {
    let end = async {
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                return;
            }
        }
    };
    timeout(Duration::from_secs(5), end).await.expect("the stream is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_floods_and_giants_close_their_own_stream_only() {
    let rest = Rest::start().await;
    let mut bounds = settings(&rest.url);
    (bounds.unreadable_max, bounds.messages_per_second, bounds.messages_burst) = (5, 100, 200);
    bounds.message_bytes_max = 4_096;
    let edge = Edge::start(bounds).await;
    let carrier = Carrier::new(Provider::Plivo, edge.address);
    let good = Player::start(Provider::Plivo, "good", 8_000, carrier.calls("good").await);
    edge.desk.until("the good call", |event| *event == Event::Established).await;

    let mut garbage = begun(&edge, "garbage").await;
    for text in
        ["", "{", "[]", "{\"event\":1}", "\u{0}", "{\"event\":\"media\",\"media\":{\"payload\":\"!\"}}"]
    {
        let _ = garbage.send(Message::text(text)).await;
    }
    closed(garbage).await;

    let mut binary = begun(&edge, "binary").await;
    for _ in 0..6 {
        let _ = binary.send(Message::binary(vec![0; 320])).await;
    }
    closed(binary).await;

    let mut giant = begun(&edge, "giant").await;
    let _ = giant.send(Message::text("x".repeat(5_000))).await;
    closed(giant).await;

    let mut flood = begun(&edge, "flood").await;
    let mark = json!({ "event": "mark", "mark": { "name": "1" } }).to_string();
    for _ in 0..1_000 {
        if flood.send(Message::text(mark.clone())).await.is_err() {
            break;
        }
    }
    closed(flood).await;

    let mut other = carrier_stream(&edge, "mine").await;
    let start =
        json!({ "event": "start", "streamSid": "M", "start": { "streamSid": "M", "callSid": "another" } });
    other.send(Message::text(start.to_string())).await.expect("sends");
    closed(other).await;

    let mut torn = begun(&edge, "torn").await;
    let _ = torn.get_mut().write_all(&[0x83, 0xff, 0x00, 0x12, 0x99]).await;
    let _ = torn.get_mut().shutdown().await;
    closed(torn).await;

    for _ in 0..200 {
        if edge.carriers.counts().calls == 1 {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(edge.carriers.counts().calls, 1, "the good one");
    edge.desk.until("the end of one", |event| *event == Event::Ended(EndReason::SignallingTimeout)).await;
    good.presses(Provider::Plivo, '1');
    edge.desk.until("the good call's key", |event| *event == Event::Digit('1')).await;
    good.hangs_up();
    edge.stop().await;
}

async fn carrier_stream(edge: &Edge, call: &str) -> WebSocketStream<TcpStream> {
    Carrier::new(Provider::Twilio, edge.address).calls(call).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_and_large_bodies_hold_nobody_up() {
    let rest = Rest::start().await;
    let mut bounds = settings(&rest.url);
    (bounds.connections_max, bounds.request_ms, bounds.body_bytes_max) = (8, 400, 2_048);
    let edge = Edge::start(bounds).await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(edge.address).await.expect("connects");
        stream.write_all(b"POST /carriers/twilio/answer HTTP/1.1\r\nhost: ").await.expect("sends");
        slow.push(stream);
    }
    sleep(Duration::from_millis(100)).await;
    let mut ninth = TcpStream::connect(edge.address).await.expect("connects");
    let mut byte = [0];
    let read = timeout(Duration::from_millis(300), ninth.read(&mut byte)).await.expect("at once");
    assert!(matches!(read, Ok(0) | Err(_)), "one too many is closed at once");
    for mut stream in slow {
        let mut rest = Vec::new();
        let _ = timeout(Duration::from_secs(2), stream.read_to_end(&mut rest)).await.expect("is closed");
    }
    let head = format!(
        "POST /carriers/twilio/answer HTTP/1.1\r\nhost: {PUBLIC}\r\ncontent-length: 100\r\n\r\nCallSid"
    );
    let mut half = TcpStream::connect(edge.address).await.expect("connects");
    half.write_all(head.as_bytes()).await.expect("sends");
    let mut answer = Vec::new();
    timeout(Duration::from_secs(2), half.read_to_end(&mut answer)).await.expect("in time").expect("reads");
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    let body = "x".repeat(3_000);
    assert_eq!(ask(edge.address, "POST", "/carriers/twilio/answer", &[], &body).await.0, 413);
    let carrier = Carrier::new(Provider::Twilio, edge.address);
    let (status, _) = carrier.asks("answer", "after all that", &[]).await;
    assert_eq!(status, 400, "a name with blanks is no name");
    let _stream = carrier.calls("c-1").await;
    edge.stop().await;
}
