//! Sentences embedded per second:
//! `cargo run --release -p models --features candle --example embeddings [FOLDER [SECONDS]]`, by as many threads as
//! `RAYON_NUM_THREADS` says. Beside it `models/tests/reference/minilm.py FOLDER --bench THREADS` measures PyTorch on the
//! same sentences.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench measures and prints"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use models::embeddings::{MiniLm, Settings};

/// The first sentences of the reference.
const SENTENCES: [&str; 4] = [
    "Do you have anywhere to leave my car?",
    "is there parking",
    "I'd like to book a haircut for Tuesday at half past three, please.",
    "what time do you shut on saturdays",
];

fn main() {
    let folder =
        std::env::args().nth(1).map_or_else(|| "target/weights/all-minilm-l6-v2".into(), PathBuf::from);
    let model = MiniLm::load(&folder, &Settings::default()).expect("weights");
    let seconds = std::env::args().nth(2).and_then(|word| word.parse().ok()).unwrap_or(5.0);
    for batch in [1, 8, 64] {
        let texts: Vec<String> =
            (0..batch).map(|number| format!("{} {number}", SENTENCES[number % SENTENCES.len()])).collect();
        model.embed(&texts).expect("embeds");
        let (started, mut rounds) = (Instant::now(), 0);
        while started.elapsed() < Duration::from_secs_f64(seconds) {
            model.embed(&texts).expect("embeds");
            rounds += 1;
        }
        let per_second = f64::from(rounds) * batch as f64 / started.elapsed().as_secs_f64();
        println!("batches of {batch}: {per_second:.0} sentences per second");
    }
}
