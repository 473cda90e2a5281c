//! Keeping sealed segments: a few tasks, each with its own recordings, so that one recording's segments and its
//! end are kept in order.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::{Recordings, Result, Settings, folder_of};
use crate::storage::metrics::{RECORDING_BYTES, RECORDING_LOST_SAMPLES, RECORDING_SEGMENTS};
use crate::storage::{FinishedRecording, Recording};

/// What a keeper takes at once: segments that are cut in the same moment are kept in one go.
const AT_ONCE: usize = 64;

/// What a finished recording came to.
pub(super) type Finished = Result<FinishedRecording>;

/// What a keeper is given.
pub(super) enum Work {
    /// Keep this.
    Segment(Segment),
    /// All segments were given: write down the end.
    Finish { tally: Arc<Tally>, segments: u32, samples: u64 },
}

/// What is known of a recording under way.
pub(super) struct Tally {
    row: Recording,
    lost: Mutex<Vec<u32>>,
    outcome: watch::Sender<Option<Finished>>,
}

impl Tally {
    /// A tally, and where its recording's end is told.
    pub(super) fn new(row: Recording) -> (Arc<Self>, watch::Receiver<Option<Finished>>) {
        let (outcome, told) = watch::channel(None);
        (Arc::new(Self { row, lost: Mutex::default(), outcome }), told)
    }

    pub(super) const fn row(&self) -> &Recording {
        &self.row
    }

    /// A segment can't be kept.
    pub(super) fn lose(&self, index: u32) {
        self.lost.lock().push(index);
        counter!(RECORDING_SEGMENTS, "outcome" => "lost").increment(1);
    }
}

/// Starts the keepers; they end when their queues do.
pub(super) fn start(
    settings: &Settings,
    recordings: &Recordings,
    finished: &Arc<Notify>,
) -> (Vec<Sender<Work>>, Vec<JoinHandle<()>>) {
    (0..settings.keepers.max(1))
        .map(|_| {
            let (queue, work) = channel(settings.waiting_max.max(2));
            let keeper = Keeper {
                settings: settings.clone(),
                recordings: recordings.clone(),
                finished: Arc::clone(finished),
            };
            (queue, tokio::spawn(keeper.run(work)))
        })
        .unzip()
}

/// A segment to be kept.
pub(super) struct Segment {
    pub(super) sealed: Bytes,
    pub(super) index: u32,
    pub(super) samples: usize,
    pub(super) tally: Arc<Tally>,
}

impl Segment {
    fn wanted(&self) -> (&Recording, u32, Bytes) {
        (&self.tally.row, self.index, self.sealed.clone())
    }

    /// Of a recording the first failure is said aloud, and its end has them all: a full disk must not fill the log, too.
    fn tell(&self, error: &object_store::Error, attempt: u32) {
        let (index, call_id) = (self.index, self.tally.row.call);
        if attempt == 1 && self.tally.lost.lock().is_empty() {
            tracing::warn!(%error, index, %call_id, "a segment could not be kept");
        } else {
            tracing::debug!(%error, index, attempt, %call_id, "a segment could not be kept");
        }
    }
}

struct Keeper {
    settings: Settings,
    recordings: Recordings,
    /// Told of each recording that is finished.
    finished: Arc<Notify>,
}

impl Keeper {
    async fn run(self, mut work: Receiver<Work>) {
        let mut waiting = Vec::new();
        while work.recv_many(&mut waiting, AT_ONCE).await > 0 {
            let (mut segments, mut ends) = (Vec::new(), Vec::new());
            for next in waiting.drain(..) {
                match next {
                    Work::Segment(segment) => segments.push(segment),
                    Work::Finish { tally, segments, samples } => ends.push((tally, segments, samples)),
                }
            }
            // A recording's end comes after its segments, and nothing of it after that.
            self.keep(segments).await;
            let ends = ends.into_iter().map(|(tally, segments, samples)| {
                let keeper = &self;
                async move {
                    let finished = keeper.finish(&tally, segments, samples).await;
                    tally.outcome.send_replace(Some(finished));
                }
            });
            futures_util::future::join_all(ends).await;
        }
    }

    /// Keeps them together, and those that can't be kept again, until they are given up.
    async fn keep(&self, mut segments: Vec<Segment>) {
        for attempt in 1..=self.settings.attempts_max.max(1) {
            if segments.is_empty() {
                return;
            }
            if attempt > 1 {
                self.pause().await;
            }
            let wanted = segments.iter().map(|segment| segment.wanted()).collect();
            let outcomes = self.recordings.objects.keep(wanted).await;
            let mut outcomes = outcomes.into_iter();
            segments.retain(|segment| match outcomes.next() {
                Some(Ok(())) => {
                    counter!(RECORDING_BYTES).increment(segment.sealed.len() as u64);
                    counter!(RECORDING_SEGMENTS, "outcome" => "kept").increment(1);
                    false
                }
                Some(Err(error)) => {
                    segment.tell(&error, attempt);
                    true
                }
                None => true,
            });
        }
        for Segment { index, samples, tally, .. } in segments {
            counter!(RECORDING_LOST_SAMPLES).increment(samples as u64);
            tally.lose(index);
        }
    }

    async fn finish(&self, tally: &Tally, segments: u32, samples: u64) -> Finished {
        let mut lost_segments = tally.lost.lock().clone();
        lost_segments.sort_unstable();
        if !lost_segments.is_empty() {
            let lost = lost_segments.len();
            tracing::warn!(lost, segments, call_id = %tally.row.call, "a recording has gaps");
        }
        let finished = FinishedRecording { segments, samples, lost_segments, cut_short: false };
        let row = Recording { finished: Some(finished.clone()), ..tally.row.clone() };
        // A process that was taken for dead may be here: its successor has merged what there was, and what is said
        // of that stays.
        let looked = self.recordings.storage.recording(row.id);
        let looked = tokio::time::timeout(Duration::from_millis(self.settings.retry_ms), looked).await;
        if matches!(&looked, Ok(Ok(Some(now))) if now.merged.is_some()) {
            tracing::warn!(call_id = %row.call, "a recording was brought to an end by another process");
            return Ok(finished);
        }
        let mut attempt = 1;
        loop {
            match self.recordings.storage.update_recording(&row).await {
                Ok(true) => {
                    self.finished.notify_one();
                    return Ok(finished);
                }
                // It was erased meanwhile: what was kept after that goes, too.
                Ok(false) => {
                    let folder = folder_of(&row.tenant, row.id);
                    return self
                        .recordings
                        .objects
                        .clear(&folder, None)
                        .await
                        .map(|()| finished)
                        .map_err(Into::into);
                }
                Err(error) if attempt >= self.settings.attempts_max => return Err(error.into()),
                Err(_) => self.pause().await,
            }
            attempt += 1;
        }
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(self.settings.retry_ms)).await;
    }
}
