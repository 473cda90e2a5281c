//! A server that wants a password and is reached over TLS.

use std::path::{Path, PathBuf};

use super::server::free_port;
use super::*;

on_each_make! {
    over_tls_lets_in_who_has_the_password_and_trusts_it,
}

/// A key and a certificate for this machine, in PEM. It vouches for itself.
fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
    let (pem, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    std::fs::write(&pem, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    (pem, key)
}

/// What is said to who may not come in.
async fn refusal(settings: &Settings) -> String {
    let shared = opened(settings);
    let until = Instant::now() + PATIENCE;
    loop {
        let error = shared.check().await.expect_err("it lets nobody in").to_string();
        // At first nothing is known of the connection that is being made.
        if error.contains("check coordination.") {
            println!("{error}");
            return error;
        }
        assert!(Instant::now() < until, "{error}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn over_tls_lets_in_who_has_the_password_and_trusts_it(make: Make) {
    let (folder, elsewhere) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let ((pem, key), (other, _)) = (certificate(folder.path()), certificate(elsewhere.path()));
    let (shown, opens) = (pem.to_string_lossy().into_owned(), key.to_string_lossy().into_owned());
    let port = free_port().to_string();
    let _server = Server::start_as(
        make,
        &[
            "--tls-port",
            &port,
            "--tls-cert-file",
            &shown,
            "--tls-key-file",
            &opens,
            "--tls-ca-cert-file",
            &shown,
            "--tls-auth-clients",
            "no",
            "--requirepass",
            "open sesame",
        ],
    );
    let right = Settings {
        password: "open sesame".into(),
        authorities: Some(pem.clone()),
        ..settings(&format!("rediss://127.0.0.1:{port}"))
    };
    let shared = connected(&right).await;
    shared.put_checkpoint(call(1), 7, b"state", LONG_MS).await.expect("kept");
    let kept = shared.checkpoint(call(1)).await.expect("read").expect("kept");
    assert_eq!((kept.version, kept.state.as_slice()), (7, &b"state"[..]));
    // Hints have a connection of their own.
    let mut hints = shared.subscribe("changes").await.expect("listens");
    let until = Instant::now() + PATIENCE;
    while !matches!(tokio::time::timeout(Duration::from_millis(200), hints.next()).await, Ok(Some(_))) {
        assert!(Instant::now() < until, "hints come through");
        shared.publish("changes", b"hint").await.expect("told");
    }

    refuses(&right, &other).await;
    let unusable = |settings: &Settings| match Redis::open(settings, Chance::system()) {
        Ok(_) => panic!("it can be used"),
        Err(error) => error.to_string(),
    };
    let none = elsewhere.path().join("none.pem");
    let said = unusable(&Settings { authorities: Some(none.clone()), ..right.clone() });
    assert!(
        said.contains("coordination.authorities") && said.contains(&none.display().to_string()),
        "{said}"
    );
    let said = unusable(&Settings { url: format!("redis://127.0.0.1:{port}"), ..right });
    assert!(said.contains("coordination.authorities") && said.contains("rediss://"), "{said}");
}

/// Whoever lacks something is told what.
async fn refuses(right: &Settings, other: &Path) {
    let said = refusal(&Settings { password: "hunter2".into(), ..right.clone() }).await;
    assert!(said.contains("check coordination.username and .password"), "{said}");
    assert!(!said.contains("hunter2") && !said.contains("open sesame"), "{said}");
    let said = refusal(&Settings { password: "".into(), ..right.clone() }).await;
    assert!(said.contains("check coordination.username and .password"), "{said}");
    let said = refusal(&Settings { authorities: Some(other.to_owned()), ..right.clone() }).await;
    assert!(said.contains(&format!("is not signed by any in {}", other.display())), "{said}");
    assert!(said.contains("check coordination.authorities"), "{said}");
}
