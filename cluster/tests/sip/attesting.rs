//! What networks vouch for of callers, by the wire: tokens signed here, certificates from a server of the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actors::types::{Attestation, Distrust};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cluster::edge::sip_trunk::{Believing, Settings, Trunk};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::desk::{self, Desk};
use super::end::End;
use super::quiet;
use super::settings;
use super::wire::is;

/// Who calls, as `End` does, and whom.
const CALLER: &str = "2000";
const CALLED: &str = "1000";
/// The list of a provider: [0] IA5String "709J".
const PROVIDER: &[u8] = &[0x30, 0x08, 0xa0, 0x06, 0x16, 0x04, b'7', b'0', b'9', b'J'];
/// The list of the number 2001: [2] IA5String.
const OTHER_NUMBER: &[u8] = &[0x30, 0x08, 0xa2, 0x06, 0x16, 0x04, b'2', b'0', b'0', b'1'];

/// A host that has certificates.
struct Host {
    port: u16,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
    home: tempfile::TempDir,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whoever signs for callers.
struct Signer {
    key: KeyPair,
    pem: String,
}

fn signer(authority: &CertifiedIssuer<'_, KeyPair>, list: Option<&[u8]>) -> Signer {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    let oid = &[1, 3, 6, 1, 5, 5, 7, 1, 26];
    params.custom_extensions =
        list.map(|list| CustomExtension::from_oid_content(oid, list.to_vec())).into_iter().collect();
    let pem = params.signed_by(&key, authority).unwrap().pem();
    Signer { key, pem }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

impl Host {
    /// Serves these files; `/slow` never comes, and all else is not there.
    async fn start(trusted: &str, files: Vec<(&'static str, String)>) -> Self {
        let shown = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("hosts.pem"), shown.cert.pem()).unwrap();
        std::fs::write(home.path().join("trusted.pem"), trusted).unwrap();
        let chain = vec![CertificateDer::from(shown.cert.der().to_vec())];
        let key = PrivateKeyDer::try_from(shown.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, files) = (Arc::clone(&asked), Arc::new(files));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, count, files) = (acceptor.clone(), Arc::clone(&count), Arc::clone(&files));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut asked = Vec::new();
                    while !asked.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        if stream.read_exact(&mut byte).await.is_err() {
                            return;
                        }
                        asked.push(byte[0]);
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    let asked = String::from_utf8_lossy(&asked).into_owned();
                    let path = asked.split(' ').nth(1).unwrap_or_default();
                    if path == "/slow" {
                        return std::future::pending().await;
                    }
                    let file = files.iter().find(|(name, _)| *name == path);
                    let (status, body) = file.map_or(("404 None", ""), |(_, body)| ("200 OK", body.as_str()));
                    let length = body.len();
                    let head =
                        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                    let _ = stream.write_all((head + body).as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { port, asked, task, home }
    }

    fn believing(&self) -> Believing {
        Believing {
            trust_file: Some(self.home.path().join("trusted.pem")),
            hosts: vec![format!("127.0.0.1:{}", self.port)],
            hosts_trust_file: Some(self.home.path().join("hosts.pem")),
            wait_ms: 1_000,
            ..Believing::default()
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// An Identity header by this signer, with its certificate there.
fn identity(signer: &Signer, url: &str, attest: &str, from: &str, to: &str, age_s: i64) -> String {
    let now_s = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let header = format!(r#"{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{url}"}}"#);
    let claims = format!(
        r#"{{"attest":"{attest}","dest":{{"tn":["{to}"]}},"iat":{},"orig":{{"tn":"{from}"}},"origid":"x"}}"#,
        now_s - age_s
    );
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &signer.key.serialize_der()).unwrap();
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
    format!("Identity: {signed}.{signature};info=<{url}>;alg=ES256;ppt=\"shaken\"\r\n")
}

/// Calls with these headers; what the reception was told.
async fn told(trunk: &Trunk, desk: &Desk, name: &str, extra: &str) -> Attestation {
    let mut call = End::at("127.0.0.1", trunk, name).await;
    let answer = call.invite(extra).await;
    assert!(is(&answer, 200), "the call goes on whatever is found: {answer}");
    assert!(is(&call.ask("BYE", "").await, 200));
    desk.attested().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_signed_by_whom_we_believe_holds_and_all_else_has_its_reason() {
    let (ours, strangers) = (authority(), authority());
    let good = signer(&ours, Some(PROVIDER));
    let (other, website) = (signer(&ours, Some(OTHER_NUMBER)), signer(&ours, None));
    let stranger = signer(&strangers, Some(PROVIDER));
    let files = vec![
        ("/good", good.pem.clone()),
        ("/other", other.pem.clone()),
        ("/website", website.pem.clone()),
        ("/stranger", stranger.pem.clone()),
        ("/big", "x".repeat(40_000)),
    ];
    let host = Host::start(&ours.pem(), files).await;
    let (trunk, _media, desk) = desk::open(Settings { attesting: host.believing(), ..settings() }).await;
    let by = |signer: &Signer, path: &str| identity(signer, &host.url(path), "A", CALLER, CALLED, 0);
    let aged = |age_s| identity(&good, &host.url("/good"), "A", CALLER, CALLED, age_s);
    let about = |from, to| identity(&good, &host.url("/good"), "A", from, to, 0);
    let graded = |attest| identity(&good, &host.url("/good"), attest, CALLER, CALLED, 0);
    let failed = Attestation::Failed;
    // The first letter of the claims is another: the signature is of something else.
    let changed = graded("B").replacen(".eyJhdHRlc3QiOiJC", ".eyJhdHRlc3QiOiJB", 1);
    assert_ne!(changed, graded("B"));
    let diverted = graded("A").replace("shaken", "div");
    for (number, (headers, expected)) in [
        (String::new(), Attestation::Absent),
        (graded("A"), Attestation::Full),
        (graded("B"), Attestation::Partial),
        (graded("C"), Attestation::Gateway),
        (diverted.clone(), Attestation::Absent),
        (diverted + &graded("A"), Attestation::Full),
        ("Identity: nonsense\r\n".to_owned(), failed(Distrust::Unreadable)),
        (format!("Identity: {}\r\n", "x".repeat(5_000)), failed(Distrust::Unreadable)),
        (aged(70), failed(Distrust::Stale)),
        (aged(-70), failed(Distrust::Stale)),
        (about("2001", CALLED), failed(Distrust::OtherNumbers)),
        (about(CALLER, "1001"), failed(Distrust::OtherNumbers)),
        (by(&stranger, "/good"), failed(Distrust::Forged)),
        (changed, failed(Distrust::Forged)),
        (by(&stranger, "/stranger"), failed(Distrust::Untrusted)),
        (by(&website, "/website"), failed(Distrust::Untrusted)),
        (by(&other, "/other"), failed(Distrust::Untrusted)),
        (by(&good, "/missing"), failed(Distrust::NoCertificate)),
        (by(&good, "/big"), failed(Distrust::NoCertificate)),
        (by(&good, "/slow"), failed(Distrust::NoCertificate)),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(told(&trunk, &desk, &format!("call{number}"), &headers).await, expected, "{headers}");
    }
    // Each file was asked for once, however often it was needed.
    assert_eq!(host.asked(), 7);
    quiet(&trunk, Duration::from_secs(20)).await;
    trunk.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_who_is_not_named_and_nothing_is_checked_where_nobody_is_trusted() {
    let ours = authority();
    let good = signer(&ours, Some(PROVIDER));
    let host = Host::start(&ours.pem(), vec![("/good", good.pem.clone())]).await;
    let signed = identity(&good, &host.url("/good"), "A", CALLER, CALLED, 0);
    let elsewhere = Believing { hosts: vec![".example.org".to_owned()], ..host.believing() };
    let (trunk, _media, desk) = desk::open(Settings { attesting: elsewhere, ..settings() }).await;
    let told_of = told(&trunk, &desk, "elsewhere", &signed).await;
    assert_eq!((told_of, host.asked()), (Attestation::Failed(Distrust::NoCertificate), 0));
    trunk.stop(Duration::from_secs(1)).await;

    let (trunk, _media, desk) = desk::open(settings()).await;
    assert_eq!(told(&trunk, &desk, "off", &signed).await, Attestation::Absent);
    assert_eq!(host.asked(), 0);
    trunk.stop(Duration::from_secs(1)).await;
}
