//! A bounded single-producer, single-consumer ring of samples, with marks that keep their place among them.

use std::sync::Arc;

use rtrb::{Consumer, Producer, RingBuffer};

use super::Recent;
use super::g711::Law;

/// How many marks a ring holds; a mark that finds no room is dropped and counted by [`AudioSender::lost_marks`].
const MARKS: usize = 64;

/// What a mark says about the sample it stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// Voice activity began here (pre-roll included).
    SpeechStarted,
    /// Voice activity ended here.
    SpeechStopped,
    /// The word with this index (see [`super::WordMark`]) begins here.
    Word(u32),
    /// Nothing follows this sample.
    End,
}

/// A mark and its place, counted in samples since the ring was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The sample the mark stands before.
    pub at_sample: u64,
    /// What it says.
    pub kind: MarkKind,
}

/// Samples that are coded in one go.
const CODED: usize = 320;

/// Makes a ring of `capacity_samples` at `rate_hz`.
#[must_use]
pub fn audio_ring(rate_hz: u32, capacity_samples: usize) -> (AudioSender, AudioReceiver) {
    let (samples_in, samples_out) = RingBuffer::new(capacity_samples);
    let (marks_in, marks_out) = RingBuffer::new(MARKS);
    let sender = AudioSender::new(rate_hz, SamplesIn::Linear(samples_in), marks_in);
    (sender, AudioReceiver { rate_hz, samples: samples_out, marks: marks_out, read: 0 })
}

/// The same for what is kept as µ-law (G.711) anyway: coded by the writer, whose samples are in its caches, and half as
/// large. It has no room for marks.
#[must_use]
pub fn coded_ring(rate_hz: u32, capacity_samples: usize) -> (AudioSender, CodedReceiver) {
    let (samples_in, samples_out) = RingBuffer::new(capacity_samples);
    let (no_marks, _) = RingBuffer::new(0);
    let sender = AudioSender::new(rate_hz, SamplesIn::Coded(samples_in), no_marks);
    (sender, CodedReceiver { samples: samples_out })
}

/// The samples of a ring, at its writing end.
#[derive(Debug)]
enum SamplesIn {
    Linear(Producer<i16>),
    Coded(Producer<u8>),
}

/// The writing end.
#[derive(Debug)]
pub struct AudioSender {
    rate_hz: u32,
    samples: SamplesIn,
    marks: Producer<Mark>,
    written: u64,
    lost_samples: u64,
    lost_marks: u64,
    recent: Option<Arc<Recent>>,
}

impl AudioSender {
    const fn new(rate_hz: u32, samples: SamplesIn, marks: Producer<Mark>) -> Self {
        Self { rate_hz, samples, marks, written: 0, lost_samples: 0, lost_marks: 0, recent: None }
    }

    /// Sampling rate in hertz.
    #[must_use]
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Room left, in samples.
    #[must_use]
    pub fn room(&self) -> usize {
        match &self.samples {
            SamplesIn::Linear(samples) => samples.slots(),
            SamplesIn::Coded(samples) => samples.slots(),
        }
    }

    /// Keeps what is written from now on in `recent`, too, whether it fits into the ring or not.
    pub fn keep_in(&mut self, recent: Arc<Recent>) {
        self.recent = Some(recent);
    }

    /// Writes as much of `audio` as fits and returns how many samples that was; the rest is counted as lost
    /// and still moves the position, so that marks stay true to the caller's clock.
    pub fn write(&mut self, audio: &[i16]) -> usize {
        if let Some(recent) = &self.recent {
            recent.keep(audio);
        }
        let fits = match &mut self.samples {
            SamplesIn::Linear(samples) => samples.push_partial_slice(audio).0.len(),
            SamplesIn::Coded(samples) => push_coded(samples, audio),
        };
        self.written += fits as u64;
        self.lost_samples += (audio.len() - fits) as u64;
        fits
    }

    /// Places a mark before the next sample to be written.
    pub fn mark(&mut self, kind: MarkKind) {
        if self.marks.push(Mark { at_sample: self.written, kind }).is_err() {
            self.lost_marks += 1;
        }
    }

    /// Samples written since the ring was made.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Samples that found no room.
    #[must_use]
    pub fn lost_samples(&self) -> u64 {
        self.lost_samples
    }

    /// Marks that found no room.
    #[must_use]
    pub fn lost_marks(&self) -> u64 {
        self.lost_marks
    }

    /// Whether the reading end is gone.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        match &self.samples {
            SamplesIn::Linear(samples) => samples.is_abandoned(),
            SamplesIn::Coded(samples) => samples.is_abandoned(),
        }
    }
}

/// Codes as much as fits, and returns how many samples that was.
fn push_coded(samples: &mut Producer<u8>, audio: &[i16]) -> usize {
    let mut coded = [0; CODED];
    let mut pushed = 0;
    for piece in audio.chunks(CODED) {
        let count = Law::Mu.encode_into(piece, &mut coded);
        let fits = samples.push_partial_slice(coded.get(..count).unwrap_or_default()).0.len();
        pushed += fits;
        // What the reader takes meanwhile is room for what comes next, not for what follows a gap.
        if fits < count {
            break;
        }
    }
    pushed
}

/// The reading end.
#[derive(Debug)]
pub struct AudioReceiver {
    rate_hz: u32,
    samples: Consumer<i16>,
    marks: Consumer<Mark>,
    read: u64,
}

impl AudioReceiver {
    /// Sampling rate in hertz.
    #[must_use]
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Samples waiting.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.samples.slots()
    }

    /// Fills the start of `out` with what is waiting and returns how many samples that was.
    pub fn read(&mut self, out: &mut [i16]) -> usize {
        let (filled, _) = self.samples.pop_partial_slice(out);
        let count = filled.len();
        self.read += count as u64;
        count
    }

    /// The next mark that stands at or before the read position.
    pub fn next_mark(&mut self) -> Option<Mark> {
        match self.marks.peek() {
            Ok(mark) if mark.at_sample <= self.read => self.marks.pop().ok(),
            _ => None,
        }
    }

    /// Where the next waiting mark stands, whether reached or not: a reader that must not run past a mark
    /// (a recogniser at the end of a turn) reads no further than this.
    #[must_use]
    pub fn next_mark_at(&self) -> Option<u64> {
        self.marks.peek().ok().map(|mark| mark.at_sample)
    }

    /// Samples read since the ring was made.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.read
    }

    /// Whether the writing end is gone and everything was read.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.samples.is_abandoned() && self.samples.is_empty()
    }
}

/// The reading end of a coded ring.
#[derive(Debug)]
pub struct CodedReceiver {
    samples: Consumer<u8>,
}

impl CodedReceiver {
    /// Samples waiting.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.samples.slots()
    }

    /// Fills the start of `out` with the µ-law of what is waiting and returns how many samples that was.
    pub fn read(&mut self, out: &mut [u8]) -> usize {
        self.samples.pop_partial_slice(out).0.len()
    }

    /// Whether the writing end is gone and everything was read.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.samples.is_abandoned() && self.samples.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_seen_when_its_sample_is_reached() {
        let (mut sender, mut receiver) = audio_ring(8_000, 320);
        sender.write(&[1; 160]);
        sender.mark(MarkKind::SpeechStopped);
        sender.write(&[2; 160]);
        let mut out = [0; 100];
        assert_eq!(receiver.read(&mut out), 100);
        assert_eq!(receiver.next_mark(), None);
        assert_eq!(receiver.next_mark_at(), Some(160));
        assert_eq!(receiver.read(&mut out), 100);
        assert_eq!(receiver.next_mark(), Some(Mark { at_sample: 160, kind: MarkKind::SpeechStopped }));
    }

    #[test]
    fn what_is_written_is_read_in_order_across_the_end() {
        let (mut sender, mut receiver) = audio_ring(8_000, 101);
        let (mut next, mut expected) = (0_i16, 0_i16);
        for round in 0..5_000_usize {
            let audio: Vec<i16> = (0..round % 37).map(|at| next.wrapping_add(at as i16)).collect();
            next = next.wrapping_add(sender.write(&audio) as i16);
            let mut out = vec![0; round * 7 % 41];
            let count = receiver.read(&mut out);
            for sample in &out[..count] {
                assert_eq!(*sample, expected);
                expected = expected.wrapping_add(1);
            }
        }
        assert_eq!(receiver.position() + receiver.waiting() as u64, sender.written());
        assert!(sender.lost_samples() > 0 && sender.written() > 10_000);
    }

    #[test]
    fn a_coded_ring_holds_what_is_written_as_the_law_has_it() {
        let said: Vec<i16> = (0..2_000).map(|at| at * 16 - 16_000).collect();
        let mut law = vec![0; said.len()];
        Law::Mu.encode_into(&said, &mut law);

        let (mut sender, mut receiver) = coded_ring(8_000, 1_500);
        assert_eq!((sender.write(&said[..1_400]), sender.room(), receiver.waiting()), (1_400, 100, 1_400));
        let (mut some, mut others) = ([0; 700], [0; 900]);
        assert_eq!(receiver.read(&mut some), 700);
        assert_eq!(some, law[..700]);
        assert_eq!(receiver.read(&mut others), 700);
        assert_eq!(others[..700], law[700..1_400]);
        // It goes on across the end, and what finds no room is counted; no more of it comes after the gap.
        assert_eq!(sender.write(&said), 1_500);
        assert_eq!((sender.lost_samples(), sender.written()), (500, 2_900));
        let mut all = [0; 2_000];
        assert_eq!(receiver.read(&mut all), 1_500);
        assert_eq!(all[..1_500], law[..1_500]);
        sender.mark(MarkKind::End);
        assert_eq!(sender.lost_marks(), 1);
        assert!(!receiver.is_finished() && !sender.is_abandoned());
        drop(sender);
        assert!(receiver.is_finished());
    }

    #[test]
    fn a_full_ring_counts_what_it_lost() {
        let (mut sender, receiver) = audio_ring(8_000, 100);
        assert_eq!(sender.write(&[1; 160]), 100);
        assert_eq!(sender.lost_samples(), 60);
        assert_eq!(receiver.waiting(), 100);
        drop(receiver);
        assert!(sender.is_abandoned());
    }
}
