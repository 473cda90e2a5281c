//! The torture messages of RFC 4475 and RFC 5118 on the wire, each with the outcome that its section asks of
//! a telephone that is called (we register nobody and carry no text messages).

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use cluster::edge::sip_trunk::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::{address, desk, quiet, settings};

/// No answer at all.
const SILENCE: &[u16] = &[];

/// A message, the statuses that answer it as one datagram, and a word of the (last) answer's first line or
/// headers.
type Case = (&'static str, &'static [u16], &'static str);

/// In the order of the sections. A `user` that is no number is known to nobody here: 404.
const RFC_4475: &[Case] = &[
    // Valid. The first has a To tag, so it belongs to a call that there is not.
    ("wsinv", &[481], ""),
    ("intmeth", &[501], "Allow: INVITE"),
    ("esc01", &[404], ""),
    ("escnull", &[405], "Allow: INVITE"),
    ("esc02", &[501], "Allow: INVITE"),
    ("lwsdisp", &[200], "Allow: INVITE"),
    ("longreq", &[404], "sip1.example.com"),
    // What follows the first message of a datagram is nobody's.
    ("dblreq", &[405], ""),
    ("semiuri", &[200], ""),
    ("transports", &[200], "SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en"),
    ("mpart01", &[405], ""),
    ("unreason", SILENCE, ""),
    ("noreason", SILENCE, ""),
    // Invalid.
    ("badinv01", &[400], "Malformed Via"),
    ("clerr", &[400], "Content-Length"),
    ("ncl", &[400], "Content-Length"),
    ("scalar02", &[400], "Malformed CSeq"),
    ("scalarlg", SILENCE, ""),
    ("quotbal", &[400], "Malformed To"),
    ("ltgtruri", &[400], "Request-URI"),
    ("lwsruri", &[400], "three space-separated"),
    ("lwsstart", &[400], "three space-separated"),
    ("trws", &[400], "three space-separated"),
    ("escruri", &[400], "Request-URI has headers"),
    // We don't read the Date, and may pass over it.
    ("baddate", &[404], ""),
    ("regbadct", &[405], ""),
    ("badaspec", &[400], "Malformed To"),
    ("baddn", &[400], ""),
    ("badvers", &[505], ""),
    ("mismatch01", &[400], "CSeq method"),
    ("mismatch02", &[400], "CSeq method"),
    ("bigcode", SILENCE, ""),
    // Transactions.
    ("badbranch", &[400], "branch"),
    // The application.
    ("insuf", &[400], "Missing"),
    ("unkscm", &[416], ""),
    ("novelsc", &[416], ""),
    ("unksm2", &[405], ""),
    ("bext01", &[420], "Unsupported: nothingSupportsThis, nothingSupportsThisEither"),
    ("invut", &[415], "Accept: application/sdp"),
    ("regaut01", &[405], ""),
    ("multi01", &[400], "Repeated"),
    ("mcl01", &[400], "Content-Length"),
    ("bcast", SILENCE, ""),
    // Only who forwards may refuse at the last hop; we are where it goes.
    ("zeromf", &[200], ""),
    ("cparam01", &[405], ""),
    ("cparam02", &[405], ""),
    ("regescrt", &[405], ""),
    ("sdp01", &[406], ""),
    // The past: no branch, no tag, no Contact. It is taken like any other call.
    ("inv2543", &[404], ""),
    // Of no section: no version, no Via.
    ("test", SILENCE, ""),
];

const RFC_5118: &[Case] = &[
    ("ipv6-good", &[405], ""),
    ("ipv6-bad", &[400], "Request-URI"),
    ("port-ambiguous", &[405], ""),
    ("port-unambiguous", &[405], ""),
    ("via-received-param-with-delim", &[481], ""),
    ("via-received-param-no-delim", &[200], ""),
    // G.726 alone.
    ("ipv6-in-sdp", &[488], "Warning: 305"),
    ("mult-ip-in-header", &[481], "192.0.2.1"),
    // The audio is at an IPv4 address and the video at an IPv6 one; the user is no number.
    ("mult-ip-in-sdp", &[404], ""),
    ("ipv4-mapped-ipv6", &[488], ""),
    // One colon too many is let pass: the rule it breaks was written wrongly (section 4.10).
    ("ipv6-bug-abnf-3-colons", &[200], ""),
    ("ipv6-correct-abnf-2-colons", &[200], ""),
];

fn message(folder: &str, name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(folder);
    let plain = std::fs::read(folder.join(name));
    let bytes = plain.or_else(|_| std::fs::read(folder.join(format!("{name}.dat")))).unwrap();
    if folder.ends_with("rfc4475") {
        return bytes;
    }
    let mut text = String::from_utf8(bytes).unwrap().replace('\n', "\r\n");
    if !text.contains("\r\n\r\n") {
        text.push_str("\r\n");
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length = format!("Content-Length: {}", body.len());
    let head: Vec<&str> = head
        .lines()
        .map(|line| if line.starts_with("Content-Length:") { length.as_str() } else { line })
        .collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
}

/// A host of loopback that nobody else has, with sockets on every port that the messages' Vias name.
struct Host {
    from: UdpSocket,
    others: Vec<UdpSocket>,
}

impl Host {
    async fn new() -> Self {
        let id = std::process::id().to_be_bytes();
        let own = Ipv4Addr::new(127, id[1] | 1, id[2], id[3].clamp(2, 250));
        let mut sockets = Vec::new();
        for port in [5_060, 5_050, 5_070, 6_050, 19_823] {
            sockets.push(UdpSocket::bind(SocketAddr::from((own, port))).await.unwrap());
        }
        let from = UdpSocket::bind(SocketAddr::from((own, 0))).await.unwrap();
        Self { from, others: sockets }
    }

    /// Every answer that comes within a moment of silence, to whatever port.
    async fn asks(&self, trunk: SocketAddr, message: &[u8]) -> Vec<String> {
        self.from.send_to(message, trunk).await.unwrap();
        let mut answers = Vec::new();
        let mut patience = Duration::from_millis(80);
        let until = tokio::time::Instant::now() + Duration::from_secs(2);
        while tokio::time::Instant::now() < until && !patience.is_zero() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            patience = patience.saturating_sub(Duration::from_millis(10));
            for socket in std::iter::once(&self.from).chain(&self.others) {
                let mut buffer = vec![0; 65_535];
                while let Ok((length, _)) = socket.try_recv_from(&mut buffer) {
                    answers.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
                }
            }
        }
        answers
    }
}

fn status(answer: &str) -> u16 {
    answer.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or_default()
}

fn is_alive(answers: &[String]) -> bool {
    matches!(answers, [one] if status(one) == 200)
}

const ALIVE: &str = "OPTIONS sip:1000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKalive\r\n\
    Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: alive\r\nCSeq: 1 OPTIONS\r\n\
    Content-Length: 0\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_torture_message_has_its_outcome_as_a_datagram() {
    let (trunk, media, desk) = desk::open(settings()).await;
    let target = address(&trunk, Transport::Udp);
    let host = Host::new().await;
    let mut wrong = Vec::new();
    for (folder, cases) in [("rfc4475", RFC_4475), ("rfc5118", RFC_5118)] {
        for (name, expected, word) in cases {
            let sent = message(folder, name);
            let answers = host.asks(target, &sent).await;
            let mut statuses: Vec<u16> = answers.iter().map(|answer| status(answer)).collect();
            statuses.dedup();
            if statuses != *expected || !answers.last().is_none_or(|answer| answer.contains(word)) {
                wrong.push(format!("{folder}/{name}: not {expected:?} {word}: {answers:#?}"));
            }
            let most = 3 * sent.len();
            if answers.iter().any(|answer| answer.len() > most) {
                wrong.push(format!("{folder}/{name}: an answer is much longer than what was asked"));
            }
            assert!(is_alive(&host.asks(target, ALIVE.as_bytes()).await), "dead after {folder}/{name}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(RFC_4475.len() + RFC_5118.len(), 62, "49 and one of no section, and 12");
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!((desk.legs(), media.counts().sessions), (0, 0));
    trunk.stop(Duration::from_secs(1)).await;
}

/// What a stream makes different: where a message ends is not known any more, so the connection ends or waits.
const ON_A_STREAM: &[(&str, &[u16], bool)] = &[
    // The second message is read too; it has no Contact. Its body is longer than it says, and that breaks the connection.
    ("dblreq", &[400, 405], false),
    ("clerr", SILENCE, true),
    ("baddn", SILENCE, true),
    ("ncl", SILENCE, false),
    ("ltgtruri", SILENCE, false),
    ("lwsruri", SILENCE, false),
    ("lwsstart", SILENCE, false),
    ("trws", SILENCE, false),
    ("bigcode", SILENCE, false),
    ("mcl01", SILENCE, false),
    ("inv2543", SILENCE, false),
    ("test", SILENCE, false),
    ("ipv6-bad", SILENCE, false),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_torture_message_has_its_outcome_on_a_connection() {
    let (trunk, _media, _desk) = desk::open(settings()).await;
    let target = address(&trunk, Transport::Tcp);
    let special: HashMap<&str, (&[u16], bool)> =
        ON_A_STREAM.iter().map(|(name, statuses, open)| (*name, (*statuses, *open))).collect();
    let mut wrong = Vec::new();
    for (folder, cases) in [("rfc4475", RFC_4475), ("rfc5118", RFC_5118)] {
        for (name, expected, _) in cases {
            let (expected, open) = special.get(name).copied().unwrap_or((expected, true));
            let mut stream = TcpStream::connect(target).await.unwrap();
            stream.write_all(&message(folder, name)).await.unwrap();
            let mut said = Vec::new();
            let mut buffer = [0; 16_384];
            let mut still_open = true;
            while let Ok(read) = timeout(Duration::from_millis(120), stream.read(&mut buffer)).await {
                let length = read.unwrap_or(0);
                said.extend_from_slice(&buffer[..length]);
                if length == 0 {
                    still_open = false;
                    break;
                }
            }
            let text = String::from_utf8_lossy(&said).into_owned();
            let mut statuses: Vec<u16> =
                text.lines().filter(|line| line.starts_with("SIP/2.0 ")).map(status).collect();
            // Two calls are two shards' business, in any order.
            statuses.sort_unstable();
            if (statuses.as_slice(), still_open) != (expected, open) {
                wrong.push(format!("{folder}/{name}: not {expected:?}, open {open}: {still_open} {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    quiet(&trunk, Duration::from_secs(20)).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_of_rfc_2543_is_answered_and_hangs_up() {
    let (trunk, _media, desk) = desk::open(settings()).await;
    let target = address(&trunk, Transport::Udp);
    let phone = Host::new().await;
    let own = phone.others[0].local_addr().unwrap();
    let invite = String::from_utf8(message("rfc4475", "inv2543")).unwrap();
    let invite = invite
        .replace("Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>\r\n", "")
        .replace("sip:UserB@example.com", "sip:1000@127.0.0.1")
        .replace("UDP iftgw.example.com", &format!("UDP {own}"))
        .replace("ift.client.example.net", &own.to_string())
        .replace("192.0.2.5", "127.0.0.1");
    let answers = phone.asks(target, invite.as_bytes()).await;
    let answer = answers.iter().find(|answer| status(answer) == 200).unwrap();
    let to = answer.lines().find(|line| line.starts_with("To:")).unwrap();
    let follow = |method: &str, sequence: u32| {
        let head: Vec<&str> = invite.split("\r\n\r\n").next().unwrap().lines().skip(1).collect();
        let kept: String = head
            .iter()
            .filter(|line| {
                !line.starts_with("To:") && !line.starts_with("CSeq") && !line.starts_with("Content")
            })
            .map(|line| format!("{line}\r\n"))
            .collect();
        format!("{method} sip:1000@127.0.0.1 SIP/2.0\r\n{kept}{to}\r\nCSeq: {sequence} {method}\r\n\r\n")
    };
    phone.asks(target, follow("ACK", 56).as_bytes()).await;
    assert_eq!(desk.count(|event| *event == actors::call::leg::Event::Established), 1);
    let answers = phone.asks(target, follow("BYE", 57).as_bytes()).await;
    assert!(answers.iter().any(|answer| status(answer) == 200), "{answers:?}");
    quiet(&trunk, Duration::from_secs(20)).await;
    trunk.stop(Duration::from_secs(1)).await;
}
