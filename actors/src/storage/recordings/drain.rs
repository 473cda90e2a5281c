//! The thread that empties the rings: segments, seals. It never waits for a disk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use metrics::{counter, gauge};
use models::audio::CodedReceiver;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Settings;
use super::keeper::{Segment, Tally, Work};
use super::seal::{SEAL_BYTES, Seal};
use crate::storage::metrics::{RECORDING_LOST_SAMPLES, RECORDINGS_LIVE};
use crate::types::RecordingId;

/// Bytes by which a segment under way grows.
const STEP_BYTES: usize = 4_096;

/// What the thread is told.
pub(super) enum Command {
    /// Record this.
    Open(Box<Live>),
    /// Finish this one.
    Finish(RecordingId),
    /// Finish all and end.
    Stop(oneshot::Sender<()>),
}

/// A recording under way.
pub(super) struct Live {
    id: RecordingId,
    receiver: CodedReceiver,
    seal: Seal,
    tally: Arc<Tally>,
    /// Bytes of a whole segment, both sides.
    segment_bytes: usize,
    /// µ-law of both sides, not sealed yet.
    audio: Vec<u8>,
    /// The next segment's number.
    index: u32,
    /// Samples of each side so far.
    samples: u64,
    /// Sealed, and not taken by a keeper yet.
    waiting: VecDeque<Work>,
    closed: bool,
}

impl Live {
    pub(super) fn new(receiver: CodedReceiver, seal: Seal, tally: Arc<Tally>, segment_samples: u32) -> Self {
        Self {
            id: tally.row().id,
            receiver,
            seal,
            tally,
            segment_bytes: segment_samples as usize * 2,
            audio: Vec::new(),
            index: 0,
            samples: 0,
            waiting: VecDeque::new(),
            closed: false,
        }
    }

    /// Takes what waits in the ring: whole pairs, so that the sides never change places.
    fn take(&mut self) {
        loop {
            let filled = self.audio.len();
            let wanted = (self.receiver.waiting() / 2 * 2).min(self.segment_bytes - filled);
            if wanted == 0 {
                return;
            }
            self.make_room(wanted);
            self.audio.resize(filled + wanted, 0);
            let count = self.receiver.read(self.audio.get_mut(filled..).unwrap_or_default());
            self.samples += (count / 2) as u64;
            if self.audio.len() == self.segment_bytes {
                self.cut(false);
            }
        }
    }

    /// Room grows with the segment: of thousands of calls, half of it would always lie empty. A whole one has room for
    /// its seal.
    fn make_room(&mut self, bytes: usize) {
        if self.audio.capacity() - self.audio.len() < bytes {
            let whole = self.segment_bytes + SEAL_BYTES - self.audio.len();
            self.audio.reserve_exact(bytes.max(STEP_BYTES).min(whole));
        }
    }

    /// Seals what there is as the next segment.
    fn cut(&mut self, last: bool) {
        let audio = std::mem::take(&mut self.audio);
        let index = self.index;
        self.index += 1;
        let pairs = audio.len() / 2;
        let row = self.tally.row();
        match self.seal.seal(index, last, audio) {
            Ok(sealed) => self.waiting.push_back(Work::Segment(Segment {
                sealed: sealed.into(),
                index,
                samples: pairs,
                tally: Arc::clone(&self.tally),
            })),
            Err(error) => {
                tracing::error!(%error, call_id = %row.call, "a segment could not be sealed");
                self.tally.lose(index);
                counter!(RECORDING_LOST_SAMPLES).increment(pairs as u64);
            }
        }
    }

    /// Seals the rest, and has the end told once all of it is kept.
    fn close(&mut self) {
        if self.closed {
            return;
        }
        self.closed = true;
        self.take();
        self.cut(true);
        self.waiting.push_back(Work::Finish {
            tally: Arc::clone(&self.tally),
            segments: self.index,
            samples: self.samples,
        });
    }

    /// Whether it has ended and nothing of it waits.
    fn is_over(&self) -> bool {
        self.closed && self.waiting.is_empty()
    }

    /// Hands over what is sealed, as far as the keeper takes it; gives up the oldest where too much waits.
    fn hand_over(&mut self, keeper: &Sender<Work>, behind_max: u32) {
        while let Some(work) = self.waiting.pop_front() {
            match keeper.try_send(work) {
                Ok(()) => {}
                Err(TrySendError::Full(work) | TrySendError::Closed(work)) => {
                    self.waiting.push_front(work);
                    break;
                }
            }
        }
        while self.waiting.len() > behind_max as usize {
            match self.waiting.front() {
                Some(Work::Segment(Segment { index, samples, .. })) => {
                    self.tally.lose(*index);
                    counter!(RECORDING_LOST_SAMPLES).increment(*samples as u64);
                    self.waiting.pop_front();
                }
                _ => break,
            }
        }
    }
}

/// All recordings under way.
pub(super) struct Drain {
    settings: Settings,
    commands: Receiver<Command>,
    keepers: Vec<Sender<Work>>,
    recordings: Vec<Live>,
    count: Arc<AtomicUsize>,
}

impl Drain {
    pub(super) fn new(
        settings: Settings,
        commands: Receiver<Command>,
        keepers: Vec<Sender<Work>>,
        count: Arc<AtomicUsize>,
    ) -> Self {
        Self { settings, commands, keepers, recordings: Vec::new(), count }
    }

    /// Empties the rings until the recorder is gone or stopped.
    pub(super) fn run(mut self) {
        let every = Duration::from_millis(self.settings.drain_ms.max(1));
        let mut next = Instant::now() + every;
        loop {
            match self.commands.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Command::Open(live)) => self.recordings.push(*live),
                Ok(Command::Finish(id)) => self.finish(id),
                Ok(Command::Stop(answer)) => {
                    self.finish_all();
                    let _ = answer.send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.drain();
                    // A thread that was held up goes on from now, not from when it should have.
                    next = Instant::now().max(next + every);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.finish_all();
                    return;
                }
            }
            self.count.store(self.recordings.len(), Ordering::Relaxed);
            #[allow(clippy::cast_precision_loss, reason = "there are few")]
            gauge!(RECORDINGS_LIVE).set(self.recordings.len() as f64);
        }
    }

    fn drain(&mut self) {
        for live in &mut self.recordings {
            live.take();
            if live.receiver.is_finished() {
                live.close();
            }
        }
        self.hand_over();
    }

    /// Only this one is looked at: calls end by the hundred a second while thousands go on.
    fn finish(&mut self, id: RecordingId) {
        // One that is not there was finished by the end of its ring.
        let Some(at) = self.recordings.iter().position(|live| live.id == id) else { return };
        let Some(live) = self.recordings.get_mut(at) else { return };
        live.close();
        Self::give(&self.keepers, live, self.settings.behind_max);
        if live.is_over() {
            self.recordings.swap_remove(at);
        }
    }

    fn hand_over(&mut self) {
        for live in &mut self.recordings {
            Self::give(&self.keepers, live, self.settings.behind_max);
        }
        self.recordings.retain(|live| !live.is_over());
    }

    /// One recording's segments go to one keeper, in order.
    fn give(keepers: &[Sender<Work>], live: &mut Live, behind_max: u32) {
        if live.waiting.is_empty() {
            return;
        }
        let place = usize::try_from(live.id.as_uuid().as_u128() % keepers.len().max(1) as u128);
        if let Some(keeper) = place.ok().and_then(|place| keepers.get(place)) {
            live.hand_over(keeper, behind_max.max(1));
        }
    }

    /// Closes all, and waits a bounded while until the keepers have taken everything.
    fn finish_all(&mut self) {
        for live in &mut self.recordings {
            live.close();
        }
        for _ in 0..100 {
            self.hand_over();
            if self.recordings.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(self.settings.drain_ms.clamp(1, 50)));
        }
        tracing::error!(recordings = self.recordings.len(), "recordings were not kept whole at the end");
    }
}
