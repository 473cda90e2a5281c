//! From scores to stretches of speech.

use super::Settings;
use super::background::Background;
use crate::audio::{Before, upsample};

/// Samples of one judged frame: 16 ms at 8 kHz.
const FRAME: usize = 128;
/// Milliseconds of one judged frame.
const FRAME_MS: u32 = 16;
/// Frames the detector sees again when the gate opens: its window and its context.
const WARM_UP: usize = 3;
/// Frames the gate stays open after the last loud one.
const GATE_HOLD: u32 = 6;

/// Samples below this are digital silence: no more than the two smallest steps of either law.
const FAINT: u16 = 17;

/// A change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Speech began, onset and pre-roll ago.
    SpeechStarted,
    /// Speech ended, hangover ago.
    SpeechStopped,
}

/// One caller's voice activity.
pub struct VoiceActivity {
    settings: Settings,
    detector: Box<earshot::Detector>,
    background: Background,
    before: Before,
    /// The last frames, for when the gate opens.
    recent: [[i16; FRAME]; WARM_UP],
    /// Which of them is the oldest.
    oldest: usize,
    pending: [i16; FRAME],
    waiting: usize,
    /// Something of what is pending is of somebody else.
    foreign: bool,
    gate_open_frames: u32,
    onset: u32,
    hangover: u32,
    speaking: bool,
    judged: u64,
}

impl std::fmt::Debug for VoiceActivity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("VoiceActivity").field("speaking", &self.speaking).finish_non_exhaustive()
    }
}

impl VoiceActivity {
    /// Nobody speaks yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            background: Background::new(settings.quiet_dbfs, settings.above_background_db),
            settings: settings.clone(),
            detector: earshot::Detector::default_boxed(),
            before: Before::default(),
            recent: [[0; FRAME]; WARM_UP],
            oldest: 0,
            pending: [0; FRAME],
            waiting: 0,
            foreign: false,
            gate_open_frames: 0,
            onset: 0,
            hangover: 0,
            speaking: false,
            judged: 0,
        }
    }

    /// Whether somebody speaks.
    #[must_use]
    pub fn is_speaking(&self) -> bool {
        self.speaking
    }

    /// Frames that the detector had to judge; the rest were too quiet. For measuring.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// Takes 8 kHz audio of any length; the last change that it brought, if any.
    pub fn process(&mut self, audio: &[i16]) -> Option<Activity> {
        self.take(audio, false)
    }

    /// Takes audio that holds somebody else's voice: it counts as no voice, and not as background either.
    pub fn pass_over(&mut self, audio: &[i16]) -> Option<Activity> {
        self.take(audio, true)
    }

    fn take(&mut self, mut audio: &[i16], foreign: bool) -> Option<Activity> {
        let mut change = None;
        while !audio.is_empty() {
            self.foreign |= foreign;
            let (taken, rest) = audio.split_at(audio.len().min(FRAME - self.waiting));
            if let Some(room) = self.pending.get_mut(self.waiting..self.waiting + taken.len()) {
                room.copy_from_slice(taken);
            }
            self.waiting += taken.len();
            audio = rest;
            if self.waiting == FRAME {
                self.waiting = 0;
                change = self.frame().or(change);
            }
        }
        change
    }

    fn frame(&mut self) -> Option<Activity> {
        let frame = self.pending;
        let score = if std::mem::take(&mut self.foreign) {
            self.gate_open_frames = self.gate_open_frames.saturating_sub(1);
            0.0
        } else {
            self.score(&frame)
        };
        if let Some(oldest) = self.recent.get_mut(self.oldest) {
            *oldest = frame;
        }
        self.oldest = (self.oldest + 1) % WARM_UP;
        if self.speaking {
            self.hangover = if score < self.settings.stop_score { self.hangover + 1 } else { 0 };
            if self.hangover * FRAME_MS < self.settings.hangover_ms {
                return None;
            }
            self.speaking = false;
            self.onset = 0;
            Some(Activity::SpeechStopped)
        } else {
            let voiced = score >= self.settings.start_score;
            self.onset = if voiced { self.onset + 1 } else { self.onset.saturating_sub(1) };
            if !voiced || self.onset * FRAME_MS < self.settings.onset_ms {
                return None;
            }
            self.speaking = true;
            self.hangover = 0;
            Some(Activity::SpeechStarted)
        }
    }

    /// The detector's score, 0 for what the gate keeps out.
    fn score(&mut self, frame: &[i16; FRAME]) -> f32 {
        let was_open = self.gate_open_frames > 0;
        if self.background.is_above(frame) {
            self.gate_open_frames = GATE_HOLD;
        } else {
            self.gate_open_frames = self.gate_open_frames.saturating_sub(1);
        }
        if self.gate_open_frames == 0 {
            return 0.0;
        }
        if !was_open {
            self.detector.reset();
            self.before = Before::default();
            for age in 0..WARM_UP {
                if let Some(recent) = self.recent.get((self.oldest + age) % WARM_UP).copied() {
                    self.detect(&recent);
                }
            }
        }
        self.detect(frame)
    }

    /// Digital silence is not shown to the detector: its features are far from anything that the network
    /// was trained on, and the network remembers for seconds what they did to it.
    fn detect(&mut self, frame: &[i16; FRAME]) -> f32 {
        // The loudest is found many samples at once; looking for the first that is loud takes each by itself.
        if frame.iter().fold(0, |loudest, sample| sample.unsigned_abs().max(loudest)) < FAINT {
            return 0.0;
        }
        self.judged += 1;
        let mut wide = [0; 2 * FRAME];
        upsample(&mut self.before, frame, &mut wide);
        self.detector.predict_i16(&wide)
    }
}
