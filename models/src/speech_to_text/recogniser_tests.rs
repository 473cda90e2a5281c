//! The engine as callers meet it, on the tiny random checkpoint: it says nonsense, but always the same.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::front_end::FilterBank;
use super::parity_tests::{checkpoint, golden};
use super::turn::{Shape, Turn};
use super::{FastConformer, Recogniser, Settings};
use crate::Error;
use crate::audio::AudioSender;
use crate::batching::Tenant;
use crate::engine::place::reserved;
use crate::engine::{Heard, ListenRequest, Listening, Place, RecogniserEvent, SpeechToText};
use crate::step_loop::{Model, Row};

fn settings() -> Settings {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/fastconformer").into();
    // Unoptimised arithmetic is slow: a turn that waits its turn must not be given up.
    Settings {
        model,
        sessions: 3,
        busy_percent: 1_000_000,
        ring_ms: 4_000,
        behind_ms: 1_000_000,
        longer_when_busy: false,
        answer_ms: 60_000,
        ..Settings::default()
    }
}

struct Line {
    ring: AudioSender,
    session: Box<dyn Listening>,
    events: Receiver<RecogniserEvent>,
}

fn line(engine: &Recogniser, rate_hz: u32) -> Result<Line, Error> {
    let (sender, events) = sync_channel(10_000);
    let request = ListenRequest { rate_hz, ..ListenRequest::default() };
    let (ring, session) = engine.listen(request, Box::new(move |event| drop(sender.send(event))))?;
    Ok(Line { ring, session, events })
}

fn audio() -> Vec<i16> {
    let samples: Vec<f32> = golden()["audio"].to_vec1().expect("samples");
    samples.into_iter().map(|sample| sample as i16).collect()
}

/// What one turn of these samples comes to, without an engine.
fn alone(samples: &[i16], rate_hz: u32) -> Heard {
    let made = checkpoint();
    let bank = Arc::new(FilterBank::new(made.config.mel_bins));
    let shape = Arc::new(Shape { config: made.config.clone(), vocabulary: made.vocabulary.clone(), bank });
    let mut model = FastConformer::new(made, 1).expect("a whole checkpoint");
    let mut turn = Turn::new(shape, &settings(), rate_hz);
    turn.hear(samples);
    turn.finish(&settings());
    while let Some(input) = turn.next_chunk(&settings(), 0) {
        let decoded: Vec<_> = model.step(vec![Row { slot: 0, input }]).expect("steps");
        for decoded in &decoded {
            turn.answered(decoded);
        }
    }
    assert!(turn.is_over());
    super::session::heard(&turn.transcript)
}

impl Line {
    /// Writes as fast as the ring is emptied.
    fn say(&mut self, mut samples: &[i16]) {
        while !samples.is_empty() {
            let (head, rest) = samples.split_at(self.ring.room().min(samples.len()));
            self.ring.write(head);
            samples = rest;
            if !samples.is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// The final words of `turn` and the partial ones before, each of which keeps the stable words of the last.
    fn answer(&self, turn: u64) -> (Heard, Vec<Heard>) {
        let mut partials: Vec<Heard> = Vec::new();
        loop {
            match self.events.recv_timeout(Duration::from_secs(60)).expect("an event") {
                RecogniserEvent::Partial { turn: of, heard } | RecogniserEvent::Final { turn: of, heard }
                    if of != turn =>
                {
                    panic!("turn {of} instead of {turn}: {heard:?}")
                }
                RecogniserEvent::Partial { heard, .. } => {
                    keeps(partials.last(), &heard);
                    partials.push(heard);
                }
                RecogniserEvent::Final { heard, .. } => {
                    keeps(partials.last(), &heard);
                    return (heard, partials);
                }
                RecogniserEvent::EndOfTurn { turn: of, .. } => assert_eq!(of, turn),
                RecogniserEvent::Failed(error) => panic!("{error}"),
            }
        }
    }
}

fn keeps(before: Option<&Heard>, after: &Heard) {
    let Some(before) = before else { return };
    let kept = before.words.iter().take(before.stable_words).map(|word| &word.text);
    assert!(
        kept.eq(after.words.iter().take(before.stable_words).map(|word| &word.text)),
        "{before:?}, {after:?}"
    );
}

fn same(heard: &Heard, expected: &Heard) {
    assert_eq!(heard.text(), expected.text());
    let times = |heard: &Heard| heard.words.iter().map(|word| word.times_ms).collect::<Vec<_>>();
    assert_eq!(times(heard), times(expected));
}

#[test]
fn a_turn_is_heard_while_it_is_spoken_and_once_for_good() {
    let engine = Recogniser::start(settings()).expect("the tiny checkpoint is there");
    let audio = audio();
    let narrow: Vec<i16> = audio.iter().step_by(2).copied().collect();
    for (rate_hz, samples) in [(16_000, &audio), (8_000, &narrow)] {
        let mut line = line(&engine, rate_hz).expect("room");
        line.say(samples);
        // What was written is not finished before some of it is heard.
        let first = line.events.recv_timeout(Duration::from_secs(60)).expect("an event");
        assert!(matches!(first, RecogniserEvent::Partial { .. }), "{first:?}");
        line.session.finish_turn(0);
        line.session.finish_turn(1);
        line.say(samples);
        line.session.finish_turn(2);
        let (heard, _) = line.answer(0);
        same(&heard, &alone(samples, rate_hz));
        assert!(heard.words.len() > 5 && heard.words.len() == heard.stable_words, "{heard:?}");
        let (nothing, partials) = line.answer(1);
        assert!(nothing.words.is_empty() && partials.is_empty(), "nobody spoke");
        same(&line.answer(2).0, &heard);
    }
}

#[test]
fn callers_who_speak_at_once_are_heard_each_alone() {
    let engine = Recogniser::start(settings()).expect("the tiny checkpoint is there");
    let audio = audio();
    let parts: Vec<&[i16]> = vec![&audio[..30_000], &audio[12_000..40_000], &audio[20_000..]];
    let mut lines: Vec<Line> = parts.iter().map(|_| line(&engine, 16_000).expect("room")).collect();
    let full = line(&engine, 16_000).err();
    assert!(matches!(full, Some(Error::Full { limit: 3, .. })), "{full:?}");
    for piece in 0..10 {
        for (line, part) in lines.iter_mut().zip(&parts) {
            line.say(part.chunks(part.len().div_ceil(10)).nth(piece).unwrap_or_default());
        }
    }
    lines.iter().for_each(|line| line.session.finish_turn(0));
    for (line, part) in lines.iter().zip(&parts) {
        same(&line.answer(0).0, &alone(part, 16_000));
    }
    drop(lines.pop());
    assert!(line(&engine, 16_000).is_ok(), "a caller who hung up makes room");
}

#[test]
fn a_place_that_is_kept_is_nobody_elses_and_its_call_is_heard_there() {
    let engine = Recogniser::start(settings()).expect("the tiny checkpoint is there");
    let places: Vec<Place> = (0..3).map(|call| reserved(&engine, Tenant(call)).expect("a place")).collect();
    assert!(matches!(reserved(&engine, Tenant(3)).err(), Some(Error::Full { .. })));
    assert!(matches!(line(&engine, 16_000).err(), Some(Error::Full { .. })));
    let request = || ListenRequest { rate_hz: 16_000, ..ListenRequest::default() };
    let first = engine.listen_at(&places[0], request(), Box::new(|_| {})).expect("its place");
    drop(first);
    let (sender, events) = sync_channel(10_000);
    let listener = Box::new(move |event| drop(sender.send(event)));
    let (ring, session) = engine.listen_at(&places[0], request(), listener).expect("the same place again");
    let mut line = Line { ring, session, events };
    line.say(&audio()[..30_000]);
    line.session.finish_turn(0);
    same(&line.answer(0).0, &alone(&audio()[..30_000], 16_000));
    drop((line, places));
    assert!(reserved(&engine, Tenant(4)).is_ok(), "places go back");
}

#[test]
fn a_session_that_gets_no_answer_fails_and_can_be_reopened() {
    let engine = Recogniser::start(Settings { answer_ms: 0, ..settings() }).expect("the checkpoint is there");
    let mut impatient = line(&engine, 16_000).expect("room");
    impatient.say(&audio()[..16_000]);
    impatient.session.finish_turn(0);
    let is_over =
        |event: &RecogniserEvent| matches!(event, RecogniserEvent::Failed(_) | RecogniserEvent::Final { .. });
    assert!(impatient.events.iter().any(|event| is_over(&event)));
    drop(impatient);
    assert!(line(&engine, 16_000).is_ok());
    assert!(matches!(line(&engine, 44_100).err(), Some(Error::Failed { .. })));
}

#[test]
fn absent_and_torn_weights_are_said() {
    let error =
        Recogniser::start(Settings::default()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("no weights are at \"\"; set engines.fastconformer.model"), "{error}");
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference").into();
    let torn = Recogniser::start(Settings { model, ..settings() }).err();
    assert!(matches!(torn, Some(Error::Unavailable { .. })), "{torn:?}");
}
