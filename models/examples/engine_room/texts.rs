//! Sentences embedded a second, where the weights are on the machine.

use std::time::{Duration, Instant};

use models::embeddings::{MiniLm, Settings};

use crate::Wanted;
use crate::report::{Report, Texts};

const SENTENCES: [&str; 4] = [
    "Do you have anywhere to leave my car?",
    "is there parking",
    "I'd like to book a haircut for Tuesday at half past three, please.",
    "what time do you shut on saturdays",
];

pub(crate) fn measure(wanted: &Wanted, report: &mut Report) {
    let folder = wanted.weights.join("all-minilm-l6-v2");
    let settings = Settings { processor: wanted.processor, ..Settings::default() };
    let model = match MiniLm::load(&folder, &settings) {
        Ok(model) => model,
        Err(why) => {
            println!("embeddings are not measured: {why}");
            return;
        }
    };
    for batch in [1, 8, 64] {
        let texts: Vec<String> =
            (0..batch).map(|number| format!("{} {number}", SENTENCES[number % SENTENCES.len()])).collect();
        model.embed(&texts).expect("embeds");
        let (started, mut rounds) = (Instant::now(), 0);
        while started.elapsed() < Duration::from_secs(2) {
            model.embed(&texts).expect("embeds");
            rounds += 1;
        }
        let per_second = f64::from(rounds) * batch as f64 / started.elapsed().as_secs_f64();
        report.texts.push(Texts { batch, per_second });
    }
}
