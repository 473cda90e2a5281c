//! One decoder thread's decoders: one per business, its language models loaded as they are needed.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use super::Settings;
use super::dictionary::Dictionary;
use super::language_model::Business;
use super::telephone_band::BandFiller;
use crate::engine::{Expectation, Heard, Word};
use crate::metrics as measured;
use crate::offline::ffi::{CepstralMean, PocketSphinx, Segment};

/// The mean cepstrum of telephone speech with its band filled, where a caller's own is not known yet:
/// measured over five synthetic voices. The model's own is that of quiet wideband recordings, far from it.
pub(super) const TELEPHONE_MEAN: CepstralMean =
    [56.25, 3.85, 2.98, 14.29, 3.1, -7.62, 7.82, -11.28, -3.26, 0.6, -1.3, 6.76, -3.73];

/// A word of a partial result has no probability of its own yet; it is as likely to stay as not.
const PARTIAL_CONFIDENCE: f32 = 0.5;

/// The decoders of one thread.
pub(super) struct Decoders {
    settings: Settings,
    dictionary: Arc<Dictionary>,
    /// Most recently used last.
    loaded: Vec<Loaded>,
}

struct Loaded {
    business: Arc<Business>,
    decoder: PocketSphinx,
    models: Vec<Expectation>,
}

/// An utterance under way on the decoder that was used last.
pub(super) struct Utterance<'a> {
    decoder: &'a mut PocketSphinx,
    filler: BandFiller,
    wide: Vec<i16>,
}

impl Decoders {
    pub(super) fn new(settings: Settings, dictionary: Arc<Dictionary>) -> Self {
        Self { settings, dictionary, loaded: Vec::new() }
    }

    /// Loads the decoder of `business` with its model for `expectation`, if it isn't loaded.
    pub(super) fn prepare(
        &mut self,
        business: &Arc<Business>,
        expectation: Expectation,
    ) -> Result<&mut PocketSphinx, String> {
        let mut loaded = match self.loaded.iter().position(|loaded| Arc::ptr_eq(&loaded.business, business)) {
            Some(at) => self.loaded.remove(at),
            None => {
                let decoder = self.open(business)?;
                Loaded { business: Arc::clone(business), decoder, models: Vec::new() }
            }
        };
        let name = format!("{expectation:?}");
        if loaded.models.contains(&expectation) {
            loaded.decoder.select(&name)?;
        } else {
            let file = written(".lm", business.model(expectation))?;
            loaded.decoder.load_language_model(&name, file.path())?;
            loaded.models.push(expectation);
            measured::count_language_model(super::NAME);
        }
        while self.loaded.len() >= self.settings.businesses_per_decoder.max(1) {
            self.loaded.remove(0);
        }
        self.loaded.push(loaded);
        self.loaded.last_mut().map(|loaded| &mut loaded.decoder).ok_or_else(|| "no decoder".to_owned())
    }

    /// Begins an utterance of a caller of `business`.
    pub(super) fn start(
        &mut self,
        business: &Arc<Business>,
        expectation: Expectation,
        mean: &CepstralMean,
    ) -> Result<Utterance<'_>, String> {
        let decoder = self.prepare(business, expectation)?;
        decoder.start(mean)?;
        Ok(Utterance { decoder, filler: BandFiller::new(), wide: Vec::new() })
    }

    /// Forgets the decoder of `business`, which failed.
    pub(super) fn discard(&mut self, business: &Arc<Business>) {
        self.loaded.retain(|loaded| !Arc::ptr_eq(&loaded.business, business));
    }

    fn open(&self, business: &Business) -> Result<PocketSphinx, String> {
        let dictionary = written(".dict", business.dictionary(&self.dictionary))?;
        let folder = PathBuf::from(&self.settings.model_folder).join("en-us");
        PocketSphinx::open(&[
            ("-hmm", &folder.to_string_lossy()),
            ("-dict", &dictionary.path().to_string_lossy()),
            // Voice activity has cut out the silence already, with more care.
            ("-remove_silence", "no"),
        ])
    }
}

/// A temporary file for the library, which reads nothing else.
fn written(suffix: &str, text: &str) -> Result<tempfile::NamedTempFile, String> {
    let mut file = tempfile::Builder::new()
        .prefix("strowger-")
        .suffix(suffix)
        .tempfile()
        .map_err(|error| format!("no temporary file: {error}"))?;
    file.write_all(text.as_bytes()).map_err(|error| format!("a temporary file: {error}"))?;
    Ok(file)
}

impl Utterance<'_> {
    /// Decodes the next samples at 8 kHz.
    pub(super) fn feed(&mut self, narrow: &[i16]) -> Result<(), String> {
        self.wide.clear();
        self.filler.fill(narrow, &mut self.wide);
        self.decoder.feed(&self.wide, false)
    }

    /// The words so far.
    pub(super) fn partial(&mut self) -> Heard {
        let text = self.decoder.partial().unwrap_or_default();
        let words = text.split(' ').filter_map(plain).map(|text| Word {
            text,
            confidence: PARTIAL_CONFIDENCE,
            ..Word::default()
        });
        Heard { words: words.collect(), ..Heard::default() }
    }

    /// The words, for good, and the caller's mean cepstrum for the next turn.
    pub(super) fn finish(self) -> Result<(Heard, CepstralMean), String> {
        let segments = self.decoder.finish()?;
        let word = |Segment { word, posterior }| {
            Some(Word { text: plain(&word)?, confidence: posterior.clamp(0.0, 1.0), ..Word::default() })
        };
        let heard = Heard { words: segments.into_iter().filter_map(word).collect(), ..Heard::default() };
        Ok((heard, self.decoder.mean()?))
    }
}

/// A dictionary entry as a word: without the number of its pronunciation; none for noise and silence.
fn plain(entry: &str) -> Option<String> {
    let word = entry.split('(').next().unwrap_or(entry);
    let noise = word.is_empty() || word.starts_with(['<', '[', '+']);
    (!noise).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_no_word() {
        assert_eq!(plain("tomato(2)").as_deref(), Some("tomato"));
        for noise in ["<s>", "<sil>", "[NOISE]", "++", ""] {
            assert_eq!(plain(noise), None, "{noise}");
        }
    }

    /// A reading, narrowed to the telephone band.
    fn narrow(name: &str) -> Vec<i16> {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/speech").join(name);
        let wide: Vec<i16> = hound::WavReader::open(file)
            .expect("a reading is there")
            .into_samples()
            .collect::<Result<_, _>>()
            .expect("16-bit samples");
        crate::audio::resample(&wide, 16_000, 8_000)
    }

    /// How many of the words that were read are heard, with any English expected.
    fn found(decoder: &mut PocketSphinx, wide: &[i16], read: &str) -> usize {
        decoder.start(&TELEPHONE_MEAN).expect("starts");
        for piece in wide.chunks(1_600) {
            decoder.feed(piece, false).expect("decodes");
        }
        let heard: Vec<String> =
            decoder.finish().expect("ends").iter().filter_map(|segment| plain(&segment.word)).collect();
        eprintln!("{}", heard.join(" "));
        read.split(' ').filter(|word| heard.iter().any(|other| other == word)).count()
    }

    #[test]
    fn the_filled_band_is_understood_where_an_empty_one_is_not() {
        let folder = Settings::default().model_folder;
        let mut decoder = PocketSphinx::open(&[
            ("-hmm", &format!("{folder}/en-us")),
            ("-dict", &format!("{folder}/cmudict-en-us.dict")),
            ("-lm", &format!("{folder}/en-us.lm.bin")),
        ])
        .expect("pocketsphinx-en-us is installed");
        let (mut with, mut without) = (0, 0);
        for (file, read) in [
            ("librivox-0880.wav", "he was not an ill disposed young man"),
            ("librivox-0930.wav", "he might even have been made amiable himself"),
        ] {
            let narrow = narrow(file);
            let mut filled = Vec::new();
            BandFiller::new().fill(&narrow, &mut filled);
            with += found(&mut decoder, &filled, read);
            without += found(&mut decoder, &crate::audio::resample(&narrow, 8_000, 16_000), read);
        }
        assert!(
            with >= 9 && without * 2 <= with,
            "of 16 words, {with} with the band filled, {without} without"
        );
    }
}
