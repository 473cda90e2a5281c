//! The recorder: hands out rings, and tells when a recording is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use jiff::Timestamp;
use models::audio::{AudioSender, coded_ring};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use super::drain::{Command, Drain, Live};
use super::keeper::{self, Finished, Tally};
use super::merge::Merger;
use super::seal::{SEGMENT_BYTES_MAX, Seal};
use super::{Error, Recordings, Result, Settings};
use crate::storage::{FinishedRecording, Recording};
use crate::types::{CallId, RecordingId, TenantId};

/// What is recorded: the telephone's rate.
const RATE_HZ: u32 = 8_000;
/// Commands that wait for the draining thread.
const COMMANDS_MAX: usize = 1_024;

/// Records calls: one thread empties all rings, a few tasks keep what it seals, one sends what waits in the spool,
/// and one merges what is finished.
///
/// Dropping it finishes all recordings in the background; [`Self::stop`] waits for that.
#[derive(Debug)]
pub struct Recorder {
    settings: Settings,
    recordings: Recordings,
    commands: SyncSender<Command>,
    live: Arc<AtomicUsize>,
    keepers: Mutex<Vec<JoinHandle<()>>>,
    background: Vec<JoinHandle<()>>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Whatever these were at is taken up by the next process.
        for task in &self.background {
            task.abort();
        }
    }
}

impl Recorder {
    /// Starts recording into `recordings`. Called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Refused`] where the system gives no thread.
    pub fn start(settings: &Settings, recordings: Recordings) -> Result<Self> {
        let (commands, orders) = sync_channel(COMMANDS_MAX);
        let live = Arc::new(AtomicUsize::new(0));
        let finished = Arc::new(Notify::new());
        let (queues, keepers) = keeper::start(settings, &recordings, &finished);
        let background = in_background(settings, &recordings, finished);
        let drain = Drain::new(settings.clone(), orders, queues, Arc::clone(&live));
        std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || drain.run())
            .map_err(|_| Error::Refused { why: "the system gives no thread" })?;
        let (settings, keepers) = (settings.clone(), Mutex::new(keepers));
        Ok(Self { settings, recordings, commands, live, keepers, background })
    }

    /// Begins a recording: both sides are written to the ring from now on, interleaved, caller left. It is
    /// finished by its handle, or when the ring's writer is dropped.
    ///
    /// # Errors
    /// [`Error::Refused`] where there are as many as there may be; else those of the keys and of the store.
    pub async fn open(
        &self,
        tenant: &TenantId,
        call: CallId,
        recording: RecordingId,
        at: Timestamp,
    ) -> Result<(AudioSender, Handle)> {
        if self.live.load(Ordering::Relaxed) >= self.settings.recordings_max {
            return Err(Error::Refused { why: "as many as there may be are under way" });
        }
        let (key, sealed_key) = self.recordings.keys.make(tenant, recording).await?;
        let segment_samples = self.segment_samples();
        let row = Recording {
            id: recording,
            tenant: tenant.clone(),
            call,
            started_at: at,
            sealed_key,
            rate_hz: RATE_HZ,
            segment_samples,
            finished: None,
            merged: None,
        };
        self.recordings.storage.put_recording(&row).await?;
        let seal = Seal::new(&key, tenant, call, recording)?;
        let (sender, receiver) = coded_ring(RATE_HZ, self.ring_samples());
        let (tally, outcome) = Tally::new(row);
        let live = Live::new(receiver, seal, tally, segment_samples);
        self.command(Command::Open(Box::new(live)))?;
        Ok((sender, Handle { recording, commands: self.commands.clone(), outcome }))
    }

    /// Finishes all recordings and waits until they are kept, and a bounded while until they are sent. Nothing can be recorded afterwards.
    pub async fn stop(&self) {
        let (answer, stopped) = oneshot::channel();
        if self.command(Command::Stop(answer)).is_ok() {
            let _ = stopped.await;
        }
        let keepers = std::mem::take(&mut *self.keepers.lock());
        for keeper in keepers {
            let _ = keeper.await;
        }
        if let Some(spool) = &self.recordings.objects.spool {
            spool.sent().await;
        }
        for task in &self.background {
            task.abort();
        }
    }

    /// The recordings that it keeps, for reading.
    #[must_use]
    pub const fn recordings(&self) -> &Recordings {
        &self.recordings
    }

    fn command(&self, command: Command) -> Result<()> {
        self.commands.try_send(command).map_err(|_| Error::Refused { why: "it has stopped or is overloaded" })
    }

    /// Samples of each side in a segment; both sides together fit a sealed chunk.
    fn segment_samples(&self) -> u32 {
        let most = u32::try_from(SEGMENT_BYTES_MAX / 2).unwrap_or(u32::MAX);
        let bundled = self.recordings.objects.bundles.is_some();
        let segment_ms = if bundled { self.settings.folder_segment_ms } else { self.settings.segment_ms };
        (RATE_HZ / 1_000).saturating_mul(segment_ms).clamp(RATE_HZ / 100, most)
    }

    /// Samples of both sides in a ring: an even number, so that the sides never change places.
    fn ring_samples(&self) -> usize {
        let most = 8_192;
        let wanted = self.settings.ring_ms.saturating_mul(RATE_HZ / 1_000).saturating_mul(2);
        (wanted as usize).clamp(640, most)
    }
}

/// What goes on beside the calls.
fn in_background(settings: &Settings, recordings: &Recordings, finished: Arc<Notify>) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    if let Some(spool) = &recordings.objects.spool {
        tasks.push(tokio::spawn(Arc::clone(spool).run(Arc::clone(&recordings.objects.store))));
    }
    if settings.merge.enabled {
        let merger = Merger::new(recordings.clone(), settings.merge.clone(), finished);
        tasks.push(tokio::spawn(merger.run()));
    }
    tasks
}

/// A recording under way. Dropped, it finishes the recording without waiting.
#[derive(Debug)]
pub struct Handle {
    recording: RecordingId,
    commands: SyncSender<Command>,
    outcome: watch::Receiver<Option<Finished>>,
}

impl Handle {
    /// Which recording.
    #[must_use]
    pub const fn recording(&self) -> RecordingId {
        self.recording
    }

    /// Ends the recording with what is in its ring, and waits until all of it is kept.
    ///
    /// # Errors
    /// [`Error::Refused`] where the recorder has stopped, and those of the store. What was kept stays playable.
    pub async fn finish(mut self) -> Result<FinishedRecording> {
        // Where this finds no room, the end of the ring's writer finishes it.
        let _ = self.commands.try_send(Command::Finish(self.recording));
        match self.outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(STOPPED)),
            Err(_) => Err(STOPPED),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.commands.try_send(Command::Finish(self.recording));
    }
}

const STOPPED: Error = Error::Refused { why: "it has stopped" };
