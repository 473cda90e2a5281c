//! SIP over websocket (RFC 7118), by a small client of our own.

use std::net::SocketAddr;
use std::time::Duration;

use actors::call::leg::{Command, Event};
use actors::types::EndReason;
use cluster::edge::sip_trunk::Transport;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::desk::{self, ANSWERS, HANGS_UP};
use super::tls::{Certificate, client};
use super::wire::{is, to_tag};
use super::{address, quiet, settings};

/// A browser: it has no address of its own to name.
struct Browser<S> {
    socket: WebSocketStream<S>,
    via: &'static str,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Browser<S> {
    async fn over(stream: S, protocol: Option<&str>, via: &'static str) -> Result<Self, Error> {
        let mut request = "ws://sip.example.com/".into_client_request()?;
        if let Some(protocol) = protocol {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        Ok(Self { socket: client_async(request, stream).await?.0, via })
    }

    fn request(&self, method: &str, number: &str, sequence: u32, branch: &str, to_tag: &str) -> String {
        let body =
            if method == "INVITE" { "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n" } else { "" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:{number}@sip.example.com SIP/2.0\r\nVia: SIP/2.0/{} df7jal23ls0d.invalid;branch=z9hG4bK{branch}{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:2000@sip.example.com>;tag=far\r\nTo: <sip:{number}@sip.example.com>{to_tag}\r\n\
             Call-ID: browser{number}\r\nCSeq: {sequence} {method}\r\n\
             Contact: <sip:2000@df7jal23ls0d.invalid;transport=ws>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            self.via,
            body.len(),
        )
    }

    async fn send(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    /// The next message; none where the connection ends or nothing comes.
    async fn receive(&mut self) -> Option<String> {
        match timeout(Duration::from_secs(2), self.socket.next()).await.ok()?? {
            Ok(Message::Text(text)) => Some(text.to_string()),
            _ => None,
        }
    }

    async fn final_response(&mut self) -> String {
        loop {
            let message = self.receive().await.unwrap();
            if message.starts_with("SIP/2.0 ") && !message.starts_with("SIP/2.0 1") {
                return message;
            }
        }
    }

    /// Calls and is answered; the To tag.
    async fn calls(&mut self, number: &str) -> String {
        self.send(self.request("INVITE", number, 1, "i", "")).await;
        let answer = self.final_response().await;
        assert!(is(&answer, 200), "{answer}");
        assert!(answer.contains(";transport=ws>"), "our Contact is reached by websocket: {answer}");
        let tag = to_tag(&answer);
        self.send(self.request("ACK", number, 1, "a", &tag)).await;
        tag
    }
}

async fn plain(trunk: SocketAddr, protocol: Option<&str>) -> Result<Browser<TcpStream>, Error> {
    Browser::over(TcpStream::connect(trunk).await.unwrap(), protocol, "WS").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_calls_and_either_side_hangs_up_on_the_same_connection() {
    let mut with = settings();
    with.ws = Some("127.0.0.1:0".parse().unwrap());
    let (trunk, media, desk) = desk::open(with).await;
    let at = address(&trunk, Transport::Ws);
    let mut browser = plain(at, Some("xmpp, sip")).await.unwrap();
    browser.send(browser.request("OPTIONS", ANSWERS, 1, "o", "")).await;
    assert!(is(&browser.final_response().await, 200));
    browser.send("\r\n\r\n").await;
    assert_eq!(browser.receive().await.as_deref(), Some("\r\n"), "a keep-alive is answered");

    let tag = browser.calls(ANSWERS).await;
    assert_eq!(trunk.counts().tcp_connections, 1);
    browser.send(browser.request("BYE", ANSWERS, 2, "b", &tag)).await;
    assert!(is(&browser.final_response().await, 200));

    // Our own request goes back on the connection that the browser made: there is no other way to it.
    browser.calls(HANGS_UP).await;
    let bye = browser.receive().await.unwrap();
    assert!(bye.starts_with("BYE sip:2000@df7jal23ls0d.invalid;transport=ws SIP/2.0\r\n"), "{bye}");
    assert!(bye.contains("\r\nVia: SIP/2.0/WS 127.0.0.1:"), "{bye}");
    let echoed =
        |line: &&str| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name));
    let headers: String = bye.lines().filter(echoed).map(|line| format!("{line}\r\n")).collect();
    browser.send(format!("SIP/2.0 200 OK\r\n{headers}Content-Length: 0\r\n\r\n")).await;
    quiet(&trunk, Duration::from_secs(10)).await;
    assert_eq!(desk.count(|event| *event == Event::Established), 2);
    assert_eq!(desk.count(|event| *event == Event::Ended(EndReason::CallerHungUp)), 1);
    assert_eq!(desk.count(|event| *event == Event::Ended(EndReason::Completed)), 1);

    // A browser that is gone can't be asked: its call ends all the same.
    browser.send(browser.request("INVITE", "1000", 5, "again", "").replace("browser1000", "third")).await;
    let answer = browser.final_response().await;
    let ack = browser.request("ACK", "1000", 5, "ack", &to_tag(&answer)).replace("browser1000", "third");
    browser.send(ack).await;
    while desk.count(|event| *event == Event::Established) < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(browser);
    while trunk.counts().tcp_connections > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    desk.command(ANSWERS, Command::HangUp);
    quiet(&trunk, Duration::from_secs(10)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_it_is_the_same_and_a_new_certificate_is_shown() {
    let certificate = Certificate::new(&["127.0.0.1"]);
    let mut with = certificate.settings("127.0.0.1");
    (with.wss, with.tls) = (Some("127.0.0.1:0".parse().unwrap()), None);
    let (trunk, _media, desk) = desk::open(with).await;
    let at = address(&trunk, Transport::Wss);
    let stream = client(at, certificate.der()).await.unwrap();
    let mut browser = Browser::over(stream, Some("sip"), "WSS").await.unwrap();
    let tag = browser.calls(ANSWERS).await;

    certificate.renew(&["127.0.0.1"]);
    let renewed = certificate.der();
    let until = tokio::time::Instant::now() + Duration::from_secs(5);
    while client(at, renewed.clone()).await.is_err() {
        assert!(tokio::time::Instant::now() < until, "the new certificate is never shown");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    browser.send(browser.request("BYE", ANSWERS, 2, "b", &tag)).await;
    assert!(is(&browser.final_response().await, 200), "the call goes on meanwhile");
    quiet(&trunk, Duration::from_secs(10)).await;
    assert_eq!(desk.count(|event| matches!(event, Event::Ended(_))), 1);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_speak_sip_is_sent_away() {
    let mut with = settings();
    with.ws = Some("127.0.0.1:0".parse().unwrap());
    with.secure.handshake_ms = 400;
    with.connection_stall_ms = 400;
    let (trunk, _media, _desk) = desk::open(with).await;
    let at = address(&trunk, Transport::Ws);
    for protocol in [None, Some("chat"), Some("sipx")] {
        let refused = plain(at, protocol).await.err().unwrap();
        assert!(matches!(&refused, Error::Http(response) if response.status() == 400), "{refused}");
    }
    // Connects and says nothing: before the handshake, and after it.
    let silent = TcpStream::connect(at).await.unwrap();
    let mut mute = plain(at, Some("sip")).await.unwrap();
    assert_eq!(mute.receive().await, None, "closed");
    let mut byte = [0];
    let end =
        timeout(Duration::from_secs(2), tokio::io::AsyncReadExt::read(&mut { silent }, &mut byte)).await;
    assert!(matches!(end, Ok(Ok(0) | Err(_))), "closed");

    let mut babbler = plain(at, Some("sip")).await.unwrap();
    for _ in 0..11 {
        babbler.send("this is not SIP at all").await;
    }
    assert_eq!(babbler.receive().await, None, "closed");
    let mut giant = plain(at, Some("sip")).await.unwrap();
    let _ = giant.socket.send(Message::text("x".repeat(300 * 1_024))).await;
    assert_eq!(giant.receive().await, None, "closed");
    while trunk.counts().tcp_connections > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(trunk.counts().is_quiet(), "{:?}", trunk.counts());
    trunk.stop(Duration::from_secs(1)).await;
}
