//! AWS KMS, and what speaks its protocol: a business's key is sealed and opened there, by `Encrypt` and `Decrypt`
//! of the JSON API (docs.aws.amazon.com/kms/latest/APIReference), signed with Signature Version 4. The master key
//! never leaves it. What a key is sealed for is its encryption context, so that KMS refuses it for anything else.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::TryStreamExt;
use object_store::ClientOptions;
use object_store::aws::{AmazonS3, AwsAuthorizer};
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::keys::KeyBytes;
use super::{Error, Result, remote};

/// How its URLs begin.
pub(super) const SCHEME: &str = "aws-kms://";
/// How keys that KMS sealed are written: this byte, and its ciphertext.
const FORMAT: u8 = 2;
/// The largest answer that is read, in bytes.
const ANSWER_MAX: usize = 64 << 10;

/// How a key management service is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The server's address, where it is not AWS's own: `http://127.0.0.1:5000`.
    pub endpoint: Option<String>,
    /// Whether `http://` will do. It carries keys in the clear: for tests, or through a tunnel.
    pub allow_http: bool,
    /// How long one try may take, in milliseconds.
    pub request_ms: u64,
    /// Tries of a request, where it failed in a way that may pass.
    pub attempts_max: u32,
    /// The wait between two tries, in milliseconds.
    pub retry_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { endpoint: None, allow_http: false, request_ms: 3_000, attempts_max: 3, retry_ms: 200 }
    }
}

/// A key in a KMS.
#[derive(Debug)]
pub(super) struct Kms {
    place: String,
    region: String,
    key: String,
    endpoint: String,
    /// Knows the credentials as S3 does: from the environment, a file, or the machine's role.
    credentials: AmazonS3,
    client: HttpClient,
    settings: Settings,
}

/// Why a request came to nothing.
enum Failure {
    /// It may pass.
    Passing(String),
    /// KMS says that this is not what it sealed for this.
    Other,
    /// It won't pass by itself.
    Final(String),
}

impl Kms {
    /// The key at `region/key-id-or-alias`. `more` are settings of `object_store`'s that go before the
    /// environment's.
    pub(super) fn new(rest: &str, settings: &Settings, more: &[(&str, &str)]) -> Result<Self> {
        let place = format!("{SCHEME}{rest}");
        let failed = |why: String| Error::Key { which: format!("the master key {place}"), why };
        let (region, key) = rest
            .split_once('/')
            .filter(|(region, key)| !region.is_empty() && !key.is_empty())
            .ok_or_else(|| failed("write aws-kms://region/key-id-or-alias".to_owned()))?;
        let endpoint =
            settings.endpoint.clone().unwrap_or_else(|| format!("https://kms.{region}.amazonaws.com"));
        if endpoint.starts_with("http://") && !settings.allow_http {
            return Err(failed("its endpoint is http://; set kms.allow_http where that is meant".to_owned()));
        }
        let here = remote::Settings { region: Some(region.to_owned()), ..remote::Settings::default() };
        let credentials =
            remote::s3("kms", &here, more).build().map_err(|error| failed(error.to_string()))?;
        let options = ClientOptions::new()
            .with_timeout(Duration::from_millis(settings.request_ms))
            .with_connect_timeout(Duration::from_millis(settings.request_ms))
            .with_allow_http(settings.allow_http);
        let client =
            ReqwestConnector::default().connect(&options).map_err(|error| failed(error.to_string()))?;
        let (region, key) = (region.to_owned(), key.to_owned());
        Ok(Self { place, region, key, endpoint, credentials, client, settings: settings.clone() })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) async fn seal(&self, purpose: &str, key: &KeyBytes) -> Result<Vec<u8>> {
        let body = json!({
            "KeyId": self.key,
            "Plaintext": BASE64.encode(key),
            "EncryptionContext": { "purpose": purpose },
        });
        let answer = self.ask("Encrypt", &body).await?.ok_or_else(|| self.wrong("it refused the context"))?;
        let sealed = field(&answer, "CiphertextBlob").ok_or_else(|| self.wrong("its answer has no blob"))?;
        Ok([&[FORMAT], sealed.as_slice()].concat())
    }

    pub(super) async fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Option<KeyBytes>> {
        // What another kind of master key sealed is none of KMS's business.
        let Some((&FORMAT, blob)) = sealed.split_first() else { return Ok(None) };
        let body = json!({
            "KeyId": self.key,
            "CiphertextBlob": BASE64.encode(blob),
            "EncryptionContext": { "purpose": purpose },
        });
        let Some(answer) = self.ask("Decrypt", &body).await? else { return Ok(None) };
        let key = field(&answer, "Plaintext").and_then(|key| key.try_into().ok());
        key.map(Some).ok_or_else(|| self.wrong("its answer has no key of 32 bytes"))
    }

    /// Makes a key, as an operator does by other means.
    #[cfg(test)]
    pub(super) async fn make_key(&self) -> Result<String> {
        let answer = self.ask("CreateKey", &json!({})).await?.unwrap_or_default();
        let id = answer.get("KeyMetadata").and_then(|key| key.get("KeyId")).and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| self.wrong("it made no key"))
    }

    /// Asks, again where a failure may pass; nothing where KMS did not seal this for that.
    async fn ask(&self, action: &str, body: &Value) -> Result<Option<Value>> {
        let mut attempt = 1;
        loop {
            match self.ask_once(action, body).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(Failure::Other) => return Ok(None),
                Err(Failure::Passing(why)) if attempt >= self.settings.attempts_max.max(1) => {
                    return Err(self.wrong(&format!("{why} ({attempt} tries)")));
                }
                Err(Failure::Passing(_)) => {
                    tokio::time::sleep(Duration::from_millis(self.settings.retry_ms)).await;
                }
                Err(Failure::Final(why)) => return Err(self.wrong(&why)),
            }
            attempt += 1;
        }
    }

    async fn ask_once(&self, action: &str, body: &Value) -> std::result::Result<Value, Failure> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let credentials = self.credentials.credentials().get_credential().await;
        let credentials = credentials.map_err(|error| Failure::Passing(text(&error)))?;
        let mut request = HttpRequest::new(HttpRequestBody::from(body.to_string()));
        *request.method_mut() = "POST".parse().map_err(|_| Failure::Final("no POST".to_owned()))?;
        let address = format!("{}/", self.endpoint.trim_end_matches('/'));
        *request.uri_mut() =
            address.parse().map_err(|_| Failure::Final(format!("{address} is no address")))?;
        let headers = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("TrentService.{action}")),
        ];
        for (name, value) in headers {
            let value = value.parse().map_err(|_| Failure::Final("no header".to_owned()))?;
            request.headers_mut().insert(name, value);
        }
        AwsAuthorizer::new(&credentials, "kms", &self.region)
            .try_authorize(&mut request, None)
            .map_err(|error| Failure::Final(text(&error)))?;
        let answer = self.client.execute(request).await.map_err(|error| Failure::Passing(told(&error)))?;
        let status = answer.status();
        let (mut body, mut bytes) = (answer.into_body().bytes_stream(), Vec::new());
        while let Some(more) = body.try_next().await.map_err(|error| Failure::Passing(told(&error)))? {
            bytes.extend_from_slice(&more);
            if bytes.len() > ANSWER_MAX {
                return Err(Failure::Final(format!("its answer has more than {ANSWER_MAX} bytes")));
            }
        }
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        Err(refusal(status.as_u16(), &answer))
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Key { which: format!("the master key {}", self.place), why: why.to_owned() }
    }
}

/// What a refusal means. KMS names it in `__type`, sometimes after a `#`.
fn refusal(status: u16, answer: &Value) -> Failure {
    let kind = answer.get("__type").and_then(Value::as_str).unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let why = answer.get("message").or_else(|| answer.get("Message")).and_then(Value::as_str);
    let why = format!("it answered {status} {kind}: {}", why.unwrap_or_default());
    match kind {
        "InvalidCiphertextException" | "IncorrectKeyException" => Failure::Other,
        "ThrottlingException"
        | "KMSInternalException"
        | "DependencyTimeoutException"
        | "KeyUnavailableException" => Failure::Passing(why),
        _ if status >= 500 || status == 429 => Failure::Passing(why),
        _ => Failure::Final(why),
    }
}

/// An error and what it came from, without repeating itself.
fn told(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_words = inner.to_string();
        if !words.contains(&inner_words) {
            words = format!("{words}: {inner_words}");
        }
        source = inner.source();
    }
    words
}

fn field(answer: &Value, name: &str) -> Option<Vec<u8>> {
    BASE64.decode(answer.get(name)?.as_str()?).ok()
}
