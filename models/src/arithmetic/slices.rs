//! The floats of a tensor on the processor.

use candle_core::{CpuStorage, Layout, Result};

/// The floats of a contiguous tensor.
pub(crate) fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    within(layout).and_then(|(from, to)| all.get(from..to)).ok_or_else(gaps)
}

/// The same, to change them.
pub(crate) fn floats_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    let CpuStorage::F32(all) = storage else { candle_core::bail!("these are no 32-bit floats") };
    within(layout).and_then(|(from, to)| all.get_mut(from..to)).ok_or_else(gaps)
}

fn within(layout: &Layout) -> Option<(usize, usize)> {
    layout.contiguous_offsets()
}

fn gaps() -> candle_core::Error {
    candle_core::Error::Msg("a tensor has gaps".into())
}
