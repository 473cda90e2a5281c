//! Sizes that a step is padded to, so that a captured graph or a compiled kernel fits it.

/// Sizes for small steps are close together: there a row too many costs most.
const SIZES: &[usize] =
    &[1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 1_536, 2_048, 3_072, 4_096];

/// The sizes of one model's steps, smallest first; the last is its number of slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    sizes: Vec<usize>,
}

impl Buckets {
    /// The sizes for a model of `slots` slots, of which there is at least one.
    #[must_use]
    pub fn up_to(slots: usize) -> Self {
        let slots = slots.max(1);
        let mut sizes: Vec<usize> = SIZES.iter().copied().filter(|size| *size < slots).collect();
        sizes.push(slots);
        Self { sizes }
    }

    /// The smallest size that holds `rows`; none where they are more than the model has slots.
    #[must_use]
    pub fn holding(&self, rows: usize) -> Option<usize> {
        self.sizes.iter().copied().find(|size| *size >= rows)
    }

    /// The largest size below `size`, or the smallest there is.
    #[must_use]
    pub fn below(&self, size: usize) -> usize {
        let first = self.sizes.first().copied().unwrap_or(1);
        self.sizes.iter().rev().copied().find(|smaller| *smaller < size).unwrap_or(first)
    }

    /// The sizes, smallest first.
    #[must_use]
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_takes_the_smallest_size_that_holds_it() {
        let buckets = Buckets::up_to(100);
        assert_eq!(buckets.sizes(), [1, 2, 4, 8, 16, 32, 64, 96, 100]);
        for (rows, size) in [(0, Some(1)), (1, Some(1)), (3, Some(4)), (97, Some(100)), (101, None)] {
            assert_eq!(buckets.holding(rows), size, "{rows}");
        }
        assert_eq!((buckets.below(100), buckets.below(1)), (96, 1));
        assert_eq!(Buckets::up_to(0).sizes(), [1]);
    }
}
