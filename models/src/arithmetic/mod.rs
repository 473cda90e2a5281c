//! What models on Candle have in common and Candle itself is slow at on a processor: linear layers for few rows, norms,
//! and loops over floats. On other devices, and in other precisions than 32 bits, these are Candle's own.

mod dense;
pub(crate) mod lanes;
mod norm;
pub(crate) mod slices;

pub(crate) use dense::{Activation, Dense};
pub(crate) use norm::Norm;

use candle_core::{DType, Device};

/// Whether these loops work on such tensors, or Candle's own do.
pub(crate) fn is_ours(device: &Device, dtype: DType) -> bool {
    #[cfg(test)]
    if elsewhere::is_asked() {
        return false;
    }
    matches!(device, Device::Cpu) && dtype == DType::F32
}

/// For tests: what is made and done in here goes the way that it goes on other devices.
#[cfg(test)]
pub(crate) mod elsewhere {
    use std::cell::Cell;

    thread_local! {
        static ASKED: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn is_asked() -> bool {
        ASKED.get()
    }

    pub(crate) fn run(test: impl FnOnce()) {
        ASKED.set(true);
        test();
        ASKED.set(false);
    }
}
