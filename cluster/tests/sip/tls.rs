//! SIP over TLS, certificates that are replaced, clients that say nothing, and IPv6.

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use actors::call::leg::{Command, Event, Leg};
use actors::types::EndReason;
use cluster::edge::sip_trunk::{Settings, Transport, Trunk};
use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::desk::{self, ANSWERS, HANGS_UP};
use super::softphone::Softphone;
use super::tones::tone;
use super::{address, quiet, settings};

/// A certificate for these names, its key, and the files they lie in.
pub(super) struct Certificate {
    home: tempfile::TempDir,
}

impl Certificate {
    pub(super) fn new(names: &[&str]) -> Self {
        let made = Self { home: tempfile::tempdir().unwrap() };
        made.renew(names);
        made
    }

    /// Writes a new certificate over the old one.
    pub(super) fn renew(&self, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
        fs::write(self.chain(), made.cert.pem()).unwrap();
    }

    pub(super) fn chain(&self) -> PathBuf {
        self.home.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.home.path().join("key.pem")
    }

    pub(super) fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.chain()).unwrap()
    }

    /// Settings of a trunk that shows it and believes it, on this host.
    pub(super) fn settings(&self, host: &str) -> Settings {
        let any: SocketAddr = format!("{host}:0").parse().unwrap();
        let mut settings = Settings { udp: Some(any), tcp: Some(any), tls: Some(any), ..settings() };
        settings.secure.certificate_file = Some(self.chain());
        settings.secure.key_file = Some(self.key());
        settings.secure.trust_file = Some(self.chain());
        settings.secure.reload_ms = 50;
        settings.secure.handshake_ms = 600;
        settings
    }
}

/// A TLS client that believes this certificate. The certificate that it was shown comes with it.
pub(super) async fn client(
    trunk: SocketAddr,
    trusted: CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(trunk).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::IpAddress(trunk.ip().into()), stream).await
}

/// What OpenSSL's client is told when it asks OPTIONS; it ends where it does not believe the certificate.
async fn openssl(target: SocketAddr, trusted: &str) -> String {
    let mut command = std::process::Command::new("timeout");
    command
        .args(["5", "openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", trusted, "-connect"])
        .arg(target.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(request("TLS").as_bytes()).unwrap();
        let mut said = vec![0; 4_096];
        let length = child.stdout.as_mut().unwrap().read(&mut said).unwrap_or(0);
        child.kill().unwrap();
        child.wait().unwrap();
        String::from_utf8_lossy(&said[..length]).into_owned()
    })
    .await
    .unwrap()
}

/// Asks OPTIONS and returns the answer.
async fn options(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), transport: &str) -> String {
    if stream.write_all(request(transport).as_bytes()).await.is_err() {
        return String::new();
    }
    let mut buffer = vec![0; 4_096];
    let length =
        timeout(Duration::from_secs(2), stream.read(&mut buffer)).await.map_or(0, |read| read.unwrap_or(0));
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

fn request(transport: &str) -> String {
    format!(
        "OPTIONS sip:{ANSWERS}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bKo\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

type Told = Arc<Mutex<Vec<Event>>>;

async fn call(trunk: &Trunk, target: &str) -> (Arc<dyn Leg>, Told) {
    let told: Told = Arc::default();
    let events = Arc::clone(&told);
    let leg = trunk.call(target, "+442079460001", Arc::new(move |event| events.lock().push(event))).await;
    (leg.unwrap(), told)
}

async fn until(told: &Told, what: impl Fn(&Event) -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !told.lock().iter().any(&what) {
        assert!(Instant::now() < end, "only {:?}", told.lock());
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_calls_itself_by_every_transport_over_ipv4_and_ipv6() {
    for (host, shown) in [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")] {
        let certificate = Certificate::new(&[shown]);
        let (trunk, media, _desk) = desk::open_at(shown, certificate.settings(host)).await;
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            let target = format!("sip:{ANSWERS}@{}{}", address(&trunk, transport), transport.in_uri());
            let (leg, told) = call(&trunk, &target).await;
            until(&told, |event| *event == Event::Established).await;
            leg.command(Command::HangUp).unwrap();
            until(&told, |event| *event == Event::Ended(EndReason::Completed)).await;
        }
        let target = format!("sips:{HANGS_UP}@{}", address(&trunk, Transport::Tls));
        let (_leg, told) = call(&trunk, &target).await;
        until(&told, |event| *event == Event::Ended(EndReason::CallerHungUp)).await;
        quiet(&trunk, Duration::from_secs(20)).await;
        assert_eq!(media.counts().sessions, 0);
        trunk.stop(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_whose_certificate_is_not_its_own_is_not_called() {
    let other = Certificate::new(&["someone.example"]);
    let (trunk, _media, desk) = desk::open(other.settings("127.0.0.1")).await;
    let target = format!("sips:{ANSWERS}@{}", address(&trunk, Transport::Tls));
    let (_leg, told) = call(&trunk, &target).await;
    until(&told, |event| *event == Event::Ended(EndReason::SignallingTimeout)).await;
    assert_eq!(desk.legs(), 0);
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_replaced_while_connections_last_and_bad_ones_are_not_taken() {
    let certificate = Certificate::new(&["127.0.0.1"]);
    let (trunk, _media, _desk) = desk::open(certificate.settings("127.0.0.1")).await;
    let target = address(&trunk, Transport::Tls);
    let first = certificate.der();
    let mut old = client(target, first.clone()).await.unwrap();
    assert!(options(&mut old, "TLS").await.starts_with("SIP/2.0 200"));

    certificate.renew(&["127.0.0.1"]);
    let second = certificate.der();
    let end = Instant::now() + Duration::from_secs(5);
    let mut new = loop {
        if let Ok(stream) = client(target, second.clone()).await {
            break stream;
        }
        assert!(Instant::now() < end, "the new certificate is not shown");
        sleep(Duration::from_millis(50)).await;
    };
    assert!(options(&mut new, "TLS").await.starts_with("SIP/2.0 200"));
    assert!(options(&mut old, "TLS").await.starts_with("SIP/2.0 200"), "what is up stays up");
    assert!(client(target, first).await.is_err(), "the old one is not shown any more");

    // A key of another certificate; then nonsense. Neither is taken.
    let other = Certificate::new(&["127.0.0.1"]);
    fs::copy(other.key(), certificate.key()).unwrap();
    sleep(Duration::from_millis(300)).await;
    assert!(client(target, second.clone()).await.is_ok());
    fs::write(certificate.chain(), "nonsense").unwrap();
    sleep(Duration::from_millis(300)).await;
    assert!(client(target, second).await.is_ok());
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_read_anew_when_asked_to() {
    let certificate = Certificate::new(&["127.0.0.1"]);
    let mut settings = certificate.settings("127.0.0.1");
    settings.secure.reload_ms = 600_000;
    let (trunk, _media, _desk) = desk::open(settings).await;
    let target = address(&trunk, Transport::Tls);
    assert!(client(target, certificate.der()).await.is_ok());
    certificate.renew(&["127.0.0.1"]);
    sleep(Duration::from_millis(300)).await;
    assert!(client(target, certificate.der()).await.is_err(), "nobody has looked");
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGHUP).unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    while client(target, certificate.der()).await.is_err() {
        assert!(Instant::now() < end, "the new certificate is not shown");
        sleep(Duration::from_millis(50)).await;
    }
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_without_usable_certificates_says_which_file_and_why() {
    let certificate = Certificate::new(&["127.0.0.1"]);
    let start = async |settings: Settings| {
        let media = desk::open(super::settings()).await;
        let told = Trunk::start(settings, Arc::new(desk::DeskHandle::default()), media.1.clone()).await;
        media.0.stop(Duration::from_millis(100)).await;
        told.map(|_| ()).unwrap_err().to_string()
    };
    let mut missing = certificate.settings("127.0.0.1");
    missing.secure.key_file = None;
    assert!(start(missing).await.contains("sip.secure.key_file"));
    fs::write(certificate.chain(), "nonsense").unwrap();
    let told = start(certificate.settings("127.0.0.1")).await;
    assert!(told.contains("certificate.pem") && told.contains("no certificate"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_say_nothing_keep_nobody_out_for_long() {
    let certificate = Certificate::new(&["127.0.0.1"]);
    let mut settings = certificate.settings("127.0.0.1");
    settings.secure.handshakes_max = 3;
    (settings.connections_per_source_max, settings.connection_stall_ms) = (4, 500);
    let (trunk, _media, _desk) = desk::open(settings).await;
    let (plain, secure) = (address(&trunk, Transport::Tcp), address(&trunk, Transport::Tls));

    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(secure).await.unwrap());
    }
    sleep(Duration::from_millis(50)).await;
    assert!(client(secure, certificate.der()).await.is_err(), "as many handshakes as there may be");
    sleep(Duration::from_millis(800)).await;
    let mut one = client(secure, certificate.der()).await.expect("the silent ones are gone");
    assert!(options(&mut one, "TLS").await.starts_with("SIP/2.0 200"));

    // Plain: three say nothing, one drips its first message, and the one that works makes five.
    let mut dripping = TcpStream::connect(plain).await.unwrap();
    for _ in 0..2 {
        silent.push(TcpStream::connect(plain).await.unwrap());
    }
    sleep(Duration::from_millis(50)).await;
    let mut refused = TcpStream::connect(plain).await.unwrap();
    assert_eq!(options(&mut refused, "TCP").await, "", "one source has only so many connections");
    for byte in b"OPTIONS sip:a@b SI" {
        if dripping.write_all(&[*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(60)).await;
    }
    let mut taken = TcpStream::connect(plain).await.unwrap();
    assert!(options(&mut taken, "TCP").await.starts_with("SIP/2.0 200"));
    assert_eq!(trunk.counts().tcp_connections, 2, "those that asked something");
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_openssl_asks_and_baresip_calls_over_tls() {
    let certificate = Certificate::new(&["127.0.0.1"]);
    let (trunk, media, desk) = desk::open(certificate.settings("127.0.0.1")).await;
    let target = address(&trunk, Transport::Tls);
    let chain = certificate.chain().to_string_lossy().into_owned();
    let said = openssl(target, &chain).await;
    assert!(said.contains("SIP/2.0 200 OK"), "{said}");

    let trusting = format!("sip_cafile {chain}\n");
    let mut phone = Softphone::start_with(Transport::Tls, "PCMU", &tone(8_000, 440.0, 10), &trusting).await;
    phone.dial(ANSWERS, target);
    phone.until(&desk, ANSWERS, "up", |event| *event == Event::Established).await;
    phone.say("/hangup");
    let hung_up = Event::Ended(EndReason::CallerHungUp);
    phone.until(&desk, ANSWERS, "hung up", |event| *event == hung_up).await;
    phone.dial(HANGS_UP, target);
    let completed = Event::Ended(EndReason::Completed);
    phone.until(&desk, HANGS_UP, "hung up on", |event| *event == completed).await;
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}
