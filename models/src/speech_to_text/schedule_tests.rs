//! A stream's words don't depend on who shares its steps, nor on who had its slot before.

use proptest::prelude::*;

use super::FastConformer;
use super::chunks::Chunks;
use super::model::{Chunk, Decoded};
use super::parity_tests::{checkpoint, golden};
use super::tokens::Token;
use crate::step_loop::{Failure, Model, Row};

const SLOTS: usize = 4;

/// One call: where in the golden features it begins, how many it has, and the lookahead of each of its chunks.
#[derive(Debug, Clone)]
struct Call {
    first: usize,
    features: usize,
    lookaheads: Vec<usize>,
    /// Steps before it joins, after the slot is free.
    waits: usize,
    /// Hangs up after so many chunks, whatever is left.
    hangs_up_after: usize,
}

fn call() -> impl Strategy<Value = Call> {
    let lookahead = prop_oneof![Just(0usize), Just(1), Just(3), Just(4)];
    (0usize..150, 1usize..170, proptest::collection::vec(lookahead, 1..6), 0usize..4, 1usize..30).prop_map(
        |(first, features, lookaheads, waits, hangs_up_after)| Call {
            first,
            features,
            lookaheads,
            waits,
            hangs_up_after,
        },
    )
}

impl Call {
    fn chunks(&self, all: &[f32]) -> Vec<Chunk> {
        let mut chunks = Chunks::new(16);
        chunks.push(&all[self.first * 16..(self.first + self.features) * 16]);
        let mut cut = Vec::new();
        for lookahead in self.lookaheads.iter().cycle().take(self.hangs_up_after) {
            cut.extend(chunks.next(*lookahead, true));
        }
        cut
    }
}

fn same(one: &[Token], other: &[Token]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            (one.number, one.frame) == (other.number, other.frame)
                && (one.probability - other.probability).abs() < 1e-3
        })
}

fn features() -> Vec<f32> {
    golden()["features.16"].flatten_all().and_then(|flat| flat.to_vec1()).expect("features")
}

fn alone(model: &mut FastConformer, chunks: &[Chunk]) -> Vec<Token> {
    model.reset(0);
    let mut step = |input: &Chunk| model.step(vec![Row { slot: 0, input: input.clone() }]).expect("steps");
    chunks.iter().flat_map(&mut step).flat_map(|decoded: Decoded| decoded.tokens).collect()
}

/// A call under way.
#[derive(Clone)]
struct UnderWay {
    chunks: Vec<Chunk>,
    next: usize,
    said: Vec<Token>,
    waits: usize,
}

impl UnderWay {
    fn is_over(&self) -> bool {
        self.waits == 0 && self.next >= self.chunks.len()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn batched_is_single(lines in proptest::collection::vec(proptest::collection::vec(call(), 1..4), SLOTS)) {
        let all = features();
        let mut single = FastConformer::new(checkpoint(), 1).expect("a whole checkpoint");
        let mut batched = FastConformer::new(checkpoint(), SLOTS).expect("a whole checkpoint");
        let mut lines: Vec<Vec<Call>> = lines;
        let mut under_way: Vec<Option<UnderWay>> = vec![None; SLOTS];
        loop {
            let mut rows = Vec::new();
            for slot in (0..SLOTS).rev() {
                if under_way[slot].is_none() && let Some(call) = lines[slot].pop() {
                    batched.reset(slot);
                    let chunks = call.chunks(&all);
                    under_way[slot] = Some(UnderWay { chunks, next: 0, said: Vec::new(), waits: call.waits });
                }
                if let Some(call) = &mut under_way[slot] {
                    if call.waits > 0 {
                        call.waits -= 1;
                    } else if let Some(chunk) = call.chunks.get(call.next) {
                        call.next += 1;
                        rows.push(Row { slot, input: chunk.clone() });
                    }
                }
            }
            let slots: Vec<usize> = rows.iter().map(|row| row.slot).collect();
            for (slot, decoded) in slots.iter().zip(batched.step(rows).expect("steps")) {
                if let Some(call) = &mut under_way[*slot] {
                    call.said.extend(decoded.tokens);
                }
            }
            for line in &mut under_way {
                if let Some(call) = line.take_if(|call| call.is_over()) {
                    let expected = alone(&mut single, &call.chunks);
                    prop_assert!(same(&call.said, &expected), "{:?} instead of {expected:?}", call.said);
                }
            }
            if lines.iter().all(Vec::is_empty) && under_way.iter().all(Option::is_none) {
                break;
            }
        }
    }
}

#[test]
fn what_is_no_number_fails_its_own_stream_and_leaves_nothing_behind() {
    let mut model = FastConformer::new(checkpoint(), 2).expect("a whole checkpoint");
    let call = Call { first: 0, features: 97, lookaheads: vec![3], waits: 0, hangs_up_after: 30 };
    let chunks = call.chunks(&features());
    let expected = alone(&mut model, &chunks);
    model.reset(0);
    let mut bad = chunks[0].clone();
    bad.features[5] = f32::MAX;
    let rows = vec![Row { slot: 0, input: bad }, Row { slot: 1, input: chunks[0].clone() }];
    assert_eq!(model.step(rows).expect_err("no number"), Failure::NotFinite { slots: vec![0] });
    assert!(same(&alone(&mut model, &chunks), &expected), "the slot's next call hears nothing of it");
}

#[test]
fn a_rebuilt_model_meets_a_stream_in_its_middle() {
    let mut model = FastConformer::new(checkpoint(), 1).expect("a whole checkpoint");
    let all = features();
    for at in [7, 23, 39] {
        let input = Chunk { features: all[at * 16..(at + 16) * 16].to_vec(), lookahead: 1, begins: false };
        let decoded = model.step(vec![Row { slot: 0, input }]).expect("takes it");
        assert_eq!(decoded[0].frames, 2);
    }
}

#[test]
fn a_row_that_is_no_chunk_is_refused() {
    let mut model = FastConformer::new(checkpoint(), 1).expect("a whole checkpoint");
    for (slot, features, lookahead) in
        [(1, 9 * 16, 1), (0, 7 * 16, 1), (0, 9 * 16, 0), (0, 0, 0), (0, 9 * 16 + 1, 1)]
    {
        let input = Chunk { features: vec![0.0; features], lookahead, begins: true };
        assert!(matches!(model.step(vec![Row { slot, input }]), Err(Failure::Failed { .. })));
    }
}
