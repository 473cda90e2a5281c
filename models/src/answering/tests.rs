use std::f32::consts::TAU;

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use proptest::prelude::*;

use super::*;

const RATE_HZ: u32 = 8_000;

fn reading(name: &str) -> Vec<i16> {
    let path = format!("{}/tests/speech/librivox-{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let wide: Vec<i16> =
        bytes[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    crate::audio::resample(&wide, 16_000, RATE_HZ)
}

fn silence(ms: u32) -> Vec<i16> {
    vec![0; (RATE_HZ / 1_000 * ms) as usize]
}

fn tone(hz: f32, ms: u32, level: f32) -> Vec<i16> {
    let wave = |at: u32| (level * (TAU * hz * at as f32 / RATE_HZ as f32).sin()) as i16;
    (0..RATE_HZ / 1_000 * ms).map(wave).collect()
}

/// As it comes by telephone.
fn by_line(samples: &[i16]) -> Vec<i16> {
    samples.iter().map(|sample| decode_ulaw(encode_ulaw(*sample))).collect()
}

fn heard(pieces: &[&[i16]]) -> Vec<Answering> {
    let mut listener = Listener::new(Settings::default(), RATE_HZ);
    let all: Vec<i16> = pieces.iter().flat_map(|piece| by_line(piece)).collect();
    all.chunks(160).flat_map(|packet| listener.hear(packet)).collect()
}

#[test]
fn a_beep_of_any_mailbox_is_heard_when_it_ends() {
    for hz in [390.0, 440.0, 850.0, 1_000.0, 1_012.5, 1_400.0, 2_000.0] {
        for ms in [200, 400, 1_000] {
            for level in [600.0, 8_000.0] {
                let all = [silence(500), tone(hz, ms, level), silence(300)].concat();
                assert_eq!(heard(&[&all]), [Answering::Beep], "{hz} Hz for {ms} ms at {level}");
            }
        }
    }
}

#[test]
fn what_is_no_beep_is_none() {
    let dial = |one: f32, other: f32| -> Vec<i16> {
        tone(one, 300, 6_000.0).iter().zip(tone(other, 300, 6_000.0)).map(|(a, b)| a + b).collect()
    };
    for (what, sound) in [
        ("too short", tone(1_000.0, 80, 8_000.0)),
        ("goes on", tone(1_000.0, 4_000, 8_000.0)),
        ("too quiet", tone(1_000.0, 400, 60.0)),
        ("too low", tone(120.0, 400, 8_000.0)),
        ("a key", dial(697.0, 1_209.0)),
        ("a ringing tone", dial(400.0, 450.0)),
    ] {
        assert!(!heard(&[&silence(200), &sound, &silence(300)]).contains(&Answering::Beep), "{what}");
    }
}

#[test]
fn a_noisy_line_is_no_greeting() {
    let mut seed = 7_u32;
    let mut noise = |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 16) % 2_000) as i16 - 1_000
    };
    let all: Vec<i16> = (0..80_000).map(&mut noise).collect();
    assert_eq!(heard(&[&all]), []);
}

#[test]
fn people_who_read_aloud_do_not_beep() {
    for name in ["0880", "0920", "0930"] {
        let speech = reading(name);
        let told = heard(&[&speech, &speech, &silence(500), &speech]);
        assert!(!told.contains(&Answering::Beep), "{name}: {told:?}");
    }
}

#[test]
fn a_greeting_that_goes_on_is_a_mailbox_s_and_its_beep_follows() {
    // "Had he married a more amiable woman he might have been made still more respectable than he was."
    let told =
        heard(&[&silence(400), &reading("0920"), &silence(600), &tone(1_000.0, 400, 8_000.0), &silence(500)]);
    assert_eq!(told, [Answering::LongGreeting, Answering::Beep]);
}

#[test]
fn a_few_words_and_a_pause_are_a_person_s_so_far() {
    let hello = &reading("0880")[..(RATE_HZ as usize)];
    let told = heard(&[&silence(800), hello, &silence(3_000)]);
    assert_eq!(told, [Answering::ShortGreeting]);
    // One who is asked something and goes on later is none the less one.
    let told = heard(&[hello, &silence(2_000), hello, &silence(2_000)]);
    assert_eq!(told, [Answering::ShortGreeting]);
    assert_eq!(heard(&[&silence(30_000)]), []);
}

proptest! {
    /// However the sound is cut into packets, the same is heard.
    #[test]
    fn packets_of_any_length_say_the_same(lengths in proptest::collection::vec(1..700_usize, 1..20)) {
        let all = by_line(&[reading("0880"), silence(1_200), tone(880.0, 400, 5_000.0), silence(400)].concat());
        let mut whole = Listener::new(Settings::default(), RATE_HZ);
        let expected = whole.hear(&all);
        let (mut listener, mut told, mut rest, mut turn) =
            (Listener::new(Settings::default(), RATE_HZ), Vec::new(), all.as_slice(), 0);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(lengths[turn % lengths.len()].min(rest.len()));
            told.extend(listener.hear(piece));
            (rest, turn) = (after, turn + 1);
        }
        prop_assert_eq!(told, expected);
    }
}
