use super::*;

/// A LibriVox reading (public domain) in the telephone band.
fn speech() -> Vec<i16> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/speech/librivox-0880-8khz.wav");
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

/// White noise of about this many units of root mean square.
fn noise(rms: f32, count: usize, mut seed: u32) -> Vec<i16> {
    let mut next = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..count).map(|_| ((0..4).map(|_| next()).sum::<f32>() * rms * 1.73) as i16).collect()
}

/// The changes that audio brings, in 20 ms pieces, with their places in milliseconds.
fn changes(activity: &mut VoiceActivity, audio: &[i16]) -> Vec<(usize, Activity)> {
    audio
        .chunks(160)
        .enumerate()
        .filter_map(|(index, piece)| activity.process(piece).map(|change| (index * 20, change)))
        .collect()
}

#[test]
fn a_sentence_is_one_stretch_of_speech() {
    for loudness in [1.0f32, 0.25, 0.15] {
        let mut audio = noise(12.0, 8_000, 1);
        audio.extend(speech().iter().map(|sample| (f32::from(*sample) * loudness) as i16));
        audio.extend(noise(12.0, 8_000, 2));
        let mut activity = VoiceActivity::new(&Settings::default());
        let changes = changes(&mut activity, &audio);
        println!("{loudness} {changes:?}");
        assert_eq!(changes.first().map(|(_, change)| *change), Some(Activity::SpeechStarted), "{loudness}");
        assert_eq!(changes.last().map(|(_, change)| *change), Some(Activity::SpeechStopped), "{loudness}");
        assert!(changes.len() <= 4, "{loudness}: {changes:?}");
        assert!((1_000..1_700).contains(&changes[0].0), "{loudness}: {changes:?}");
    }
}

#[test]
fn noise_and_hum_are_no_speech() {
    let hum: Vec<i16> = (0..40_000).map(|index| (3_000.0 * (index as f32 * 0.039_27).sin()) as i16).collect();
    let noises = [("faint", noise(30.0, 40_000, 3)), ("loud", noise(1_500.0, 40_000, 4)), ("hum", hum)];
    for (name, audio) in noises {
        let mut activity = VoiceActivity::new(&Settings::default());
        assert_eq!(changes(&mut activity, &audio), [], "{name}");
    }
}

#[test]
fn a_network_tone_is_not_taken_for_speech_for_long() {
    let ringing: Vec<i16> = (0..40_000)
        .map(|index| {
            let at = index as f32 * std::f32::consts::TAU / 8_000.0;
            (4_000.0 * ((at * 440.0).sin() + (at * 480.0).sin())) as i16
        })
        .collect();
    let mut activity = VoiceActivity::new(&Settings::default());
    let changes = changes(&mut activity, &ringing);
    assert!(changes.len() <= 2 && changes.iter().all(|(at, _)| *at < 1_000), "{changes:?}");
    assert!(!activity.is_speaking());
}

#[test]
fn silence_costs_no_judgement() {
    let mut activity = VoiceActivity::new(&Settings::default());
    activity.process(&noise(20.0, 80_000, 5));
    assert_eq!(activity.judged(), 0);
}

#[test]
fn speech_ends_when_the_hangover_is_over() {
    let settings = Settings { hangover_ms: 200, ..Settings::default() };
    let mut activity = VoiceActivity::new(&settings);
    let mut audio = speech();
    let spoken_ms = audio.len() / 8;
    audio.extend([0; 16_000]);
    let changes = changes(&mut activity, &audio);
    assert!(
        changes
            .last()
            .is_some_and(|(at, change)| *change == Activity::SpeechStopped && *at <= spoken_ms + 300)
    );
    assert!(!activity.is_speaking());
}

#[test]
fn somebody_elses_voice_is_no_speech_and_no_background() {
    let mut activity = VoiceActivity::new(&Settings::default());
    let said = speech();
    assert!(said.chunks(160).all(|piece| activity.pass_over(piece).is_none()));
    assert_eq!(activity.judged(), 0);
    // The caller is noticed as soon after it as after silence.
    let onset = |activity: &mut VoiceActivity| changes(activity, &said).first().map(|(at, _)| *at);
    assert_eq!(onset(&mut activity), onset(&mut VoiceActivity::new(&Settings::default())));
    // And ends although the other voice goes on.
    let mut activity = VoiceActivity::new(&Settings::default());
    changes(&mut activity, &said[..8_000]);
    assert!(activity.is_speaking());
    let ends = said.chunks(160).position(|piece| activity.pass_over(piece) == Some(Activity::SpeechStopped));
    assert!(ends.is_some_and(|frame| frame <= 17), "{ends:?}");
}
