//! What no well-behaved peer sends, byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use actors::call::leg::Event;
use cluster::edge::sip_trunk::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::desk::{self, ANSWERS, RINGS};
use super::{address, quiet, settings};

/// A phone that says what the test wants, by datagrams.
pub(super) struct Phone {
    socket: UdpSocket,
    trunk: SocketAddr,
    pub(super) own: SocketAddr,
}

impl Phone {
    pub(super) async fn new(trunk: SocketAddr) -> Self {
        Self::at("127.0.0.1", trunk).await
    }

    /// One at another address of loopback.
    pub(super) async fn at(host: &str, trunk: SocketAddr) -> Self {
        let socket = UdpSocket::bind((host, 0)).await.unwrap();
        let own = socket.local_addr().unwrap();
        Self { socket, trunk, own }
    }

    pub(super) fn request(
        &self,
        method: &str,
        sequence: u32,
        branch: &str,
        to_tag: &str,
        extra: &str,
    ) -> String {
        let body =
            if method == "INVITE" { "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n" } else { "" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:{ANSWERS}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{branch}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:2000@127.0.0.1>;tag=far\r\nTo: <sip:{ANSWERS}@127.0.0.1>{to_tag}\r\n\
             Call-ID: wire\r\nCSeq: {sequence} {method}\r\nContact: <sip:2000@{own}>\r\n{extra}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len(),
            own = self.own
        )
    }

    pub(super) async fn send(&self, message: impl AsRef<[u8]>) {
        self.socket.send_to(message.as_ref(), self.trunk).await.unwrap();
    }

    /// The next message, or nothing within a short time.
    pub(super) async fn receive(&self) -> Option<String> {
        let mut buffer = vec![0; 65_535];
        let received = timeout(Duration::from_millis(400), self.socket.recv(&mut buffer)).await.ok()?;
        Some(String::from_utf8_lossy(&buffer[..received.unwrap()]).into_owned())
    }

    /// The next final response.
    pub(super) async fn response(&self) -> String {
        loop {
            let message = self.receive().await.unwrap();
            if message.starts_with("SIP/2.0") && !message.starts_with("SIP/2.0 1") {
                return message;
            }
        }
    }

    pub(super) async fn asks(&self, message: &str) -> String {
        self.send(message).await;
        self.response().await
    }
}

pub(super) fn to_tag(message: &str) -> String {
    let to = message.lines().find(|line| line.starts_with("To:")).unwrap();
    to.split_once(";tag=").map(|(_, tag)| format!(";tag={tag}")).unwrap_or_default()
}

pub(super) fn is(message: &str, status: u16) -> bool {
    message.starts_with(&format!("SIP/2.0 {status} "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_invite_is_one_call_however_often_and_late_it_comes() {
    let (trunk, _media, desk) = desk::open(settings()).await;
    let phone = Phone::new(address(&trunk, Transport::Udp)).await;
    let invite = phone.request("INVITE", 1, "a", "", "");
    for _ in 0..5 {
        phone.send(&invite).await;
    }
    let answer = phone.response().await;
    assert!(is(&answer, 200), "{answer}");
    let tag = to_tag(&answer);
    phone.send(phone.request("ACK", 1, "ack", &tag, "")).await;
    while phone.receive().await.is_some() {}
    // Late, after its ACK.
    phone.send(&invite).await;
    assert_eq!(phone.receive().await, None, "absorbed");
    // The same call by another way.
    let merged = phone.asks(&phone.request("INVITE", 1, "other", "", "")).await;
    assert!(is(&merged, 482), "{merged}");
    assert_eq!(trunk.counts().dialogs, 1);

    let bye = phone.request("BYE", 2, "bye", &tag, "");
    assert!(is(&phone.asks(&bye).await, 200));
    assert!(is(&phone.asks(&bye).await, 200), "a repeated BYE is answered again");
    let again = phone.asks(&phone.request("BYE", 3, "bye2", &tag, "")).await;
    assert!(is(&again, 481), "{again}");
    phone.send(&invite).await;
    assert_eq!(phone.receive().await, None, "no ghost call");
    quiet(&trunk, Duration::from_secs(10)).await;
    assert_eq!(desk.count(|event| *event == Event::Established), 1);
    assert_eq!(desk.count(|event| matches!(event, Event::Ended(_))), 1);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_malformed_is_answered_where_it_can_be_and_leaves_nothing() {
    let (trunk, _media, _desk) = desk::open(settings()).await;
    let phone = Phone::new(address(&trunk, Transport::Udp)).await;
    let options = phone.request("OPTIONS", 1, "o", "", "");
    let answer = phone.asks(&options).await;
    assert!(is(&answer, 200) && answer.contains("Allow: INVITE"), "{answer}");
    let invite = phone.request("INVITE", 1, "i", "", "");
    for (message, status, phrase) in [
        (options.replace("CSeq: 1 OPTIONS", "CSeq: 1 BYE"), 400, "CSeq"),
        (options.replace("Call-ID: wire\r\n", ""), 400, "Call-ID"),
        (options.replace("Content-Length: 0", "Content-Length: -1"), 400, "Content-Length"),
        (options.replace("sip:1000@127.0.0.1 SIP", "mailto:1000@127.0.0.1 SIP"), 416, "Scheme"),
        (options.replace("SIP/2.0\r\n", "SIP/7.0\r\n"), 505, "Version"),
        (options.replace("OPTIONS", "FOOBAR"), 501, "Not Implemented"),
        (options.replace("OPTIONS", "REGISTER"), 405, "Not Allowed"),
        (invite.replace("Contact:", "Require: join\r\nContact:"), 420, "Bad Extension"),
        (options.replace("Contact:", "Replaces: a;to-tag=1;from-tag=2\r\nContact:"), 400, "Replaces"),
        (invite.replace("Contact:", "Replaces: a;to-tag=1\r\nContact:"), 400, "Replaces"),
        (phone.request("REFER", 1, "r", "", "Refer-To: <sip:a@192.0.2.1>\r\n"), 403, "Forbidden"),
        (invite.replace("RTP/AVP 0", "RTP/AVP 18"), 488, "Not Acceptable"),
        (phone.request("BYE", 2, "b", ";tag=00112233", ""), 481, "Does Not Exist"),
        (phone.request("CANCEL", 1, "nothing", "", ""), 481, "Does Not Exist"),
        (
            invite
                .replace(&format!("sip:{ANSWERS}@"), "sip:")
                .replace(&format!("<sip:{ANSWERS}"), "<sip:desk"),
            404,
            "Not Found",
        ),
    ] {
        let answer = phone.asks(&message).await;
        assert!(
            is(&answer, status) && answer.lines().next().unwrap().contains(phrase),
            "{message}\n{answer}"
        );
    }
    for garbage in [
        &b"\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
        b"\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff",
        b"INVITE sip:a@b SIP/2.0\r\nContent-Length: 18446744073709551615\r\n\r\n",
        b"OPTIONS sip:a@b SIP/2.0\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
    ] {
        phone.send(garbage).await;
    }
    assert_eq!(phone.receive().await, None, "noise gets no answer");
    let mut latin = phone.request("OPTIONS", 1, "l", "", "Subject: Ren?\r\n").into_bytes();
    let at = latin.iter().position(|byte| *byte == b'?').unwrap();
    latin[at] = 0xe9;
    phone.send(&latin).await;
    assert!(is(&phone.response().await, 200));
    let padding = format!("X-Padding: {}\r\n", "p".repeat(8_000)).repeat(6);
    assert!(
        is(&phone.asks(&phone.request("OPTIONS", 1, "p", "", &padding)).await, 200),
        "48 KB in one datagram"
    );
    assert!(trunk.counts().is_quiet(), "{:?}", trunk.counts());
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_or_full_trunk_says_when_to_come_again() {
    let (trunk, _media, _desk) = desk::open(settings()).await;
    let phone = Phone::new(address(&trunk, Transport::Udp)).await;
    trunk.refuse_new(true);
    for (method, branch) in [("INVITE", "x"), ("OPTIONS", "y")] {
        let answer = phone.asks(&phone.request(method, 1, branch, "", "")).await;
        assert!(is(&answer, 503) && answer.contains("Retry-After: 5"), "{answer}");
    }
    trunk.refuse_new(false);
    assert!(is(&phone.asks(&phone.request("OPTIONS", 1, "z", "", "")).await, 200));
    trunk.stop(Duration::from_secs(1)).await;

    let mut small = settings();
    (small.shards, small.dialogs_max) = (1, 1);
    let (trunk, _media, desk) = desk::open(small).await;
    let phone = Phone::new(address(&trunk, Transport::Udp)).await;
    let ringing =
        phone.request("INVITE", 1, "r", "", "").replace(&format!("sip:{ANSWERS}@"), &format!("sip:{RINGS}@"));
    phone.send(&ringing).await;
    while desk.legs() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = phone.request("INVITE", 1, "s", "", "").replace("Call-ID: wire", "Call-ID: second");
    let answer = phone.asks(&second).await;
    assert!(is(&answer, 503), "{answer}");
    // Stopping refuses what rings.
    trunk.stop(Duration::from_secs(1)).await;
    assert!(is(&phone.response().await, 480));
    assert_eq!(
        desk.count(|event| matches!(
            event,
            Event::Ended(actors::types::EndReason::NodeStopped | actors::types::EndReason::Refused)
        )),
        1
    );
}

/// What is said over a connection until that is enough.
pub(super) async fn said_until(stream: &mut TcpStream, enough: impl Fn(&str) -> bool) -> String {
    let mut said = String::new();
    let mut buffer = [0; 4_096];
    while !enough(&said) {
        let length = timeout(Duration::from_secs(2), stream.read(&mut buffer)).await.expect(&said).unwrap();
        assert!(length > 0, "closed after: {said}");
        said.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_carries_messages_in_pieces_and_survives_unknown_methods() {
    let (trunk, _media, _desk) = desk::open(settings()).await;
    let mut stream = TcpStream::connect(address(&trunk, Transport::Tcp)).await.unwrap();
    let own = stream.local_addr().unwrap();
    let message = |method: &str, branch: &str| {
        format!(
            "{method} sip:{ANSWERS}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP {own};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: tcp\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let both = message("FOOBAR", "1") + &message("OPTIONS", "2");
    for piece in both.as_bytes().chunks(37) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
    }
    let answered = |said: &str| said.contains("501 Not Implemented") && said.contains("200 OK");
    said_until(&mut stream, answered).await;
    let mut buffer = [0; 4_096];
    stream.write_all(b"\r\n\r\n").await.unwrap();
    let length = timeout(Duration::from_secs(2), stream.read(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(&buffer[..length], b"\r\n", "a keep-alive is answered");
    assert_eq!(trunk.counts().tcp_connections, 1);
    stream.write_all(b"this is not SIP at all\r\n\r\n").await.unwrap();
    assert_eq!(
        timeout(Duration::from_secs(2), stream.read(&mut buffer)).await.unwrap().unwrap_or(0),
        0,
        "closed"
    );
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(trunk.counts().tcp_connections, 0);
    trunk.stop(Duration::from_secs(1)).await;
}
