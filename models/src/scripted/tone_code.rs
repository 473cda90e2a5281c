//! Text as audible tones, so that words survive a telephone line without anybody having to understand them.
//!
//! One character is one symbol of 32 ms: a low tone (375 to 1,250 Hz) and a high tone (1,500 to 3,250 Hz), eight
//! of each, over a quiet hum that voice activity takes for a voice. All tones are multiples of 62.5 Hz, so a
//! window of 16 ms tells them apart exactly, and all lie inside the telephone band. Neighbouring symbols always
//! differ (a doubled letter is sent as a "repeat"), so the receiver needs no timing: a symbol is a run of equal
//! windows, and a run that a jitter buffer stretched or halved is still one run. A word is framed by its own
//! start and end symbols and carries a check sum of two symbols; a lost packet spoils one word, and it is known
//! to be spoiled.
//!
//! This is not a modem: it carries 31 characters per second, about as fast as speech, which is its point.

use std::f64::consts::TAU;

use crate::audio::WordMark;

/// Characters that have a symbol; every other one is sent as `?`.
const ALPHABET: &[u8; 56] = b"abcdefghijklmnopqrstuvwxyz0123456789'-.,:;?!@+$%&/_#*()=";
const WORD: u8 = 59;
const END: u8 = 60;
const REPEAT: u8 = 61;
const LEAD: [u8; 2] = [62, 63];
/// Symbols of the modulus that check sums are counted in.
const CHECK: u32 = ALPHABET.len() as u32;

const SYMBOL_MS: u32 = 32;
const WINDOW_MS: u32 = 16;
/// Sounded before the first word and after the last, so that voice activity is awake for all of them.
const LEAD_SYMBOLS: usize = 6;
/// −20 dBFS for the two tones together.
const AMPLITUDE: f64 = 3_277.0;
const HUM: f64 = 900.0;
const HUM_HZ: f64 = 125.0;
/// A window whose best pair of tones holds less than this part of its energy belongs to no symbol.
const PURITY_MIN: f64 = 0.6;
/// Mean square below which a window is silence.
const SILENCE: f64 = 10_000.0;
/// Windows of silence after which an unfinished word is given up.
const GIVE_UP_WINDOWS: u32 = 25;
/// Characters of a word beyond which it is given up; a word is never longer than a sentence.
const WORD_CHARACTERS_MAX: usize = 128;

fn low_hz(symbol: u8) -> f64 {
    375.0 + 125.0 * f64::from(symbol / 8)
}

fn high_hz(symbol: u8) -> f64 {
    1_500.0 + 250.0 * f64::from(symbol % 8)
}

fn value_of(character: char) -> u8 {
    let lower = character.to_ascii_lowercase();
    let find = |wanted: char| ALPHABET.iter().position(|known| char::from(*known) == wanted);
    find(lower).or_else(|| find('?')).and_then(|index| u8::try_from(index).ok()).unwrap_or(0)
}

fn check_symbols(values: &[u8]) -> [u8; 2] {
    let (mut sum, mut weighted) = (0_u32, 0_u32);
    for value in values {
        sum = (sum + u32::from(*value) + 1) % CHECK;
        weighted = (weighted + sum) % CHECK;
    }
    // Both are below 56.
    [sum as u8, weighted as u8]
}

/// The tones of `text` at `rate_hz`, and where each of its words begins. Letters lose their case.
#[must_use]
pub fn encode(text: &str, rate_hz: u32) -> (Vec<i16>, Vec<WordMark>) {
    let mut symbols: Vec<u8> = lead();
    let mut marks = Vec::new();
    let samples_per_symbol = u64::from(rate_hz) * u64::from(SYMBOL_MS) / 1_000;
    for (index, word) in text.split_whitespace().enumerate() {
        marks.push(WordMark {
            word: u32::try_from(index).unwrap_or(u32::MAX),
            at_sample: symbols.len() as u64 * samples_per_symbol,
        });
        let values: Vec<u8> = word.chars().take(WORD_CHARACTERS_MAX).map(value_of).collect();
        let check = check_symbols(&values);
        for symbol in std::iter::once(WORD).chain(values).chain([END]).chain(check) {
            let repeated = symbols.last() == Some(&symbol);
            symbols.push(if repeated { REPEAT } else { symbol });
        }
    }
    if marks.is_empty() {
        return (Vec::new(), marks);
    }
    symbols.extend(lead());
    (render(&symbols, rate_hz, samples_per_symbol), marks)
}

fn lead() -> Vec<u8> {
    LEAD.iter().copied().cycle().take(LEAD_SYMBOLS).collect()
}

fn render(symbols: &[u8], rate_hz: u32, samples_per_symbol: u64) -> Vec<i16> {
    let mut out = Vec::with_capacity(symbols.len() * samples_per_symbol as usize);
    let rate = f64::from(rate_hz);
    for symbol in symbols {
        for _ in 0..samples_per_symbol {
            let at = out.len() as f64 / rate;
            let tones = (TAU * low_hz(*symbol) * at).sin() + (TAU * high_hz(*symbol) * at).sin();
            let hum: f64 = (1..=3).map(|n| (TAU * HUM_HZ * f64::from(n) * at).sin() / f64::from(n)).sum();
            out.push((AMPLITUDE * tones + HUM * hum) as i16);
        }
    }
    out
}

/// A word that the decoder read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadWord {
    /// Its characters, as far as they were heard.
    pub text: String,
    /// Whether its check sum is right.
    pub intact: bool,
}

/// Reads tones back into words, however the audio is cut into pieces.
#[derive(Debug)]
pub struct Decoder {
    rate_hz: u32,
    /// Of the filters for the low tones and then the high ones.
    factors: [f64; 16],
    /// Samples of the window under way; the second half of each window is the first half of the next.
    window: Vec<i16>,
    run: (Option<u8>, u32),
    last: Option<u8>,
    silent_windows: u32,
    word: Option<Vec<u8>>,
    check: Option<Vec<u8>>,
    words: Vec<ReadWord>,
}

impl Decoder {
    /// A decoder of audio at `rate_hz`.
    #[must_use]
    pub fn new(rate_hz: u32) -> Self {
        let rate = f64::from(rate_hz.max(1));
        let hz = |tone: usize| if tone < 8 { low_hz(tone as u8 * 8) } else { high_hz(tone as u8) };
        Self {
            rate_hz,
            factors: std::array::from_fn(|tone| 2.0 * (TAU * hz(tone) / rate).cos()),
            window: Vec::new(),
            run: (None, 0),
            last: None,
            silent_windows: 0,
            word: None,
            check: None,
            words: Vec::new(),
        }
    }

    /// Reads `audio`, which follows what was read before.
    pub fn read(&mut self, audio: &[i16]) {
        let length = (self.rate_hz * WINDOW_MS / 1_000).max(2) as usize;
        let mut rest = audio;
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(rest.len().min(length - self.window.len()));
            self.window.extend_from_slice(head);
            rest = tail;
            if self.window.len() == length {
                let symbol = self.symbol();
                self.window.drain(..length / 2);
                self.hear(symbol);
            }
        }
    }

    /// The words read since the last [`Self::take_words`].
    #[must_use]
    pub fn words(&self) -> &[ReadWord] {
        &self.words
    }

    /// Takes the words read so far; a word under way stays.
    pub fn take_words(&mut self) -> Vec<ReadWord> {
        std::mem::take(&mut self.words)
    }

    /// Gives up the word under way: what was heard of it becomes a word that is not intact.
    pub fn flush(&mut self) {
        self.last = None;
        self.finish_word();
    }

    /// The symbol of a full window, none where it is silent or between two symbols.
    fn symbol(&self) -> Option<u8> {
        let energy: f64 = self.window.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        if energy < SILENCE * self.window.len() as f64 {
            return None;
        }
        let powers = powers(&self.window, &self.factors);
        let loudest = |of: &[f64]| {
            let each = (0_u8..).zip(of);
            each.fold((0, 0.0), |best, (index, power)| if *power > best.1 { (index, *power) } else { best })
        };
        let (lows, highs) = powers.split_at(8);
        let ((low, low_power), (high, high_power)) = (loudest(lows), loudest(highs));
        // A pure tone of energy E in a window of n samples has power E·n/2.
        let share = 2.0 * (low_power + high_power) / (energy * self.window.len() as f64);
        let balanced = low_power < 8.0 * high_power && high_power < 8.0 * low_power;
        (share >= PURITY_MIN && balanced).then_some(low * 8 + high)
    }

    fn hear(&mut self, symbol: Option<u8>) {
        self.run = if self.run.0 == symbol { (symbol, self.run.1 + 1) } else { (symbol, 1) };
        let Some(heard) = symbol else {
            self.silent_windows += 1;
            if self.silent_windows == GIVE_UP_WINDOWS {
                self.flush();
            }
            return;
        };
        self.silent_windows = 0;
        if self.run.1 == 2 && self.last != Some(heard) {
            let meant = if heard == REPEAT { self.last_meant() } else { Some(heard) };
            self.last = Some(heard);
            if let Some(meant) = meant {
                self.accept(meant);
            }
        }
    }

    fn last_meant(&self) -> Option<u8> {
        match (&self.check, &self.word) {
            (Some(check), _) => check.last().copied().or(Some(END)),
            (None, Some(word)) => word.last().copied(),
            (None, None) => None,
        }
    }

    fn accept(&mut self, symbol: u8) {
        match symbol {
            WORD => {
                self.finish_word();
                self.word = Some(Vec::new());
            }
            END if self.word.is_some() => self.check = Some(Vec::new()),
            symbol if u32::from(symbol) < CHECK => match (&mut self.check, &mut self.word) {
                (Some(check), _) => {
                    check.push(symbol);
                    if check.len() == 2 {
                        self.finish_word();
                    }
                }
                (None, Some(word)) if word.len() < WORD_CHARACTERS_MAX => word.push(symbol),
                _ => {}
            },
            _ => self.finish_word(),
        }
    }

    fn finish_word(&mut self) {
        let check = self.check.take();
        let Some(values) = self.word.take() else { return };
        if values.is_empty() && check.is_none() {
            return;
        }
        let intact = check.is_some_and(|check| check == check_symbols(&values));
        let text = values
            .iter()
            .filter_map(|value| ALPHABET.get(usize::from(*value)))
            .map(|byte| char::from(*byte))
            .collect();
        self.words.push(ReadWord { text, intact });
    }
}

/// Goertzel: the squared magnitude of `window` at the frequency of each factor. All at once, for each depends on its own
/// last two values only.
fn powers(window: &[i16], factors: &[f64; 16]) -> [f64; 16] {
    let (mut one, mut two) = ([0.0; 16], [0.0; 16]);
    for sample in window {
        let sample = f64::from(*sample);
        for ((one, two), factor) in one.iter_mut().zip(&mut two).zip(factors) {
            let this = sample + factor * *one - *two;
            (*two, *one) = (*one, this);
        }
    }
    let mut powers = [0.0; 16];
    for (((power, one), two), factor) in powers.iter_mut().zip(one).zip(two).zip(factors) {
        *power = one * one + two * two - factor * one * two;
    }
    powers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(audio: &[i16], rate_hz: u32) -> String {
        let mut decoder = Decoder::new(rate_hz);
        for piece in audio.chunks(160) {
            decoder.read(piece);
        }
        decoder.read(&[0; 8_000]);
        let words = decoder.take_words();
        assert!(words.iter().all(|word| word.intact), "{words:?}");
        words.into_iter().map(|word| word.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_sentence_reads_back_at_any_offset_and_rate() {
        let text = "i'd like a haircut tomorrow at three aaa ee 5550001222 sam.taylor@example.com $45.50";
        for (rate, offsets) in
            [(8_000, vec![0, 1, 37, 63, 64, 100, 127]), (16_000, vec![0, 77]), (22_050, vec![5])]
        {
            let (audio, marks) = encode(text, rate);
            assert_eq!(marks.len(), 12);
            for offset in offsets {
                let mut shifted = vec![0; offset];
                shifted.extend(&audio);
                assert_eq!(read_back(&shifted, rate), text, "rate {rate}, offset {offset}");
            }
        }
    }

    #[test]
    fn what_has_no_symbol_becomes_a_question_mark() {
        assert_eq!(read_back(&encode("Café OK", 8_000).0, 8_000), "caf? ok");
        assert!(encode("  ", 8_000).0.is_empty());
    }

    #[test]
    fn quiet_noise_and_quantisation_do_no_harm() {
        let text = "half past two on the twenty second";
        let (audio, _) = encode(text, 8_000);
        let mut seed = 7_u32;
        let spoiled: Vec<i16> = audio
            .iter()
            .map(|sample| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (seed >> 16) as i16 % 400;
                // As coarse as G.711 is at this level.
                ((sample / 2 + noise) / 64) * 64
            })
            .collect();
        assert_eq!(read_back(&spoiled, 8_000), text);
    }

    #[test]
    fn a_stretched_line_still_reads_and_a_torn_word_is_known_to_be_torn() {
        let (audio, marks) = encode("one two three", 8_000);
        let second = marks.get(1).map(|mark| mark.at_sample as usize).expect("three marks");
        let mut stretched = audio.clone();
        stretched.splice(second + 300..second + 300, audio[second + 140..second + 300].to_vec());
        assert_eq!(read_back(&stretched, 8_000), "one two three");

        let mut torn = audio;
        torn[second + 256..second + 256 * 3].fill(0);
        let mut decoder = Decoder::new(8_000);
        decoder.read(&torn);
        let words = decoder.take_words();
        let intact: Vec<&str> =
            words.iter().filter(|word| word.intact).map(|word| word.text.as_str()).collect();
        assert_eq!(intact, ["one", "three"]);
        assert!(words.iter().any(|word| !word.intact));
    }

    #[test]
    fn speech_and_silence_hold_no_words() {
        let mut decoder = Decoder::new(8_000);
        decoder.read(&[0; 16_000]);
        let mut seed = 9_u32;
        let noise: Vec<i16> = (0..16_000)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 18) as i16 - 8_192
            })
            .collect();
        decoder.read(&noise);
        assert!(decoder.take_words().is_empty());
    }

    #[test]
    fn voice_activity_takes_it_for_a_voice() {
        for text in ["yes", "i'd like a haircut tomorrow at three"] {
            let (audio, _) = encode(text, 16_000);
            let mut detector = earshot::Detector::default();
            let silence = [0_i16; 256];
            for _ in 0..30 {
                detector.predict_i16(&silence);
            }
            let scores: Vec<f32> =
                audio.as_chunks::<256>().0.iter().map(|frame| detector.predict_i16(frame)).collect();
            eprintln!("{text}: {scores:.2?}");
            let voiced = scores.iter().filter(|score| **score >= 0.5).count();
            assert!(voiced * 10 >= scores.len() * 8, "{voiced} of {}", scores.len());
        }
    }
}
