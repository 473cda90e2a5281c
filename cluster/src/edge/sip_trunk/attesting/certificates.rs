//! Fetches certificates, each once for all calls that need it, and keeps them for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actors::types::Distrust;
use parking_lot::Mutex;
use reqwest::{Client, Url};
use rustls::RootCertStore;
use tokio::sync::{Semaphore, watch};

use super::super::Error;
use super::trust::{self, Certificate};
use super::{Settings, place};
use crate::clock;

type Fetched = Result<Arc<Certificate>, Distrust>;

/// A cheap handle.
#[derive(Clone)]
pub(super) struct Certificates {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    client: Client,
    roots: RootCertStore,
    fetches: Arc<Semaphore>,
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    since: Instant,
    /// None while it is being fetched.
    fetched: watch::Receiver<Option<Fetched>>,
}

impl Certificates {
    /// `None` where nobody is trusted.
    pub(super) fn new(settings: &Settings) -> Result<Option<Self>, Error> {
        let Some(file) = &settings.trust_file else { return Ok(None) };
        let roots = trust::roots(file)?;
        let mut client = Client::builder()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_millis(settings.fetch_ms));
        if let Some(file) = &settings.hosts_trust_file {
            let own = trust::certificates(file)?;
            let own: Result<Vec<_>, _> =
                own.iter().map(|certificate| reqwest::Certificate::from_der(certificate)).collect();
            client = client.tls_certs_only(own.map_err(|why| Error::Attesting { why: why.to_string() })?);
        }
        let client = client.build().map_err(|why| Error::Attesting { why: why.to_string() })?;
        let fetches = Arc::new(Semaphore::new(settings.fetches_max.max(1)));
        let shared = Shared { settings: settings.clone(), client, roots, fetches, kept: Mutex::default() };
        Ok(Some(Self { shared: Arc::new(shared) }))
    }

    /// The certificate at this URL.
    pub(super) async fn get(&self, url: &str) -> Fetched {
        let place = place::allowed(url, &self.shared.settings.hosts).ok_or(Distrust::NoCertificate)?;
        let mut fetched = self.kept(place)?;
        let outcome = fetched.wait_for(Option::is_some).await.map_err(|_| Distrust::NoCertificate)?;
        outcome.clone().unwrap_or(Err(Distrust::NoCertificate))
    }

    /// What is kept, or is on its way from now on.
    fn kept(&self, place: Url) -> Result<watch::Receiver<Option<Fetched>>, Distrust> {
        let now = clock::monotonic();
        let settings = &self.shared.settings;
        let mut kept = self.shared.kept.lock();
        let is_good = |one: &Kept| {
            let most = match &*one.fetched.borrow() {
                Some(Ok(_)) => settings.keep_ms,
                Some(Err(_)) => settings.retry_ms,
                // Its task always says what became of it.
                None => u64::MAX,
            };
            now.saturating_duration_since(one.since) < Duration::from_millis(most)
        };
        if let Some(one) = kept.get(place.as_str()).filter(|one| is_good(one)) {
            return Ok(one.fetched.clone());
        }
        if kept.len() >= settings.kept_max {
            kept.retain(|_, one| is_good(one));
            let oldest = kept.iter().min_by_key(|(_, one)| one.since).map(|(url, _)| url.clone());
            if let Some(oldest) = oldest.filter(|_| kept.len() >= settings.kept_max) {
                kept.remove(&oldest);
            }
        }
        let permit = Arc::clone(&self.shared.fetches).try_acquire_owned();
        let permit = permit.map_err(|_| Distrust::NoCertificate)?;
        let (told, fetched) = watch::channel(None);
        kept.insert(place.to_string(), Kept { since: now, fetched: fetched.clone() });
        let shared = Arc::clone(&self.shared);
        // A task of its own: it outlives the caller who has waited enough.
        tokio::spawn(async move {
            let fetched = shared.fetch(place).await;
            drop(permit);
            told.send_replace(Some(fetched));
        });
        Ok(fetched)
    }
}

impl Shared {
    async fn fetch(&self, place: Url) -> Fetched {
        let bytes = self.download(place).await.ok_or(Distrust::NoCertificate)?;
        Certificate::read(&bytes, &self.roots, clock::now().as_second()).map(Arc::new)
    }

    async fn download(&self, place: Url) -> Option<Vec<u8>> {
        let most = self.settings.certificate_bytes_max;
        let mut response = self.client.get(place).send().await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            if bytes.len() + chunk.len() > most {
                return None;
            }
            bytes.extend_from_slice(&chunk);
        }
        Some(bytes)
    }
}
