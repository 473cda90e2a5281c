//! A model on another node: the tiny random FastConformer, heard through the network as it is heard here.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use super::fixture::{PATIENCE, remote, runtime, wait_for};
use crate::batching::Tenant;
use crate::engine::place::reserved;
use crate::engine::{Heard, ListenRequest, Place, RecogniserEvent, SpeechToText};
use crate::remote::{Served, Server, Settings};
use crate::speech_to_text::{self, Recogniser};
use crate::{Error, clock};

/// Callers that the model has places for.
const SESSIONS: usize = 3;

fn model() -> Arc<Recogniser> {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/fastconformer").into();
    let settings = speech_to_text::Settings {
        model,
        sessions: SESSIONS,
        busy_percent: 1_000_000,
        longer_when_busy: false,
        behind_ms: u32::MAX,
        ..speech_to_text::Settings::default()
    };
    Arc::new(Recogniser::start(settings).expect("the tiny checkpoint is there"))
}

/// A sound that is nobody else's, in samples at 16 kHz.
fn sound(number: usize) -> Vec<i16> {
    let value = |at: usize| {
        let seconds = at as f32 / 16_000.0;
        let pitch = 200.0 + 90.0 * number as f32 + 300.0 * seconds;
        8_000.0 * (std::f32::consts::TAU * pitch * seconds).sin() * (9.0 * seconds).sin()
    };
    (0..40_000).map(|at| value(at) as i16).collect()
}

/// What is heard of a sound at a place.
fn heard(engine: &dyn SpeechToText, place: &Place, samples: &[i16]) -> Result<Heard, Error> {
    let (sender, events) = sync_channel(10_000);
    let request = ListenRequest { rate_hz: 16_000, ..ListenRequest::default() };
    let listener = Box::new(move |event| drop(sender.try_send(event)));
    let (mut audio, listening) = engine.listen_at(place, request, listener)?;
    let until = clock::now() + PATIENCE;
    for piece in samples.chunks(320) {
        while audio.room() < piece.len() {
            assert!(clock::now() < until, "nobody takes the audio");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        audio.write(piece);
    }
    listening.finish_turn(0);
    loop {
        match events.recv_timeout(PATIENCE).expect("words") {
            RecogniserEvent::Final { heard, .. } => return Ok(heard),
            RecogniserEvent::Failed(error) => return Err(error),
            RecogniserEvent::Partial { .. } | RecogniserEvent::EndOfTurn { .. } => {}
        }
    }
}

#[test]
fn peer_a_model_hears_other_nodes_callers_as_its_own_and_as_many_as_it_grants() {
    let runtime = runtime();
    let own = model();
    let listen = "127.0.0.1:0".parse().expect("an address");
    let engines = Served { speech_to_text: Some(own.clone()), ..Served::default() };
    let settings = Settings { listen, ..Settings::default() };
    let server = runtime.block_on(Server::start(&settings, engines)).expect("starts");
    let remote = remote(&runtime, vec![format!("http://{}", server.address())]);
    let elsewhere = remote.speech_to_text(None).expect("starts");
    let kept = |call| reserved(elsewhere.as_ref(), Tenant(call));
    let expected: Vec<Heard> = (0..SESSIONS)
        .map(|number| heard(own.as_ref(), &Place::default(), &sound(number)).expect("words"))
        .collect();
    assert!(expected.iter().all(|heard| heard.words.len() > 2) && expected[0] != expected[1], "{expected:?}");
    let places: Vec<Place> = (0..SESSIONS as u64).map(|call| kept(call).expect("a place")).collect();
    assert_eq!(kept(9).err(), Some(Error::Full { engine: "remote", limit: 1 }), "the model has no more");
    let callers: Vec<Heard> = std::thread::scope(|scope| {
        let speaking: Vec<_> = places
            .iter()
            .enumerate()
            .map(|(number, place)| {
                let elsewhere = &elsewhere;
                scope.spawn(move || heard(elsewhere.as_ref(), place, &sound(number)).expect("words"))
            })
            .collect();
        speaking.into_iter().map(|caller| caller.join().expect("no panic")).collect()
    });
    for (one, other) in callers.iter().zip(&expected) {
        assert_eq!((one.text(), one.words.len()), (other.text(), other.words.len()));
        let times = |heard: &Heard| heard.words.iter().map(|word| word.times_ms).collect::<Vec<_>>();
        assert_eq!(times(one), times(other), "word times, too");
    }
    drop(places);
    wait_for("the model's places", || (0..SESSIONS as u64).all(|call| kept(call).is_ok()));
}
