//! What a line sounds like, as one number (ITU-T G.107, simplified as is usual for monitoring).

/// The rating of a perfect narrow-band line.
const PERFECT: f32 = 93.2;
/// How well G.711 with concealment stands up to loss (ITU-T G.113 Appendix I).
const ROBUSTNESS: f32 = 25.1;

/// The mean opinion score, 1 to 4.5, of a G.711 line with so much loss (0 to 1) and mouth-to-ear delay.
#[must_use]
pub fn mean_opinion_score(loss: f32, delay_ms: f32) -> f32 {
    let lost_percent = (loss * 100.0).clamp(0.0, 100.0);
    let delay_ms = delay_ms.clamp(0.0, 2_000.0);
    let by_delay = 0.024 * delay_ms + 0.11 * (delay_ms - 177.3).max(0.0);
    let by_loss = 95.0 * lost_percent / (lost_percent + ROBUSTNESS);
    let rating = (PERFECT - by_delay - by_loss).clamp(0.0, 100.0);
    (1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::mean_opinion_score;

    #[test]
    fn a_good_line_is_good_and_a_bad_one_bad() {
        assert!((4.3..4.45).contains(&mean_opinion_score(0.0, 60.0)));
        assert!((3.9..4.3).contains(&mean_opinion_score(0.02, 60.0)));
        assert!((2.8..3.7).contains(&mean_opinion_score(0.10, 100.0)));
        assert!(mean_opinion_score(0.5, 800.0) < 1.5);
    }

    #[test]
    fn more_loss_and_more_delay_are_never_better() {
        let mut last = 5.0;
        for percent in 0..100u8 {
            let score = mean_opinion_score(f32::from(percent) / 100.0, 80.0);
            assert!(score <= last + 1e-4 && score >= 1.0);
            last = score;
        }
    }
}
