//! How strong samples are.

/// The sum of the samples' squares: exact, and in steps that a processor does for many samples at once, which it does not
/// for products of 64 bits.
#[must_use]
pub fn sum_of_squares(samples: &[i16]) -> u64 {
    samples.iter().map(|sample| u64::from((i32::from(*sample) * i32::from(*sample)).unsigned_abs())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_samples_have_their_squares() {
        assert_eq!(sum_of_squares(&[]), 0);
        assert_eq!(sum_of_squares(&[i16::MIN, i16::MAX, -1, 0]), (1 << 30) + 32_767 * 32_767 + 1);
    }
}
