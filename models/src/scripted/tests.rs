//! The two halves of the fake, through each other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::*;
use crate::Error;
use crate::audio::{AudioSender, Speech};
use crate::engine::{
    Expectation, ListenRequest, Listening, RecogniserEvent, SpeakRequest, SpeechToText, TextToSpeech,
};

type Events = Receiver<RecogniserEvent>;

fn engines() -> (Recogniser, Voice, Control) {
    let control = Control::default();
    // Room for a whole sentence that nobody hears.
    let settings = Settings { ring_ms: 1_000, ..Settings::default() };
    let recogniser = Recogniser::start(settings, control.clone()).expect("a thread");
    let voice = Voice::start(crate::SpeakingSettings::default(), control.clone()).expect("a thread");
    (recogniser, voice, control)
}

fn listen(recogniser: &Recogniser) -> Result<(AudioSender, Box<dyn Listening>, Events), Error> {
    let (sender, events) = sync_channel(100);
    let request = ListenRequest { rate_hz: 8_000, phrases: Arc::new([]) };
    let (ring, session) = recogniser.listen(request, Box::new(move |event| drop(sender.send(event))))?;
    Ok((ring, session, events))
}

type Spoken = Receiver<Result<Speech, Error>>;

fn speak(voice: &Voice, text: &str) -> (Result<Box<dyn crate::engine::Speaking>, Error>, Spoken) {
    let (sender, receiver) = sync_channel(1);
    let request = SpeakRequest { text: text.into(), ..SpeakRequest::default() };
    (voice.speak(request, Box::new(move |speech| drop(sender.send(speech)))), receiver)
}

fn say(voice: &Voice, ring: &mut AudioSender, text: &str) {
    let (_speaking, answer) = speak(voice, text);
    let mut speech = answer.recv_timeout(Duration::from_secs(5)).expect("spoken").expect("tones");
    let mut frame = [0; 160];
    loop {
        let read = speech.read(&mut frame);
        while ring.room() < read.samples {
            std::thread::sleep(Duration::from_millis(1));
        }
        ring.write(&frame[..read.samples]);
        if read.ended {
            return;
        }
    }
}

fn next(events: &Events) -> RecogniserEvent {
    events.recv_timeout(Duration::from_secs(5)).expect("an event")
}

fn last_words(events: &Events, turn: u64) -> String {
    loop {
        match next(events) {
            RecogniserEvent::Partial { turn: of, heard } => assert!(of == turn && !heard.words.is_empty()),
            RecogniserEvent::Final { turn: of, heard } => {
                assert_eq!(of, turn);
                return heard.text();
            }
            RecogniserEvent::EndOfTurn { .. } => {}
            RecogniserEvent::Failed(error) => panic!("{error}"),
        }
    }
}

#[test]
fn turns_come_back_word_for_word_with_partials_on_the_way() {
    let (recogniser, voice, control) = engines();
    let (mut ring, session, events) = listen(&recogniser).expect("room");
    session.expect(Expectation::Name);
    say(&voice, &mut ring, "i'd like a haircut tomorrow at three");
    session.finish_turn(0);
    assert_eq!(last_words(&events, 0), "i'd like a haircut tomorrow at three");
    say(&voice, &mut ring, "Sam Taylor");
    session.finish_turn(1);
    assert_eq!(last_words(&events, 1), "sam taylor");
    session.finish_turn(2);
    assert_eq!(last_words(&events, 2), "");
    control.next_turn("half past Two");
    session.finish_turn(3);
    assert_eq!(last_words(&events, 3), "half past two");
    assert_eq!(control.expectations(), [Expectation::Name]);
    assert_eq!(control.spoken(), ["i'd like a haircut tomorrow at three", "Sam Taylor"]);
}

#[test]
fn two_hundred_callers_hear_only_their_own_words() {
    let (recogniser, voice, _) = engines();
    let mut callers: Vec<_> = (0..200).map(|_| listen(&recogniser).expect("room")).collect();
    for (number, (ring, session, _)) in callers.iter_mut().enumerate() {
        say(&voice, ring, &format!("caller {number}"));
        session.finish_turn(0);
    }
    for (number, (_, _, events)) in callers.iter().enumerate() {
        assert_eq!(last_words(events, 0), format!("caller {number}"));
    }
}

#[test]
fn it_fails_in_every_way_it_is_told_to_and_reopens() {
    let (recogniser, voice, control) = engines();
    control.inject(Fault::ListenFull);
    assert!(matches!(listen(&recogniser).err(), Some(Error::Full { .. })));
    control.inject(Fault::ListenUnavailable);
    assert!(matches!(listen(&recogniser).err(), Some(Error::Unavailable { .. })));

    let (mut ring, session, events) = listen(&recogniser).expect("room");
    control.inject(Fault::FailTurn(1));
    session.finish_turn(0);
    assert_eq!(last_words(&events, 0), "");
    session.finish_turn(1);
    assert!(matches!(next(&events), RecogniserEvent::Failed(_)));
    session.finish_turn(2);
    assert!(events.recv_timeout(Duration::from_millis(100)).is_err(), "a failure is the last event");
    control.inject(Fault::FailInSpeech);
    say(&voice, &mut ring, "too late");

    let (mut ring, session, events) = listen(&recogniser).expect("room");
    control.clear();
    control.inject(Fault::FailInSpeech);
    say(&voice, &mut ring, "hello");
    assert!(matches!(next(&events), RecogniserEvent::Failed(_)));
    drop(session);

    let (mut ring, session, events) = listen(&recogniser).expect("room");
    control.inject(Fault::HangTurn(0));
    session.finish_turn(0);
    say(&voice, &mut ring, "still here");
    session.finish_turn(1);
    assert_eq!(last_words(&events, 1), "still here");
    drop(session);
    assert!(events.recv_timeout(Duration::from_secs(5)).is_err(), "a dropped session says nothing");
}

#[test]
fn the_voice_fails_in_every_way_it_is_told_to() {
    let (_, voice, control) = engines();
    control.inject(Fault::SpeakFull);
    assert!(matches!(speak(&voice, "a").0.err(), Some(Error::Full { .. })));
    control.inject(Fault::FailSpeech);
    let (_speaking, answer) = speak(&voice, "b");
    assert!(answer.recv_timeout(Duration::from_secs(5)).expect("answered").is_err());
    control.inject(Fault::HangSpeech);
    let (_speaking, hung) = speak(&voice, "c");
    control.inject(Fault::DelaySpeech { by_ms: 50 });
    let (_speaking, late) = speak(&voice, "d");
    assert!(late.try_recv().is_err());
    assert!(late.recv_timeout(Duration::from_secs(5)).expect("answered").is_ok());
    assert!(hung.try_recv().is_err());
}
