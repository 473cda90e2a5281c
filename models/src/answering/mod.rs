//! ◇ What has answered a call: a person, who says a word and waits, or a mailbox, which talks on and beeps. A pure
//! function of what is heard.
//!
//! Heuristics, and no more: a person who answers with a long sentence is taken for a mailbox, and a mailbox with a short
//! greeting for a person until it beeps. Nothing here replaces the key that a person presses.

mod beep;
mod frame;
mod settings;

pub use settings::Settings;

use beep::Beep;
use frame::{FRAME_MS, Noise};

/// What has answered, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answering {
    /// A beep has ended: a mailbox records from now on.
    Beep,
    /// It has talked without a pause for longer than people do: a mailbox, before its beep.
    LongGreeting,
    /// A few words and then silence: a person, so far.
    ShortGreeting,
}

/// Listens to what has answered. Each thing is told once, but for beeps.
#[derive(Debug)]
pub struct Listener {
    settings: Settings,
    rate_hz: u32,
    waiting: Vec<i16>,
    noise: Noise,
    beep: Beep,
    spoke_ms: u32,
    silent_ms: u32,
    told_long: bool,
    told_short: bool,
}

impl Listener {
    /// Listens to sound at this rate.
    #[must_use]
    pub fn new(settings: Settings, rate_hz: u32) -> Self {
        Self {
            settings,
            rate_hz: rate_hz.max(1_000),
            waiting: Vec::new(),
            noise: Noise::default(),
            beep: Beep::default(),
            spoke_ms: 0,
            silent_ms: 0,
            told_long: false,
            told_short: false,
        }
    }

    /// Hears what the far side says, silence included, in pieces of any length. What it means is returned, in order.
    pub fn hear(&mut self, samples: &[i16]) -> Vec<Answering> {
        let length = usize::try_from(self.rate_hz * FRAME_MS / 1_000).unwrap_or(1);
        self.waiting.extend_from_slice(samples);
        let waiting = std::mem::take(&mut self.waiting);
        let frames = waiting.chunks_exact(length);
        self.waiting = frames.remainder().to_vec();
        let mut told = Vec::new();
        for frame in frames {
            self.frame(frame, &mut told);
        }
        told
    }

    fn frame(&mut self, samples: &[i16], told: &mut Vec<Answering>) {
        let frame = self.noise.frame(&self.settings, self.rate_hz, samples);
        if self.beep.hear(&self.settings, &frame) {
            told.push(Answering::Beep);
        }
        if frame.stands_out && !self.beep.is_hearing_one() {
            self.spoke_ms = self.spoke_ms.saturating_add(self.silent_ms).saturating_add(FRAME_MS);
            self.silent_ms = 0;
            if self.spoke_ms > self.settings.greeting_ms_max && !self.told_long {
                self.told_long = true;
                told.push(Answering::LongGreeting);
            }
            return;
        }
        // Silence before the first word is no pause.
        self.silent_ms = if self.spoke_ms > 0 { self.silent_ms.saturating_add(FRAME_MS) } else { 0 };
        if self.silent_ms >= self.settings.pause_ms {
            if !self.told_short && !self.told_long {
                self.told_short = true;
                told.push(Answering::ShortGreeting);
            }
            (self.spoke_ms, self.silent_ms) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests;
