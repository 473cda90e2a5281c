//! One phone's end of one call, by datagrams, that says what the test wants.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use cluster::edge::sip_trunk::{Transport, Trunk};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout};

use super::address;
use super::desk::ANSWERS;
use super::wire::{is, to_tag};

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One phone's end of one call.
pub(super) struct End {
    pub(super) socket: UdpSocket,
    pub(super) audio: UdpSocket,
    pub(super) trunk: SocketAddr,
    pub(super) own: SocketAddr,
    pub(super) call_id: String,
    pub(super) tag: String,
    /// The trunk's tag, once it is known.
    pub(super) theirs: String,
    pub(super) sequence: u32,
    /// Who it says it is.
    pub(super) from: String,
    /// Where the trunk hears it, once it has said so.
    pub(super) heard_at: Option<SocketAddr>,
    /// Packets of audio that it has sent.
    pub(super) spoken: AtomicU16,
}

impl End {
    pub(super) async fn at(host: &str, trunk: &Trunk, call_id: &str) -> Self {
        Self::of(host, address(trunk, Transport::Udp), call_id).await
    }

    /// One whose far side is at this address.
    pub(super) async fn of(host: &str, trunk: SocketAddr, call_id: &str) -> Self {
        let socket = UdpSocket::bind((host, 0)).await.unwrap();
        let audio = UdpSocket::bind((host, 0)).await.unwrap();
        let own = socket.local_addr().unwrap();
        Self {
            socket,
            audio,
            trunk,
            own,
            call_id: call_id.to_owned(),
            tag: format!("of-{call_id}"),
            theirs: String::new(),
            sequence: 0,
            from: "2000".to_owned(),
            heard_at: None,
            spoken: AtomicU16::new(0),
        }
    }

    pub(super) fn sdp(&self) -> String {
        let audio = self.audio.local_addr().unwrap();
        format!(
            "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 0\r\n",
            audio.ip(),
            audio.port()
        )
    }

    pub(super) fn request(&self, method: &str, sequence: u32, extra: &str, body: &str) -> String {
        let Self { own, call_id, tag, from, .. } = self;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let theirs = if self.theirs.is_empty() { String::new() } else { format!(";tag={}", self.theirs) };
        format!(
            "{method} sip:{ANSWERS}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{call_id}{method}{sequence}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{from}@127.0.0.1>;tag={tag}\r\nTo: <sip:{ANSWERS}@127.0.0.1>{theirs}\r\n\
             Call-ID: {call_id}\r\nCSeq: {sequence} {method}\r\nContact: <sip:2000@{own}>\r\n{extra}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    pub(super) async fn send(&self, message: impl AsRef<[u8]>) {
        self.socket.send_to(message.as_ref(), self.trunk).await.unwrap();
    }

    /// The next message that begins like this; what else comes is passed over.
    pub(super) async fn next(&self, begins: &str) -> String {
        let mut seen = Vec::new();
        let end = Instant::now() + PATIENCE;
        let mut buffer = vec![0; 65_535];
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            let Ok(received) = timeout(left, self.socket.recv(&mut buffer)).await else { break };
            let message = String::from_utf8_lossy(&buffer[..received.unwrap()]).into_owned();
            if message.starts_with(begins) {
                return message;
            }
            seen.push(message.lines().next().unwrap_or_default().to_owned());
        }
        panic!("{} waits for {begins} and saw {seen:?}", self.call_id);
    }

    /// Whether no request or answer comes any more.
    pub(super) async fn is_silent(&self) -> bool {
        let mut buffer = vec![0; 65_535];
        timeout(Duration::from_millis(300), self.socket.recv(&mut buffer)).await.is_err()
    }

    /// Calls and returns the final answer; what was answered is acknowledged.
    pub(super) async fn invite(&mut self, extra: &str) -> String {
        self.sequence += 1;
        let invite = self.request("INVITE", self.sequence, extra, &self.sdp());
        self.send(invite).await;
        let mut answer = self.next("SIP/2.0 ").await;
        while answer.starts_with("SIP/2.0 1") {
            answer = self.next("SIP/2.0 ").await;
        }
        if is(&answer, 200) {
            self.heard_at = Some(Self::audio_in(&answer));
            self.theirs = to_tag(&answer).trim_start_matches(";tag=").trim().to_owned();
            let ack = self.request("ACK", self.sequence, "", "");
            self.send(ack).await;
        }
        answer
    }

    pub(super) async fn ask(&mut self, method: &str, extra: &str) -> String {
        self.sequence += 1;
        let request = self.request(method, self.sequence, extra, "");
        self.send(request).await;
        self.next("SIP/2.0 ").await
    }

    /// Answers a request of the trunk.
    pub(super) async fn answer(&self, request: &str, status: u16, extra: &str, body: &str) {
        self.answer_with(request, status, extra, body, ("", "")).await;
    }

    /// The same with one thing in it written as another.
    pub(super) async fn answer_with(
        &self,
        request: &str,
        status: u16,
        extra: &str,
        body: &str,
        instead: (&str, &str),
    ) {
        let line = |name: &str| {
            let start = format!("{name}: ");
            request.lines().find(|line| line.starts_with(&start)).unwrap_or_default().to_owned()
        };
        let (via, from, call, number) = (line("Via"), line("From"), line("Call-ID"), line("CSeq"));
        let mut to = line("To");
        if !to.contains("tag=") {
            to.push_str(";tag=answering");
        }
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let message = format!(
            "SIP/2.0 {status} X\r\n{via}\r\n{from}\r\n{to}\r\n{call}\r\n{number}\r\nContact: <sip:2000@{}>\r\n\
             {extra}{kind}Content-Length: {}\r\n\r\n{body}",
            self.own,
            body.len()
        );
        let (written, instead) = instead;
        self.send(if written.is_empty() { message } else { message.replace(written, instead) }).await;
    }

    /// The Replaces header by which another may take this call.
    pub(super) fn replaces(&self) -> String {
        format!("Replaces: {};to-tag={};from-tag={}\r\n", self.call_id, self.theirs, self.tag)
    }

    /// Whether audio comes here now.
    pub(super) async fn hears(&self) -> bool {
        let mut buffer = [0; 2_000];
        while self.audio.try_recv(&mut buffer).is_ok() {}
        timeout(PATIENCE, self.audio.recv(&mut buffer)).await.is_ok()
    }

    /// Where the audio of the other side is, by its description.
    pub(super) fn audio_in(message: &str) -> SocketAddr {
        let line =
            |start: &str| message.lines().find_map(|line| line.strip_prefix(start)).unwrap().to_owned();
        let port = line("m=audio ").split(' ').next().unwrap().to_owned();
        format!("{}:{port}", line("c=IN IP4 ").trim()).parse().unwrap()
    }

    /// Whether a voice comes: audio that is no silence.
    pub(super) async fn hears_a_voice(&self) -> bool {
        let mut buffer = [0; 2_000];
        while self.audio.try_recv(&mut buffer).is_ok() {}
        let voice = async {
            loop {
                let length = self.audio.recv(&mut buffer).await.unwrap();
                // G.711 mu-law, inverted: the upper bits say how loud a sample is.
                let loud = buffer[..length].iter().skip(12).filter(|byte| (!**byte >> 4) & 7 >= 4).count();
                if loud > 40 {
                    return;
                }
            }
        };
        timeout(PATIENCE, voice).await.is_ok()
    }

    /// Says something loud for a second.
    pub(super) async fn speak(&self, there: SocketAddr) {
        let first = self.spoken.fetch_add(50, Ordering::Relaxed);
        for number in first..first + 50 {
            let mut packet = vec![0x80, 0];
            packet.extend_from_slice(&number.to_be_bytes());
            packet.extend_from_slice(&(u32::from(number) * 160).to_be_bytes());
            packet.extend_from_slice(&[1, 2, 3, 4]);
            // 500 Hz: eight samples this way, eight that.
            packet.extend((0..160).map(|at| if at / 8 % 2 == 0 { 0x90_u8 } else { 0x10 }));
            self.audio.send_to(&packet, there).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks something in a call that the trunk has made with this INVITE and we have answered.
    pub(super) async fn ask_back(&self, invite: &str, method: &str, sequence: u32, extra: &str) -> String {
        self.ask_back_with(invite, method, sequence, extra, "").await
    }

    /// Presses a key there.
    pub(super) async fn press(&self, invite: &str, sequence: u32, key: char) -> String {
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        self.ask_back_with(invite, "INFO", sequence, "Content-Type: application/dtmf-relay\r\n", &body).await
    }

    async fn ask_back_with(
        &self,
        invite: &str,
        method: &str,
        sequence: u32,
        extra: &str,
        body: &str,
    ) -> String {
        let value = |name: &str| invite.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let (from, to, call_id) = (value("To: "), value("From: "), value("Call-ID: "));
        let (own, length) = (self.own, body.len());
        let message = format!(
            "{method} sip:strowger@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKback{call_id}{sequence}\r\n\
             Max-Forwards: 70\r\nFrom: {from};tag=answering\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:2000@{own}>\r\n{extra}Content-Length: {length}\r\n\r\n{body}"
        );
        self.send(message).await;
        self.next("SIP/2.0 ").await
    }
}
