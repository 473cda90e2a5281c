//! The last frames of every stream, in one tensor.

use std::cell::RefCell;

use candle_core::{CpuStorage, DType, Device, InplaceOp2, Layout, Result, Tensor};

use crate::arithmetic::is_ours;
use crate::arithmetic::slices::floats_mut;

/// For each of `slots` streams the last `length` frames of some `width`, at their number modulo the length.
pub(in crate::speech_to_text) struct Ring {
    frames: Tensor,
    length: usize,
    width: usize,
}

/// Rows of rings, to be read or written.
pub(in crate::speech_to_text) struct Places {
    numbers: Vec<u32>,
    places: Tensor,
    /// The same, repeated over each width that was written, as a GPU wants them.
    expanded: RefCell<Vec<Tensor>>,
}

impl Places {
    pub(in crate::speech_to_text) fn new(numbers: Vec<u32>, device: &Device) -> Result<Self> {
        let places = Tensor::from_slice(&numbers, numbers.len(), device)?;
        Ok(Self { numbers, places, expanded: RefCell::default() })
    }

    /// The rows of `slots` in rings of one row each.
    pub(in crate::speech_to_text) fn of(slots: impl Iterator<Item = usize>, device: &Device) -> Result<Self> {
        Self::new(slots.map(|slot| slot as u32).collect(), device)
    }

    fn expanded(&self, width: usize) -> Result<Tensor> {
        let mut expanded = self.expanded.borrow_mut();
        if let Some(known) = expanded.iter().find(|known| known.dims().last() == Some(&width)) {
            return Ok(known.clone());
        }
        let count = self.numbers.len();
        let made = self.places.reshape((count, 1))?.broadcast_as((count, width))?.contiguous()?;
        expanded.push(made.clone());
        Ok(made)
    }
}

impl Ring {
    pub(in crate::speech_to_text) fn new(
        slots: usize,
        length: usize,
        width: usize,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let frames = Tensor::zeros((slots * length, width), dtype, device)?;
        Ok(Self { frames, length, width })
    }

    /// All rows: (slots times length, width).
    pub(super) fn frames(&self) -> &Tensor {
        &self.frames
    }

    /// The frames at `places`, `each` of them for a stream: (streams, each, width).
    pub(in crate::speech_to_text) fn gather(&self, places: &Places, each: usize) -> Result<Tensor> {
        self.frames.index_select(&places.places, 0)?.reshape(((), each, self.width))
    }

    /// Puts `new` (streams, frames, width) at `places`.
    pub(in crate::speech_to_text) fn put(&self, places: &Places, new: &Tensor) -> Result<()> {
        if is_ours(self.frames.device(), self.frames.dtype()) {
            return self.frames.inplace_op2(new, &PutRows { places: &places.numbers, width: self.width });
        }
        let new = new.contiguous()?.reshape(((), self.width))?;
        self.frames.scatter_set(&places.expanded(self.width)?, &new, 0)
    }

    /// Puts noughts into all of a stream's frames, so that no value of theirs can reach anybody.
    pub(in crate::speech_to_text) fn clear(&self, slot: usize) -> Result<()> {
        let noughts = Tensor::zeros((self.length, self.width), self.frames.dtype(), self.frames.device())?;
        self.frames.slice_set(&noughts, 0, slot * self.length)
    }
}

/// Copies rows to their places. The rows may be parts of longer ones.
struct PutRows<'a> {
    places: &'a [u32],
    width: usize,
}

impl InplaceOp2 for PutRows<'_> {
    fn name(&self) -> &'static str {
        "put-rows"
    }

    fn cpu_fwd(&self, ring: &mut CpuStorage, at: &Layout, new: &CpuStorage, lies: &Layout) -> Result<()> {
        let ring = floats_mut(ring, at)?;
        let new = new.as_slice::<f32>()?.get(lies.start_offset()..).unwrap_or_default();
        let stride = evenly(lies, self.width)?;
        for (row, place) in self.places.iter().enumerate() {
            let (from, to) = (row * stride, *place as usize * self.width);
            match (new.get(from..from + self.width), ring.get_mut(to..to + self.width)) {
                (Some(from), Some(to)) => to.copy_from_slice(from),
                _ => candle_core::bail!("a ring has no row {place}"),
            }
        }
        Ok(())
    }
}

/// How far apart rows of `width` lie, which must be the same from each to the next.
fn evenly(layout: &Layout, width: usize) -> Result<usize> {
    let (dims, strides) = (layout.dims(), layout.stride());
    let rows = dims.len().saturating_sub(2);
    let stride = strides.get(rows).copied().unwrap_or(width);
    let mut whole = stride;
    let mut even = dims.last() == Some(&width) && strides.last() == Some(&1);
    for (dim, above) in dims.get(..=rows).unwrap_or_default().iter().zip(strides).rev() {
        even &= *dim == 1 || *above == whole;
        whole *= dim;
    }
    if even { Ok(stride) } else { candle_core::bail!("rows lie unevenly: {dims:?} by {strides:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_rows_are_put_as_a_gpu_puts_them() {
        let device = Device::Cpu;
        let new = Tensor::arange(0f32, 36.0, &device).and_then(|all| all.reshape((2, 3, 6))).expect("made");
        let part = new.narrow(2, 2, 3).expect("a part").narrow(1, 1, 2).expect("the last two");
        let places = Places::new(vec![5, 0, 2, 7], &device).expect("places");
        let ring = Ring::new(2, 4, 3, DType::F32, &device).expect("a ring");
        let other = Ring::new(2, 4, 3, DType::F32, &device).expect("a ring");
        let rows = part.contiguous().and_then(|part| part.reshape(((), 3))).expect("rows");
        other.frames.scatter_set(&places.expanded(3).expect("places"), &rows, 0).expect("put");
        // Rows of one stream follow each other evenly; those of two do not where frames were left out.
        assert!(ring.put(&places, &part).is_err());
        ring.put(&places, &part.contiguous().expect("rows")).expect("put");
        assert_eq!(
            ring.frames.to_vec2::<f32>().expect("floats"),
            other.frames.to_vec2::<f32>().expect("floats")
        );
        let whole = new.narrow(2, 2, 3).expect("a part");
        let places = Places::new((0..6).collect(), &device).expect("places");
        ring.put(&places, &whole).expect("even rows of longer ones");
        assert_eq!(
            ring.gather(&places, 3).expect("rows").to_vec3::<f32>().expect("floats")[1][2],
            [32.0, 33.0, 34.0]
        );
    }
}
