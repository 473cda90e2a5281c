//! Certificates that are replaced while streams go on.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use super::{Certificates, metrics as measured};
use crate::Error;

/// The state of the files, as far as it tells that one has changed.
pub(super) type Seen = Vec<Option<(SystemTime, u64)>>;

/// Looks at the files.
pub(super) fn seen(certificates: &Certificates) -> Seen {
    let files = [&certificates.certificate_file, &certificates.key_file, &certificates.trust_file];
    let look = |file: &std::path::PathBuf| {
        let data = std::fs::metadata(file).ok()?;
        Some((data.modified().ok()?, data.len()))
    };
    files.into_iter().flatten().map(look).collect()
}

/// Looks at the files every so often while `whose` is there, and has it take those that changed since `last`. What can't
/// be used is told once, and what is in use stays.
pub(super) async fn watch<T: Send + Sync + 'static>(
    certificates: Certificates,
    mut last: Seen,
    whose: Weak<T>,
    take: fn(&T) -> Result<(), Error>,
) {
    let mut every = tokio::time::interval(Duration::from_millis(certificates.reload_ms.max(10)));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let Some(user) = whose.upgrade() else { return };
        let (files, before) = (certificates.clone(), last.clone());
        let read = tokio::task::spawn_blocking(move || {
            let now = seen(&files);
            (now != before).then(|| (now, take(&user)))
        });
        let Ok(Some((now, taken))) = read.await else { continue };
        last = now;
        match taken {
            Ok(()) => {
                measured::count_certificates("taken");
                tracing::info!("the certificates for the engines were read anew");
            }
            Err(error) => {
                measured::count_certificates("refused");
                tracing::error!(%error, "the new certificates for the engines can't be used; the old ones stay in use");
            }
        }
    }
}

/// Starts [`watch`] on this runtime, where there are files at all.
pub(super) fn start<T: Send + Sync + 'static>(
    certificates: &Certificates,
    seen: Seen,
    whose: &Arc<T>,
    take: fn(&T) -> Result<(), Error>,
) {
    if !seen.is_empty() {
        tokio::spawn(watch(certificates.clone(), seen, Arc::downgrade(whose), take));
    }
}
