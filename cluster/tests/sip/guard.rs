//! Who may call, who is passed over, and how much is taken.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::{EndReason, Private};
use cluster::edge::sip_trunk::{Carrier, Settings, Transport};
use cluster::sip::digest::Algorithm;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::desk::{self, ANSWERS, HANGS_UP, RINGS, UNKNOWN};
use super::sipp::{scenario, sipp};
use super::softphone::Softphone;
use super::tones::tone;
use super::wire::{Phone, is, said_until, to_tag};
use super::{address, quiet, settings};

fn carrier(addresses: &[&str], user: &str, numbers: &[&str]) -> Carrier {
    let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Carrier {
        name: "carrier".to_owned(),
        addresses: all(addresses),
        user: user.to_owned(),
        password: Private::new(if user.is_empty() { String::new() } else { "secret".to_owned() }),
        numbers: all(numbers),
        account: None,
        srtp: None,
        srtp_keys: None,
        offers: None,
    }
}

fn with(carrier: Carrier) -> Settings {
    Settings { trunk: vec![carrier], ..settings() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scanners_get_no_answer() {
    let (trunk, media, _desk) = desk::open(settings()).await;
    let phone = Phone::new(address(&trunk, Transport::Udp)).await;
    for (method, branch, extra) in [
        ("OPTIONS", "a", "User-Agent: friendly-scanner\r\n"),
        ("INVITE", "b", "User-Agent: VaxSIPUserAgent/3.1\r\n"),
        ("REGISTER", "c", "User-Agent: SundayDDR\r\n"),
    ] {
        phone.send(phone.request(method, 1, branch, "", extra)).await;
    }
    let vicious = phone.request("OPTIONS", 1, "d", "", "");
    phone.send(vicious.replace("From: <sip:2000@127.0.0.1>", "From: \"sipvicious\"<sip:100@1.1.1.1>")).await;
    assert_eq!(phone.receive().await, None);
    assert!(is(&phone.asks(&phone.request("OPTIONS", 1, "e", "", "")).await, 200));
    assert_eq!((trunk.counts().dialogs, media.counts().sessions), (0, 0));
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_trunks_are_named_nobody_else_is_answered() {
    let (trunk, _media, _desk) = desk::open(with(carrier(&["127.0.0.0/30"], "", &["10"]))).await;
    let target = address(&trunk, Transport::Udp);
    let stranger = Phone::at("127.0.0.9", target).await;
    let invite = stranger.request("INVITE", 1, "i", "", "");
    for message in [
        stranger.request("OPTIONS", 1, "o", "", ""),
        stranger.request("REGISTER", 1, "r", "", ""),
        stranger.request("BYE", 1, "b", ";tag=0011", ""),
        stranger.request("CANCEL", 1, "c", "", ""),
        invite.replace("Content-Length: ", "Content-Length: 9"),
        invite,
    ] {
        stranger.send(message).await;
    }
    assert_eq!(stranger.receive().await, None);

    let phone = Phone::at("127.0.0.2", target).await;
    assert!(is(&phone.asks(&phone.request("OPTIONS", 1, "o", "", "")).await, 200));
    let elsewhere = phone.request("INVITE", 1, "e", "", "").replace("sip:1000@", "sip:2999@");
    let answer = phone.asks(&elsewhere).await;
    assert!(is(&answer, 403) && answer.contains("not a number of this trunk"), "{answer}");
    let invite = phone.request("INVITE", 2, "i", "", "");
    let answer = phone.asks(&invite).await;
    assert!(is(&answer, 200), "{answer}");
    phone.send(phone.request("ACK", 2, "a", &to_tag(&answer), "")).await;
    assert!(is(&phone.asks(&phone.request("BYE", 3, "b", &to_tag(&answer), "")).await, 200));
    quiet(&trunk, Duration::from_secs(20)).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_held_back_per_source_and_in_all() {
    let mut narrow = settings();
    (narrow.guard.invites_per_second_per_source, narrow.guard.invites_burst_per_source) = (1, 3);
    (narrow.guard.invites_per_second, narrow.guard.invites_burst) = (1, 5);
    let (trunk, _media, _desk) = desk::open(narrow).await;
    let target = address(&trunk, Transport::Udp);
    let mut statuses = Vec::new();
    let phones = [Phone::at("127.0.0.1", target).await, Phone::at("127.0.0.2", target).await];
    for (phone, number) in phones.iter().flat_map(|phone| (0..5).map(move |number| (phone, number))) {
        let invite = phone.request("INVITE", 1, &format!("n{number}"), "", "");
        let invite = invite.replace("Call-ID: wire", &format!("Call-ID: {}-{number}", phone.own.ip()));
        phone.send(invite.replace("sip:1000@127.0.0.1 SIP", &format!("sip:{UNKNOWN}@127.0.0.1 SIP"))).await;
    }
    for phone in &phones {
        while let Some(message) = phone.receive().await {
            let status: u16 = message[8..11].parse().unwrap();
            let call = message.lines().find(|line| line.starts_with("Call-ID")).unwrap().to_owned();
            if status >= 200 && !statuses.contains(&(call.clone(), status)) {
                statuses.push((call, status));
            }
        }
    }
    let count = |wanted| statuses.iter().filter(|(_, status)| *status == wanted).count();
    assert_eq!((count(404), count(503), statuses.len()), (5, 1, 6), "{statuses:?}");
    quiet(&trunk, Duration::from_secs(20)).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_connection_a_call_too_many_from_its_source_is_told() {
    let mut narrow = settings();
    (narrow.guard.invites_per_second_per_source, narrow.guard.invites_burst_per_source) = (1, 2);
    let (trunk, _media, _desk) = desk::open(narrow).await;
    let mut stream = TcpStream::connect(address(&trunk, Transport::Tcp)).await.unwrap();
    let own = stream.local_addr().unwrap();
    for number in 0..3 {
        let invite = format!(
            "INVITE sip:{UNKNOWN}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP {own};branch=z9hG4bK{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: n{number}\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:a@{own};transport=tcp>\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(invite.as_bytes()).await.unwrap();
    }
    let all = |said: &str| said.matches("SIP/2.0 404").count() == 2 && said.contains("SIP/2.0 503");
    let said = said_until(&mut stream, all).await;
    let refusal = said.split("SIP/2.0 ").find(|answer| answer.starts_with("503")).unwrap();
    assert!(refusal.contains("Retry-After: "), "{refusal}");
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_not_much_longer_than_what_was_asked() {
    let mut long = with(carrier(&["127.0.0.1"], "user", &[]));
    long.guard.realm = "r".repeat(900);
    long.guard.digest_algorithms = vec![Algorithm::Sha256, Algorithm::Md5];
    let (trunk, _media, _desk) = desk::open(long).await;
    let phone = Phone::new(address(&trunk, Transport::Udp)).await;
    phone.send(phone.request("INVITE", 1, "i", "", "")).await;
    assert_eq!(phone.receive().await, None, "two challenges of 900 bytes to a request of 500");
    let padded = phone.request("INVITE", 1, "p", "", &format!("Subject: {}\r\n", "s".repeat(600)));
    assert!(is(&phone.asks(&padded).await, 401));
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audio_is_opened_only_for_a_call_that_was_taken_and_is_answered() {
    let (trunk, media, desk) = desk::open(settings()).await;
    let phone = Phone::new(address(&trunk, Transport::Udp)).await;
    let to = |number: &str, call: &str| {
        phone
            .request("INVITE", 1, call, "", "")
            .replace("sip:1000@127.0.0.1 SIP", &format!("sip:{number}@127.0.0.1 SIP"))
            .replace("Call-ID: wire", &format!("Call-ID: {call}"))
    };
    phone.send(to(RINGS, "rings")).await;
    while desk.legs() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((trunk.counts().dialogs, media.counts().sessions), (1, 0), "it rings without any");
    assert!(is(&phone.asks(&to(UNKNOWN, "unknown")).await, 404));
    assert_eq!(media.counts().sessions, 0);
    assert!(is(&phone.asks(&to(ANSWERS, "answers")).await, 200));
    assert_eq!(media.counts().sessions, 1);
    trunk.stop(Duration::from_secs(1)).await;
    assert_eq!(media.counts().sessions, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_sipp_and_baresip_prove_who_they_are() {
    let (trunk, media, desk) = desk::open(with(carrier(&[], "user", &[]))).await;
    let target = address(&trunk, Transport::Udp);
    for (name, password, calls) in [("authenticated.xml", "secret", "5"), ("refused_403.xml", "guess", "2")] {
        // SIPp leaves the user out of the URI that it proves itself for, unless it is told.
        let uri = format!("{ANSWERS}@{target}");
        let arguments = [
            "-sf",
            &scenario(name),
            "-s",
            ANSWERS,
            "-m",
            calls,
            "-au",
            "user",
            "-ap",
            password,
            "-auth_uri",
            &uri,
        ];
        let (status, said) = sipp(target, &arguments).await;
        assert_eq!(status, 0, "{name}: {said}");
    }
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(desk.count(|event| *event == Event::Ended(EndReason::CallerHungUp)), 5);
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;

    let (trunk, _media, desk) = desk::open(with(carrier(&["127.0.0.1"], "user", &[]))).await;
    let mut phone = Softphone::start(Transport::Udp, "PCMU", &tone(8_000, 440.0, 10)).await;
    phone.dial(HANGS_UP, address(&trunk, Transport::Udp));
    let completed = Event::Ended(EndReason::Completed);
    phone.until(&desk, HANGS_UP, "completed", |event| *event == completed).await;
    trunk.stop(Duration::from_secs(1)).await;
}
