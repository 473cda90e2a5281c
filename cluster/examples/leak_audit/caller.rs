//! A telephone that makes one call and ends it in one of the ways in which calls end.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::desk::{ANSWERS, HANGS_UP, RINGS, TRANSFERS, UNKNOWN};

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// What audio a telephone wants: none that is ever read.
const BODY: &str = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n";

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The caller sends BYE.
    CallerBye,
    /// We do.
    OurBye,
    /// CANCEL while it rings.
    Cancel,
    /// CANCEL and the 200 cross.
    CancelTooLate,
    /// No ACK comes.
    NoAck,
    /// A re-INVITE, and BYE right behind it.
    ReinviteRace,
    /// REFER, NOTIFY, BYE.
    Transfer,
    /// Another call takes its place, and ends.
    Replaced,
    /// No audio comes.
    DeadMedia,
    /// The connection is reset.
    Reset,
    /// The number is nobody's.
    Refused,
}

impl Way {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::CallerBye,
        Self::OurBye,
        Self::Cancel,
        Self::CancelTooLate,
        Self::NoAck,
        Self::ReinviteRace,
        Self::Transfer,
        Self::Replaced,
        Self::DeadMedia,
        Self::Reset,
        Self::Refused,
    ];

    const fn number(self) -> &'static str {
        match self {
            Self::OurBye => HANGS_UP,
            Self::Cancel => RINGS,
            Self::Transfer => TRANSFERS,
            Self::Refused => UNKNOWN,
            _ => ANSWERS,
        }
    }
}

/// Makes a call.
pub(crate) async fn call(way: Way, (udp, tcp): (SocketAddr, SocketAddr)) -> Result<(), String> {
    if way == Way::Reset {
        return reset(tcp).await;
    }
    let socket = UdpSocket::bind("127.0.0.1:0").await.map_err(|why| why.to_string())?;
    socket.connect(udp).await.map_err(|why| why.to_string())?;
    let own = socket.local_addr().map_err(|why| why.to_string())?;
    let mut phone = Phone { socket, talk: Talk::new(way, own, "UDP") };
    phone.run(way).await
}

struct Phone {
    socket: UdpSocket,
    talk: Talk,
}

impl Phone {
    async fn run(&mut self, way: Way) -> Result<(), String> {
        self.send(self.talk.request("INVITE", 1, "i")).await;
        match way {
            Way::Refused => {
                let answer = self.final_of("INVITE").await?;
                self.talk.expect(&answer, 404)?;
                self.send(self.talk.request("ACK", 1, "i")).await;
                return Ok(());
            }
            Way::Cancel => {
                self.until(|message| message.starts_with("SIP/2.0 180")).await?;
                self.send(self.talk.request("CANCEL", 1, "i")).await;
                let answer = self.final_of("INVITE").await?;
                self.talk.expect(&answer, 487)?;
                self.send(self.talk.request("ACK", 1, "i")).await;
                return Ok(());
            }
            Way::CancelTooLate => self.send(self.talk.request("CANCEL", 1, "i")).await,
            _ => {}
        }
        let answer = self.final_of("INVITE").await?;
        self.talk.take_tag(&answer);
        if way == Way::CancelTooLate && answer.starts_with("SIP/2.0 487") {
            self.send(self.talk.request("ACK", 1, "i")).await;
            return Ok(());
        }
        self.talk.expect(&answer, 200)?;
        if way == Way::NoAck {
            return self.answer_bye().await;
        }
        self.send(self.talk.request("ACK", 1, "a")).await;
        match way {
            Way::CallerBye | Way::CancelTooLate => self.hang_up(2).await,
            Way::ReinviteRace => {
                self.send(self.talk.request("INVITE", 2, "r")).await;
                self.hang_up(3).await
            }
            Way::Transfer => {
                let refer = self.until(|message| message.starts_with("REFER ")).await?;
                self.send(answer_to(&refer, "202 Accepted")).await;
                self.send(self.talk.notify(2)).await;
                self.hang_up(3).await
            }
            Way::Replaced => self.replace().await,
            _ => self.answer_bye().await,
        }
    }

    async fn replace(&mut self) -> Result<(), String> {
        let mut other = Talk::new(Way::Replaced, self.talk.own, "UDP");
        let named = format!(
            "Replaces: {}{};from-tag=far\r\n",
            self.talk.id,
            self.talk.to_tag.replace("tag=", "to-tag=")
        );
        self.send(other.written("INVITE", 1, "i", "application/sdp", &named, BODY)).await;
        let answer = self.final_of("INVITE").await?;
        other.expect(&answer, 200)?;
        other.take_tag(&answer);
        self.send(other.request("ACK", 1, "a")).await;
        self.answer_bye().await?;
        self.talk = other;
        self.hang_up(2).await
    }

    async fn hang_up(&self, sequence: u32) -> Result<(), String> {
        let bye = self.talk.request("BYE", sequence, "b");
        for _ in 0..10 {
            self.send(bye.clone()).await;
            let answered = |message: &str| message.starts_with("SIP/2.0 ") && message.contains(" BYE\r\n");
            if self.within(Duration::from_millis(500), answered).await.is_some() {
                return Ok(());
            }
        }
        Err("BYE was not answered".to_owned())
    }

    async fn answer_bye(&self) -> Result<(), String> {
        let bye = self.until(|message| message.starts_with("BYE ")).await?;
        self.send(answer_to(&bye, "200 OK")).await;
        Ok(())
    }

    async fn final_of(&self, method: &str) -> Result<String, String> {
        let method = format!(" {method}\r\n");
        self.until(|message| {
            message.starts_with("SIP/2.0 ") && !message.starts_with("SIP/2.0 1") && message.contains(&method)
        })
        .await
    }

    async fn until(&self, is: impl Fn(&str) -> bool) -> Result<String, String> {
        self.within(PATIENCE, is).await.ok_or_else(|| "what was waited for did not come".to_owned())
    }

    async fn within(&self, patience: Duration, is: impl Fn(&str) -> bool) -> Option<String> {
        let mut buffer = [0; 4_096];
        let found = async {
            loop {
                let Ok(length) = self.socket.recv(&mut buffer).await else { continue };
                let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if is(&message) {
                    return message;
                }
            }
        };
        timeout(patience, found).await.ok()
    }

    async fn send(&self, message: String) {
        // What the system can't take now is lost like any datagram.
        let _ = self.socket.send(message.as_bytes()).await;
    }
}

/// One call's words.
struct Talk {
    id: String,
    number: &'static str,
    own: SocketAddr,
    transport: &'static str,
    to_tag: String,
}

impl Talk {
    fn new(way: Way, own: SocketAddr, transport: &'static str) -> Self {
        let id: String = cluster::chance::bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id, number: way.number(), own, transport, to_tag: String::new() }
    }

    fn request(&self, method: &str, sequence: u32, branch: &str) -> String {
        let body = match method {
            "INVITE" => BODY,
            _ => "",
        };
        self.written(method, sequence, branch, if body.is_empty() { "" } else { "application/sdp" }, "", body)
    }

    fn notify(&self, sequence: u32) -> String {
        let more = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n";
        self.written("NOTIFY", sequence, "n", "message/sipfrag", more, "SIP/2.0 200 OK\r\n")
    }

    fn written(
        &self,
        method: &str,
        sequence: u32,
        branch: &str,
        kind: &str,
        more: &str,
        body: &str,
    ) -> String {
        let Self { id, number, own, transport, to_tag } = self;
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let by = if *transport == "TCP" { ";transport=tcp" } else { "" };
        format!(
            "{method} sip:{number}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} {own};branch=z9hG4bK{id}{branch};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:2000@127.0.0.1>;tag=far\r\nTo: <sip:{number}@127.0.0.1>{to_tag}\r\n\
             Call-ID: {id}\r\nCSeq: {sequence} {method}\r\nContact: <sip:2000@{own}{by}>\r\n{more}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn take_tag(&mut self, answer: &str) {
        let to = answer.lines().find(|line| line.starts_with("To:")).unwrap_or_default();
        self.to_tag = to.split_once(";tag=").map(|(_, tag)| format!(";tag={tag}")).unwrap_or_default();
    }

    fn expect(&self, answer: &str, status: u16) -> Result<(), String> {
        let fits = answer.starts_with(&format!("SIP/2.0 {status} "));
        let told = answer.lines().next().unwrap_or_default();
        if fits { Ok(()) } else { Err(format!("{status} was expected, not {told}")) }
    }
}

fn answer_to(request: &str, status: &str) -> String {
    let echoed =
        |line: &&str| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name));
    let headers: String = request.lines().filter(echoed).map(|line| format!("{line}\r\n")).collect();
    format!("SIP/2.0 {status}\r\n{headers}Contact: <sip:2000@127.0.0.1>\r\nContent-Length: 0\r\n\r\n")
}

/// A call by TCP whose connection is cut without a word.
async fn reset(tcp: SocketAddr) -> Result<(), String> {
    let text = |why: std::io::Error| why.to_string();
    let mut stream = TcpStream::connect(tcp).await.map_err(text)?;
    let own = stream.local_addr().map_err(text)?;
    let mut talk = Talk::new(Way::Reset, own, "TCP");
    stream.write_all(talk.request("INVITE", 1, "i").as_bytes()).await.map_err(text)?;
    let mut said = String::new();
    let mut buffer = [0; 4_096];
    let answered = async {
        while !said.contains("SIP/2.0 200 ") {
            let length = stream.read(&mut buffer).await.map_err(text)?;
            if length == 0 {
                return Err("the connection was closed".to_owned());
            }
            said.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
        Ok(())
    };
    timeout(PATIENCE, answered).await.map_err(|_| "no answer by TCP".to_owned())??;
    talk.take_tag(said.rsplit("SIP/2.0 200 ").next().unwrap_or_default());
    stream.write_all(talk.request("ACK", 1, "a").as_bytes()).await.map_err(text)?;
    // Closing with data unread and no linger is a reset.
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).map_err(text)?;
    drop(stream);
    Ok(())
}
