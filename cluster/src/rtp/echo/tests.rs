//! Lines that return our voice, with a caller who speaks or doesn't: real speech by way of G.711, seeded.

use models::audio::resample;
use models::voice_activity::{self, Activity, VoiceActivity};

use super::*;
use crate::rtp::FRAME;
use models::audio::g711::Law;

/// A LibriVox reading (public domain) in the telephone band, at −23 dB below full scale or so.
fn reading(name: &str) -> Vec<i16> {
    let path = format!("{}/../models/tests/speech/librivox-{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let wide: Vec<i16> = hound::WavReader::open(path).unwrap().samples().map(Result::unwrap).collect();
    at_level(&resample(&wide, 16_000, 8_000), -23.0)
}

fn at_level(samples: &[i16], dbfs: f32) -> Vec<i16> {
    let loud: Vec<f32> =
        samples.iter().map(|sample| f32::from(*sample)).filter(|one| one.abs() > 200.0).collect();
    let mean = loud.iter().map(|one| one * one).sum::<f32>() / loud.len() as f32;
    let gain = 32_768.0 * 10_f32.powf(dbfs / 20.0) / mean.sqrt();
    samples.iter().map(|sample| (f32::from(*sample) * gain) as i16).collect()
}

/// What we say: 11 seconds, pauses of a third of a second between sentences.
fn ours() -> Vec<i16> {
    let pause = vec![0; 2_640];
    [reading("0920"), pause.clone(), reading("0930"), pause].concat()
}

/// The same words by somebody with a higher voice.
fn another(name: &str) -> Vec<i16> {
    at_level(&resample(&reading(name), 9_500, 8_000), -23.0)
}

/// From where somebody who speaks is as loud as they are going to be: what is weaker than an echo can't be told from it.
fn from_loud(samples: &[i16]) -> &[i16] {
    let power = |frame: &[i16]| frame.iter().map(|one| f32::from(*one).powi(2)).sum::<f32>() / FRAME as f32;
    let loudest = samples.chunks(FRAME).map(power).fold(0.0, f32::max);
    let first = samples.chunks(FRAME).position(|frame| power(frame) > loudest / 30.0).unwrap();
    &samples[first * FRAME..]
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// From −1 to 1.
    fn even(&mut self) -> f32 {
        self.below(2_000_001) as f32 / 1_000_000.0 - 1.0
    }
}

/// A line and who is at its end.
#[derive(Debug, Clone)]
struct Line {
    seed: u64,
    delay_ms: usize,
    loss_db: f32,
    law: Option<Law>,
    /// The echo of a loudspeaker has a room's tail of some 100 ms, a hybrid's has none.
    room: bool,
    noise: f32,
    /// So much later the echo comes from then on: at sample, by samples.
    moves: Vec<(usize, isize)>,
    /// What is said at the far end, from this sample on.
    caller: Vec<(usize, Vec<i16>)>,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            seed: 1,
            delay_ms: 120,
            loss_db: 12.0,
            law: Some(Law::Mu),
            room: false,
            noise: 10.0,
            moves: Vec::new(),
            caller: Vec::new(),
        }
    }
}

fn coded(sample: f32, law: Option<Law>) -> f32 {
    let sample = sample.clamp(-32_768.0, 32_767.0) as i16;
    let Some(law) = law else { return f32::from(sample) };
    let mut byte = [0];
    law.encode_into(&[sample], &mut byte);
    f32::from(law.decode(byte[0]))
}

impl Line {
    /// What comes while `ours` is sent.
    fn returns(&self, ours: &[i16]) -> Vec<i16> {
        let mut dice = Dice(self.seed);
        // A hybrid's response takes a few milliseconds, a room's falls by 60 dB within 300.
        let taps: Vec<(usize, f32)> = (0..if self.room { 60 } else { 8 })
            .map(|tap| {
                let at = if self.room { tap * 14 } else { tap * 3 };
                (at, if tap == 0 { 1.0 } else { 0.6 * dice.even() * 0.001_f32.powf(at as f32 / 2_400.0) })
            })
            .collect();
        let whole: f32 = taps.iter().map(|(_, gain)| gain * gain).sum::<f32>().sqrt();
        let gain = 10_f32.powf(-self.loss_db / 20.0) / whole;
        let sent: Vec<f32> = ours.iter().map(|sample| coded(f32::from(*sample), self.law)).collect();
        let mut delay = (self.delay_ms * 8).cast_signed();
        (0..ours.len())
            .map(|at| {
                for (when, by) in &self.moves {
                    delay += if *when == at { *by } else { 0 };
                }
                let echo: f32 = taps
                    .iter()
                    .filter_map(|(tap, share)| {
                        let from = at.cast_signed() - delay - tap.cast_signed();
                        Some(sent.get(usize::try_from(from).ok()?)? * share)
                    })
                    .sum();
                let said: f32 = self
                    .caller
                    .iter()
                    .filter_map(|(from, said)| said.get(at.checked_sub(*from)?))
                    .map(|sample| f32::from(*sample))
                    .sum();
                coded(echo * gain + said + self.noise * 1.7 * dice.even(), self.law) as i16
            })
            .collect()
    }
}

/// When somebody was taken to speak, in milliseconds, and until when.
fn spoken(ours: &[i16], theirs: &[i16], settings: &Settings) -> (Vec<(usize, usize)>, Echo) {
    let mut echo = Echo::new(settings);
    let mut activity = VoiceActivity::new(&voice_activity::Settings::default());
    let mut spoken: Vec<(usize, usize)> = Vec::new();
    for (number, (sent, comes)) in
        ours.as_chunks::<FRAME>().0.iter().zip(theirs.as_chunks::<FRAME>().0).enumerate()
    {
        let change = match echo.comes(comes) {
            Whose::Caller => activity.process(comes),
            Whose::Ours => activity.pass_over(comes),
        };
        match change {
            Some(Activity::SpeechStarted) => spoken.push((number * 20, ours.len() / 8)),
            Some(Activity::SpeechStopped) => spoken.last_mut().unwrap().1 = number * 20,
            None => {}
        }
        echo.sent(sent);
    }
    (spoken, echo)
}

const OFF: Settings = Settings { held_back: false, loss_db_min: 6.0, margin_db: 6.0 };

/// So many lines, drawn at random.
const LINES: u64 = 40;

#[test]
fn an_echo_is_nobodys_voice_at_any_delay_and_loss() {
    let ours = ours();
    let (mut wrong, mut unguarded) = (Vec::new(), 0);
    for seed in 0..LINES {
        let mut dice = Dice(seed);
        let line = Line {
            seed,
            delay_ms: [20, 35, 60, 125, 250, 400, 600][dice.below(7) as usize],
            loss_db: [6.0, 9.0, 12.0, 18.0, 25.0, 40.0][dice.below(6) as usize],
            law: [Some(Law::Mu), Some(Law::A), None][dice.below(3) as usize],
            room: dice.below(2) == 0,
            ..Line::default()
        };
        let theirs = line.returns(&ours);
        let (heard, echo) = spoken(&ours, &theirs, &Settings::default());
        unguarded += spoken(&ours, &theirs, &OFF).0.len();
        if !heard.is_empty() {
            wrong.push(format!("{heard:?} {:?} {line:?}", echo.known()));
        }
    }
    println!("taken for a caller on {} of {LINES} lines, and {unguarded} times without", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unguarded > LINES as usize, "{unguarded}");
}

#[test]
fn a_caller_who_speaks_over_us_is_heard_as_soon_as_in_our_silence() {
    let ours = ours();
    let silence = vec![0; ours.len()];
    let voices = [from_loud(&reading("0880")).to_vec(), from_loud(&another("0930")).to_vec()];
    let mut late = Vec::new();
    for number in 0..48_usize {
        // No echo, a quiet caller without one, and echoes up to 12 dB below a caller who is as loud as we are.
        let (loss_db, caller_dbfs) = [(60.0, -23.0), (60.0, -32.0), (25.0, -23.0), (12.0, -23.0)][number % 4];
        let delay_ms = [40, 125, 300, 600][number / 4 % 4];
        let from_ms = [1_500, 3_100, 4_700, 2_300, 6_900][number / 2 % 5];
        let caller = vec![(from_ms * 8, at_level(&voices[number / 3 % 2], caller_dbfs))];
        let line = Line { seed: number as u64, delay_ms, loss_db, caller, ..Line::default() };
        let alone = spoken(&ours, &line.returns(&silence), &OFF).0;
        let heard = spoken(&ours, &line.returns(&ours), &Settings::default()).0;
        let began = heard.iter().map(|(began, _)| *began).find(|began| *began >= from_ms);
        let by = began.unwrap_or(usize::MAX / 2).cast_signed() - alone[0].0.cast_signed();
        println!(
            "caller {caller_dbfs} dB, echo {loss_db} dB below us after {delay_ms} ms: heard {by} ms later"
        );
        // One who begins in the loudest of an equal echo's sounds is heard after that sound.
        assert!(by <= if loss_db < 20.0 { 250 } else { 60 }, "{by} ms: {heard:?} {alone:?}");
        late.extend((by > 60).then_some(by));
    }
    assert!(late.len() <= 2, "{late:?} of 48");
}

#[test]
fn a_jitter_buffer_that_moves_is_followed() {
    let ours = [ours(), ours()].concat();
    let mut wrong = Vec::new();
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let moves = (1..11)
            .map(|number| {
                let by = [80, -80, 160, -160, 320][dice.below(5) as usize];
                (number * 16_000 + dice.below(8_000) as usize, by)
            })
            .collect();
        let delay_ms = 60 + dice.below(300) as usize;
        let line = Line { seed, delay_ms, loss_db: 6.0 + dice.below(15) as f32, moves, ..Line::default() };
        let (heard, _) = spoken(&ours, &line.returns(&ours), &Settings::default());
        // Nothing that would interrupt us by its length alone, and hardly anything at all.
        assert!(heard.iter().all(|(began, ended)| ended - began < 600), "{line:?} {heard:?}");
        wrong.extend((!heard.is_empty()).then(|| format!("{line:?} {heard:?}")));
    }
    assert!(wrong.len() <= 1, "{} of 12\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_line_that_becomes_louder_is_known_again_soon() {
    let ours = [ours(), ours()].concat();
    let quiet = Line { loss_db: 30.0, ..Line::default() }.returns(&ours);
    let loud = Line { loss_db: 8.0, delay_ms: 260, ..Line::default() }.returns(&ours);
    let at = 5 * 8_000;
    let theirs = [&quiet[..at], &loud[at..]].concat();
    let (heard, echo) = spoken(&ours, &theirs, &Settings::default());
    println!("{heard:?}");
    assert!(heard.len() <= 2 && heard.iter().all(|(_, ended)| *ended < 9_000), "{heard:?}");
    let (delay_ms, loss_db) = echo.known().unwrap();
    assert!(delay_ms.abs_diff(260) <= 20 && (loss_db - 8.0).abs() < 5.0, "{delay_ms} {loss_db}");
}

#[test]
fn a_caller_who_only_says_yes_over_an_echo_is_over_soon() {
    let ours = ours();
    let yes = reading("0880")[..4_000].to_vec();
    for delay_ms in [60, 200, 500] {
        let caller = vec![(24_000, yes.clone())];
        let line = Line { delay_ms, caller, ..Line::default() };
        let (heard, _) = spoken(&ours, &line.returns(&ours), &Settings::default());
        println!("{delay_ms}: {heard:?}");
        assert!(heard.len() <= 1 && heard.iter().all(|(_, ended)| *ended < 3_000 + 500 + 1_000), "{heard:?}");
    }
}

#[test]
fn what_is_known_of_a_line_is_true_and_where_there_is_no_echo_nothing_is() {
    let ours = ours();
    for (delay_ms, loss_db) in [(40, 10.0), (180, 15.0), (450, 20.0)] {
        let line = Line { delay_ms, loss_db, ..Line::default() };
        let (_, echo) = spoken(&ours, &line.returns(&ours), &Settings::default());
        let (delay, loss) = echo.known().unwrap();
        assert!(delay.abs_diff(delay_ms) <= 20 && (loss - loss_db).abs() < 5.0, "{delay} {loss}");
        assert!(echo.held_back_ms() > 2_000, "{}", echo.held_back_ms());
    }
    let caller = vec![(8_000, reading("0930")), (50_000, another("0920"))];
    let line = Line { loss_db: 80.0, caller, ..Line::default() };
    let (_, echo) = spoken(&ours, &line.returns(&ours), &Settings::default());
    assert_eq!(echo.known(), None);
}

#[test]
fn in_our_silence_nothing_is_held_back_and_nothing_is_kept() {
    let silence = vec![0; 40_000];
    let line = Line { caller: vec![(4_000, reading("0880"))], ..Line::default() };
    let (heard, echo) = spoken(&silence, &line.returns(&silence), &Settings::default());
    assert_eq!(heard, spoken(&silence, &line.returns(&silence), &OFF).0);
    assert_eq!((echo.held_back_ms(), echo.path.is_none()), (0, true));
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_fail(
        ours in proptest::collection::vec(proptest::prelude::any::<i16>(), FRAME * 8),
        theirs in proptest::collection::vec(proptest::prelude::any::<i16>(), FRAME * 8),
    ) {
        let (heard, echo) = spoken(&ours, &theirs, &Settings { margin_db: f32::NAN, ..Settings::default() });
        proptest::prop_assert!(heard.len() < 2 && echo.held_back_ms() <= 160);
    }
}
