//! The audio from just before speech was noticed.

use crate::audio::AudioSender;

/// The longest pre-roll: 400 ms at 8 kHz.
const MOST: usize = 3_200;

/// A ring of the last samples, given out once when speech starts.
#[derive(Debug, Clone)]
pub struct PreRoll {
    samples: Box<[i16]>,
    next: usize,
    filled: usize,
}

impl PreRoll {
    /// Keeps so many milliseconds, 400 at most, of 8 kHz audio.
    #[must_use]
    pub fn new(pre_roll_ms: u32) -> Self {
        let length = (pre_roll_ms as usize * 8).clamp(8, MOST);
        Self { samples: vec![0; length].into_boxed_slice(), next: 0, filled: 0 }
    }

    /// Keeps these samples and forgets as many of the oldest.
    pub fn keep(&mut self, audio: &[i16]) {
        let length = self.samples.len();
        let audio = audio.get(audio.len().saturating_sub(length)..).unwrap_or_default();
        let (head, tail) = audio.split_at(audio.len().min(length - self.next));
        if let Some(room) = self.samples.get_mut(self.next..self.next + head.len()) {
            room.copy_from_slice(head);
        }
        if let Some(room) = self.samples.get_mut(..tail.len()) {
            room.copy_from_slice(tail);
        }
        self.next = (self.next + audio.len()) % length;
        self.filled = (self.filled + audio.len()).min(length);
    }

    /// Makes so many samples silent of what was kept, those that `after` newer ones follow.
    pub fn blank(&mut self, count: usize, after: usize) {
        let length = self.samples.len();
        let oldest = (after + count).min(self.filled);
        for back in (after + 1)..=oldest {
            if let Some(sample) = self.samples.get_mut((self.next + length - back) % length) {
                *sample = 0;
            }
        }
    }

    /// Writes what is kept, oldest first, and forgets it.
    pub fn give(&mut self, to: &mut AudioSender) {
        let length = self.samples.len();
        let start = (self.next + length - self.filled) % length;
        let first = self.filled.min(length - start);
        to.write(self.samples.get(start..start + first).unwrap_or_default());
        to.write(self.samples.get(..self.filled - first).unwrap_or_default());
        self.forget();
    }

    /// Forgets everything.
    pub fn forget(&mut self) {
        self.filled = 0;
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::audio_ring;

    #[test]
    fn the_newest_samples_come_out_once_in_order() {
        let mut pre_roll = PreRoll::new(10);
        for start in [0i16, 50, 100, 150] {
            pre_roll.keep(&(start..start + 50).collect::<Vec<_>>());
        }
        let (mut sender, mut receiver) = audio_ring(8_000, 400);
        pre_roll.give(&mut sender);
        pre_roll.give(&mut sender);
        let mut out = [0; 400];
        assert_eq!(receiver.read(&mut out), 80);
        assert_eq!(out[..80], (120..200).collect::<Vec<i16>>());
    }

    #[test]
    fn what_is_blanked_is_silent_and_the_rest_stays() {
        let (mut sender, mut receiver) = audio_ring(8_000, 400);
        let mut pre_roll = PreRoll::new(10);
        pre_roll.keep(&[1; 90]);
        pre_roll.blank(20, 10);
        pre_roll.give(&mut sender);
        let mut out = [0; 80];
        assert_eq!(receiver.read(&mut out), 80);
        let expected: Vec<i16> = (0..80).map(|at| i16::from(!(50..70).contains(&at))).collect();
        assert_eq!(out.to_vec(), expected);
        // Of what is not there, nothing.
        pre_roll.keep(&[1; 15]);
        pre_roll.blank(100, 10);
        pre_roll.give(&mut sender);
        assert_eq!(receiver.read(&mut out), 15);
        assert_eq!(out[..15].iter().sum::<i16>(), 10);
    }
}
