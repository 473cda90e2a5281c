//! The voice: utterances are made side by side, but played in the order in which they were asked for.

use std::collections::{BTreeMap, VecDeque};
use std::f32::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use models::Error;
use models::audio::{Clip, Speech, TELEPHONE_HZ};
use models::engine::{SpeakRequest, Speaking};

use crate::call::conversation::{Input, PlaybackEnd, Utterance, UtteranceId};
use crate::call::leg::Command;
use crate::call::settings::VoiceSettings;
use crate::call::shell::Shell;
use crate::call::understanding::tenant;
use crate::metrics::VOICE_FAILED;
use crate::types::CallTime;

/// Tones are numbered from here, so that they are no utterance of the conversation's.
const FIRST_TONE: u64 = 1 << 63;

/// What is to be said and what is being played.
#[derive(Default)]
pub(in crate::call) struct Voice {
    waiting: VecDeque<Line>,
    /// How many words each utterance has that the leg was given.
    playing: BTreeMap<UtteranceId, u32>,
    tones: u64,
}

/// One utterance on its way to the leg.
struct Line {
    utterance: Utterance,
    words: u32,
    sound: Sound,
    due: CallTime,
    attempt: u32,
}

enum Sound {
    /// The engine works on it; dropping its work cancels it.
    Making {
        _work: Option<Box<dyn Speaking>>,
    },
    Ready(Speech),
}

impl Voice {
    pub(in crate::call) fn waiting_or_playing(&self) -> usize {
        self.waiting.len() + self.playing.len()
    }

    pub(in crate::call) const fn is_tone(&self, utterance: UtteranceId) -> bool {
        utterance.0 >= FIRST_TONE
    }

    /// An utterance that the leg was given is over: how many words it had; `None` for tones and strangers.
    pub(in crate::call) fn ended(&mut self, utterance: UtteranceId) -> Option<u32> {
        self.playing.remove(&utterance).filter(|_| !self.is_tone(utterance))
    }

    /// Forgets everything, cancelling what is being made.
    pub(in crate::call) fn forget(&mut self) {
        self.waiting.clear();
    }

    pub(in crate::call) fn next_due(&self) -> Option<CallTime> {
        let making = |line: &&Line| matches!(line.sound, Sound::Making { .. });
        self.waiting.iter().filter(making).map(|line| line.due).min()
    }

    fn take(&mut self, utterance: UtteranceId) -> Option<Line> {
        let at = self.waiting.iter().position(|line| line.utterance.id == utterance)?;
        self.waiting.remove(at)
    }

    /// What can be played now: everything ready up to the first that is not.
    fn next_ready(&mut self) -> Option<(UtteranceId, Speech)> {
        if !matches!(self.waiting.front()?.sound, Sound::Ready(_)) {
            return None;
        }
        let line = self.waiting.pop_front()?;
        let Sound::Ready(speech) = line.sound else { return None };
        self.playing.insert(line.utterance.id, line.words);
        Some((line.utterance.id, speech))
    }
}

impl Shell {
    pub(in crate::call) fn say(&mut self, utterance: Utterance) {
        let now = self.case.now();
        self.turns.answered(now, utterance.id);
        let words = u32::try_from(utterance.text.split_whitespace().count()).unwrap_or(u32::MAX);
        let due = now + self.services.settings.voice.ready_ms;
        let id = utterance.id;
        self.voice.waiting.push_back(Line {
            utterance,
            words,
            sound: Sound::Making { _work: None },
            due,
            attempt: 0,
        });
        self.make(id);
    }

    /// Asks the engine for an utterance's audio, once more.
    fn make(&mut self, id: UtteranceId) {
        let Some(line) = self.voice.waiting.iter_mut().find(|line| line.utterance.id == id) else { return };
        line.attempt += 1;
        let Some(engine) = &self.services.text_to_speech else {
            return self.voice_failed(id, "no_engine");
        };
        let (inlet, attempt) = (self.inlet.clone(), line.attempt);
        let request = SpeakRequest {
            text: line.utterance.text.clone(),
            voice: self.case.business.policy.voice.clone(),
            rate_hz: TELEPHONE_HZ,
            tenant: tenant(&self.case.business),
            within: Duration::from_millis(line.due.since_ms(self.case.now())),
        };
        match engine.speak(request, Box::new(move |speech| inlet.voice(id, attempt, speech))) {
            Ok(speaking) => line.sound = Sound::Making { _work: Some(speaking) },
            Err(error) => self.voice_trouble(id, attempt, &error),
        }
    }

    pub(in crate::call) fn on_voice(&mut self, id: UtteranceId, attempt: u32, speech: Result<Speech, Error>) {
        let line =
            self.voice.waiting.iter_mut().find(|line| line.utterance.id == id && line.attempt == attempt);
        let Some(line) = line else { return };
        match speech {
            Ok(speech) => {
                line.sound = Sound::Ready(speech);
                self.play_ready();
            }
            Err(error) => self.voice_trouble(id, attempt, &error),
        }
    }

    fn voice_trouble(&mut self, id: UtteranceId, attempt: u32, error: &Error) {
        tracing::warn!(call_id = %self.case.call, attempt, %error, "utterance not spoken");
        if attempt < self.services.settings.voice.attempts_max {
            self.make(id);
        } else {
            self.voice_failed(id, "engine");
        }
    }

    fn voice_failed(&mut self, id: UtteranceId, why: &'static str) {
        if self.voice.take(id).is_some() {
            counter!(VOICE_FAILED, "why" => why).increment(1);
            self.push(Input::VoiceFailed { utterance: id });
            self.play_ready();
        }
    }

    fn play_ready(&mut self) {
        while let Some((utterance, speech)) = self.voice.next_ready() {
            self.command(Command::Play { utterance, speech });
        }
    }

    /// Says something that is no part of the conversation. Where it can't be said, it is left out.
    pub(in crate::call) fn announce(&mut self, text: String) {
        let id = UtteranceId(FIRST_TONE + self.voice.tones);
        self.voice.tones += 1;
        let due = self.case.now() + self.services.settings.voice.ready_ms;
        let (utterance, sound) = (Utterance { id, text }, Sound::Making { _work: None });
        self.voice.waiting.push_back(Line { utterance, words: 0, sound, due, attempt: 0 });
        self.make(id);
    }

    pub(in crate::call) fn play_tone(&mut self) {
        let id = UtteranceId(FIRST_TONE + self.voice.tones);
        self.voice.tones += 1;
        let sound = Sound::Ready(Speech::clip(tone(&self.services.settings.voice)));
        let utterance = Utterance { id, text: String::new() };
        let line = Line { utterance, words: 0, sound, due: self.case.now(), attempt: 0 };
        self.voice.waiting.push_back(line);
        self.play_ready();
    }

    /// What the leg has it reports on itself; for what it was never given, that is done here.
    pub(in crate::call) fn stop_speaking(&mut self) {
        self.command(Command::StopPlaying);
        for line in std::mem::take(&mut self.voice.waiting) {
            if !self.voice.is_tone(line.utterance.id) {
                let end = PlaybackEnd { complete: false, words: 0 };
                self.push(Input::PlaybackEnded { utterance: line.utterance.id, end });
            }
        }
    }

    pub(in crate::call) fn voice_due(&mut self, now: CallTime) {
        let late: Vec<UtteranceId> = self
            .voice
            .waiting
            .iter()
            .filter(|line| matches!(line.sound, Sound::Making { .. }) && line.due <= now)
            .map(|line| line.utterance.id)
            .collect();
        for id in late {
            self.voice_failed(id, "late");
        }
    }
}

/// A sine that fades in and out over 10 ms, so that it does not click.
fn tone(settings: &VoiceSettings) -> Clip {
    let rate = TELEPHONE_HZ as f32;
    let count = TELEPHONE_HZ / 1_000 * settings.tone_ms;
    let fade = rate / 100.0;
    let samples: Arc<[i16]> = (0..count)
        .map(|index| {
            let (at, left) = (index as f32, (count - index) as f32);
            let level = (at / fade).min(left / fade).min(1.0) * 8_000.0;
            (level * (TAU * settings.tone_hz as f32 * at / rate).sin()) as i16
        })
        .collect();
    Clip { rate_hz: TELEPHONE_HZ, samples, words: Arc::from([]) }
}
