//! Who may bring calls by websocket, and the bounds of that.

use std::net::SocketAddr;
use std::path::PathBuf;

use actors::types::Private;
use serde::{Deserialize, Serialize};

use super::Error;
use super::provider::Provider;
use super::provider::proof::Secrets;
use crate::edge::sip_trunk::switch;

/// Where carriers reach us, and how much they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where webhooks and websockets are received, or "off". TLS is for whoever stands in front of it.
    #[serde(with = "switch")]
    pub address: Option<SocketAddr>,
    /// The URL by which carriers reach that address, `https://calls.example.com`: it is in our answers, and what
    /// they sign.
    pub public_url: String,
    /// Connections at once; a further one is closed.
    pub connections_max: usize,
    /// How long a client may take to send a request, in milliseconds.
    pub request_ms: u64,
    /// The largest webhook that is read, in bytes.
    pub body_bytes_max: usize,
    /// Calls at once; a further one is refused.
    pub calls_max: usize,
    /// How long the reception may take to say whether it takes a call, in milliseconds.
    pub offer_ms: u64,
    /// How long a carrier may take to connect the stream of a call that was answered, in milliseconds.
    pub stream_ms: u64,
    /// How long a stream may take to say what it is, in milliseconds.
    pub start_ms: u64,
    /// How long a stream may say nothing, in milliseconds: carriers send silence, too.
    pub idle_ms: u64,
    /// How long a carrier may take to read a message, in milliseconds.
    pub stall_ms: u64,
    /// The largest message of a stream, in bytes; a larger one closes it.
    pub message_bytes_max: usize,
    /// Messages per second of one stream in the long run; more close it. Audio alone is 50.
    pub messages_per_second: u32,
    /// Messages of one stream at once.
    pub messages_burst: u32,
    /// Messages that can't be read before the stream is closed.
    pub unreadable_max: u32,
    /// Commands and events that may wait for a call.
    pub events_waiting_max: usize,
    /// How long a closed media session may take to tell its quality, in milliseconds.
    pub media_close_ms: u64,
    /// How long somebody that a call is transferred to may be rung, in seconds. Less than a conversation waits for
    /// a transfer (`calls.conversation.transfer_ms_max`).
    pub ring_s: u64,
    /// How long a carrier may take to tell what became of a transfer, or of people who are called before the
    /// receptionist beyond the time that it rings, in milliseconds; then it counts as not answered.
    pub transfer_ms: u64,
    /// How long somebody who is called before the receptionist, and has picked up, may take to press a key once they
    /// were told of the call, in seconds.
    pub ask_s: u64,
    /// How long they and the caller may speak without a word of the carrier's, in milliseconds; then the call counts as
    /// over here, and goes on there.
    pub joined_ms: u64,
    /// Requests to carriers.
    pub rest: Rest,
    /// Twilio.
    pub twilio: Twilio,
    /// Telnyx.
    pub telnyx: Telnyx,
    /// Plivo.
    pub plivo: Plivo,
    /// Vonage.
    pub vonage: Vonage,
}

/// Bounds of our own requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rest {
    /// How long a request may take, in milliseconds.
    pub timeout_ms: u64,
    /// How often a request that may be repeated is made.
    pub attempts: u32,
    /// The pause before the second attempt, in milliseconds; each further one is twice as long.
    pub pause_ms: u64,
}

/// Twilio's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Twilio {
    /// The account's SID.
    pub account: String,
    /// Its auth token: it signs webhooks and opens REST. Empty where Twilio brings no calls.
    pub auth_token: Private<String>,
    /// Where its REST is.
    pub rest_url: String,
}

/// Telnyx's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telnyx {
    /// The account's id, for TeXML.
    pub account: String,
    /// The key of its REST.
    pub api_key: Private<String>,
    /// The public key that it signs webhooks by, base64. Empty where Telnyx brings no calls.
    pub public_key: String,
    /// Where its REST is.
    pub rest_url: String,
}

/// Plivo's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plivo {
    /// The auth id.
    pub account: String,
    /// The auth token: it signs webhooks and opens REST. Empty where Plivo brings no calls.
    pub auth_token: Private<String>,
    /// Where its REST is.
    pub rest_url: String,
}

/// Vonage's application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Vonage {
    /// The application's id.
    pub application: String,
    /// The secret that webhooks are signed by. Empty where Vonage brings no calls.
    pub signature_secret: Private<String>,
    /// The application's private key, in PEM, for its REST.
    pub private_key_file: Option<PathBuf>,
    /// Samples per second of its streams: 8000 or 16000. We hear 8000 in either case.
    pub rate_hz: u32,
    /// Where its REST is.
    pub rest_url: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: None,
            public_url: String::new(),
            connections_max: 4_096,
            request_ms: 5_000,
            body_bytes_max: 64 * 1_024,
            calls_max: 2_000,
            offer_ms: 5_000,
            stream_ms: 15_000,
            start_ms: 5_000,
            idle_ms: 10_000,
            stall_ms: 5_000,
            message_bytes_max: 64 * 1_024,
            messages_per_second: 200,
            messages_burst: 600,
            unreadable_max: 20,
            events_waiting_max: 512,
            media_close_ms: 2_000,
            ring_s: 20,
            transfer_ms: 45_000,
            ask_s: 10,
            joined_ms: 14_400_000,
            rest: Rest::default(),
            twilio: Twilio::default(),
            telnyx: Telnyx::default(),
            plivo: Plivo::default(),
            vonage: Vonage::default(),
        }
    }
}

impl Default for Rest {
    fn default() -> Self {
        Self { timeout_ms: 5_000, attempts: 3, pause_ms: 250 }
    }
}

impl Default for Twilio {
    fn default() -> Self {
        let rest_url = "https://api.twilio.com".to_owned();
        Self { account: String::new(), auth_token: Private::default(), rest_url }
    }
}

impl Default for Telnyx {
    fn default() -> Self {
        let rest_url = "https://api.telnyx.com".to_owned();
        Self { account: String::new(), api_key: Private::default(), public_key: String::new(), rest_url }
    }
}

impl Default for Plivo {
    fn default() -> Self {
        let rest_url = "https://api.plivo.com".to_owned();
        Self { account: String::new(), auth_token: Private::default(), rest_url }
    }
}

impl Default for Vonage {
    fn default() -> Self {
        Self {
            application: String::new(),
            signature_secret: Private::default(),
            private_key_file: None,
            rate_hz: 8_000,
            rest_url: "https://api.nexmo.com".to_owned(),
        }
    }
}

impl Settings {
    /// What is wrong with these settings, if anything.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first setting that can't be used.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |setting, mend| Err(Error::Setting { setting, mend });
        if self.address.is_none() {
            return Ok(());
        }
        let url = &self.public_url;
        if !(url.starts_with("https://") || url.starts_with("http://")) || url.ends_with('/') {
            return wrong(
                "carriers.public_url",
                "the URL by which carriers reach this node, without a slash at its end",
            );
        }
        if self.vonage.private_key_file.is_some() && self.vonage.application.is_empty() {
            return wrong(
                "carriers.vonage.application",
                "the id of the application that the private key is of",
            );
        }
        if !matches!(self.vonage.rate_hz, 8_000 | 16_000) {
            return wrong("carriers.vonage.rate_hz", "8000 or 16000");
        }
        if self.message_bytes_max < 1_024 || self.body_bytes_max < 1_024 {
            return wrong("carriers.message_bytes_max and carriers.body_bytes_max", "at least 1024");
        }
        if self.messages_per_second < 60 || self.messages_burst < 60 {
            return wrong(
                "carriers.messages_per_second and carriers.messages_burst",
                "at least 60: audio alone is 50",
            );
        }
        if self.events_waiting_max < 16 {
            return wrong("carriers.events_waiting_max", "at least 16");
        }
        if Provider::ALL.iter().all(|provider| {
            let secrets = self.secrets(*provider);
            secrets.shared.is_empty() && secrets.public_key.is_empty()
        }) {
            return wrong(
                "carriers.address",
                "off, or one of twilio, telnyx, plivo and vonage needs its secrets",
            );
        }
        Ok(())
    }

    /// What a carrier's webhooks are checked with.
    pub(super) fn secrets(&self, provider: Provider) -> Secrets<'_> {
        match provider {
            Provider::Twilio => Secrets { shared: self.twilio.auth_token.reveal(), ..Secrets::default() },
            Provider::Telnyx => Secrets { public_key: &self.telnyx.public_key, ..Secrets::default() },
            Provider::Plivo => Secrets { shared: self.plivo.auth_token.reveal(), ..Secrets::default() },
            Provider::Vonage => {
                let (shared, application) = (self.vonage.signature_secret.reveal(), &self.vonage.application);
                Secrets { shared, application, ..Secrets::default() }
            }
        }
    }

    /// The URL of one of our routes.
    pub(super) fn url(&self, provider: Provider, what: &str, token: &str) -> String {
        let end = if token.is_empty() { String::new() } else { format!("/{token}") };
        format!("{}/carriers/{}/{what}{end}", self.public_url, provider.name())
    }

    /// The same for a websocket.
    pub(super) fn stream_url(&self, provider: Provider, token: &str) -> String {
        let url = self.url(provider, "stream", token);
        match url.strip_prefix("https://") {
            Some(rest) => format!("wss://{rest}"),
            None => url.replacen("http://", "ws://", 1),
        }
    }
}
