//! eSpeak NG as a voice.

use super::utterance;
use crate::Error;
use crate::audio::Clip;
use crate::engine::TextToSpeech;
use crate::offline::ffi::EspeakNg;
use crate::synthesis::{Pool, Settings, Synthesiser, Words};

const NAME: &str = "espeak-ng";
const VOICE: &str = "en-us";
const MEND: &str = "install the Debian packages libespeak-ng1 and espeak-ng-data, or set another voice";

struct Voice {
    library: EspeakNg,
}

/// Opens eSpeak NG with the voice of `settings` (`en-us` by default). Requests can't change the voice.
///
/// # Errors
/// [`Error::Unavailable`] where the library, its data or the voice is not on this machine.
pub fn espeak_ng(settings: Settings) -> Result<impl TextToSpeech + use<>, Error> {
    let voice = if settings.voice.is_empty() { VOICE.to_owned() } else { settings.voice.clone() };
    let open = move || {
        EspeakNg::open(&voice).map(|library| Voice { library }).map_err(|why| Error::Unavailable {
            engine: NAME,
            why,
            mend: MEND.into(),
        })
    };
    // One thread: the library is one global machine.
    Pool::start(NAME, settings, vec![open()?], open)
}

impl Synthesiser for Voice {
    fn synthesise(&mut self, words: &Words) -> Result<Clip, Error> {
        utterance::clip(words, |text| self.library.speak(text))
            .map_err(|why| Error::Failed { engine: NAME, why })
    }
}

#[cfg(test)]
mod tests {
    use super::super::utterance::testing::{level, spoken};
    use super::*;

    #[test]
    fn it_speaks_at_the_rate_and_level_asked_for_with_real_word_starts() {
        let engine = espeak_ng(Settings::default()).expect("libespeak-ng1 is installed");
        let clip = spoken(&engine, "Your haircut costs $45.50, see you on Tuesday.", 8_000);
        assert!((2_000..7_000).contains(&clip.duration_ms()), "{} ms", clip.duration_ms());
        assert!((2_000.0..3_400.0).contains(&level(&clip)), "{}", level(&clip));
        let words: Vec<u32> = clip.words.iter().map(|mark| mark.word).collect();
        assert_eq!(words, (0..8).collect::<Vec<_>>());
        assert!(clip.words.is_sorted_by_key(|mark| mark.at_sample));
    }
}
