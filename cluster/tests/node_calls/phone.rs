//! A telephone that writes its own messages, for one call with a node that is another process.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::time::Instant;

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Phone {
    socket: UdpSocket,
    audio: UdpSocket,
    own: SocketAddr,
    name: String,
    number: String,
    to_tag: String,
}

impl Phone {
    /// A telephone whose only call is to `number` at `node`. `name` sets it apart from the test's others.
    pub(crate) fn new(node: SocketAddr, number: &str, name: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(node).expect("connects");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
        let audio = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        audio.set_nonblocking(true).expect("does not block");
        let own = socket.local_addr().expect("bound");
        Self { socket, audio, own, name: name.to_owned(), number: number.to_owned(), to_tag: String::new() }
    }

    fn request(&self, method: &str, sequence: u32) -> String {
        let (own, name, number, tag) = (self.own, &self.name, &self.number, &self.to_tag);
        let port = self.audio.local_addr().expect("bound").port();
        let (kind, body) = match method {
            "INVITE" => (
                "Content-Type: application/sdp\r\n",
                format!(
                    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
                ),
            ),
            _ => ("", String::new()),
        };
        format!(
            "{method} sip:{number}@127.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP {own};branch=z9hG4bK{name}{method}{sequence}\r\nMax-Forwards: 70\r\n\
             From: <sip:+441632960111@127.0.0.1>;tag={name}\r\nTo: <sip:{number}@127.0.0.1>{tag}\r\n\
             Call-ID: {name}\r\nCSeq: {sequence} {method}\r\nContact: <sip:phone@{own}>\r\n{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len(),
        )
    }

    fn send(&self, message: &str) {
        self.socket.send(message.as_bytes()).expect("sends");
    }

    /// The next message that begins so; what else comes is passed over.
    fn receive(&self, begins: &dyn Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        let mut buffer = vec![0; 65_535];
        while Instant::now() < until {
            let Ok(length) = self.socket.recv(&mut buffer) else { continue };
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if begins(&message) {
                return message;
            }
        }
        panic!("{}: nothing came in {PATIENCE:?}", self.name);
    }

    /// Sends a request and returns its final response.
    pub(crate) fn asks(&self, method: &str, sequence: u32) -> String {
        self.send(&self.request(method, sequence));
        let response =
            self.receive(&|message| message.starts_with("SIP/2.0 ") && !message.starts_with("SIP/2.0 1"));
        if method == "INVITE" && !response.starts_with("SIP/2.0 2") {
            // The ACK of a refusal belongs to its transaction: the branch is the INVITE's.
            let ack = self.request("ACK", sequence).replace("ACK1", "INVITE1");
            self.send(&ack);
        }
        response
    }

    /// Calls and is answered.
    pub(crate) fn calls(&mut self) {
        let answer = self.asks("INVITE", 1);
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        let to = answer.lines().find(|line| line.starts_with("To:")).expect("a To");
        self.to_tag = to.split_once(";tag=").map(|(_, tag)| format!(";tag={tag}")).expect("a tag");
        self.send(&self.request("ACK", 1));
    }

    pub(crate) fn hangs_up(&self) {
        let answer = self.asks("BYE", 2);
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    }

    /// Waits until the node hangs up.
    pub(crate) fn is_hung_up_on(&self) {
        let bye = self.receive(&|message| message.starts_with("BYE "));
        let echoed = |line: &&str| {
            ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))
        };
        let headers: String = bye.lines().filter(echoed).map(|line| format!("{line}\r\n")).collect();
        self.send(&format!("SIP/2.0 200 OK\r\n{headers}Content-Length: 0\r\n\r\n"));
    }

    /// Packets of audio that came since this was asked last.
    pub(crate) fn audio_packets(&self) -> usize {
        let mut buffer = [0; 2_048];
        std::iter::from_fn(|| self.audio.recv(&mut buffer).ok()).count()
    }
}
