//! A session put together with another: what its far side says goes there, what the other's says comes from there.

use models::audio::{AudioReceiver, AudioSender};

use crate::rtp::FRAME;

/// Frames that may wait for this session: more were heard too late, as the two threads' clocks drift or one was late.
const FRAMES_WAITING_MAX: usize = 4;
/// Frames that are gathered before the first is heard, and again after there were none: one may be late then.
const FRAMES_GATHERED: usize = 2;

/// The two rings of a session.
#[derive(Debug)]
pub(super) struct Bridge {
    says: AudioSender,
    hears: AudioReceiver,
    flows: bool,
}

impl Bridge {
    pub(super) const fn new(says: AudioSender, hears: AudioReceiver) -> Self {
        Self { says, hears, flows: false }
    }

    /// 20 ms of what the far side says.
    pub(super) fn say(&mut self, theirs: &[i16; FRAME]) {
        // What the other has no room for it would hear too late.
        self.says.write(theirs);
    }

    /// Adds 20 ms of what it hears to what is played to it; false where there is nothing.
    pub(super) fn hear(&mut self, ours: &mut [i16; FRAME]) -> bool {
        let mut other = [0; FRAME];
        while self.hears.waiting() > FRAMES_WAITING_MAX * FRAME {
            self.hears.read(&mut other);
        }
        let gathered = self.hears.waiting();
        self.flows = gathered >= if self.flows { FRAME } else { FRAMES_GATHERED * FRAME };
        if !self.flows {
            return false;
        }
        let read = self.hears.read(&mut other);
        for (ours, other) in ours.iter_mut().zip(other.iter().take(read)) {
            *ours = ours.saturating_add(*other);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use models::audio::{TELEPHONE_HZ, audio_ring};

    use super::*;

    #[test]
    fn two_that_are_put_together_hear_each_other_soon_and_in_order() {
        let ring = || audio_ring(TELEPHONE_HZ, 10 * FRAME);
        let ((one_says, other_hears), (other_says, one_hears)) = (ring(), ring());
        let (mut one, mut other) = (Bridge::new(one_says, one_hears), Bridge::new(other_says, other_hears));
        let mut heard = Vec::new();
        for number in 1..=20_i16 {
            one.say(&[number; FRAME]);
            // What is played at the same time is heard beside it.
            let mut ours = [1_000; FRAME];
            other.hear(&mut ours);
            heard.push(ours[0] - 1_000);
        }
        assert_eq!(heard, [0].into_iter().chain(1..=19).collect::<Vec<_>>());
        // The one falls silent, then comes back: nothing is heard twice.
        for _ in 0..3 {
            let mut ours = [0; FRAME];
            other.hear(&mut ours);
            heard.push(ours[0]);
        }
        assert_eq!(heard[20..], [20, 0, 0]);
        let mut ours = [0; FRAME];
        one.hear(&mut ours);
        assert_eq!(ours, [0; FRAME], "the other has said nothing");
    }

    #[test]
    fn what_has_waited_for_too_long_is_passed_over() {
        let (says, hears) = audio_ring(TELEPHONE_HZ, 20 * FRAME);
        let (silent, _nobody) = audio_ring(TELEPHONE_HZ, FRAME);
        let (_unused, nothing) = audio_ring(TELEPHONE_HZ, FRAME);
        let (mut one, mut other) = (Bridge::new(says, nothing), Bridge::new(silent, hears));
        for number in 1..=15 {
            one.say(&[number; FRAME]);
        }
        let mut ours = [0; FRAME];
        other.hear(&mut ours);
        assert_eq!(ours[0], 12, "80 ms behind at most");
    }
}
