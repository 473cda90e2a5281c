//! The real weights against sentence-transformers, which made `tests/reference/minilm.safetensors`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use candle_core::{DType, Device};
use safetensors::SafeTensors;

use super::{Embedder, MiniLm, Settings};
use crate::Error;
use crate::batching::Tenant;
use crate::engine::{EmbedRequest, Embedding, Embeddings};

/// Sentences of the reference's script that are long, short or strange.
const ODD: usize = 33;

/// Where `ops/install test` puts the weights.
fn weights() -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/weights/all-minilm-l6-v2"));
    assert!(
        folder.join("model.safetensors").is_file(),
        "no weights in {}: run `ops/install test`",
        folder.display()
    );
    folder
}

fn golden() -> (Vec<String>, Vec<Embedding>) {
    let bytes = include_bytes!("../../tests/reference/minilm.safetensors");
    let (_, header) = SafeTensors::read_metadata(bytes).expect("a header");
    let sentences = header.metadata().as_ref().and_then(|all| all.get("sentences")).expect("sentences");
    let sentences: Vec<String> = serde_json::from_str(sentences).expect("a list");
    let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).expect("tensors");
    let vectors = tensors["vectors"].to_dtype(DType::F32).and_then(|vectors| vectors.to_vec2::<f32>());
    (sentences, vectors.expect("rows").into_iter().map(|vector| Embedding(vector.into())).collect())
}

#[test]
fn what_a_gpu_would_work_out_are_those_vectors_as_well() {
    crate::arithmetic::elsewhere::run(vectors_are_those_of_sentence_transformers_alone_and_together);
}

#[test]
fn vectors_are_those_of_sentence_transformers_alone_and_together() {
    let model = MiniLm::load(&weights(), &Settings::default()).expect("loads");
    let (sentences, golden) = golden();
    assert!(sentences.len() > 250 && sentences.len() == golden.len(), "{}", sentences.len());
    let together: Vec<Embedding> =
        sentences.chunks(32).flat_map(|some| model.embed(some).expect("embeds")).collect();
    let mut least = (1.0, "");
    for (number, ((sentence, ours), theirs)) in sentences.iter().zip(&together).zip(&golden).enumerate() {
        let likeness = ours.likeness(theirs);
        least = if likeness < least.0 { (likeness, sentence) } else { least };
        assert!((ours.likeness(ours) - 1.0).abs() < 1e-5, "length 1");
        // The odd ones are the first.
        if number >= ODD && number % 16 > 0 {
            continue;
        }
        let alone = model.embed(std::slice::from_ref(sentence)).expect("embeds");
        let off =
            alone[0].0.iter().zip(ours.0.iter()).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(off <= 1e-5, "{off}: {sentence:.60}");
    }
    assert!(least.0 >= 0.9999, "{least:?}");
    assert!(
        together[0].likeness(&together[1]) > together[0].likeness(&together[2]),
        "parking is near parking"
    );
}

fn request(texts: &[&str], tenant: u64, within: Duration) -> EmbedRequest {
    EmbedRequest { texts: texts.iter().map(|text| (*text).into()).collect(), tenant: Tenant(tenant), within }
}

#[test]
fn the_engine_answers_many_at_once_in_order_and_keeps_its_bounds() {
    let settings = Settings { waiting_max: 8, ..Settings::default() };
    let engine = Arc::new(Embedder::start(&weights(), settings).expect("starts"));
    let patience = Duration::from_secs(60);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asked =
            [["one thing", "another"], ["another", "one thing"], ["a", "one thing and another and more"]];
        let threads: Vec<_> = asked
            .into_iter()
            .enumerate()
            .map(|(tenant, texts)| {
                let engine = Arc::clone(&engine);
                scope.spawn(move || {
                    engine.embed_blocking(request(&texts, tenant as u64, patience)).expect("embeds")
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
    });
    assert!(
        answers[0][0].likeness(&answers[1][1]) > 0.9999 && answers[0][1].likeness(&answers[1][0]) > 0.9999
    );
    assert_eq!(engine.embed_blocking(request(&[], 1, patience)), Ok(Vec::new()));
    assert_eq!(
        engine.embed_blocking(request(&["text"; 9], 1, patience)),
        Err(Error::Full { engine: super::NAME, limit: 8 })
    );
    let late = engine.embed_blocking(request(&["too late"], 1, Duration::ZERO)).expect_err("late");
    assert!(late.to_string().contains("deadline"), "{late}");
    let (sender, receiver) = sync_channel(1);
    let ready = Box::new(move |answer: Result<Vec<Embedding>, Error>| {
        sender.send(answer.is_ok()).expect("the test waits")
    });
    engine.embed(request(&["the engine goes on"], 1, patience), ready).expect("room");
    assert_eq!(receiver.recv_timeout(patience), Ok(true));
}

#[test]
fn weights_that_are_missing_or_broken_are_an_error_that_says_what_to_do() {
    let empty = tempfile::tempdir().expect("a folder");
    let absent = MiniLm::load(empty.path(), &Settings::default()).err().expect("no weights");
    assert!(absent.to_string().contains("strowger weights pull all-minilm-l6-v2"), "{absent}");
    for name in ["config.json", "tokenizer.json"] {
        std::fs::copy(weights().join(name), empty.path().join(name)).expect("copies");
    }
    std::fs::write(empty.path().join("model.safetensors"), b"not tensors").expect("writes");
    let broken = MiniLm::load(empty.path(), &Settings::default()).err().expect("broken");
    assert!(matches!(&broken, Error::Failed { why, .. } if why.starts_with("model.safetensors")), "{broken}");
}
