//! What of the caller's audio goes to the recogniser: the voiced parts, each with what came just before.

use models::audio::{AudioSender, MarkKind};
use models::voice_activity::{Activity, PreRoll, VoiceActivity};

use super::{MediaEvent, Settings};
use crate::rtp::FRAME;
use crate::rtp::dual_tone::Detector;
use crate::rtp::echo::{Echo, Whose};
use crate::rtp::level::Level;
use crate::rtp::noise_suppression::{NoiseSuppression, Suppression};

const SILENCE: [i16; FRAME] = [0; FRAME];
/// Samples of the newest that the recogniser is given of what was taken for an echo before somebody spoke: 60 ms, for a
/// caller who speaks over us is noticed so late.
const DOUBTED: usize = 3 * FRAME;

#[derive(Debug)]
pub(super) struct Hearing {
    activity: VoiceActivity,
    pre_roll: PreRoll,
    tones: Detector,
    suppression: Option<Box<NoiseSuppression>>,
    level: Option<Level>,
    echo: Echo,
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
            echo: Echo::new(&settings.echo),
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

    /// 20 ms are sent, which the line may return.
    pub(super) fn sent(&mut self, ours: &[i16; FRAME]) {
        self.echo.sent(ours);
    }

    /// What is known of the line's echo.
    pub(super) const fn echo(&self) -> &Echo {
        &self.echo
    }

    /// Hears 20 ms in which keys may be pressed as tones; those are no speech.
    pub(super) fn frame_with_tones(&mut self, audio: &[i16; FRAME], tell: &mut impl FnMut(MediaEvent)) {
        self.tones.hear(audio, &mut |key| tell(MediaEvent::Digit(key)));
        let whose = self.echo.comes(audio);
        self.hear(if self.tones.is_hearing_a_key() { &SILENCE } else { audio }, whose, tell);
    }

    /// Hears 20 ms.
    pub(super) fn frame(&mut self, audio: &[i16; FRAME], tell: &mut impl FnMut(MediaEvent)) {
        let whose = self.echo.comes(audio);
        self.hear(audio, whose, tell);
    }

    /// An echo of our voice is no speech of the caller's, and the recogniser does not hear it: its words would
    /// interrupt us, too.
    fn hear(&mut self, audio: &[i16; FRAME], whose: Whose, tell: &mut impl FnMut(MediaEvent)) {
        let ours = whose == Whose::Ours;
        let mut audio = *audio;
        if let Some(suppression) = &mut self.suppression {
            suppression.frame(&mut audio);
        }
        let change = if ours { self.activity.pass_over(&audio) } else { self.activity.process(&audio) };
        let speaks = self.activity.is_speaking();
        // Whoever is quiet is heard as quiet by voice activity, whose thresholds are the line's.
        if let Some(level) = &mut self.level {
            level.frame(&mut audio, speaks && !ours);
        }
        if ours && (speaks || change.is_some()) {
            audio = SILENCE;
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
            None => {
                self.pre_roll.keep(audio);
                if ours {
                    self.pre_roll.blank(FRAME, DOUBTED);
                }
            }
        }
    }
}
