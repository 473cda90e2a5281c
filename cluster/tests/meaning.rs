//! Callers whose words are nobody's example, understood with the real all-MiniLM-L6-v2; and questions that no
//! business answers, which are not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actors::call::brain::playbook::{Meanings, Playbook};
use actors::call::brain::{Brain, Context, Question, Thought};
use actors::call::{Mind, Understanding, UnderstandingSettings};
use actors::types::{Business, Private};
use models::embeddings::Embedder;

use crate::command_line::{DEMO, strowger};

fn barbers() -> Arc<Business> {
    let data = tempfile::tempdir().expect("a directory");
    strowger(data.path(), &["tenant", "import", DEMO]).expect("imports");
    let shown = strowger(data.path(), &["tenant", "show", "--json"]).expect("shows");
    Arc::new(serde_json::from_str(&shown).expect("a business"))
}

fn understanding() -> Understanding {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/weights/all-minilm-l6-v2"));
    let engine = Embedder::start(folder, models::embeddings::Settings::default())
        .expect("`ops/install test` puts the weights there");
    // An unoptimised build on a busy machine takes its time.
    let settings = UnderstandingSettings { answer_ms: 20_000, ..UnderstandingSettings::default() };
    Understanding::new(Arc::new(engine), settings)
}

fn loaded(understanding: &Understanding, business: &Arc<Business>) -> Arc<Meanings> {
    for _ in 0..1_200 {
        if let Some(meanings) = understanding.meanings(business) {
            return meanings;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the examples were never embedded");
}

/// What is said to a caller who opens the call with these words.
fn answer(mind: &mut dyn Brain, business: &Business, words: &str) -> String {
    let now = jiff::civil::date(2026, 11, 25).at(10, 0, 0, 0).in_tz("Europe/London").expect("a time");
    let context = Context { business, now, caller: None };
    mind.think(&context, Question::Greeting);
    let heard =
        Question::Heard { text: Private::new(words.to_owned()), confidence: 0.9, interrupted_after: None };
    let said = mind.think(&context, heard).into_iter().filter_map(|thought| match thought {
        Thought::Say { text } => Some(text),
        _ => None,
    });
    said.collect::<Vec<_>>().join(" ")
}

/// Words, and what the answer to them has in it.
const PARAPHRASES: &[(&str, &str)] = &[
    ("have you got anywhere i can leave my car", "Shoe Lane"),
    ("is there somewhere to put my car", "Shoe Lane"),
    ("what payment methods do you accept", "We take cards"),
    ("do you offer reductions for people in college", "Students and pensioners"),
    ("does it cost less for retired people", "Students and pensioners"),
    ("could i purchase a present coupon", "for any amount"),
];

const FOREIGN: &[&str] = &[
    "what is the tallest building in the world",
    "who was the first man on the moon",
    "do you know how to fix a leaking tap",
    "what language do they speak in brazil",
    "can you tell me how the stock market did",
];

#[test]
fn paraphrases_are_answered_and_foreign_questions_are_not() {
    let (business, understanding) = (barbers(), understanding());
    let meanings = loaded(&understanding, &business);
    eprintln!("threshold {:.2}", meanings.score_min());
    assert!((0.30..0.85).contains(&meanings.score_min()), "{}", meanings.score_min());
    let ask = |words: &str| answer(understanding.mind(Playbook::new(), &business).as_mut(), &business, words);
    let by_words = |words: &str| answer(&mut Playbook::new(), &business, words);
    let mut understood = 0;
    let mut gained = 0;
    for (words, answer) in PARAPHRASES {
        let said = ask(words);
        eprintln!("{words} -> {said}");
        understood += usize::from(said.contains(answer));
        gained += usize::from(said.contains(answer) && !by_words(words).contains(answer));
    }
    assert!(understood >= 4 && gained >= 3, "{understood} understood, {gained} of them not by words");
    for words in FOREIGN {
        let said = ask(words);
        eprintln!("{words} -> {said}");
        assert!(said.contains("I'm afraid I don't know that."), "{words}: {said}");
    }
}

#[test]
fn a_mind_that_understands_keeps_its_state_like_any_other() {
    let (business, understanding) = (barbers(), understanding());
    // The examples are not there yet: it goes by words.
    let mut mind: Box<dyn Mind> = understanding.mind(Playbook::new(), &business);
    assert!(answer(mind.as_mut(), &business, "do you have parking").contains("Shoe Lane"));
    let bytes = mind.to_bytes();
    assert_eq!(mind.fork().to_bytes(), bytes);
    assert!(Playbook::from_bytes(&bytes).is_ok());
}
