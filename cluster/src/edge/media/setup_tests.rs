//! Sessions that agree on keys by DTLS and are found by checks, over real sockets.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_lc_rs::digest;

use models::audio::audio_ring;

use super::tests::{Party, settings, share, sides, stream, tone};
use super::*;
use crate::rtp::protection::{Key, Opening, Sealing, Suite};
use crate::rtp::stun::{self, Credentials};

fn handshake(of: &Media, begins: bool) -> Option<Handshake> {
    Some(Handshake { begins, hash: Hash::Sha256, fingerprint: of.fingerprint().unwrap() })
}

fn heard(party: &Party, other: &Party) -> (f32, f32) {
    let (sender, mut recording) = audio_ring(8_000, 64_000);
    party.session.control(Control::Record(sender)).unwrap();
    other.play(1, 8_000, tone(8_000, 700.0, 12_000));
    assert!(other.wait_for(|event| matches!(event, MediaEvent::PlaybackEnded { complete: true, .. })));
    std::thread::sleep(Duration::from_millis(150));
    let (theirs, _) = sides(&mut recording);
    let loud = theirs.iter().position(|sample| sample.unsigned_abs() > 2_000).unwrap_or(0);
    share(theirs.get(loud + 800..loud + 8_800).unwrap_or(&theirs), 700.0)
}

#[test]
fn two_that_agree_on_keys_hear_each_other_from_the_first_word() {
    let (here, there) = (Media::start(settings(23_600)).unwrap(), Media::start(settings(23_700)).unwrap());
    let (one, two) = (Party::of(&here), Party::of(&there));
    let agreed = |to: &Party, of: &Media, begins| Stream {
        handshake: handshake(of, begins),
        multiplexed: true,
        ..stream(to.session.local_address(), Codec::Pcmu)
    };
    // Who begins speaks first, before there are keys: the words wait for them.
    one.configure(agreed(&two, &there, true));
    two.configure(agreed(&one, &here, false));
    let (at, level) = heard(&two, &one);
    assert!(at > 0.98 && (level - 5_657.0).abs() < 200.0, "{at} {level}");
    let (at, _) = heard(&one, &two);
    assert!(at > 0.98, "{at}");
    let quality = two.quality();
    assert!(quality.packets_received > 60 && quality.packets_lost < 20, "{quality:?}");
}

#[test]
fn whoever_has_another_certificate_is_neither_heard_nor_spoken_to() {
    let here = Media::start(settings(23_800)).unwrap();
    let there = Media::start(settings(23_900)).unwrap();
    let (one, two) = (Party::of(&here), Party::of(&there));
    let wrong = Some(Handshake { begins: false, hash: Hash::Sha256, fingerprint: vec![1; 32] });
    one.configure(Stream { handshake: wrong, ..stream(two.session.local_address(), Codec::Pcmu) });
    two.configure(Stream {
        handshake: handshake(&here, true),
        ..stream(one.session.local_address(), Codec::Pcmu)
    });
    one.play(1, 8_000, tone(8_000, 500.0, 800));
    assert!(one.wait_for(|event| *event == MediaEvent::NoKeys(NoKeys::Fingerprint)));
    std::thread::sleep(Duration::from_millis(500));
    assert!(one.told().len() == 1 && two.told().is_empty(), "{:?} {:?}", one.told(), two.told());
    let quality = one.quality();
    assert_eq!((quality.packets_received, quality.packets_sent), (0, 0), "{quality:?}");
}

#[test]
fn a_stranger_with_another_certificate_keeps_nobody_from_being_heard() {
    let (here, there) = (Media::start(settings(24_600)).unwrap(), Media::start(settings(24_700)).unwrap());
    let (one, two) = (Party::of(&here), Party::of(&there));
    let stranger = handshake::Identity::new(Duration::from_secs(10)).unwrap();
    let socket = UdpSocket::bind("127.0.0.2:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (to, began) = (one.session.local_address(), crate::clock::monotonic());
    let mut begun = handshake::Agreeing::new(&stranger, handshake(&here, true).unwrap(), to, began);
    let agreed = |to: &Party, of: &Media, begins| Stream {
        handshake: handshake(of, begins),
        ..stream(to.session.local_address(), Codec::Pcmu)
    };
    let mut heard_of_us = 0;
    for turn in 0..20 {
        // Its first words come before the description, the others after it.
        if turn == 3 {
            one.configure(agreed(&two, &there, false));
        }
        let mut send = |bytes: &[u8], to: SocketAddr| drop(socket.send_to(bytes, to));
        begun.tick(to, crate::clock::monotonic(), &mut send);
        let mut bytes = [0; 2_000];
        while let Ok((length, source)) = socket.recv_from(&mut bytes) {
            heard_of_us += 1;
            begun.datagram(&bytes[..length], source, crate::clock::monotonic(), &mut send);
        }
    }
    assert!(heard_of_us > 1, "it comes as far as to show its certificate");
    assert!(one.told().is_empty(), "{:?}", one.told());
    two.configure(agreed(&one, &here, true));
    let (at, level) = heard(&one, &two);
    assert!(at > 0.98 && (level - 5_657.0).abs() < 200.0, "{at} {level}");
}

#[test]
fn whoever_begins_before_its_answer_is_here_is_not_forgotten() {
    let (media, far) =
        (Media::start(settings(24_300)).unwrap(), handshake::Identity::new(Duration::from_secs(10)).unwrap());
    let party = Party::of(&media);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let session = party.session.local_address();
    let now = crate::clock::monotonic();
    let mut begun = handshake::Agreeing::new(&far, handshake(&media, true).unwrap(), session, now);
    begun.tick(session, now, &mut |bytes, to| drop(socket.send_to(bytes, to)));
    std::thread::sleep(Duration::from_millis(100));
    // It is said once, and answered without being said again.
    party.configure(Stream {
        handshake: Some(Handshake { begins: false, hash: Hash::Sha256, fingerprint: far.fingerprint() }),
        ..stream(socket.local_addr().unwrap(), Codec::Pcmu)
    });
    let mut bytes = [0; 2_000];
    let (length, source) = socket.recv_from(&mut bytes).unwrap();
    assert_eq!((source, bytes[0]), (session, 22), "{:?}", &bytes[..length]);
}

#[test]
fn whoever_never_comes_to_an_end_is_given_up_and_has_another_chance_with_the_next_description() {
    let media = Media::start(Settings { handshake_ms: 1_000, ..settings(23_500) }).unwrap();
    let party = Party::of(&media);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let far = handshake::Identity::new(Duration::from_secs(10)).unwrap();
    let given_up = |times: usize| {
        let is = |event: &MediaEvent| *event == MediaEvent::NoKeys(NoKeys::TimedOut);
        let end = crate::clock::monotonic() + Duration::from_secs(5);
        while party.told().iter().filter(|event| is(event)).count() < times {
            assert!(crate::clock::monotonic() < end, "{:?}", party.told());
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let mut bytes = [0; 2_000];
    for (times, begins) in [(1, true), (2, true), (3, false)] {
        let began = crate::clock::monotonic();
        party.configure(Stream {
            handshake: Some(Handshake { begins, hash: Hash::Sha256, fingerprint: far.fingerprint() }),
            ..stream(socket.local_addr().unwrap(), Codec::Pcmu)
        });
        if begins {
            let (length, _) = socket.recv_from(&mut bytes).unwrap();
            assert_eq!(bytes[0], 22, "{:?}", &bytes[..length]);
        }
        given_up(times);
        let took = crate::clock::since(began);
        assert!(took > Duration::from_millis(900) && took < Duration::from_secs(3), "{took:?}");
        socket.set_nonblocking(true).unwrap();
        while socket.recv_from(&mut bytes).is_ok() {}
        socket.set_nonblocking(false).unwrap();
    }
}

/// OpenSSL, which shares no code with us, at the far end of a way that the test looks into.
struct Openssl {
    child: Child,
    folder: tempfile::TempDir,
}

impl Openssl {
    /// Asks whoever answers at `to`, as the owner of a new certificate, whose fingerprint is returned.
    fn connect(to: SocketAddr) -> (Self, Vec<u8>) {
        Self::start(&["s_client", "-connect", &to.to_string()], rcgen::KeyPair::generate().unwrap())
    }

    /// Waits to be asked at `at`, and wants to be shown a certificate.
    fn listen(at: SocketAddr) -> (Self, Vec<u8>) {
        Self::start(
            &["s_server", "-Verify", "1", "-accept", &at.to_string()],
            rcgen::KeyPair::generate().unwrap(),
        )
    }

    fn start(role: &[&str], key: rcgen::KeyPair) -> (Self, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let certificate =
            rcgen::CertificateParams::new(vec!["far.invalid".to_owned()]).unwrap().self_signed(&key).unwrap();
        std::fs::write(file("key"), key.serialize_pem()).unwrap();
        std::fs::write(file("certificate"), certificate.pem()).unwrap();
        let child = Command::new("openssl")
            .args(role)
            .args(["-dtls1_2", "-use_srtp", "SRTP_AES128_CM_SHA1_80"])
            .args(["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "60"])
            .arg("-cert")
            .arg(file("certificate"))
            .arg("-key")
            .arg(file("key"))
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(file("said")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let fingerprint = digest::digest(&digest::SHA256, certificate.der()).as_ref().to_vec();
        (Self { child, folder }, fingerprint)
    }

    /// The keying material that it has exported, once it has.
    fn keys(&self) -> Option<Vec<u8>> {
        let said = std::fs::read_to_string(self.folder.path().join("said")).ok()?;
        let digits = said.split("Keying material: ").nth(1)?.split_whitespace().next()?;
        let bytes =
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
        bytes.collect()
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes datagrams on between the one who asks and the session, for so long; what of the session is SRTP it keeps.
fn pass_on(relay: &UdpSocket, session: SocketAddr, asker: &mut Option<SocketAddr>, ms: u64) -> Vec<Vec<u8>> {
    let until = crate::clock::monotonic() + Duration::from_millis(ms);
    let (mut bytes, mut kept) = ([0; 2_000], Vec::new());
    while crate::clock::monotonic() < until {
        let Ok((length, source)) = relay.recv_from(&mut bytes) else { continue };
        let datagram = &bytes[..length];
        if source != session {
            *asker = Some(source);
            relay.send_to(datagram, session).unwrap();
        } else if (128..=191).contains(&datagram[0]) {
            kept.push(datagram.to_vec());
        } else if let Some(asker) = *asker {
            relay.send_to(datagram, asker).unwrap();
        }
    }
    kept
}

#[test]
fn peer_openssl_and_we_come_to_the_same_keys() {
    let relay = relay();
    let (openssl, fingerprint) = Openssl::connect(relay.local_addr().unwrap());
    come_to_the_same_keys(24_100, &relay, None, &openssl, (false, fingerprint));
}

#[test]
fn peer_openssl_waits_and_we_begin() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (openssl, fingerprint) = Openssl::listen(free);
    come_to_the_same_keys(24_200, &relay(), Some(free), &openssl, (true, fingerprint));
}

/// A key by RSA: rcgen takes one, and makes none.
fn by_rsa() -> rcgen::KeyPair {
    let made = Command::new("openssl").args(["genpkey", "-algorithm", "RSA"]).output().unwrap();
    rcgen::KeyPair::from_pem_and_sign_algo(&String::from_utf8(made.stdout).unwrap(), &rcgen::PKCS_RSA_SHA256)
        .unwrap()
}

#[test]
fn peer_openssl_with_a_certificate_by_rsa_comes_to_no_keys_and_we_say_why() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let relay = relay();
    let here = relay.local_addr().unwrap().to_string();
    let waits = ["s_server", "-Verify", "1", "-accept", &free.to_string()];
    // Who waits has nothing that it could show; who begins shows nothing.
    for (port, role, far, why) in [
        (24_400, &waits[..], Some(free), NoKeys::Alert(40)),
        (24_500, &["s_client", "-connect", &here], None, NoKeys::Certificate),
    ] {
        let mut far = far;
        let (_openssl, fingerprint) = Openssl::start(role, by_rsa());
        let media = Media::start(settings(port)).unwrap();
        let party = Party::of(&media);
        let begins = far.is_some();
        party.configure(Stream {
            handshake: Some(Handshake { begins, hash: Hash::Sha256, fingerprint }),
            multiplexed: true,
            ..stream(relay.local_addr().unwrap(), Codec::Pcmu)
        });
        let end = crate::clock::monotonic() + Duration::from_secs(8);
        while party.told().is_empty() && crate::clock::monotonic() < end {
            pass_on(&relay, party.session.local_address(), &mut far, 100);
        }
        assert_eq!(party.told(), [MediaEvent::NoKeys(why)]);
    }
}

fn relay() -> UdpSocket {
    let relay = UdpSocket::bind("127.0.0.1:0").unwrap();
    relay.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    relay
}

/// A session and OpenSSL, whose address is known where it waits; whether we begin, and its fingerprint.
fn come_to_the_same_keys(
    first_port: u16,
    relay: &UdpSocket,
    mut far: Option<SocketAddr>,
    openssl: &Openssl,
    (begins, fingerprint): (bool, Vec<u8>),
) {
    let media = Media::start(settings(first_port)).unwrap();
    let party = Party::of(&media);
    let session = party.session.local_address();
    party.configure(Stream {
        handshake: Some(Handshake { begins, hash: Hash::Sha256, fingerprint }),
        multiplexed: true,
        ..stream(relay.local_addr().unwrap(), Codec::Pcmu)
    });
    party.play(1, 8_000, tone(8_000, 500.0, 40_000));
    let mut sealed = Vec::new();
    for _ in 0..100 {
        sealed.extend(pass_on(relay, session, &mut far, 100));
        if openssl.keys().is_some() && sealed.len() > 10 {
            break;
        }
    }
    // The client's key, the server's, the client's salt, the server's (RFC 5764 section 4.2).
    let material = openssl.keys().expect("a handshake");
    let key = |key: usize, salt: usize| Key {
        suite: Suite::AesCm128Sha1With80,
        master: [&material[key..key + 16], &material[salt..salt + 14]].concat(),
    };
    let (clients, servers) = (key(0, 32), key(16, 46));
    let (ours, theirs) = if begins { (clients, servers) } else { (servers, clients) };
    let mut opening = Opening::new(&ours).unwrap();
    let opened = sealed.iter().filter(|packet| opening.open(packet).is_ok()).count();
    assert!(opened > 10, "{opened} of {}", sealed.len());
    let mut sealing = Sealing::default();
    sealing.use_key(&theirs).unwrap();
    let header = crate::rtp::packet::Header { ssrc: 4, ..Default::default() };
    let clear = [&header.to_bytes()[..], &[0x55; 160]].concat();
    relay.send_to(&clear, session).unwrap();
    pass_on(relay, session, &mut far, 200);
    assert!(!party.told().contains(&MediaEvent::FirstPacket), "what is in clear is not heard");
    relay.send_to(&sealing.seal(&clear).unwrap(), session).unwrap();
    assert!(party.wait_for(|event| *event == MediaEvent::FirstPacket));
}

/// What an agent that controls sends, by the password.
fn check(credentials: &Credentials, theirs: &str, nominates: bool) -> Vec<u8> {
    stun::tests::asked_of(credentials, theirs, nominates)
}

#[test]
fn packets_are_believed_from_where_a_check_has_proved_itself() {
    let media = Media::start(settings(24_000)).unwrap();
    let party = Party::of(&media);
    let ours = Credentials { fragment: "abcd".into(), password: "0123456789abcdef0123".into() };
    let socket = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(party.session.local_address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        socket
    };
    let (far, stranger) = (socket(), socket());
    party.configure(Stream {
        connectivity: Some(Connectivity { ours: ours.clone(), theirs: "wxyz".into() }),
        ..stream("0.0.0.0:9".parse().unwrap(), Codec::Pcmu)
    });
    let mut bytes = [0; 2_000];
    let guess = Credentials { password: "another password 1234".into(), ..ours.clone() };
    stranger.send(&check(&guess, "wxyz", true)).unwrap();
    assert!(stranger.recv(&mut bytes).is_err(), "a stranger is not answered");
    assert!(far.recv(&mut bytes).is_err(), "and nobody is sent anything yet");
    far.send(&check(&ours, "wxyz", true)).unwrap();
    let length = far.recv(&mut bytes).unwrap();
    assert_eq!(bytes[..2], [1, 1], "a success");
    assert!(length <= check(&ours, "wxyz", true).len(), "no more comes back than was sent");
    // From now on our audio goes there.
    let mut audio = 0;
    while far.recv(&mut bytes).is_ok() && audio < 5 {
        audio += usize::from(bytes[0] == 0x80);
    }
    assert_eq!(audio, 5);
    // And theirs is heard, the stranger's is not.
    let packet = |sequence: u8| {
        let header = crate::rtp::packet::Header { sequence: sequence.into(), ssrc: 4, ..Default::default() };
        [&header.to_bytes()[..], &[0x55; 160]].concat()
    };
    (0..10).for_each(|sequence| drop(stranger.send(&packet(sequence))));
    std::thread::sleep(Duration::from_millis(100));
    assert!(!party.told().contains(&MediaEvent::FirstPacket));
    far.send(&packet(1)).unwrap();
    assert!(party.wait_for(|event| *event == MediaEvent::FirstPacket));
}
