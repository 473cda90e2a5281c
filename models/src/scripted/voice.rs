//! The fake text to speech: tones instead of a voice.

use std::time::Duration;

use super::recogniser::NAME;
use super::{Control, Fault, tone_code};
use crate::Error;
use crate::audio::Clip;
use crate::engine::{SpeakRequest, Speaking, SpeechReady, TextToSpeech};
use crate::synthesis::{Pool, Settings, Synthesiser, Words};

/// Text to speech that [`super::Recogniser`] understands, with true word marks.
pub struct Voice {
    settings: Settings,
    control: Control,
    pool: Pool,
}

struct Tones;

/// Keeps the callback of an utterance that never comes.
struct Hung {
    _ready: parking_lot::Mutex<SpeechReady>,
}

impl Speaking for Hung {}

impl Synthesiser for Tones {
    fn synthesise(&mut self, words: &Words) -> Result<Clip, Error> {
        let (samples, marks) = tone_code::encode(&words.text, words.rate_hz);
        Ok(Clip { rate_hz: words.rate_hz, samples: samples.into(), words: marks.into() })
    }
}

impl Voice {
    /// Starts the voice's thread. Failures come from `control`.
    ///
    /// # Errors
    /// [`Error::Failed`] where the machine gives no thread.
    pub fn start(settings: Settings, control: Control) -> Result<Self, Error> {
        let pool = Pool::start(NAME, settings.clone(), vec![Tones], || Ok(Tones))?;
        Ok(Self { settings, control, pool })
    }
}

impl TextToSpeech for Voice {
    fn name(&self) -> &'static str {
        NAME
    }

    fn has_room(&self) -> bool {
        self.pool.has_room()
    }

    fn trouble(&self) -> Option<String> {
        self.pool.trouble()
    }

    fn speak(&self, request: SpeakRequest, ready: SpeechReady) -> Result<Box<dyn Speaking>, Error> {
        self.control.note_spoken(&request.text);
        if self.control.suffer(Fault::SpeakFull) {
            return Err(Error::Full { engine: NAME, limit: self.settings.queued_requests });
        }
        if self.control.suffer(Fault::HangSpeech) {
            return Ok(Box::new(Hung { _ready: parking_lot::Mutex::new(ready) }));
        }
        let fails = self.control.suffer(Fault::FailSpeech);
        let delay = Duration::from_millis(self.control.delays_ms().1);
        if !fails && delay.is_zero() {
            return self.pool.speak(request, ready);
        }
        self.pool.speak(request, Box::new(move |speech| later(delay, fails, speech, ready)))
    }
}

fn later(delay: Duration, fails: bool, speech: Result<crate::audio::Speech, Error>, ready: SpeechReady) {
    let answer = if fails { Err(Error::Failed { engine: NAME, why: "told to fail".into() }) } else { speech };
    if delay.is_zero() {
        return ready(answer);
    }
    // A thread per delayed utterance: only tests order delays. Without one the utterance never comes.
    let spawned = std::thread::Builder::new().name("speak-late".into()).spawn(move || {
        std::thread::sleep(delay);
        ready(answer);
    });
    drop(spawned);
}
