//! What of quiet and noisy callers is recognised, with and without what is done about it.

use models::audio::{AudioReceiver, audio_ring};

use super::Settings;
use super::hearing::Hearing;
use super::network_tests::{Ear, READ, reading, words_in_common};
use crate::rtp::FRAME;
use crate::rtp::level;
use crate::rtp::noise_suppression::Suppression;

/// What the recogniser would be given of this.
fn given(audio: &[i16], settings: &Settings) -> Vec<i16> {
    let mut hearing = Hearing::new(settings);
    let (sender, mut receiver): (_, AudioReceiver) = audio_ring(8_000, audio.len() + 16_000);
    hearing.listen(sender);
    for frame in audio.as_chunks::<FRAME>().0.iter().chain(&[[0; FRAME]; 30]) {
        hearing.frame(frame, &mut |_| {});
    }
    let mut all = vec![0; receiver.waiting()];
    receiver.read(&mut all);
    all
}

/// White noise of a room, the same for everybody.
fn with_noise(audio: &[i16], amplitude: i32) -> Vec<i16> {
    let mut state = 12_345_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i32 % (2 * amplitude + 1) - amplitude
    };
    // A second before it, so that what adapts has.
    let quiet = [0; 8_000];
    let all = quiet.iter().chain(audio).map(|sample| i32::from(*sample));
    all.map(|sample| (sample + noise()).clamp(-32_768, 32_767) as i16).collect()
}

fn understood(ear: &mut Ear, settings: &Settings, change: &dyn Fn(Vec<i16>) -> Vec<i16>) -> usize {
    READ.iter()
        .map(|(name, text)| words_in_common(text, &ear.hear(&given(&change(reading(name)), settings))))
        .sum()
}

#[test]
fn peer_one_level_for_all_callers_is_no_worse_for_the_recogniser() {
    let (mut ear, _engine) = Ear::open();
    let off = Settings {
        level: level::Settings { hearing: false, ..level::Settings::default() },
        ..Settings::default()
    };
    for gain in [0.1_f32, 1.0, 4.0] {
        let change = |audio: Vec<i16>| -> Vec<i16> {
            audio.iter().map(|sample| (f32::from(*sample) * gain) as i16).collect()
        };
        let with = understood(&mut ear, &Settings::default(), &change);
        let without = understood(&mut ear, &off, &change);
        println!("| spoken {gain} times as loud | {without} words | levelled: {with} words |");
        assert!(with + 3 >= without, "{gain}: {with} with, {without} without");
    }
}

#[test]
fn peer_suppressed_noise_is_no_worse_for_the_recogniser() {
    let (mut ear, _engine) = Ear::open();
    let on = Settings { noise_suppression: Suppression::Hearing, ..Settings::default() };
    let mut findings = Vec::new();
    for amplitude in [200, 600] {
        let change = |audio: Vec<i16>| with_noise(&audio, amplitude);
        let with = understood(&mut ear, &on, &change);
        let without = understood(&mut ear, &Settings::default(), &change);
        println!("| noise up to {amplitude} | {without} words | suppressed: {with} words |");
        findings.push((amplitude, with, without));
    }
    let sum = |of: fn(&(i32, usize, usize)) -> usize| findings.iter().map(of).sum::<usize>();
    assert!(sum(|one| one.1) + 4 >= sum(|one| one.2), "{findings:?}");
}
