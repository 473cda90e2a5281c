//! Many streams at once against each by itself: who shares a step must change nothing.

use candle_core::Device;
use models::speech_to_text::FastConformer;
use models::speech_to_text::model::Chunk;
use models::step_loop::{Model, Precision, Row};

use crate::report::Report;
use crate::tiny::{chunks, model};

const STREAMS: usize = 24;

/// What a stream said: token, frame, probability.
type Said = Vec<(u32, u64, f32)>;

pub(crate) fn check(device: &Device, precision: Precision, report: &mut Report) {
    // Each has its own part of the sound and its own chunks, and joins later than the one before.
    let streams: Vec<Vec<Chunk>> =
        (0..STREAMS).map(|number| chunks(number * 7, 120 + number * 3, [3, 1, 0, 4][number % 4])).collect();
    let mut single = model(device, precision, 1);
    let alone: Vec<Said> = streams
        .iter()
        .map(|chunks| {
            single.reset(0);
            chunks
                .iter()
                .flat_map(|chunk| step(&mut single, vec![(0, chunk)]))
                .flat_map(|(_, said)| said)
                .collect()
        })
        .collect();
    let mut batched = model(device, precision, STREAMS);
    let mut together: Vec<Said> = vec![Vec::new(); STREAMS];
    for now in 0..200 {
        let rows: Vec<(usize, &Chunk)> = streams
            .iter()
            .enumerate()
            .filter_map(|(slot, chunks)| Some((slot, chunks.get(usize::checked_sub(now, slot)?)?)))
            .collect();
        if !rows.is_empty() {
            for (slot, said) in step(&mut batched, rows) {
                together[slot].extend(said);
            }
        }
    }
    let said: usize = alone.iter().map(Vec::len).sum();
    let differ = alone.iter().zip(&together).filter(|(one, other)| !same(one, other)).count();
    let apart = alone
        .iter()
        .flatten()
        .zip(together.iter().flatten())
        .map(|(one, other)| (one.2 - other.2).abs())
        .fold(0.0, f32::max);
    report.check(
        format!("batched = single, {precision:?}, {STREAMS} streams"),
        differ == 0 && said > STREAMS,
        format!("{differ} streams differ in {said} tokens; probabilities by at most {apart:.1e}"),
    );
}

fn same(one: &Said, other: &Said) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| (one.0, one.1) == (other.0, other.1) && (one.2 - other.2).abs() < 1e-3)
}

fn step(model: &mut FastConformer, rows: Vec<(usize, &Chunk)>) -> Vec<(usize, Said)> {
    let slots: Vec<usize> = rows.iter().map(|(slot, _)| *slot).collect();
    let rows = rows.into_iter().map(|(slot, chunk)| Row { slot, input: chunk.clone() }).collect();
    let decoded = model.step(rows).expect("steps");
    let said = decoded.into_iter().map(|decoded| {
        decoded.tokens.iter().map(|token| (token.number, token.frame, token.probability)).collect()
    });
    slots.into_iter().zip(said).collect()
}
