//! Samples by their timestamp: half a second of them, each there or not.

/// Samples that fit: 512 ms.
pub(super) const CAPACITY: usize = 4_096;

const WORDS: usize = CAPACITY / 64;

#[derive(Debug, Clone)]
pub(super) struct Timeline {
    samples: Box<[i16; CAPACITY]>,
    present: [u64; WORDS],
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self { samples: Box::new([0; CAPACITY]), present: [0; WORDS] }
    }

    pub(super) fn clear(&mut self) {
        self.present = [0; WORDS];
    }

    /// Puts samples in their place and returns how many of the places were empty.
    pub(super) fn write(&mut self, timestamp: u32, audio: &[i16]) -> usize {
        let mut filled = 0;
        each_word(timestamp, audio.len(), |word, mask| {
            if let Some(present) = self.present.get_mut(word) {
                filled += (mask & !*present).count_ones() as usize;
                *present |= mask;
            }
        });
        let start = place(timestamp);
        let until_wrap = audio.len().min(CAPACITY - start);
        let (head, tail) = audio.split_at(until_wrap);
        if let Some(to) = self.samples.get_mut(start..start + head.len()) {
            to.copy_from_slice(head);
        }
        if let Some(to) = self.samples.get_mut(..tail.len()) {
            to.copy_from_slice(tail);
        }
        filled
    }

    /// How many samples from here on share the first one's state, up to `most`, and whether they are there.
    pub(super) fn run(&self, timestamp: u32, most: usize) -> (bool, usize) {
        let there = self.is_there(timestamp);
        let mut length = 0;
        while length < most {
            let at = place(timestamp.wrapping_add(length as u32));
            let word = self.present.get(at / 64).copied().unwrap_or(0);
            let bits = (if there { !word } else { word }) >> (at % 64);
            let same = (bits.trailing_zeros() as usize).min(64 - at % 64);
            length += same;
            if same < 64 - at % 64 {
                break;
            }
        }
        (there, length.min(most))
    }

    /// Copies samples out, whether there or not.
    pub(super) fn copy(&self, timestamp: u32, out: &mut [i16]) {
        let start = place(timestamp);
        let until_wrap = out.len().min(CAPACITY - start);
        let (head, tail) = out.split_at_mut(until_wrap);
        if let Some(from) = self.samples.get(start..start + head.len()) {
            head.copy_from_slice(from);
        }
        if let Some(from) = self.samples.get(..tail.len()) {
            tail.copy_from_slice(from);
        }
    }

    /// Forgets samples that were played or passed over.
    pub(super) fn forget(&mut self, timestamp: u32, count: usize) {
        each_word(timestamp, count, |word, mask| {
            if let Some(present) = self.present.get_mut(word) {
                *present &= !mask;
            }
        });
    }

    fn is_there(&self, timestamp: u32) -> bool {
        let at = place(timestamp);
        self.present.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }
}

fn place(timestamp: u32) -> usize {
    timestamp as usize % CAPACITY
}

/// Calls `act` with each word and the bits of it that a range of samples covers.
fn each_word(timestamp: u32, count: usize, mut act: impl FnMut(usize, u64)) {
    let mut done = 0;
    while done < count.min(CAPACITY) {
        let at = place(timestamp.wrapping_add(done as u32));
        let bits = (64 - at % 64).min(count - done);
        let mask = if bits == 64 { u64::MAX } else { ((1 << bits) - 1) << (at % 64) };
        act(at / 64, mask);
        done += bits;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_wherever_it_lies(start: u32, count in 1usize..1_600) {
            let mut timeline = Timeline::new();
            let audio: Vec<i16> = (0..count).map(|index| index as i16 + 1).collect();
            prop_assert_eq!(timeline.write(start, &audio), count);
            prop_assert_eq!(timeline.write(start, &audio), 0);
            prop_assert_eq!(timeline.run(start, 3_000), (true, count));
            prop_assert!(!timeline.run(start.wrapping_add(count as u32), 100).0);
            let mut out = vec![0; count];
            timeline.copy(start, &mut out);
            prop_assert_eq!(out, audio);
            timeline.forget(start, count);
            prop_assert_eq!(timeline.run(start, 2_000), (false, 2_000));
        }
    }
}
