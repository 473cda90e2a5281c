//! Tones, and how much of a sound they are.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// A steady tone at a quarter of full scale.
pub(super) fn tone(rate_hz: u32, hz: f32, seconds: u32) -> Vec<i16> {
    let step = f64::from(hz) * std::f64::consts::TAU / f64::from(rate_hz);
    #[expect(clippy::cast_possible_truncation, reason = "within 16 bits")]
    (0..rate_hz * seconds).map(|index| (8_000.0 * (f64::from(index) * step).sin()) as i16).collect()
}

/// The share of the energy that lies within 20 Hz of a frequency, in a second from 300 ms after the sound
/// begins, at 8 kHz.
pub(super) fn share(samples: &[i16], hz: f32) -> f32 {
    let loud = samples.iter().position(|sample| sample.unsigned_abs() > 2_000);
    let Some(second) = loud.and_then(|loud| samples.get(loud + 2_400..loud + 10_400)) else {
        return 0.0;
    };
    let mut bins: Vec<Complex<f32>> = second.iter().map(|sample| Complex::from(f32::from(*sample))).collect();
    FftPlanner::new().plan_fft_forward(bins.len()).process(&mut bins);
    // A second at 8 kHz: a bin per hertz.
    let half = bins.get(..4_000).unwrap_or_default();
    let energy = |bins: &mut dyn Iterator<Item = (usize, &Complex<f32>)>| -> f32 {
        bins.map(|(_, bin)| bin.norm_sqr()).sum()
    };
    let all = energy(&mut half.iter().enumerate());
    let near = energy(&mut half.iter().enumerate().filter(|(at, _)| (*at as f32 - hz).abs() < 20.0));
    near / all.max(1.0)
}

#[test]
fn a_broken_tone_is_not_taken_for_one() {
    use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};
    for hz in [440.0, 1_000.0] {
        let whole = tone(8_000, hz, 2);
        let through = |code: fn(i16) -> i16| whole.iter().map(|sample| code(*sample)).collect::<Vec<_>>();
        assert!(share(&through(|sample| decode_ulaw(encode_ulaw(sample))), hz) > 0.99);
        assert!(share(&through(|sample| decode_alaw(encode_alaw(sample))), hz) > 0.99);
        assert!(share(&whole, hz + 100.0) < 0.01);
        let broken = [
            through(|sample| decode_alaw(encode_ulaw(sample))),
            through(|sample| decode_ulaw(encode_alaw(sample))),
            through(i16::swap_bytes),
            whole.chunks(2).flat_map(|pair| pair.iter().rev().copied()).collect(),
            whole.chunks(160).step_by(2).flat_map(|packet| [packet, &[0; 160]].concat()).collect(),
        ];
        let shares = broken.map(|samples| share(&samples, hz));
        assert!(shares.iter().all(|share| *share < 0.95), "{hz} Hz: {shares:?}");
    }
}
