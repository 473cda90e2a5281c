//! Vonage's application: its key pair, and whether a request proves itself by it.

use std::path::PathBuf;
use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The application's id.
pub(super) const ID: &str = "app-1";

/// How far the clocks of two machines may differ, in seconds.
const CLOCKS_S: u64 = 5;

struct Application {
    file: PathBuf,
    public: Vec<u8>,
    _home: tempfile::TempDir,
}

fn application() -> &'static Application {
    static APPLICATION: OnceLock<Application> = OnceLock::new();
    APPLICATION.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("a key");
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("private.key");
        let lines: Vec<String> = STANDARD
            .encode(der.as_ref())
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        std::fs::write(&file, pem).expect("written");
        Application { file, public: pair.public_key().as_ref().to_vec(), _home: home }
    })
}

/// The file with the application's private key.
pub(super) fn key_file() -> PathBuf {
    application().file.clone()
}

/// The id of a token that lets its bearer in now; why not, where it does not.
pub(super) fn admits(authorization: &str) -> Result<String, &'static str> {
    let token = authorization.strip_prefix("Bearer ").ok_or("no bearer")?;
    let (signed, signature) = token.rsplit_once('.').ok_or("no token")?;
    let (header, claims) = signed.split_once('.').ok_or("no token")?;
    let part = |text: &str| -> Result<Value, &'static str> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "no base64")?;
        serde_json::from_slice(&bytes).map_err(|_| "no JSON")
    };
    if part(header)? != json!({ "alg": "RS256", "typ": "JWT" }) {
        return Err("another algorithm");
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "no base64")?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &application().public)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| "another key")?;
    let claims = part(claims)?;
    let now_s = u64::try_from(cluster::clock::now().as_second()).expect("after 1970");
    let (made_s, until_s) =
        (claims["iat"].as_u64().ok_or("no iat")?, claims["exp"].as_u64().ok_or("no exp")?);
    let id = claims["jti"].as_str().filter(|id| id.len() >= 16).ok_or("no jti")?;
    match () {
        () if claims["application_id"] != ID => Err("another application"),
        () if made_s.abs_diff(now_s) > CLOCKS_S => Err("made at another time"),
        () if until_s <= now_s || until_s > made_s + 300 => Err("good for too long, or not any more"),
        () if claims.as_object().is_none_or(|claims| claims.len() != 4) => Err("other claims"),
        () => Ok(id.to_owned()),
    }
}
