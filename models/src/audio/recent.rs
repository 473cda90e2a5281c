//! The end of what a ring was given, for whoever wants to look back at it.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// The last samples that were written, shared between their writer and whoever looks back. The writer never waits:
/// what it writes while somebody looks is left out.
#[derive(Debug)]
pub struct Recent {
    samples_max: usize,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    samples: VecDeque<i16>,
    /// Samples kept since the beginning, forgotten ones included.
    kept: u64,
}

impl Recent {
    /// Keeps the last `samples_max`. Their room is taken at once, but costs memory only as it is written to.
    #[must_use]
    pub fn new(samples_max: usize) -> Self {
        Self {
            samples_max,
            held: Mutex::new(Held { samples: VecDeque::with_capacity(samples_max), kept: 0 }),
        }
    }

    /// Keeps these samples and forgets as many of the oldest as there is no room for.
    pub(super) fn keep(&self, audio: &[i16]) {
        let Some(mut held) = self.held.try_lock() else { return };
        held.kept += audio.len() as u64;
        let audio = audio.get(audio.len().saturating_sub(self.samples_max)..).unwrap_or_default();
        let over = (held.samples.len() + audio.len()).saturating_sub(self.samples_max);
        held.samples.drain(..over);
        held.samples.extend(audio);
    }

    /// A copy of what is kept, and its end, counted in samples since the beginning.
    #[must_use]
    pub fn look(&self) -> (Vec<i16>, u64) {
        let held = self.held.lock();
        let (head, tail) = held.samples.as_slices();
        ([head, tail].concat(), held.kept)
    }

    /// Forgets what came before this place, counted as [`Self::look`] does.
    pub fn forget_before(&self, place: u64) {
        let mut held = self.held.lock();
        let behind = usize::try_from(held.kept.saturating_sub(place)).unwrap_or(usize::MAX);
        let over = held.samples.len().saturating_sub(behind);
        held.samples.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::audio::audio_ring;

    #[test]
    fn the_last_samples_are_kept_and_forgotten_up_to_a_place() {
        let recent = Arc::new(Recent::new(5));
        let (mut sender, _receiver) = audio_ring(8_000, 2);
        sender.keep_in(Arc::clone(&recent));
        sender.write(&[1, 2, 3]);
        assert_eq!(recent.look(), (vec![1, 2, 3], 3), "also what the ring had no room for");
        sender.write(&[4, 5, 6, 7]);
        let (samples, end) = recent.look();
        assert_eq!((samples, end), (vec![3, 4, 5, 6, 7], 7));
        sender.write(&[8]);
        recent.forget_before(end);
        assert_eq!(recent.look(), (vec![8], 8));
        recent.forget_before(3);
        recent.forget_before(100);
        assert_eq!(recent.look(), (vec![], 8));
        sender.write(&(0..20).collect::<Vec<i16>>());
        assert_eq!(recent.look(), ((15..20).collect(), 28));
    }

    #[test]
    fn a_writer_does_not_wait_for_whoever_looks() {
        let recent = Recent::new(5);
        let looking = recent.held.lock();
        recent.keep(&[1, 2]);
        drop(looking);
        recent.keep(&[3]);
        assert_eq!(recent.look(), (vec![3], 1));
    }
}
