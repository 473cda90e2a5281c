//! Certificates that are replaced while calls go on.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::super::metrics;
use super::{Settings, Tls, material};

/// The state of the files, as far as it tells that one has changed.
pub(super) type Seen = Vec<Option<(SystemTime, u64)>>;

/// Looks at the files for ever, every so often and at SIGHUP.
pub(in super::super) async fn watch(tls: Arc<Tls>) {
    let period = Duration::from_millis(tls.settings.reload_ms.max(10));
    let mut every = interval_at(Instant::now() + period, period);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut hang_up = signal(SignalKind::hangup()).ok();
    let mut last = tls.first.clone();
    loop {
        let asked = async {
            match &mut hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        let forced = tokio::select! {
            _ = every.tick() => false,
            _ = asked => true,
        };
        let settings = tls.settings.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || seen(&settings)).await else { continue };
        if forced || now != last {
            last = now;
            load(&tls).await;
        }
    }
}

/// Reads the files anew. What can't be used is told, and what is in use stays.
async fn load(tls: &Arc<Tls>) {
    let (settings, listens) = (tls.settings.clone(), tls.server.read().is_some());
    let read = tokio::task::spawn_blocking(move || {
        let server = if listens { Some(material::server(&settings)?) } else { None };
        Ok::<_, super::Error>((server, material::client(&settings)?))
    });
    match read.await {
        Ok(Ok((server, client))) => {
            *tls.server.write() = server;
            *tls.client.write() = Some(client);
            metrics::certificates_read("taken");
            tracing::info!("the certificates for sip were read anew");
        }
        Ok(Err(error)) => {
            metrics::certificates_read("refused");
            tracing::error!(error = %error, "the new certificates for sip can't be used; the old ones stay in use");
        }
        Err(_) => metrics::certificates_read("refused"),
    }
}

/// Looks at the files.
pub(super) fn seen(settings: &Settings) -> Seen {
    [&settings.certificate_file, &settings.key_file, &settings.trust_file]
        .into_iter()
        .flatten()
        .map(|file| {
            let data = std::fs::metadata(file).ok()?;
            Some((data.modified().ok()?, data.len()))
        })
        .collect()
}
