//! The merger. What it does to a recording, and where it may die:
//!
//! ```text
//! segments ─▶ one object, under a name and a key of its own ─▶ read again, every chunk opened
//!          ─▶ the row says so ─▶ segments removed, and what other merges left ─▶ the row says so
//! ```
//! Until the row says so the segments count; from then on the object does. Each merge has its own key, so that no
//! nonce is used for two texts, whatever was written before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use metrics::{counter, histogram};
use object_store::WriteMultipart;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::chunks::Chunks;
use super::{OggOpus, Settings};
use crate::storage::metrics::{MERGE_SECONDS, RECORDINGS_MERGED};
use crate::storage::recordings::playback::Source;
use crate::storage::recordings::seal::Seal;
use crate::storage::recordings::{Error, Recordings, Result, folder_of, merged_object};
use crate::storage::{MergedRecording, Page, Recording};
use crate::types::RecordingId;

/// Parts of an upload under way at once.
const PARTS_MAX: usize = 2;
/// How long a recording that is not as it should be is left alone.
const BROKEN_FOR: Duration = Duration::from_secs(600);
/// How many of those are remembered.
const BROKEN_MAX: usize = 10_000;

/// Merges what is finished, for ever.
pub(in crate::storage::recordings) struct Merger {
    recordings: Recordings,
    settings: Settings,
    finished: Arc<Notify>,
}

impl Merger {
    pub(in crate::storage::recordings) const fn new(
        recordings: Recordings,
        settings: Settings,
        finished: Arc<Notify>,
    ) -> Self {
        Self { recordings, settings, finished }
    }

    pub(in crate::storage::recordings) async fn run(self) {
        let every = Duration::from_millis(self.settings.every_ms.max(100));
        let most = Duration::from_millis(self.settings.retry_max_ms).max(every);
        let (mut wait, mut broken) = (every, Broken::default());
        loop {
            let merged = self.round(&mut broken).await;
            let removed = self.recordings.remove_erased().await;
            match merged.and(removed) {
                Ok(_) => wait = every,
                Err(error) => {
                    tracing::warn!(%error, "recordings could not be merged or removed; tried again");
                    wait = wait.saturating_mul(2).min(most);
                    tokio::time::sleep(wait).await;
                    continue;
                }
            }
            // Many that end together are taken together.
            let _ = tokio::time::timeout(every, self.finished.notified()).await;
        }
    }

    /// A few at once: encoding takes a core, and calls need it more. Ends at the first failure that is not that
    /// recording's own.
    async fn round(&self, broken: &mut Broken) -> Result<()> {
        let mut page = Page::first(self.settings.batch_max);
        loop {
            let listing = self.recordings.storage.recordings_to_merge(page).await?;
            let now = Instant::now();
            let whole = listing.rows.into_iter().filter(|row| !broken.has(row.id, now)).collect::<Vec<_>>();
            let mut merges = stream::iter(whole)
                .map(|row| async move { (self.recordings.merge(row.id, &self.settings).await, row) })
                .buffer_unordered(self.settings.at_once.max(1));
            while let Some((merged, row)) = merges.next().await {
                let Err(error) = merged else { continue };
                counter!(RECORDINGS_MERGED, "outcome" => "failed").increment(1);
                match error {
                    Error::Altered { .. }
                    | Error::Missing { .. }
                    | Error::Codec { .. }
                    | Error::Key { .. } => {
                        tracing::warn!(%error, call_id = %row.call, "a recording could not be merged");
                        broken.add(row.id, Instant::now() + BROKEN_FOR);
                    }
                    error => return Err(error),
                }
            }
            let Some(next) = listing.next else { return Ok(()) };
            page = Page { after: Some(next), limit: self.settings.batch_max };
        }
    }
}

/// Recordings that are not as they should be, and when they are looked at again: another node may have their
/// segments still, or an operator may bring back what is missing.
#[derive(Default)]
struct Broken(HashMap<RecordingId, Instant>);

impl Broken {
    fn has(&mut self, recording: RecordingId, now: Instant) -> bool {
        let until = self.0.get(&recording).copied();
        if until.is_some_and(|until| until <= now) {
            self.0.remove(&recording);
        }
        until.is_some_and(|until| now < until)
    }

    fn add(&mut self, recording: RecordingId, until: Instant) {
        if self.0.len() >= BROKEN_MAX {
            self.0.clear();
        }
        self.0.insert(recording, until);
    }
}

impl Recordings {
    /// Merges a finished recording's segments into one object, or takes up where that was left. Whether there was
    /// anything to do.
    ///
    /// # Errors
    /// As [`Self::read`]; nothing is lost then, and it may be tried again.
    pub async fn merge(&self, recording: RecordingId, settings: &Settings) -> Result<bool> {
        let Some(row) = self.storage.recording(recording).await?.filter(Recording::to_merge) else {
            return Ok(false);
        };
        let folder = folder_of(&row.tenant, recording);
        let began = Instant::now();
        let mut row = row;
        if row.merged.is_none() {
            let merged = self.write_merged(&row, settings).await?;
            // Another process may have been faster, or an erasure.
            let now = self.storage.recording(recording).await?;
            match now {
                Some(now) if now.merged.is_none() => row.merged = Some(merged),
                Some(_) | None => {
                    self.objects.remove(&merged_object(&row, &merged.object)).await?;
                    return Ok(true);
                }
            }
            if !self.storage.update_recording(&row).await? {
                self.objects.clear(&folder, None).await?;
                return Ok(true);
            }
            counter!(RECORDINGS_MERGED, "outcome" => "merged").increment(1);
            histogram!(MERGE_SECONDS).record(began.elapsed().as_secs_f64());
        }
        let Some(merged) = &mut row.merged else { return Ok(true) };
        // The row is still in the list; the next round takes them away.
        let Ok(_moving) = self.still.try_write() else { return Ok(true) };
        self.objects.clear(&folder, Some(&merged.object)).await?;
        merged.segments_removed = true;
        self.storage.update_recording(&row).await?;
        Ok(true)
    }

    async fn write_merged(&self, row: &Recording, settings: &Settings) -> Result<MergedRecording> {
        let source = self.segments(row.clone()).await?;
        let (key, sealed_key) = self.keys.make(&row.tenant, row.id).await?;
        // Named after the nonce that its key was sealed with: random, and no secret.
        let nonce: String = sealed_key.iter().skip(1).take(12).map(|byte| format!("{byte:02x}")).collect();
        let object = format!("{nonce}.ogg.sealed");
        let mut chunks = Chunks::new(Seal::new(&key, &row.tenant, row.call, row.id)?);
        let place = merged_object(row, &object);
        let upload = self.objects.begin(&place).await?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, settings.part_bytes.max(1 << 10));
        let lead = match self.encode(&source, settings, &mut chunks, &mut upload).await {
            Ok(lead) => lead,
            Err(error) => {
                // What the store keeps of it is no object; the next merge has another name.
                let _ = upload.abort().await;
                return Err(error);
            }
        };
        upload.finish().await?;
        let merged = MergedRecording {
            object,
            sealed_key,
            chunks: chunks.sealed.clone(),
            lead,
            segments_removed: false,
        };
        self.verify(row, &merged, chunks.seal()).await?;
        Ok(merged)
    }

    /// Encodes segment by segment on a thread that may block, and hands over each chunk.
    async fn encode(
        &self,
        source: &Source,
        settings: &Settings,
        chunks: &mut Chunks,
        upload: &mut WriteMultipart,
    ) -> Result<u64> {
        let mut encoder = OggOpus::new(source.row.rate_hz, settings)?;
        let lead = encoder.lead();
        for index in 0..source.segments() {
            let (samples, _) = self.segment_samples(source, index).await?;
            let encoded = tokio::task::spawn_blocking(move || {
                let pages = encoder.push(&samples);
                (encoder, pages)
            });
            let (back, pages) = encoded.await.map_err(stopped)?;
            encoder = back;
            if let Some(pages) = pages?
                && let Some(chunk) = chunks.push(pages)?
            {
                upload.wait_for_capacity(PARTS_MAX).await?;
                upload.write(&chunk);
            }
        }
        if let Some(chunk) = chunks.push(encoder.finish()?)? {
            upload.write(&chunk);
        }
        upload.write(&chunks.finish()?);
        Ok(lead)
    }

    /// Reads all of it as it lies there now: each chunk is opened, and they end where the recording does.
    async fn verify(&self, row: &Recording, merged: &MergedRecording, seal: &Seal) -> Result<()> {
        let place = merged_object(row, &merged.object);
        let mut from = 0;
        for (index, chunk) in (0..).zip(&merged.chunks) {
            let until = from + u64::from(chunk.bytes);
            let sealed = self.objects.range(&place, from..until).await?;
            seal.open(index, index as usize + 1 == merged.chunks.len(), &sealed)?;
            from = until;
        }
        let samples = row.finished.as_ref().map_or(0, |finished| finished.samples);
        let scale = 48_000 / u64::from(row.rate_hz.max(1));
        let ends = merged.chunks.last().map_or(0, |chunk| chunk.until);
        if ends != merged.lead + samples * scale {
            let why =
                format!("{} samples were merged of {samples}", ends.saturating_sub(merged.lead) / scale);
            return Err(Error::Codec { why });
        }
        Ok(())
    }
}

fn stopped(error: tokio::task::JoinError) -> Error {
    Error::Codec { why: format!("the encoder's thread ended: {error}") }
}
