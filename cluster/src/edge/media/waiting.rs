//! What is heard while nothing is said: a sound, again and again, until somebody speaks.

use std::sync::Arc;

use crate::rtp::FRAME;

/// Samples over which it begins: half a second.
const FADE_IN: u32 = 4_000;
/// Samples over which it ends, at the start of the frame in which something is said: 5 ms.
const FADE_OUT: usize = 40;

/// A sound for somebody who waits.
#[derive(Debug)]
pub(super) struct Sound {
    sound: Arc<[i16]>,
    at: usize,
    /// Frames in which nothing was said.
    quiet: u32,
    /// After so many of them it begins.
    after: u32,
    /// Samples since it began; none while it is not heard.
    heard: Option<u32>,
    over: bool,
}

impl Sound {
    /// Begins after so many milliseconds in which nothing is said.
    pub(super) fn new(sound: Arc<[i16]>, after_ms: u64) -> Self {
        let after = u32::try_from(after_ms / 20).unwrap_or(u32::MAX).max(1);
        Self { sound, at: 0, quiet: 0, after, heard: None, over: false }
    }

    /// Ends it, with the next frame.
    pub(super) fn end(&mut self) {
        self.over = true;
    }

    /// Whether nothing more comes of it.
    pub(super) fn is_over(&self) -> bool {
        self.over && self.heard.is_none()
    }

    /// Adds 20 ms of it to `ours`, where nothing `is_said` in them; whether anything of it is to be heard.
    pub(super) fn frame(&mut self, ours: &mut [i16; FRAME], is_said: bool) -> bool {
        if is_said || self.over || self.sound.is_empty() {
            self.quiet = 0;
            let Some(heard) = self.heard.take() else { return false };
            let gain = gain(heard);
            for (index, sample) in ours.iter_mut().take(FADE_OUT).enumerate() {
                let left = 1.0 - (index + 1) as f32 / (FADE_OUT + 1) as f32;
                *sample = sample.saturating_add((self.next() * gain * left) as i16);
            }
            return true;
        }
        self.quiet = self.quiet.saturating_add(1);
        if self.quiet <= self.after {
            return false;
        }
        let mut heard = self.heard.unwrap_or(0);
        for sample in ours {
            *sample = sample.saturating_add((self.next() * gain(heard)) as i16);
            heard = heard.saturating_add(1);
        }
        self.heard = Some(heard);
        true
    }

    fn next(&mut self) -> f32 {
        let sample = self.sound.get(self.at).copied().map_or(0.0, f32::from);
        self.at = if self.at + 1 < self.sound.len() { self.at + 1 } else { 0 };
        sample
    }
}

fn gain(heard: u32) -> f32 {
    heard.min(FADE_IN) as f32 / FADE_IN as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(length: usize) -> Arc<[i16]> {
        // A whole number of periods, so that its end leads into its beginning.
        (0..length).map(|at| (6_000.0 * (at as f32 * std::f32::consts::TAU / 80.0).sin()) as i16).collect()
    }

    fn steepest(samples: &[i16]) -> i32 {
        samples.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap()
    }

    #[test]
    fn it_begins_after_a_while_goes_round_and_stops_in_the_frame_in_which_somebody_speaks() {
        let mut waiting = Sound::new(wave(2_000), 1_000);
        let mut heard = Vec::new();
        for number in 0..400 {
            let mut ours = [0; FRAME];
            let sounds = waiting.frame(&mut ours, false);
            assert_eq!(sounds, number >= 50, "{number}");
            heard.extend(ours);
        }
        // 6,000 at 100 Hz moves so much between two samples at most.
        assert!(steepest(&heard) <= 480, "{}", steepest(&heard));
        assert!(heard[16_000..].iter().any(|sample| sample.unsigned_abs() > 5_900));
        let mut ours = [0; FRAME];
        assert!(waiting.frame(&mut ours, true), "what fades is to be heard");
        assert!(ours[FADE_OUT..].iter().all(|sample| *sample == 0), "over within 5 ms");
        heard.extend(ours);
        assert!(steepest(&heard) <= 480, "no click: {}", steepest(&heard));
        let mut ours = [7; FRAME];
        assert!(!waiting.frame(&mut ours, true));
        assert_eq!(ours, [7; FRAME]);
        // Then it waits for silence again.
        assert!((0..50).all(|_| !waiting.frame(&mut [0; FRAME], false)));
        assert!(waiting.frame(&mut [0; FRAME], false));
        waiting.end();
        assert!(!waiting.is_over());
        waiting.frame(&mut [0; FRAME], false);
        assert!(waiting.is_over());
    }

    #[test]
    fn no_sound_is_no_sound() {
        let mut waiting = Sound::new(Arc::from([]), 0);
        assert!((0..10).all(|_| !waiting.frame(&mut [0; FRAME], false)));
        waiting.end();
        assert!(waiting.is_over());
    }
}
