//! Pocketsphinx behind a telephone line, on synthetic callers and on people.

use std::sync::Arc;

use models::Error;
use models::engine::Expectation::{self, Confirmation, DateTime, Digits, Name, Open};
use models::engine::{ListenRequest, RecogniserEvent, SpeechToText};
use models::offline::{PocketSphinx, PocketSphinxSettings, flite};

use crate::telephone::{listen, reading, spoken, word_errors};

fn salon() -> Arc<[String]> {
    [
        "haircut",
        "beard trim",
        "colour",
        "highlights",
        "blow dry",
        "balayage",
        "Alice",
        "Marco",
        "The Corner Salon",
        "do you have parking",
        "what are your opening hours",
    ]
    .map(str::to_owned)
    .into()
}

fn engine() -> PocketSphinx {
    let settings = PocketSphinxSettings { ring_ms: 5_000, decoders: 1, ..PocketSphinxSettings::default() };
    PocketSphinx::start(settings).expect("libpocketsphinx3 and pocketsphinx-en-us are installed")
}

/// What is said, what is expected, what is to be understood.
const SAID: &[(Expectation, &str)] = &[
    (Open, "i'd like a haircut tomorrow at three"),
    (Open, "hi i'd like to book an appointment please"),
    (Open, "can i book a beard trim with marco on friday"),
    (Open, "cancel my appointment"),
    (Open, "i'd like to move my appointment to thursday"),
    (Open, "what are your opening hours"),
    (Open, "how much is a haircut"),
    (Open, "do you have parking"),
    (Open, "can i speak to a person please"),
    (Open, "i'd like to leave a message for alice"),
    (Open, "do you have anything next wednesday in the morning"),
    (Open, "no that's all thank you goodbye"),
    (DateTime, "tomorrow at three"),
    (DateTime, "half past two"),
    (DateTime, "a week from thursday"),
    (DateTime, "on the twenty second at ten thirty"),
    (DateTime, "tomorrow morning"),
    (DateTime, "friday at quarter to four"),
    (Confirmation, "yes"),
    (Confirmation, "yes please"),
    (Confirmation, "no"),
    (Confirmation, "no with a b"),
    (Confirmation, "that's right"),
    (Confirmation, "no make it four o'clock"),
    (Name, "my name is sam taylor"),
    (Name, "sam taylor"),
    (Name, "it's jennifer walker"),
    (Name, "t a y l o r"),
    (Digits, "five five five one two three four five six seven"),
    (Digits, "two one two five five five zero one four two"),
    (Digits, "my number is eight oh five three three nine one"),
];

/// Speaks every sentence in flite's `voice` and returns how many words and how many whole sentences were wrong.
fn hear_all(voice: &str) -> (usize, usize) {
    let engine = engine();
    let flite = flite(models::SpeakingSettings::default()).expect("libflite1 is installed");
    let mut line = listen(&engine, &salon()).expect("room");
    let (mut errors, mut broken) = (0, 0);
    for (turn, (expectation, text)) in (0..).zip(SAID) {
        let heard = line.turn(turn, *expectation, &spoken(&flite, voice, text));
        let wrong = word_errors(text, &heard.text());
        if wrong > 0 {
            eprintln!("{voice}: {text} -> {} ({:.2})", heard.text(), heard.confidence());
        }
        errors += wrong;
        broken += usize::from(wrong > 0);
    }
    eprintln!("{voice}: {errors} words wrong, {broken} of {} sentences not whole", SAID.len());
    (errors, broken)
}

#[test]
fn a_business_understands_a_man() {
    let (errors, broken) = hear_all("rms");
    assert!(errors <= 16 && broken <= 8, "{errors} words, {broken} sentences");
}

#[test]
fn a_business_understands_a_woman() {
    let (errors, broken) = hear_all("slt");
    assert!(errors <= 32 && broken <= 18, "{errors} words, {broken} sentences");
}

/// Readings of an old novel: the words are known, their order is not, but for the sentence itself.
const READ: &[(&str, &str)] = &[
    ("librivox-0880.wav", "he was not an ill disposed young man"),
    ("librivox-0930.wav", "he might even have been made amiable himself"),
    (
        "librivox-0920.wav",
        "had he married a more amiable woman he might have been made still more respectable than he was",
    ),
];

#[test]
fn people_are_understood_over_the_telephone() {
    let engine = engine();
    let phrases: Arc<[String]> = READ.iter().map(|(_, text)| (*text).to_owned()).collect();
    let mut line = listen(&engine, &phrases).expect("room");
    let (mut errors, mut words) = (0, 0);
    for (turn, (file, text)) in (0..).zip(READ) {
        let heard = line.turn(turn, Open, &reading(file));
        eprintln!("{text} -> {} ({:.2})", heard.text(), heard.confidence());
        errors += word_errors(text, &heard.text());
        words += text.split(' ').count();
    }
    assert!(errors * 5 <= words, "{errors} of {words} words");
}

#[test]
fn partial_results_come_while_the_caller_speaks() {
    let engine = engine();
    let mut line = listen(&engine, &salon()).expect("room");
    let flite = flite(models::SpeakingSettings::default()).expect("libflite1 is installed");
    line.say(&spoken(
        &flite,
        "rms",
        "i'd like to book a haircut tomorrow at three o'clock in the afternoon please",
    ));
    let first =
        line.events.recv_timeout(std::time::Duration::from_secs(30)).expect("before the turn is finished");
    assert!(matches!(first, RecogniserEvent::Partial { turn: 0, ref heard } if !heard.words.is_empty()));
    line.session.finish_turn(0);
    let (heard, _) = line.answer(0);
    assert!(heard.text().contains("haircut") && heard.text().contains("tomorrow"), "{}", heard.text());
    assert!(heard.words.iter().all(|word| (0.0..=1.0).contains(&word.confidence)));
}

#[test]
fn callers_who_share_a_decoder_hear_only_their_own_words() {
    let engine = engine();
    let flite = flite(models::SpeakingSettings::default()).expect("libflite1 is installed");
    let garage: Arc<[String]> = ["oil change".to_owned(), "winter tyres".to_owned()].into();
    let said = ["two two two two two", "cancel my appointment", "nine nine nine nine nine", "half past two"];
    let phrases = [garage, salon()];
    let line = |phrases| listen(&engine, phrases).expect("room");
    let mut lines: Vec<_> = phrases.iter().cycle().take(said.len()).map(line).collect();
    let audio: Vec<Vec<i16>> = said.iter().map(|text| spoken(&flite, "rms", text)).collect();
    // All at once, in pieces, so that the one decoder has to leave callers in mid-sentence.
    for piece in 0..8 {
        for (line, audio) in lines.iter_mut().zip(&audio) {
            let size = audio.len().div_ceil(8);
            line.say(audio.chunks(size).nth(piece).unwrap_or_default());
        }
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    for line in &lines {
        line.session.finish_turn(0);
    }
    for (line, said) in lines.iter().zip(said) {
        let (heard, _) = line.answer(0);
        assert!(word_errors(said, &heard.text()) <= 1, "{said} -> {}", heard.text());
    }
    for line in &lines {
        line.session.finish_turn(1);
        assert!(line.answer(1).0.words.is_empty(), "nothing was said in the second turn");
    }
}

#[test]
fn a_session_that_failed_is_reopened_and_sessions_are_bounded() {
    let settings =
        PocketSphinxSettings { sessions: 1, answer_ms: 0, ring_ms: 5_000, ..PocketSphinxSettings::default() };
    let impatient =
        PocketSphinx::start(settings).expect("libpocketsphinx3 and pocketsphinx-en-us are installed");
    let mut line = listen(&impatient, &salon()).expect("room");
    assert!(matches!(listen(&impatient, &salon()).err(), Some(Error::Full { limit: 1, .. })));
    line.say(&[1_000; 16_000]);
    line.session.finish_turn(0);
    let failed = line.events.iter().find(|event| !matches!(event, RecogniserEvent::Partial { .. }));
    assert!(matches!(failed, Some(RecogniserEvent::Failed(_))), "{failed:?}");
    drop(line);
    assert!(listen(&impatient, &salon()).is_ok());
    let wide = ListenRequest { rate_hz: 16_000, phrases: salon() };
    assert!(matches!(engine().listen(wide, Box::new(|_| {})).err(), Some(Error::Failed { .. })));
}
