//! A carrier: its signatures, its questions, its streams.

use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cluster::edge::carriers::Settings;
use cluster::edge::carriers::provider::Provider;
use cluster::edge::carriers::provider::form::Form;
use cluster::edge::carriers::provider::{plivo, twilio};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::application;
use super::http::ask;

/// The secret of every carrier here.
pub(super) const SECRET: &str = "carriers' secret";
/// The URL that carriers call, whatever is behind it.
pub(super) const PUBLIC: &str = "http://calls.example";

/// Settings for all four, with their REST at this URL.
pub(super) fn settings(rest_url: &str) -> Settings {
    let mut settings = Settings {
        address: Some("127.0.0.1:0".parse().expect("an address")),
        public_url: PUBLIC.to_owned(),
        ..Settings::default()
    };
    settings.rest.timeout_ms = 1_000;
    settings.rest.pause_ms = 20;
    settings.twilio.account = "AC1".to_owned();
    settings.twilio.auth_token = SECRET.into();
    settings.telnyx.account = "T1".to_owned();
    settings.telnyx.api_key = SECRET.into();
    settings.telnyx.public_key = STANDARD.encode(telnyx_key().public_key().as_ref());
    settings.plivo.account = "MA1".to_owned();
    settings.plivo.auth_token = SECRET.into();
    settings.vonage.application = application::ID.to_owned();
    settings.vonage.private_key_file = Some(application::key_file());
    settings.vonage.signature_secret = SECRET.into();
    for url in [
        &mut settings.twilio.rest_url,
        &mut settings.telnyx.rest_url,
        &mut settings.plivo.rest_url,
        &mut settings.vonage.rest_url,
    ] {
        rest_url.clone_into(url);
    }
    settings
}

pub(super) fn telnyx_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key")
}

/// One carrier.
#[derive(Debug, Clone, Copy)]
pub(super) struct Carrier {
    pub(super) provider: Provider,
    pub(super) edge: SocketAddr,
}

impl Carrier {
    pub(super) fn new(provider: Provider, edge: SocketAddr) -> Self {
        Self { provider, edge }
    }

    /// The body that asks about a call, with further fields.
    pub(super) fn body(self, call: &str, more: &[(&str, &str)]) -> String {
        let name = match self.provider {
            Provider::Twilio | Provider::Telnyx => "CallSid",
            Provider::Plivo => "CallUUID",
            Provider::Vonage => {
                let mut event = json!({ "uuid": call, "from": "441632960111", "to": "1000" });
                for (name, value) in more {
                    event[*name] = json!(value);
                }
                return event.to_string();
            }
        };
        let fields = [(name, call), ("From", "+441632960111"), ("To", "1000")];
        Form::written(&[&fields[..], more].concat())
    }

    /// The headers that prove that a body is this carrier's.
    pub(super) fn proof(self, path: &str, body: &str) -> Vec<(&'static str, String)> {
        let url = format!("{PUBLIC}{path}");
        let now_s = cluster::clock::now().as_second();
        match self.provider {
            Provider::Twilio => {
                let signature = twilio::proof::signed(SECRET, &url, body.as_bytes());
                vec![("x-twilio-signature", STANDARD.encode(signature))]
            }
            Provider::Telnyx => {
                let signature = telnyx_key().sign(format!("{now_s}|{body}").as_bytes());
                vec![
                    ("telnyx-signature-ed25519", STANDARD.encode(signature.as_ref())),
                    ("telnyx-timestamp", now_s.to_string()),
                ]
            }
            Provider::Plivo => {
                let signature = plivo::proof::signed(SECRET, &url, body.as_bytes(), "n1");
                vec![
                    ("x-plivo-signature-v3", STANDARD.encode(signature)),
                    ("x-plivo-signature-v3-nonce", "n1".to_owned()),
                ]
            }
            Provider::Vonage => {
                let hash: String = digest(&SHA256, body.as_bytes())
                    .as_ref()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                let claims = json!({
                    "iat": now_s,
                    "jti": "j",
                    "iss": "Vonage",
                    "application_id": application::ID,
                    "payload_hash": hash,
                })
                .to_string();
                let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
                let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
                let signature = sign(&Key::new(HMAC_SHA256, SECRET.as_bytes()), signed.as_bytes());
                vec![("authorization", format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(signature)))]
            }
        }
    }

    /// Asks about a call, and returns the answer.
    pub(super) async fn asks(self, what: &str, call: &str, more: &[(&str, &str)]) -> (u16, String) {
        self.tells(what, &self.body(call, more)).await
    }

    /// Asks about whatever this body says, and returns the answer.
    pub(super) async fn tells(self, what: &str, body: &str) -> (u16, String) {
        let path = format!("/carriers/{}/{what}", self.provider.name());
        let mut headers = self.proof(&path, body);
        let kind = match self.provider {
            Provider::Vonage => "application/json",
            _ => "application/x-www-form-urlencoded",
        };
        headers.push(("content-type", kind.to_owned()));
        ask(self.edge, "POST", &path, &headers, body).await
    }

    /// A call rings, and its stream is connected.
    pub(super) async fn calls(self, call: &str) -> WebSocketStream<TcpStream> {
        let (status, answer) = self.asks("answer", call, &[]).await;
        assert_eq!(status, 200, "{answer}");
        self.connects(&answer).await.expect("a stream")
    }

    /// Connects the stream that an answer asks for; the status where that is refused.
    pub(super) async fn connects(self, answer: &str) -> Result<WebSocketStream<TcpStream>, u16> {
        let url = stream_url(answer).unwrap_or_else(|| panic!("no stream in {answer}"));
        self.opens(&url).await
    }

    /// Opens a websocket.
    pub(super) async fn opens(self, url: &str) -> Result<WebSocketStream<TcpStream>, u16> {
        let stream = TcpStream::connect(self.edge).await.expect("connects");
        stream.set_nodelay(true).expect("a socket");
        match client_async(url, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

/// The URL of the stream in an answer.
pub(super) fn stream_url(answer: &str) -> Option<String> {
    url_from(answer, "ws://")
}

/// The first URL in an answer that begins so.
pub(super) fn url_from(answer: &str, scheme: &str) -> Option<String> {
    let rest = answer.get(answer.find(scheme)?..)?;
    Some(rest.split(['"', '<']).next()?.to_owned())
}

/// The path of one of our URLs below `/carriers/<provider>/`.
pub(super) fn path_of(url: &str, provider: Provider) -> String {
    let start = format!("{PUBLIC}/carriers/{}/", provider.name());
    url.strip_prefix(&start).unwrap_or_else(|| panic!("{url}")).to_owned()
}
