//! Turns with pauses, as they come by telephone.

use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use actors::call::conversation::ExpectationKind;
use models::audio::{Speech, TELEPHONE_HZ, resample};
use models::engine::{Settings, SpeakRequest, TextToSpeech, choose};

/// One turn.
pub(crate) struct Turn {
    pub(crate) samples: Vec<i16>,
    pub(crate) expect: ExpectationKind,
}

/// Silences that are put in, in milliseconds.
const GAPS_MS: [usize; 5] = [400, 700, 1_000, 1_500, 2_000];
/// Quieter than this is no sound.
const FAINT: u16 = 300;
/// Samples of a millisecond.
const MS: usize = TELEPHONE_HZ as usize / 1_000;

/// What callers of a barber say; a bar where they may pause.
const SENTENCES: [(&str, ExpectationKind); 24] = [
    ("I'd like to | book a haircut please", ExpectationKind::Open),
    ("Can I make an appointment for | tomorrow at three", ExpectationKind::Open),
    ("I'd like a haircut | on Thursday", ExpectationKind::Open),
    ("Do you have anything free on | Friday afternoon", ExpectationKind::Open),
    ("I need to cancel | my appointment on Monday", ExpectationKind::Open),
    ("What time do you | close on Saturday", ExpectationKind::Open),
    ("Could I have a beard trim | and a haircut", ExpectationKind::Open),
    ("How much is a | hot towel shave", ExpectationKind::Open),
    ("Is there | parking near the shop", ExpectationKind::Open),
    ("Can I leave a message for | the manager", ExpectationKind::Open),
    ("I'd like to move my appointment | to next Tuesday", ExpectationKind::Open),
    ("Can I speak to | somebody please", ExpectationKind::Open),
    ("Tomorrow at | half past three", ExpectationKind::DateTime),
    ("On Wednesday | at ten in the morning", ExpectationKind::DateTime),
    ("My name is | Sam Taylor", ExpectationKind::Name),
    ("It's | Anna Miller", ExpectationKind::Name),
    ("oh two oh seven | nine four six | oh one two three", ExpectationKind::Digits),
    ("oh seven seven | double oh nine | double oh one two three", ExpectationKind::Digits),
    ("My number is oh one one seven | four nine six | oh two double oh", ExpectationKind::Digits),
    ("Yes please", ExpectationKind::Confirmation),
    ("Yes", ExpectationKind::Confirmation),
    ("No | that's wrong", ExpectationKind::Confirmation),
    ("No thank you | that's all", ExpectationKind::Open),
    ("Yes | that is right", ExpectationKind::Confirmation),
];

impl Turn {
    fn of(parts: &[&[i16]], gap_ms: usize, expect: ExpectationKind) -> Self {
        let mut samples = quiet(500);
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                samples.extend(quiet(gap_ms));
            }
            samples.extend_from_slice(part);
        }
        samples.extend(quiet(3_000));
        Self { samples: samples.into_iter().map(through_g711).collect(), expect }
    }

    /// When there was the last sound before `now_ms`.
    pub(crate) fn last_sound_ms(&self, now_ms: u64) -> u64 {
        let until = self.samples.get(..now_ms as usize * MS).unwrap_or(&self.samples);
        until.iter().rposition(|sample| sample.unsigned_abs() > FAINT).map_or(0, |place| (place / MS) as u64)
    }
}

/// Readings by people, cut at quiet places; the bundled ones where none are named.
pub(crate) fn read(files: &[PathBuf]) -> Vec<Turn> {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/speech");
    let bundled = ["0880", "0920", "0930"].map(|name| bundled.join(format!("librivox-{name}.wav")));
    let files = if files.is_empty() { &bundled[..] } else { files };
    let mut turns = Vec::new();
    for file in files {
        let reading = reading(file);
        for cut in quiet_places(&reading) {
            let (before, after) = reading.split_at(cut);
            turns.extend(GAPS_MS.map(|gap| Turn::of(&[before, after], gap, ExpectationKind::Open)));
        }
    }
    turns
}

/// Sentences in flite's voices, with silence between words.
pub(crate) fn spoken() -> Vec<Turn> {
    let (engines, _) = choose(&Settings::default()).expect("engines");
    let voice = engines.text_to_speech.expect("flite");
    let mut turns = Vec::new();
    for (number, (sentence, expect)) in SENTENCES.iter().enumerate() {
        let text = sentence.replace("| ", "");
        let (samples, words) = say(voice.as_ref(), ["slt", "rms", "awb"][number % 3], &text);
        let samples = trimmed(&samples);
        let mut parts = Vec::new();
        let (mut begin, mut word) = (0, 0);
        for token in sentence.split(' ') {
            if token == "|" {
                let cut = quietest(samples, words.get(word).copied().unwrap_or(samples.len()));
                parts.push(&samples[begin..cut]);
                begin = cut;
            } else {
                word += 1;
            }
        }
        parts.push(&samples[begin..]);
        turns.extend(GAPS_MS.map(|gap| Turn::of(&parts, gap, *expect)));
    }
    turns
}

/// The audio of a text and where its words begin.
fn say(engine: &dyn TextToSpeech, voice: &str, text: &str) -> (Vec<i16>, Vec<usize>) {
    let (sender, receiver) = sync_channel(1);
    let request = SpeakRequest { text: text.into(), voice: voice.into(), ..SpeakRequest::default() };
    let _speaking = engine.speak(request, Box::new(move |speech| drop(sender.send(speech)))).expect("room");
    let mut speech: Speech =
        receiver.recv_timeout(Duration::from_secs(20)).expect("an answer").expect("speech");
    let (mut samples, mut words) = (Vec::new(), Vec::new());
    let mut piece = [0; 80];
    loop {
        let read = speech.read(&mut piece);
        let begun = read.word.map_or(0, |word| word as usize + 1);
        words.resize(begun.max(words.len()), samples.len());
        samples.extend_from_slice(&piece[..read.samples]);
        if read.ended {
            return (samples, words);
        }
    }
}

fn reading(file: &Path) -> Vec<i16> {
    let reader = hound::WavReader::open(file).expect("a reading");
    let rate_hz = reader.spec().sample_rate;
    let samples: Vec<i16> = reader.into_samples().collect::<Result<_, _>>().expect("16-bit samples");
    trimmed(&resample(&samples, rate_hz, TELEPHONE_HZ)).to_vec()
}

/// Without the silence around it.
fn trimmed(samples: &[i16]) -> &[i16] {
    let is_loud = |sample: &i16| sample.unsigned_abs() > 2 * FAINT;
    let first = samples.iter().position(is_loud).unwrap_or(0);
    let last = samples.iter().rposition(is_loud).unwrap_or(0);
    samples.get(first..=last).unwrap_or_default()
}

fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64
}

/// The quietest places of a reading, half a second apart and from its ends: between words, mostly.
fn quiet_places(reading: &[i16]) -> Vec<usize> {
    const WINDOW: usize = 40 * MS;
    let loud = energy(reading);
    let mut places = Vec::new();
    let mut at = 500 * MS;
    while at + 500 * MS < reading.len() {
        let windows = (at..at + 500 * MS).step_by(5 * MS);
        let level = |place: &usize| energy(reading.get(*place..*place + WINDOW).unwrap_or_default());
        if let Some(best) = windows.min_by(|one, other| level(one).total_cmp(&level(other)))
            && level(&best) < loud / 40.0
            && best + 300 * MS < reading.len()
        {
            places.push(best + WINDOW / 2);
        }
        at += 700 * MS;
    }
    places
}

/// The quietest place near `at`, for word starts are estimates.
fn quietest(samples: &[i16], at: usize) -> usize {
    const WINDOW: usize = 15 * MS;
    let from = at.saturating_sub(90 * MS);
    let level = |place: &usize| energy(samples.get(*place..*place + WINDOW).unwrap_or_default());
    let until = (at + 60 * MS).min(samples.len().saturating_sub(WINDOW));
    let best = (from..until).step_by(2 * MS).min_by(|one, other| level(one).total_cmp(&level(other)));
    best.map_or(at.min(samples.len()), |place| place + WINDOW / 2)
}

/// A line without a voice: some noise, with a period that divides every length of it, so that what is heard on both
/// sides of a gap does not depend on its length and is worked out once.
fn quiet(ms: usize) -> Vec<i16> {
    (0..ms * MS).map(|at| ((at * 7_919) % 16) as i16 - 8).collect()
}

fn through_g711(sample: i16) -> i16 {
    audio_codec_algorithms::decode_ulaw(audio_codec_algorithms::encode_ulaw(sample))
}
