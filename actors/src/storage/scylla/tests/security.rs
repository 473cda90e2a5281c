//! A cluster that wants a password and speaks TLS only.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::storage::conformance::call;
use crate::storage::scylla::{Credentials, Tls};

const KEYSTORE_PASSWORD: &str = "keystore";

/// A key and a certificate for an address, in PEM and as Java keeps them. It vouches for itself.
fn certificate(address: &str, folder: &Path) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed([address.to_owned()]).expect("made");
    let (pem, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    std::fs::write(&pem, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let store = folder.join("keystore.p12");
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs12", "-export", "-name", "node", "-passout"]).arg(format!("pass:{KEYSTORE_PASSWORD}"));
    openssl.arg("-inkey").arg(&key).arg("-in").arg(&pem).arg("-out").arg(&store);
    let made = openssl.status().expect("openssl: run `ops/install test`");
    assert!(made.success(), "a keystore");
    (pem, store)
}

fn closed(address: &str, folder: &Path) -> String {
    let (_, store) = certificate(address, folder);
    let store = store.display();
    format!(
        "authenticator: PasswordAuthenticator\n\
         client_encryption_options:\n    enabled: true\n    optional: false\n    require_client_auth: false\n\
         \u{20}   store_type: PKCS12\n    keystore: {store}\n    keystore_password: {KEYSTORE_PASSWORD}\n\
         \u{20}   truststore: {store}\n    truststore_password: {KEYSTORE_PASSWORD}\n"
    )
}

fn user(name: &str, password: &str) -> Option<Credentials> {
    Some(Credentials { user: name.to_owned(), password: password.into() })
}

/// What is said to who may not come in.
async fn refusal(settings: &Settings) -> String {
    let Err(error) = Scylla::open(settings).await else { panic!("it lets everybody in") };
    println!("{error}");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains(&settings.contact_points[0]), "who: {said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_a_cassandra_with_passwords_and_tls_lets_in_who_has_both() {
    let ring = Ring::start_as(1, closed);
    let authorities = ring.folder(0).join("certificate.pem");
    let plain = settings(&ring, "secure");
    let secure = |credentials: Option<Credentials>| Settings {
        credentials,
        tls: Some(Tls { authorities: authorities.clone() }),
        ..plain.clone()
    };
    // The first role comes to be a moment after the start.
    let first = secure(user("cassandra", "cassandra"));
    let began = Instant::now();
    let session = loop {
        match connect::session(&first).await {
            Ok((session, _)) => break session,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(60), "{error}\n{}", ring.log(0)),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let role = "CREATE ROLE strowger WITH PASSWORD = 'open sesame' AND LOGIN = true";
    session.query_unpaged(role, ()).await.expect("made");
    let right = secure(user("strowger", "open sesame"));
    let store = store(&right).await;
    store.check().await.expect("it works");
    let record = call("barbers", 1, 0);
    store.put_call(&record).await.expect("written");
    assert_eq!(store.call(record.id).await, Ok(Some(record)));

    refuses(&ring, &right, secure).await;
}

/// Whoever lacks something is told what.
async fn refuses(ring: &Ring, right: &Settings, secure: impl Fn(Option<Credentials>) -> Settings) {
    let said = refusal(&secure(user("strowger", "hunter2"))).await;
    assert!(said.contains("does not let the user strowger in: check scylla.credentials"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let said = refusal(&secure(None)).await;
    assert!(said.contains("wants a user and a password: set scylla.credentials"), "{said}");
    let said = refusal(&Settings { tls: None, ..right.clone() }).await;
    assert!(said.contains("whether it wants TLS (scylla.tls)"), "{said}");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (other, _) = certificate(ring.contact_point(0).split(':').next().expect("a host"), elsewhere.path());
    let distrustful = |authorities: PathBuf| Settings { tls: Some(Tls { authorities }), ..right.clone() };
    let said = refusal(&distrustful(other.clone())).await;
    assert!(said.contains(&format!("is not signed by any in {}", other.display())), "{said}");
    assert!(said.contains("check scylla.tls.authorities"), "{said}");
    let none = elsewhere.path().join("none.pem");
    let Err(error) = Scylla::open(&distrustful(none.clone())).await else { panic!("it trusts nobody") };
    assert!(error.to_string().contains(&format!("{} can't be used for TLS", none.display())), "{error}");
}
