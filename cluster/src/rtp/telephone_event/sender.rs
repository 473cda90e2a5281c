//! What to send for a press.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Event, code};

/// Samples between packets: one frame.
const STEP: u32 = 160;
/// Times that a press's end is sent (RFC 4733 section 2.5.1.4).
const ENDS: u8 = 3;

/// How keys are pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long a key is held, in milliseconds; 40 to 8,000. Receivers want at least 40.
    pub press_ms: u32,
    /// The pause between keys, in milliseconds; at least 40.
    pub pause_ms: u32,
    /// Keys that may wait; further ones are not taken.
    pub waiting: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { press_ms: 160, pause_ms: 80, waiting: 32 }
    }
}

/// What a 20 ms frame is to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// No key: audio.
    Audio,
    /// The pause between keys: silence.
    Pause,
    /// This packet instead of audio.
    Packet {
        /// Its timestamp: that of the press's start.
        timestamp: u32,
        /// The first of its press.
        marker: bool,
        /// Its payload.
        event: Event,
    },
}

/// Sends keys one after another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    press: u32,
    pause: u32,
    most: usize,
    waiting: VecDeque<u8>,
    now: Now,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Now {
    Idle,
    Press { code: u8, started: u32, held: u32, ends: u8 },
    Pause { left: u32 },
}

impl Sender {
    /// Nothing to send.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            press: settings.press_ms.clamp(40, 8_000).next_multiple_of(20) * 8,
            pause: settings.pause_ms.clamp(40, 8_000).next_multiple_of(20) * 8,
            most: settings.waiting,
            waiting: VecDeque::new(),
            now: Now::Idle,
        }
    }

    /// Sends these keys after what is sent now. How many were not taken: unknown, or too many.
    pub fn press(&mut self, keys: &str) -> usize {
        let mut refused = 0;
        for key in keys.chars() {
            match code(key).filter(|_| self.waiting.len() < self.most) {
                Some(code) => self.waiting.push_back(code),
                None => refused += 1,
            }
        }
        refused
    }

    /// What the frame that begins at `timestamp` carries. To be asked once per 20 ms.
    pub fn frame(&mut self, timestamp: u32) -> Sending {
        if self.now == Now::Idle {
            let Some(code) = self.waiting.pop_front() else { return Sending::Audio };
            self.now = Now::Press { code, started: timestamp, held: 0, ends: 0 };
        }
        match &mut self.now {
            Now::Press { code, started, held, ends } => {
                let marker = *held == 0;
                *held = (*held + STEP).min(self.press);
                let end = *held == self.press && !marker;
                let duration = u16::try_from(*held).unwrap_or(u16::MAX);
                let event = Event { code: *code, end, duration };
                let timestamp = *started;
                *ends += u8::from(end);
                if *ends >= ENDS {
                    self.now = Now::Pause { left: self.pause };
                }
                Sending::Packet { timestamp, marker, event }
            }
            Now::Pause { left } => {
                *left = left.saturating_sub(STEP);
                if *left == 0 {
                    self.now = Now::Idle;
                }
                Sending::Pause
            }
            Now::Idle => Sending::Audio,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Receiver;
    use super::*;

    #[test]
    fn a_press_keeps_its_timestamp_grows_and_ends_three_times() {
        let mut sender = Sender::new(&Settings { press_ms: 80, ..Settings::default() });
        assert_eq!(sender.press("7"), 0);
        let sent: Vec<Sending> = (0..12u32).map(|frame| sender.frame(9_000 + frame * 160)).collect();
        let packet = |marker, end, duration| Sending::Packet {
            timestamp: 9_000,
            marker,
            event: Event { code: 7, end, duration },
        };
        assert_eq!(
            sent,
            [
                packet(true, false, 160),
                packet(false, false, 320),
                packet(false, false, 480),
                packet(false, true, 640),
                packet(false, true, 640),
                packet(false, true, 640),
                Sending::Pause,
                Sending::Pause,
                Sending::Pause,
                Sending::Pause,
                Sending::Audio,
                Sending::Audio,
            ]
        );
    }

    #[test]
    fn what_is_sent_is_received() {
        let (mut sender, mut receiver) = (Sender::new(&Settings::default()), Receiver::default());
        assert_eq!(sender.press("0123456789*#abcdx"), 1);
        let mut heard = String::new();
        for frame in 0..1_000u32 {
            let timestamp = (u32::MAX - 20_000).wrapping_add(frame * 160);
            if let Sending::Packet { timestamp, marker, event } = sender.frame(timestamp) {
                heard.extend(receiver.packet(timestamp, marker, &event.to_bytes()));
            }
        }
        assert_eq!(heard, "0123456789*#ABCD");
    }

    #[test]
    fn no_more_keys_wait_than_may() {
        let mut sender = Sender::new(&Settings { waiting: 2, ..Settings::default() });
        assert_eq!(sender.press("12345"), 3);
    }
}
