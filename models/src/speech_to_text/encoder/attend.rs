//! Attention on a processor: reads the rings where they lie, instead of copying them for every step.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::Ring;
use super::plan::Streams;
use crate::arithmetic::lanes::{Wide, add_scaled, dot, softmax, wide};
use crate::arithmetic::slices::floats;

/// One step of attention for the streams of a plan.
pub(super) struct Attend<'a> {
    pub(super) heads: usize,
    pub(super) left: usize,
    /// What is added to each query, in the order of the width.
    pub(super) bias: &'a Tensor,
    pub(super) streams: &'a Streams,
}

/// The same with everything that its loops need.
struct Steps<'a> {
    heads: usize,
    left: usize,
    bias: Vec<f32>,
    streams: &'a Streams,
}

/// What the loops write to over and over.
struct Scratch {
    /// (frames, head): a stream's queries of one head.
    queries: Vec<f32>,
    /// (frames, frames seen).
    scores: Vec<f32>,
    /// Where in the ring each frame seen lies.
    rows: Vec<usize>,
}

impl Attend<'_> {
    /// What is seen (batch, frames, width) by `projected` (batch, frames, query and key and value), whose keys and
    /// values are in `past` already. `by_distance`: (heads, batch times frames, distances).
    pub(super) fn seen(&self, projected: &Tensor, past: &Ring, by_distance: &Tensor) -> Result<Tensor> {
        let bias = self.bias.flatten_all()?.to_vec1()?;
        let steps = Steps { heads: self.heads, left: self.left, bias, streams: self.streams };
        projected.apply_op3_no_bwd(past.frames(), by_distance, &steps)
    }
}

impl CustomOp3 for Steps<'_> {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(
        &self,
        projected: &CpuStorage,
        projected_at: &Layout,
        past: &CpuStorage,
        past_at: &Layout,
        by_distance: &CpuStorage,
        by_distance_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, frames, whole) = projected_at.shape().dims3()?;
        let (_, _, distances) = by_distance_at.shape().dims3()?;
        let width = whole / 3;
        let projected = floats(projected, projected_at)?;
        let past = floats(past, past_at)?;
        let by_distance = floats(by_distance, by_distance_at)?;
        let mut seen = vec![0.0; batch * frames * width];
        let shape = Lengths { batch, frames, width, distances };
        wide(Loops { steps: self, shape, projected, past, by_distance, seen: &mut seen });
        Ok((CpuStorage::F32(seen), Shape::from((batch, frames, width))))
    }
}

/// How long everything is.
#[derive(Clone, Copy)]
struct Lengths {
    batch: usize,
    frames: usize,
    width: usize,
    distances: usize,
}

/// The loops of attention.
struct Loops<'a> {
    steps: &'a Steps<'a>,
    shape: Lengths,
    projected: &'a [f32],
    past: &'a [f32],
    by_distance: &'a [f32],
    seen: &'a mut [f32],
}

impl Wide for Loops<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { steps, shape, projected, past, by_distance, seen } = self;
        let Lengths { batch, frames, width, distances } = shape;
        let mut scratch = Scratch { queries: Vec::new(), scores: Vec::new(), rows: Vec::new() };
        for stream in 0..batch {
            steps.streams.rows_seen(stream, steps.left, frames, &mut scratch.rows);
            let projected = &projected[stream * frames * 3 * width..(stream + 1) * frames * 3 * width];
            let seen = &mut seen[stream * frames * width..(stream + 1) * frames * width];
            for head in 0..steps.heads {
                let from = (head * batch + stream) * frames * distances;
                let by_distance = &by_distance[from..from + frames * distances];
                one_head(steps, (head, shape), projected, past, by_distance, &mut scratch, seen);
            }
        }
    }
}

/// One head of one stream.
#[inline(always)]
fn one_head(
    steps: &Steps<'_>,
    (number, shape): (usize, Lengths),
    projected: &[f32],
    past: &[f32],
    by_distance: &[f32],
    scratch: &mut Scratch,
    seen: &mut [f32],
) {
    let Lengths { frames, width, distances, .. } = shape;
    let head = width / steps.heads;
    let at = number * head;
    let Scratch { queries, scores, rows } = scratch;
    let scale = 1.0 / (head as f32).sqrt();
    queries.resize(frames * head, 0.0);
    for frame in 0..frames {
        let (from, to) = (frame * 3 * width + at, frame * head);
        let (query, bias) = (&projected[from..from + head], &steps.bias[at..at + head]);
        let into = &mut queries[to..to + head];
        let mut place = 0;
        while place < head {
            into[place] = query[place] + bias[place];
            place += 1;
        }
    }
    let count = rows.len();
    // The first frame seen is that many after the first that could be.
    let hidden = steps.left + frames - count;
    scores.resize(frames * count, 0.0);
    for (place, row) in rows.iter().enumerate() {
        let from = row * 2 * width + at;
        let key = &past[from..from + head];
        for frame in 0..frames {
            scores[frame * count + place] = dot(&queries[frame * head..(frame + 1) * head], key);
        }
    }
    for frame in 0..frames {
        let from = frame * distances + frames - 1 - frame + hidden;
        let (scores, by_distance) =
            (&mut scores[frame * count..(frame + 1) * count], &by_distance[from..from + count]);
        let mut place = 0;
        while place < count {
            scores[place] = (scores[place] + by_distance[place]) * scale;
            place += 1;
        }
        softmax(scores);
    }
    for (place, row) in rows.iter().enumerate() {
        let from = (row * 2 + 1) * width + at;
        let value = &past[from..from + head];
        for frame in 0..frames {
            let sums = &mut seen[frame * width + at..frame * width + at + head];
            add_scaled(sums, value, scores[frame * count + place]);
        }
    }
}
