//! Requests to carriers: each has a deadline, and only what may be repeated is.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use super::provider::Provider;
use super::provider::rest::{Account, Ask, Authorization, Outcome, outcome};
use super::vonage_token::Key;
use super::{Error, Settings, metrics};
use crate::clock;

/// The carriers' REST. A cheap handle.
#[derive(Clone)]
pub(super) struct Rest {
    client: reqwest::Client,
    settings: Arc<Settings>,
    /// Vonage's.
    key: Option<Arc<Key>>,
}

impl Rest {
    pub(super) fn new(settings: &Arc<Settings>) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_millis(settings.rest.timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|why| Error::Client(why.to_string()))?;
        let key = match &settings.vonage.private_key_file {
            None => None,
            Some(file) => {
                let unusable = |why: String| Error::Key { file: file.clone(), why };
                let key = PrivateKeyDer::from_pem_file(file).map_err(|why| unusable(why.to_string()))?;
                let key = Key::read(key.secret_der());
                let key = key.ok_or_else(|| unusable("it is no RSA key of 2048 to 8192 bits".to_owned()))?;
                Some(Arc::new(key))
            }
        };
        Ok(Self { client, settings: Arc::clone(settings), key })
    }

    /// Whether a carrier's REST can be used at all.
    pub(super) fn can(&self, provider: Provider) -> bool {
        let settings = &self.settings;
        match provider {
            Provider::Twilio => !settings.twilio.account.is_empty(),
            Provider::Telnyx => !settings.telnyx.api_key.reveal().is_empty(),
            Provider::Plivo => !settings.plivo.account.is_empty(),
            Provider::Vonage => self.key.is_some(),
        }
    }

    /// Ends a call, in several attempts where the first ones come to nothing.
    pub(super) async fn hang_up(&self, provider: Provider, call: &str) {
        if !self.can(provider) {
            return metrics::rest(provider, "hang_up", "unconfigured");
        }
        let mut pause = Duration::from_millis(self.settings.rest.pause_ms);
        for attempt in 1..=self.settings.rest.attempts.max(1) {
            match self.ask(provider, |account| provider.hang_up(account, call)).await {
                Some(Outcome::Done) => return metrics::rest(provider, "hang_up", "done"),
                Some(Outcome::Gone) => return metrics::rest(provider, "hang_up", "gone"),
                Some(Outcome::Refused(status)) => {
                    tracing::warn!(
                        provider = provider.name(),
                        status,
                        "a carrier refuses to end a call; of 401 and 403, check its account and secret"
                    );
                    return metrics::rest(provider, "hang_up", "refused");
                }
                Some(Outcome::Later) | None => {}
            }
            if attempt < self.settings.rest.attempts {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        tracing::warn!(
            provider = provider.name(),
            "a carrier was not reached to end a call; its own limits end it"
        );
        metrics::rest(provider, "hang_up", "unknown");
    }

    /// Takes a call to a URL, in one attempt. None where nobody knows whether it was done.
    pub(super) async fn redirect(&self, provider: Provider, call: &str, url: &str) -> Option<Outcome> {
        let outcome = self.ask(provider, |account| provider.redirect(account, call, url)).await;
        let result = match outcome {
            Some(Outcome::Done) => "done",
            Some(Outcome::Gone) => "gone",
            Some(Outcome::Later) => "later",
            Some(Outcome::Refused(_)) => "refused",
            None => "unknown",
        };
        metrics::rest(provider, "transfer", result);
        outcome
    }

    /// What proves us; none where it could not be signed.
    fn secret(&self, provider: Provider) -> Option<String> {
        let settings = &self.settings;
        Some(match provider {
            Provider::Twilio => settings.twilio.auth_token.reveal().clone(),
            Provider::Telnyx => settings.telnyx.api_key.reveal().clone(),
            Provider::Plivo => settings.plivo.auth_token.reveal().clone(),
            Provider::Vonage => {
                let id: String =
                    crate::chance::bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
                let now_s = u64::try_from(clock::now().as_second()).unwrap_or(0);
                self.key.as_ref()?.token(&settings.vonage.application, &id, now_s)?
            }
        })
    }

    /// Makes a request. None where it may or may not have been done.
    async fn ask(&self, provider: Provider, make: impl FnOnce(&Account<'_>) -> Ask) -> Option<Outcome> {
        let settings = &self.settings;
        let (url, name) = match provider {
            Provider::Twilio => (&settings.twilio.rest_url, &settings.twilio.account),
            Provider::Telnyx => (&settings.telnyx.rest_url, &settings.telnyx.account),
            Provider::Plivo => (&settings.plivo.rest_url, &settings.plivo.account),
            Provider::Vonage => (&settings.vonage.rest_url, &settings.vonage.application),
        };
        let Some(secret) = self.secret(provider) else {
            tracing::warn!(provider = provider.name(), "a request to a carrier could not be signed");
            return Some(Outcome::Later);
        };
        let ask = make(&Account { url: url.trim_end_matches('/'), name, secret: &secret });
        let method = reqwest::Method::from_bytes(ask.method.as_bytes()).ok()?;
        let request = self.client.request(method, ask.url).header("content-type", ask.content_type);
        let request = match ask.authorization {
            Authorization::Basic(user, password) => request.basic_auth(user, Some(password)),
            Authorization::Bearer(token) => request.bearer_auth(token),
        };
        match request.body(ask.body).send().await {
            Ok(response) => Some(outcome(response.status().as_u16())),
            // Nothing was sent: asking again does no harm.
            Err(why) if why.is_connect() || why.is_builder() => Some(Outcome::Later),
            Err(_) => None,
        }
    }
}
