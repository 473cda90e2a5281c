//! How well callers are understood: sentences that are nobody's examples, by words alone, by meaning alone, and by
//! both. `actors/tests/understanding/FORMAT.txt` says where they come from.
//!
//!     cargo run -p actors --features models/candle --example understanding -- [--show] WEIGHTS [NAME …]
//!
//! WEIGHTS is the folder of all-MiniLM-L6-v2; names are those of the files, all where none are given. A sentence is
//! right where everything that it is taken for is wanted, wrong where anything is not, and else not known; for what a
//! business has no answer to, not to know is right. Where a call would ask "I think you'd like to …, is that right?"
//! first, that counts by itself: as asked rightly or wrongly.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a measurement for a person at a terminal")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use actors::call::brain::Context;
use actors::call::brain::playbook::{Meaning, Meanings, meaning_name, reading};
use actors::tenant::import;
use actors::types::Business;
use models::batching::Tenant;
use models::embeddings::{Embedder, Settings};
use models::engine::{EmbedRequest, Embeddings};

/// The sentences and whose callers say them.
const SETS: [(&str, &str); 2] = [("barbers", "barbers.toml"), ("garage", "garage.toml")];

/// What a sentence is taken for, by one method.
type Method<'a> = &'a dyn Fn(&Sentence, Meaning) -> Vec<String>;

struct Sentence {
    wanted: Vec<String>,
    text: String,
}

#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
    unknown: usize,
    asked_rightly: usize,
    asked_wrongly: usize,
    /// What was wrong or not known, for whoever improves the method.
    misses: Vec<String>,
}

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let show = words.iter().any(|word| word == "--show");
    words.retain(|word| word != "--show");
    let weights = PathBuf::from(words.first().expect("the folder of the weights"));
    let wanted = words.get(1..).unwrap_or_default();
    let engine = Embedder::start(&weights, Settings::default()).expect("weights");
    for (name, business) in
        SETS.into_iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|one| one == name))
    {
        let business = read_business(business);
        let vectors = embed(&engine, Meanings::texts(&business));
        let meanings = Meanings::of(&business, &vectors).expect("enough vectors");
        println!("## {name}: {}", meanings.calibration());
        for (kind, file) in
            [("in scope", format!("{name}.txt")), ("out of scope", format!("{name}_nothing.txt"))]
        {
            let sentences = sentences(&file);
            let vectors = embed(&engine, sentences.iter().map(|sentence| sentence.text.clone()).collect());
            println!(
                "{kind}, {} sentences:      right  wrong  don't know  asked rightly  wrongly",
                sentences.len()
            );
            for (method, tally) in measure(&business, &meanings, &sentences, &vectors) {
                println!(
                    "  {method:12}  {:5}  {:5}  {:5}  {:5}  {:5}",
                    tally.right, tally.wrong, tally.unknown, tally.asked_rightly, tally.asked_wrongly
                );
                if show {
                    tally.misses.iter().for_each(|miss| println!("      {miss}"));
                }
            }
        }
    }
}

fn measure(
    business: &Business,
    meanings: &Meanings,
    sentences: &[Sentence],
    vectors: &[Vec<f32>],
) -> Vec<(&'static str, Tally)> {
    let now = "2026-03-10T10:00[Europe/London]".parse().expect("a moment");
    let context = Context { business, now, caller: None };
    let by_words = |sentence: &Sentence, _: Meaning| reading(&context, &sentence.text, None);
    let by_meaning = |_: &Sentence, meaning: Meaning| meaning_name(meaning).into_iter().collect();
    let by_both = |sentence: &Sentence, meaning: Meaning| reading(&context, &sentence.text, Some(meaning));
    let methods: [(&str, Method<'_>); 3] =
        [("words", &by_words), ("meaning", &by_meaning), ("both", &by_both)];
    let tally = |method: Method<'_>| {
        let mut tally = Tally::default();
        for (sentence, vector) in sentences.iter().zip(vectors) {
            let found = method(sentence, meanings.read(vector));
            let nothing = sentence.wanted.iter().any(|wanted| wanted == "nothing");
            if let [asked] = found.as_slice()
                && let Some(asked) = asked.strip_suffix('?')
            {
                if sentence.wanted.iter().any(|wanted| wanted == asked) {
                    tally.asked_rightly += 1;
                } else {
                    tally.asked_wrongly += 1;
                }
                tally.misses.push(format!("{} [{}] {found:?}", sentence.text, sentence.wanted.join("|")));
                continue;
            }
            match (found.is_empty(), nothing) {
                (true, true) => tally.right += 1,
                (true, false) => tally.unknown += 1,
                (false, false) if found.iter().all(|found| sentence.wanted.contains(found)) => {
                    tally.right += 1
                }
                (false, _) => tally.wrong += 1,
            }
            if !found.iter().all(|found| sentence.wanted.contains(found)) || found.is_empty() != nothing {
                tally.misses.push(format!("{} [{}] {found:?}", sentence.text, sentence.wanted.join("|")));
            }
        }
        tally
    };
    methods.into_iter().map(|(name, method)| (name, tally(method))).collect()
}

fn embed(engine: &Embedder, texts: Vec<String>) -> Vec<Vec<f32>> {
    let request = EmbedRequest { texts, tenant: Tenant(0), within: Duration::from_secs(600) };
    let vectors = engine.embed_blocking(request).expect("vectors");
    vectors.iter().map(|vector| vector.0.to_vec()).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn read_business(file: &str) -> Business {
    let text = std::fs::read_to_string(folder().join("businesses").join(file)).expect("a business");
    import::read(&text, &import::Settings::default()).expect("a right business")
}

fn sentences(file: &str) -> Vec<Sentence> {
    let text = std::fs::read_to_string(folder().join("understanding").join(file)).expect("sentences");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (wanted, text) = line.split_once(": ").expect("wanted: text");
            Sentence { wanted: wanted.split('|').map(str::to_owned).collect(), text: text.to_owned() }
        })
        .collect()
}
