//! What baresip and we hear of each other: the proof that our audio is what the world calls G.711 over RTP.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event};
use actors::types::EndReason;
use cluster::edge::sip_trunk::{Settings, Transport};
use cluster::sip::sdp::Protection;
use models::audio::{Clip, Speech, audio_ring, resample};
use models::engine::{
    self as engine, Expectation, ListenRequest, RecogniserEvent, SpeechToTextChoice, TextToSpeechChoice,
    choose,
};
use tokio::time::{Instant, sleep};

use super::desk::{self, ANSWERS, Desk};
use super::softphone::Softphone;
use super::tones::{share, tone};
use super::{address, quiet, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_tones_are_heard_both_ways_with_baresip() {
    for codec in ["PCMU", "PCMA", "G722", "opus"] {
        let phone = Softphone::start(Transport::Udp, codec, &tone(8_000, 440.0, 20)).await;
        tones_are_heard_both_ways(phone, codec, settings()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_protected_tones_are_heard_both_ways_with_baresip() {
    let phone = Softphone::start_protected(Transport::Tcp, "PCMU", &tone(8_000, 440.0, 20)).await;
    tones_are_heard_both_ways(phone, "SRTP", Settings { srtp: Protection::Required, ..settings() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_tones_are_heard_both_ways_by_ice_with_baresip() {
    let phone = Softphone::start_checking(Transport::Tcp, &tone(8_000, 440.0, 20)).await;
    tones_are_heard_both_ways(phone, "ICE", settings()).await;
}

async fn tones_are_heard_both_ways(mut phone: Softphone, codec: &str, settings: Settings) {
    let (trunk, media, desk) = desk::open(settings).await;
    phone.dial(ANSWERS, address(&trunk, phone.transport()));
    phone.until(&desk, ANSWERS, "up", |event| *event == Event::Established).await;
    let (sender, mut recording) = audio_ring(8_000, 2 * 8_000 * 20);
    desk.command(ANSWERS, Command::Record(sender));
    let clip = Clip::with_estimated_words(16_000, tone(16_000, 1_000.0, 4).into(), "a long tone");
    desk.command(ANSWERS, Command::Play { utterance: UtteranceId(1), speech: Speech::clip(clip) });
    let played = |event: &Event| matches!(event, Event::PlaybackEnded { complete: true, .. });
    phone.until(&desk, ANSWERS, "played", played).await;
    // What has left us may still be on its way.
    sleep(Duration::from_millis(300)).await;
    desk.command(ANSWERS, Command::HangUp);
    let completed = Event::Ended(EndReason::Completed);
    phone.until(&desk, ANSWERS, "completed", |event| *event == completed).await;

    let mut both = vec![0; recording.waiting()];
    recording.read(&mut both);
    let caller: Vec<i16> = both.iter().step_by(2).copied().collect();
    let receptionist: Vec<i16> = both.iter().skip(1).step_by(2).copied().collect();
    let heard = phone.heard().await;
    let shares = [share(&caller, 440.0), share(&receptionist, 1_000.0), share(&heard, 1_000.0)];
    eprintln!("{codec}: caller 440 Hz, receptionist and baresip 1,000 Hz: {shares:?}");
    assert!(shares.iter().all(|share| *share > 0.95), "{codec}: {shares:?}\n{}", phone.log());
    assert!(heard.len() > 4 * 8_000, "{codec}: baresip heard {} samples", heard.len());
    quiet(&trunk, Duration::from_secs(20)).await;
    assert_eq!(media.counts().sessions, 0);
    trunk.stop(Duration::from_secs(1)).await;
}

/// Readings of an old novel by people.
const READ: &[(&str, &str)] = &[
    ("librivox-0880.wav", "he was not an ill disposed young man"),
    ("librivox-0930.wav", "he might even have been made amiable himself"),
    (
        "librivox-0920.wav",
        "had he married a more amiable woman he might have been made still more respectable than he was",
    ),
];

fn reading(name: &str) -> Vec<i16> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/tests/speech").join(name);
    let reader = hound::WavReader::open(file).unwrap();
    let rate_hz = reader.spec().sample_rate;
    let samples: Vec<i16> = reader.into_samples().collect::<Result<_, _>>().unwrap();
    resample(&samples, rate_hz, 8_000)
}

/// Waits until the caller has spoken again, and then been silent for a second. Returns how
/// many marks of speech there were.
async fn spoken(desk: &Desk, phone: &Softphone, marks_before: usize) -> usize {
    let end = Instant::now() + Duration::from_secs(30);
    let (mut marks, mut since) = (marks_before, Instant::now());
    let mut silent = true;
    loop {
        let events: Vec<Event> = desk.calls(ANSWERS).into_iter().flatten().collect();
        let of_speech = |event: &&Event| matches!(event, Event::SpeechStarted | Event::SpeechStopped);
        let now = events.iter().filter(of_speech).count();
        if now > marks {
            silent = events.iter().rfind(of_speech) == Some(&Event::SpeechStopped);
            (marks, since) = (now, Instant::now());
        }
        if marks > marks_before && silent && since.elapsed() > Duration::from_secs(1) {
            return marks;
        }
        assert!(Instant::now() < end, "not spoken: {events:?}\n{}", phone.log());
        sleep(Duration::from_millis(20)).await;
    }
}

fn answer(events: &Receiver<RecogniserEvent>) -> String {
    loop {
        match events.recv_timeout(Duration::from_secs(30)).unwrap() {
            RecogniserEvent::Partial { .. } | RecogniserEvent::EndOfTurn { .. } => {}
            RecogniserEvent::Final { heard, .. } => return heard.text(),
            RecogniserEvent::Failed(error) => panic!("{error}"),
        }
    }
}

/// How many words of `said` are in `heard`, in the same order.
fn words_in_common(said: &str, heard: &str) -> usize {
    let heard: Vec<&str> = heard.split_whitespace().collect();
    let mut row = vec![0; heard.len() + 1];
    for one in said.split(' ') {
        let mut diagonal = 0;
        for (at, other) in heard.iter().enumerate() {
            let longest = if one == *other { diagonal + 1 } else { row[at].max(row[at + 1]) };
            diagonal = std::mem::replace(&mut row[at + 1], longest);
        }
    }
    row[heard.len()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_speech_by_baresip_is_understood() {
    let mut engines = engine::Settings {
        speech_to_text: SpeechToTextChoice::Pocketsphinx,
        text_to_speech: TextToSpeechChoice::Off,
        ..engine::Settings::default()
    };
    engines.pocketsphinx.decoders = 1;
    engines.pocketsphinx.ring_ms = 5_000;
    let ear = choose(&engines).unwrap().0.speech_to_text.unwrap();
    // The words one by one: whole sentences would let the recogniser guess what broken audio lacks.
    let words = READ.iter().flat_map(|(_, text)| text.split(' '));
    let phrases: Arc<[String]> = words.map(str::to_owned).collect();
    let (sender, heard) = sync_channel(1_000);
    let request = ListenRequest { rate_hz: 8_000, phrases };
    let (ring, listening) = ear.listen(request, Box::new(move |event| drop(sender.send(event)))).unwrap();
    listening.expect(Expectation::Open);

    let mut voice = vec![0; 8_000];
    for (file, _) in READ {
        voice.extend(reading(file));
        voice.extend([0; 3 * 8_000]);
    }
    let (trunk, _media, desk) = desk::open(settings()).await;
    let mut phone = Softphone::start(Transport::Udp, "PCMU", &voice).await;
    phone.dial(ANSWERS, address(&trunk, Transport::Udp));
    phone.until(&desk, ANSWERS, "up", |event| *event == Event::Established).await;
    desk.command(ANSWERS, Command::Listen(ring));
    let (mut marks, mut understood, mut words) = (0, 0, 0);
    for (turn, (_, said)) in (0..).zip(READ) {
        marks = spoken(&desk, &phone, marks).await;
        listening.finish_turn(turn);
        let heard = answer(&heard);
        eprintln!("{said} -> {heard}");
        understood += words_in_common(said, &heard);
        words += said.split(' ').count();
    }
    // Two thirds arrive over a good line. With the wrong law, packets in the wrong order, every second packet
    // silent, samples swapped, noise or the wrong speed, fewer than half do.
    assert!(understood * 2 >= words, "{understood} of {words} words");
    phone.say("/hangup");
    let hung_up = Event::Ended(EndReason::CallerHungUp);
    phone.until(&desk, ANSWERS, "hung up", |event| *event == hung_up).await;
    quiet(&trunk, Duration::from_secs(20)).await;
    trunk.stop(Duration::from_secs(1)).await;
}
