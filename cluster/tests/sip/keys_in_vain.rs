//! Calls whose audio is to be protected by DTLS, and never is: they end soon, and everybody is told why.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use actors::types::{EndReason, HandOverOutcome};
use cluster::edge::sip_trunk::{Settings, Transport};
use cluster::sip::sdp::{KeyManagement, Protection};
use tokio::time::Instant;

use super::arriving::{Bounds, House};
use super::early_media::{NOWHERE, calling, stop};
use super::end::End;
use super::wire::{is, to_tag};
use super::{address, settings};

/// How long a handshake may take here, in milliseconds.
const PATIENCE_MS: u64 = 1_500;
/// What comes before the why.
const BECAUSE: &str = "Reason: SIP;cause=488;text=\"no keys for audio were agreed on by DTLS: ";

fn by_dtls(end: &End, setup: &str, fingerprint: &str) -> String {
    let offered = end.sdp().replace("RTP/AVP", "UDP/TLS/RTP/SAVP");
    format!("{offered}a=setup:{setup}\r\na=fingerprint:SHA-256 {fingerprint}\r\n")
}

fn nobodys() -> String {
    ["AB"; 32].join(":")
}

async fn house(rules: &str, trunk: Settings) -> House {
    House::open_by(rules, Bounds { trunk, handshake_ms: PATIENCE_MS, ..Bounds::default() }, |_| {}).await
}

/// A certificate of a kind, its files, and its fingerprint.
struct Certificate {
    home: tempfile::TempDir,
    fingerprint: String,
}

impl Certificate {
    fn of(kind: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let openssl = |arguments: &[&str]| {
            let done = Command::new("openssl").args(arguments).current_dir(home.path()).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            String::from_utf8(done.stdout).unwrap()
        };
        let usual =
            ["req", "-x509", "-nodes", "-subj", "/CN=far.invalid", "-keyout", "key", "-out", "certificate"];
        openssl(&[&usual, kind].concat());
        let told = openssl(&["x509", "-in", "certificate", "-noout", "-fingerprint", "-sha256"]);
        let fingerprint = told.trim().split_once('=').unwrap().1.to_owned();
        Self { home, fingerprint }
    }

    /// OpenSSL begins a handshake there, as its owner.
    fn begins_at(&self, there: SocketAddr) -> Begun {
        let child = Command::new("openssl")
            .args(["s_client", "-dtls1_2", "-use_srtp", "SRTP_AES128_CM_SHA1_80"])
            .args(["-cert", "certificate", "-key", "key", "-connect", &there.to_string()])
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Begun(child)
    }
}

struct Begun(std::process::Child);

impl Drop for Begun {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A caller who offers to begin, and names this certificate; called and answered.
async fn called(house: &House, name: &str, fingerprint: &str) -> (End, SocketAddr) {
    let mut caller = End::of("127.0.0.1", address(&house.trunk, Transport::Udp), name).await;
    caller.sequence = 1;
    caller.send(caller.request("INVITE", 1, "", &by_dtls(&caller, "active", fingerprint))).await;
    let answer = caller.next("SIP/2.0 200").await;
    assert!(answer.contains("a=setup:passive\r\n"), "{answer}");
    caller.theirs = to_tag(&answer).trim_start_matches(";tag=").trim().to_owned();
    caller.send(caller.request("ACK", 1, "", "")).await;
    (caller, End::audio_in(&answer))
}

/// The call is ended for this reason, which is written down.
async fn is_told(house: House, caller: &End, why: &str) {
    let bye = caller.next("BYE ").await;
    assert!(bye.contains(&format!("{BECAUSE}{why}")), "{bye}");
    caller.answer(&bye, 200, "", "").await;
    let (record, _) = house.record().await;
    assert_eq!(record.outcome.map(|outcome| outcome.reason), Some(EndReason::KeysNotAgreed), "{why}");
    assert!(record.answered_at.is_some());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_never_begins_is_hung_up_on_in_time() {
    let house = house("", settings()).await;
    let (caller, _) = called(&house, "never", &nobodys()).await;
    let began = Instant::now();
    is_told(house, &caller, "the handshake was not done in time").await;
    let took = began.elapsed();
    assert!(took > Duration::from_millis(PATIENCE_MS / 2) && took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_openssl_with_another_certificate_than_the_named_one_is_hung_up_on_at_once() {
    let house = house("", settings()).await;
    let (caller, there) = called(&house, "stranger", &nobodys()).await;
    let certificate = Certificate::of(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let _begun = certificate.begins_at(there);
    is_told(house, &caller, "the certificate is not the one that the session description names").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_openssl_with_a_certificate_by_rsa_is_hung_up_on_at_once() {
    let house = house("", settings()).await;
    let certificate = Certificate::of(&["-newkey", "rsa:2048"]);
    let (caller, there) = called(&house, "rsa", &certificate.fingerprint).await;
    let _begun = certificate.begins_at(there);
    is_told(house, &caller, "no certificate of a kind that is known here was shown").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_answers_and_agrees_on_no_keys_is_not_reached_and_the_receptionist_answers() {
    let person = End::of("127.0.0.1", SocketAddr::from(NOWHERE), "person").await;
    let rules = format!(
        "[[department]]\nname = \"elsewhere\"\nuri = \"sip:elsewhere@{}\"\n[forwarding]\nalways = \"elsewhere\"\n",
        person.own
    );
    let by_dtls_first = Settings { srtp: Protection::Offered, srtp_keys: KeyManagement::Dtls, ..settings() };
    let house = house(&rules, by_dtls_first).await;
    let person = End { trunk: address(&house.trunk, Transport::Udp), ..person };
    let mut caller = calling(&house, "waits", "").await;
    let invite = person.next("INVITE ").await;
    assert!(invite.contains("a=setup:actpass\r\n"), "{invite}");
    // We are to begin, and nobody answers.
    person.answer(&invite, 200, "", &by_dtls(&person, "passive", &nobodys())).await;
    person.next("ACK ").await;
    let bye = person.next("BYE ").await;
    assert!(bye.contains(BECAUSE), "{bye}");
    person.answer(&bye, 200, "", "").await;
    let answer = caller.next("SIP/2.0 200").await;
    caller.theirs = to_tag(&answer).trim_start_matches(";tag=").trim().to_owned();
    caller.send(caller.request("ACK", 1, "", "")).await;
    assert!(caller.hears_a_voice().await, "the receptionist");
    assert!(is(&caller.ask("BYE", "").await, 200));
    let (record, tried) = house.record().await;
    assert_eq!(tried, [("elsewhere".to_owned(), HandOverOutcome::Unreachable)]);
    assert!(record.answered_at.is_some());
    stop(house).await;
}
