//! Loops over floats that a compiler turns into the widest instructions of the processor at hand.
//!
//! They count instead of iterating: a library's iterator that is not inlined costs more here than its loop.

/// Floats that are worked on side by side: a register of AVX-512, two of AVX2.
const LANES: usize = 16;

/// Work whose loops are compiled once for each kind of processor. [`Self::run`] and all that it calls must be
/// `#[inline(always)]`: what is a function of its own is compiled for the oldest processor.
pub(crate) trait Wide {
    /// The loops.
    fn run(self);
}

struct Work<W>(W);

impl<W: Wide> pulp::WithSimd for Work<W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.0.run();
    }
}

/// Does `work` with the widest instructions that this processor has.
pub(crate) fn wide(work: impl Wide) {
    pulp::Arch::new().dispatch(Work(work));
}

/// The sum of the products.
#[inline(always)]
pub(crate) fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (ones, ones_left) = one.as_chunks::<LANES>();
    let (others, others_left) = other.as_chunks::<LANES>();
    let mut at = 0;
    while at < ones.len() && at < others.len() {
        let (one, other) = (&ones[at], &others[at]);
        let mut lane = 0;
        while lane < LANES {
            sums[lane] += one[lane] * other[lane];
            lane += 1;
        }
        at += 1;
    }
    let (mut left, mut at) = (0.0, 0);
    while at < ones_left.len() && at < others_left.len() {
        left += ones_left[at] * others_left[at];
        at += 1;
    }
    total(&sums) + left
}

/// Adds `values` times `factor`.
#[inline(always)]
pub(crate) fn add_scaled(sums: &mut [f32], values: &[f32], factor: f32) {
    let count = sums.len().min(values.len());
    let (sums, values) = (&mut sums[..count], &values[..count]);
    let mut at = 0;
    while at < count {
        sums[at] += values[at] * factor;
        at += 1;
    }
}

/// Adds the products.
#[inline(always)]
pub(crate) fn add_products(sums: &mut [f32], ones: &[f32], others: &[f32]) {
    let count = sums.len().min(ones.len()).min(others.len());
    let (sums, ones, others) = (&mut sums[..count], &ones[..count], &others[..count]);
    let mut at = 0;
    while at < count {
        sums[at] += ones[at] * others[at];
        at += 1;
    }
}

/// The sum of the values, lane by lane.
#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (whole, left) = values.as_chunks::<LANES>();
    let mut at = 0;
    while at < whole.len() {
        let values = &whole[at];
        let mut lane = 0;
        while lane < LANES {
            sums[lane] += values[lane];
            lane += 1;
        }
        at += 1;
    }
    let (mut rest, mut at) = (0.0, 0);
    while at < left.len() {
        rest += left[at];
        at += 1;
    }
    total(&sums) + rest
}

/// By halves, as a tree: fewer roundings than one after the other.
#[inline(always)]
fn total(sums: &[f32; LANES]) -> f32 {
    let mut sums = *sums;
    let mut half = LANES / 2;
    while half > 0 {
        let mut lane = 0;
        while lane < half {
            sums[lane] += sums[lane + half];
            lane += 1;
        }
        half /= 2;
    }
    sums[0]
}

/// Shifts and scales a row to mean 0 and variance 1, then by `weight` and `bias` (Ba et al., "Layer Normalization",
/// 2016). A row too large to be squared becomes no number, for what is left of it would be nothing of what it was.
#[inline(always)]
pub(crate) fn normalise(row: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, to: &mut [f32]) {
    let count = row.len() as f32;
    let mean = sum(row) / count;
    let width = row.len();
    let (to, weight, bias) = (&mut to[..width], &weight[..width], &bias[..width]);
    let mut at = 0;
    while at < width {
        to[at] = row[at] - mean;
        at += 1;
    }
    let variance = dot(to, to) / count;
    let scale = if variance.is_finite() { 1.0 / (variance + epsilon).sqrt() } else { f32::NAN };
    let mut at = 0;
    while at < width {
        to[at] = to[at] * scale * weight[at] + bias[at];
        at += 1;
    }
}

/// Makes shares that add up to 1 of what are logarithms of shares; a row with what is no number becomes that.
#[inline(always)]
pub(crate) fn softmax(row: &mut [f32]) {
    let count = row.len();
    let (mut most, mut at) = (f32::NEG_INFINITY, 0);
    while at < count {
        most = if row[at] > most { row[at] } else { most };
        at += 1;
    }
    at = 0;
    while at < count {
        row[at] = exp(row[at] - most);
        at += 1;
    }
    let scale = 1.0 / sum(row);
    at = 0;
    while at < count {
        row[at] *= scale;
        at += 1;
    }
}

/// Nought instead of each negative value; what is no number stays it.
#[inline(always)]
pub(crate) fn rectify(values: &mut [f32]) {
    let mut at = 0;
    while at < values.len() {
        values[at] = if values[at] < 0.0 { 0.0 } else { values[at] };
        at += 1;
    }
}

/// x / (1 + e⁻ˣ) of each value.
#[inline(always)]
pub(crate) fn silu(values: &mut [f32]) {
    let mut at = 0;
    while at < values.len() {
        values[at] /= 1.0 + exp(-values[at]);
        at += 1;
    }
}

/// `values` times 1 / (1 + e⁻ˣ) of `gates`.
#[inline(always)]
pub(crate) fn gated(values: &[f32], gates: &[f32], to: &mut [f32]) {
    let count = to.len().min(values.len()).min(gates.len());
    let (to, values, gates) = (&mut to[..count], &values[..count], &gates[..count]);
    let mut at = 0;
    while at < count {
        to[at] = values[at] / (1.0 + exp(-gates[at]));
        at += 1;
    }
}

/// x · ½(1 + erf(x / √2)) of each value (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016).
#[inline(always)]
pub(crate) fn gelu(values: &mut [f32]) {
    let mut at = 0;
    while at < values.len() {
        values[at] *= 0.5 * (1.0 + erf(values[at] * std::f32::consts::FRAC_1_SQRT_2));
        at += 1;
    }
}

/// e to the power of x, off by at most 2 units in the last place from -87 to 88 and constant beyond. The standard
/// library's is exact to half a unit and can't be worked out for many values at once. By the polynomial of S. Moshier's
/// Cephes library.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// 1.5 · 2²³: what is added to it has no room for a fraction.
    const ROUNDER: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUNDER;
    let whole = shifted - ROUNDER;
    let rest = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let series = 1.987_569_1e-4 * rest + 1.398_2e-3;
    let series = (series * rest + 8.333_452e-3) * rest + 4.166_579_6e-2;
    let series = (series * rest + 1.666_666_5e-1) * rest + 0.5;
    let power = shifted.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(127) << 23;
    (series * rest * rest + rest + 1.0) * f32::from_bits(power)
}

/// The error function, off by at most 5e-7: Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let far = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * far);
    let series = (1.061_405_4 * t - 1.453_152) * t + 1.421_413_7;
    let series = (series * t - 0.284_496_74) * t + 0.254_829_6;
    (1.0 - series * t * exp(-far * far)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_the_standard_librarys_within_their_bounds() {
        for step in -8_700..=8_800 {
            let x = step as f32 * 0.01;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) - exact).abs() <= 2.5e-7 * exact, "e^{x}");
        }
        assert!(exp(f32::NAN).is_nan() && exp(f32::NEG_INFINITY) < 1e-37);
        // erf(0.5), erf(1), erf(2) of the Handbook's table 7.1.
        for (x, exact) in [(0.0, 0.0), (0.5, 0.520_499_9), (1.0, 0.842_700_8), (2.0, 0.995_322_3)] {
            assert!((erf(x) - exact).abs() < 6e-7 && (erf(-x) + exact).abs() < 6e-7, "erf {x}");
        }
    }

    #[test]
    fn lengths_that_are_no_multiple_of_a_register_are_whole_too() {
        for length in [1, 15, 16, 17, 33, 64] {
            let values: Vec<f32> = (0..length).map(|at| at as f32 - 3.0).collect();
            let exact: f32 = values.iter().map(|value| value * value).sum();
            assert_eq!(dot(&values, &values), exact);
            let mut shares = values.clone();
            softmax(&mut shares);
            assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            let (ones, noughts) = (vec![1.0; length], vec![0.0; length]);
            let mut normal = vec![0.0; length];
            normalise(&values, &ones, &noughts, 1e-5, &mut normal);
            assert!(normal.iter().sum::<f32>().abs() < 1e-4);
        }
        let mut broken = [0.0, f32::NAN, 1.0];
        softmax(&mut broken);
        assert!(broken.iter().all(|share| share.is_nan()));
    }
}
