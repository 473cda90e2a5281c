//! Stores of objects by URL: a folder, S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.
//!
//! Credentials come from each cloud's usual environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`, or the machine's role), as
//! `object_store` reads it, so that no secret stands in a configuration file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use serde::{Deserialize, Serialize};

use super::{Error, Result, make_private};

/// How a store of objects over the network is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The server's address, where it is not the cloud's own: `http://127.0.0.1:9000`.
    pub endpoint: Option<String>,
    /// The region, for S3; where absent `AWS_REGION` says it, or `us-east-1` is meant.
    pub region: Option<String>,
    /// Whether `http://` will do. Segments are sealed either way; names and credentials are not.
    pub allow_http: bool,
    /// Bounds of a request.
    pub limits: Limits,
}

/// Bounds of a request to a store of objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How long connecting may take, in milliseconds.
    pub connect_ms: u64,
    /// How long one try of a request may take, in milliseconds.
    pub request_ms: u64,
    /// Further tries of a request that failed in a way that may pass.
    pub retries_max: usize,
    /// The wait before the first of them, in milliseconds; doubled each time, and spread.
    pub retry_ms: u64,
    /// How long all tries together may take, in milliseconds.
    pub retries_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect_ms: 3_000, request_ms: 15_000, retries_max: 3, retry_ms: 200, retries_ms: 30_000 }
    }
}

impl Settings {
    pub(super) fn client(&self) -> ClientOptions {
        ClientOptions::new()
            .with_connect_timeout(Duration::from_millis(self.limits.connect_ms))
            .with_timeout(Duration::from_millis(self.limits.request_ms))
            .with_allow_http(self.allow_http)
    }

    fn retry(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(self.limits.retry_ms),
                ..BackoffConfig::default()
            },
            max_retries: self.limits.retries_max,
            retry_timeout: Duration::from_millis(self.limits.retries_ms),
        }
    }
}

/// What a URL leads to.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The local folder that it is; none where it is over the network, and may be slow or away.
    pub(super) folder: Option<Arc<LocalFileSystem>>,
}

/// Opens a store of objects; an empty URL is the folder. `more` are settings of `object_store`'s that go before
/// the environment's. Nothing is asked of a remote store yet.
pub(super) fn open(url: &str, folder: &Path, settings: &Settings, more: &[(&str, &str)]) -> Result<Opened> {
    let refused = |why: String| Error::Objects { why: format!("{}: {why}", shown(url)) };
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None if url.is_empty() => return in_folder(folder),
        None => {
            return Err(refused(
                "it is no URL; write s3://bucket/prefix, gs://…, az://… or file:///…".into(),
            ));
        }
    };
    if scheme == "file" {
        return in_folder(Path::new(rest));
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(refused("it names no bucket".to_owned()));
    }
    let prefix = ObjectPath::parse(prefix).map_err(|error| refused(error.to_string()))?;
    let wrong = |error: object_store::Error| refused(error.to_string());
    let store: Arc<dyn ObjectStore> = match scheme {
        "s3" => Arc::new(PrefixStore::new(s3(bucket, settings, more).build().map_err(wrong)?, prefix)),
        "gs" => {
            let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
            builder = builder.with_retry(settings.retry()).with_client_options(settings.client());
            if let Some(endpoint) = &settings.endpoint {
                builder = builder.with_base_url(endpoint);
            }
            for (key, value) in more {
                if let Ok(key) = key.parse() {
                    builder = builder.with_config(key, *value);
                }
            }
            Arc::new(PrefixStore::new(builder.build().map_err(wrong)?, prefix))
        }
        "az" => {
            let mut builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket);
            builder = builder.with_retry(settings.retry()).with_client_options(settings.client());
            if let Some(endpoint) = &settings.endpoint {
                builder = builder.with_endpoint(endpoint.clone());
            }
            for (key, value) in more {
                if let Ok(key) = key.parse() {
                    builder = builder.with_config(key, *value);
                }
            }
            Arc::new(PrefixStore::new(builder.build().map_err(wrong)?, prefix))
        }
        other => return Err(refused(format!("{other}:// is not known; use s3, gs, az or file"))),
    };
    Ok(Opened { store, folder: None })
}

pub(super) fn s3(bucket: &str, settings: &Settings, more: &[(&str, &str)]) -> AmazonS3Builder {
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    builder = builder.with_retry(settings.retry()).with_client_options(settings.client());
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(settings.allow_http);
    }
    for (key, value) in more {
        if let Ok(key) = key.parse() {
            builder = builder.with_config(key, *value);
        }
    }
    builder
}

/// A local folder, which is made if it is not there. Only its owner can enter it, so that nobody else sees who
/// called when, whatever the rights of the files in it.
pub(super) fn in_folder(folder: &Path) -> Result<Opened> {
    let failed = |why: String| Error::Folder { path: folder.to_owned(), why };
    make_private(folder).map_err(|error| failed(error.to_string()))?;
    let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| failed(error.to_string()))?;
    let folder = Arc::new(store.with_automatic_cleanup(true));
    Ok(Opened { store: Arc::clone(&folder) as Arc<dyn ObjectStore>, folder: Some(folder) })
}

/// A URL without what may be a password in it.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_to_its_store() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let region = Settings { region: Some("eu-west-2".to_owned()), ..Settings::default() };
        let keys =
            [("aws_access_key_id", "a"), ("aws_secret_access_key", "b"), ("google_skip_signature", "true")];
        let at = |url: &str| open(url, folder.path(), &region, &keys);
        assert!(at("").expect("the folder").folder.is_some());
        let other = format!("file://{}/other", folder.path().display());
        assert!(at(&other).expect("a folder").folder.is_some() && folder.path().join("other").is_dir());
        let far = at("s3://bucket/some/prefix").expect("S3");
        assert!(far.folder.is_none() && far.store.to_string().contains("some/prefix"), "{}", far.store);
        let endpoint = Settings { endpoint: Some("http://127.0.0.1:9".to_owned()), ..region.clone() };
        let google = open("gs://bucket/some/prefix", folder.path(), &endpoint, &keys).expect("Google's");
        assert!(
            google.folder.is_none() && google.store.to_string().contains("some/prefix"),
            "{}",
            google.store
        );
        for (wrong, why) in [
            ("bucket", "it is no URL"),
            ("s3:///prefix", "names no bucket"),
            ("ftp://bucket", "ftp:// is not known"),
            ("s3://bucket/a//b", "a//b"),
        ] {
            let error = at(wrong).expect_err(wrong).to_string();
            assert!(error.contains(why), "{wrong}: {error}");
        }
        assert_eq!(shown("s3://key:secret@host/b"), "s3://…@host/b");
    }
}
