//! Flite as a voice.

use super::utterance;
use crate::Error;
use crate::audio::Clip;
use crate::engine::TextToSpeech;
use crate::offline::ffi::Flite;
use crate::synthesis::{Pool, Settings, Synthesiser, Words};

const NAME: &str = "flite";
const VOICE: &str = "slt";
/// The voices that Debian packages with the library.
const VOICES: [&str; 4] = ["slt", "rms", "awb", "kal"];
const MEND: &str = "install the Debian package libflite1";

struct Voices {
    default: String,
    open: Vec<(String, Flite)>,
}

/// Opens flite: voices `slt` (the default), `rms`, `awb` and `kal`, American and Scottish English.
///
/// # Errors
/// [`Error::Unavailable`] where the library or the voice of `settings` is not on this machine.
pub fn flite(settings: Settings) -> Result<impl TextToSpeech + use<>, Error> {
    let default = if settings.voice.is_empty() { VOICE.to_owned() } else { settings.voice.clone() };
    if !VOICES.contains(&default.as_str()) {
        return Err(Error::Unavailable {
            engine: NAME,
            why: format!("it has no voice {default:?}"),
            mend: format!("set the voice to one of {}", VOICES.join(", ")),
        });
    }
    let open = move || {
        let library = Flite::open(&default).map_err(|why| Error::Unavailable {
            engine: NAME,
            why,
            mend: MEND.into(),
        })?;
        Ok(Voices { open: vec![(default.clone(), library)], default: default.clone() })
    };
    // One thread: the library counts references without atomics, so two could not be inside it at once.
    Pool::start(NAME, settings, vec![open()?], open)
}

impl Synthesiser for Voices {
    fn synthesise(&mut self, words: &Words) -> Result<Clip, Error> {
        let failed = |why| Error::Failed { engine: NAME, why };
        // A tenant's voice that this engine does not have is no reason to be silent.
        let known = VOICES.iter().find(|name| **name == words.voice);
        let name = known.map_or(self.default.clone(), |name| (*name).to_owned());
        let at = match self.open.iter().position(|(open, _)| *open == name) {
            Some(at) => at,
            None => {
                self.open.push((name.clone(), Flite::open(&name).map_err(failed)?));
                self.open.len() - 1
            }
        };
        let Some((_, voice)) = self.open.get(at) else { return Err(failed("its voice is not open".into())) };
        utterance::clip(words, |text| voice.speak(text)).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::utterance::testing::{level, spoken};
    use super::*;
    use crate::engine::SpeakRequest;

    #[test]
    fn it_speaks_at_the_rate_and_level_asked_for_with_real_word_starts() {
        let engine = flite(Settings::default()).expect("libflite1 is installed");
        let text = "Your haircut is on Tuesday, at 3:30 PM. Is that right?";
        let clip = spoken(&engine, text, 8_000);
        assert!((2_500..6_500).contains(&clip.duration_ms()), "{} ms", clip.duration_ms());
        assert!((2_600.0..3_400.0).contains(&level(&clip)), "{}", level(&clip));
        let words: Vec<u32> = clip.words.iter().map(|mark| mark.word).collect();
        assert_eq!(words, (0..11).collect::<Vec<_>>());
        assert!(clip.words.is_sorted_by_key(|mark| mark.at_sample));
        // The sentence's pause is before "Is", which an estimate by letters could not know.
        let estimated = Clip::with_estimated_words(8_000, clip.samples.clone(), text);
        assert_ne!(clip.words, estimated.words);
        let pause = clip.words[8].at_sample as usize - 1_000..clip.words[8].at_sample as usize - 200;
        let quiet = clip.samples[pause].iter().filter(|sample| sample.unsigned_abs() < 400).count();
        assert!(quiet > 400, "{quiet} of 800 samples are quiet");
    }

    #[test]
    fn an_unknown_voice_is_said_at_the_start_and_not_in_a_call() {
        let settings = Settings { voice: "nobody".into(), ..Settings::default() };
        assert!(matches!(flite(settings).err(), Some(Error::Unavailable { .. })));
        let engine = flite(Settings::default()).expect("libflite1 is installed");
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let request =
            SpeakRequest { text: "Hello".into(), voice: "nobody".into(), ..SpeakRequest::default() };
        let _speaking = engine.speak(
            request,
            Box::new(move |speech| {
                let _ = sender.send(speech.is_ok());
            }),
        );
        assert_eq!(receiver.recv_timeout(std::time::Duration::from_secs(10)), Ok(true));
    }
}
