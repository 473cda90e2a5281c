//! What of the caller's audio goes to the recogniser: the voiced parts, each with what came just before.

use models::audio::{AudioSender, MarkKind};
use models::voice_activity::{Activity, PreRoll, VoiceActivity};

use super::{MediaEvent, Settings};
use crate::rtp::FRAME;
use crate::rtp::dual_tone::Detector;
use crate::rtp::level::Level;
use crate::rtp::noise_suppression::{NoiseSuppression, Suppression};

const SILENCE: [i16; FRAME] = [0; FRAME];

#[derive(Debug)]
pub(super) struct Hearing {
    activity: VoiceActivity,
    pre_roll: PreRoll,
    tones: Detector,
    suppression: Option<Box<NoiseSuppression>>,
    level: Option<Level>,
    listener: Option<AudioSender>,
}

impl Hearing {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            activity: VoiceActivity::new(&settings.voice_activity),
            pre_roll: PreRoll::new(settings.voice_activity.pre_roll_ms),
            tones: Detector::default(),
            suppression: (settings.noise_suppression == Suppression::Hearing)
                .then(NoiseSuppression::new)
                .flatten()
                .map(Box::new),
            level: settings.level.hearing.then(|| Level::new(&settings.level)),
            listener: None,
        }
    }

    /// Whether somebody speaks.
    pub(super) fn is_speaking(&self) -> bool {
        self.activity.is_speaking()
    }

    /// Gives voiced audio to this ring from now on; in the middle of speech, from its middle.
    pub(super) fn listen(&mut self, mut listener: AudioSender) {
        if self.activity.is_speaking() {
            listener.mark(MarkKind::SpeechStarted);
        }
        self.listener = Some(listener);
    }

    /// Samples that the present listener had no room for.
    pub(super) fn lost_samples(&self) -> u64 {
        self.listener.as_ref().map_or(0, AudioSender::lost_samples)
    }

    /// Hears 20 ms in which keys may be pressed as tones; those are no speech.
    pub(super) fn frame_with_tones(&mut self, audio: &[i16; FRAME], tell: &mut impl FnMut(MediaEvent)) {
        self.tones.hear(audio, &mut |key| tell(MediaEvent::Digit(key)));
        self.frame(if self.tones.is_hearing_a_key() { &SILENCE } else { audio }, tell);
    }

    /// Hears 20 ms.
    pub(super) fn frame(&mut self, audio: &[i16; FRAME], tell: &mut impl FnMut(MediaEvent)) {
        let mut audio = *audio;
        if let Some(suppression) = &mut self.suppression {
            suppression.frame(&mut audio);
        }
        let change = self.activity.process(&audio);
        // Whoever is quiet is heard as quiet by voice activity, whose thresholds are the line's.
        if let Some(level) = &mut self.level {
            level.frame(&mut audio, self.activity.is_speaking());
        }
        let audio = &audio;
        let listener = self.listener.as_mut();
        match change {
            Some(Activity::SpeechStarted) => {
                if let Some(listener) = listener {
                    listener.mark(MarkKind::SpeechStarted);
                    self.pre_roll.give(listener);
                    listener.write(audio);
                }
                self.pre_roll.forget();
                tell(MediaEvent::SpeechStarted);
            }
            Some(Activity::SpeechStopped) => {
                if let Some(listener) = listener {
                    listener.write(audio);
                    listener.mark(MarkKind::SpeechStopped);
                }
                tell(MediaEvent::SpeechStopped);
            }
            None if self.activity.is_speaking() => {
                if let Some(listener) = listener {
                    listener.write(audio);
                }
            }
            None => self.pre_roll.keep(audio),
        }
    }
}
