//! One caller: says something, listens, says the next thing, for as long as the call is held.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::call::leg::{Command, Event, Events, Leg};
use cluster::clock;
use cluster::edge::sip_trunk::Trunk;
use models::audio::{AudioReceiver, Speech, audio_ring};
use models::engine::{SpeakRequest, TextToSpeech};
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// Events that may wait for a caller's task; a caller that falls behind so far is broken.
const EVENTS_MAX: usize = 256;
/// A second of both sides at 8 kHz, interleaved.
const HEARD_RING_SAMPLES: usize = 16_000;
/// Louder than this is heard, quieter is the line's silence.
const AUDIBLE_PEAK: u16 = 500;
/// So many audible samples of the far side make "heard": a tenth of a second.
const AUDIBLE_SAMPLES_MIN: usize = 800;
/// How often a caller empties its ring.
const LISTEN_EVERY: Duration = Duration::from_millis(250);

/// What a caller found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Found {
    /// From INVITE to 200, in milliseconds; absent where the call was not answered.
    pub set_up_ms: Option<f64>,
    /// Audible samples received.
    pub heard_samples: usize,
    /// The far side ended the call before we did.
    pub cut_off: bool,
}

impl Found {
    /// Whether the receptionist was heard.
    #[must_use]
    pub fn heard(&self) -> bool {
        self.heard_samples >= AUDIBLE_SAMPLES_MIN
    }
}

/// What all callers share.
pub struct Line {
    /// The harness's own trunk.
    pub trunk: Trunk,
    /// The voice of the callers.
    pub voice: Arc<dyn TextToSpeech>,
    /// The SIP URI to call.
    pub target: String,
    /// What to say, in turn.
    pub says: Vec<String>,
    /// Set when all callers shall hang up.
    pub over: AtomicBool,
}

/// Makes one call and stays on it until the line is over.
pub async fn call(line: Arc<Line>, number: u32) -> Found {
    let (sender, mut events) = mpsc::channel(EVENTS_MAX);
    let sink: Events = Arc::new(move |event| {
        let _ = sender.try_send(event);
    });
    let begun = clock::monotonic();
    let from = format!("sip:+4420794{number:05}@127.0.0.1");
    let mut found = Found::default();
    let Ok(leg) = line.trunk.call(&line.target, &from, sink).await else { return found };
    let mut heard: Option<AudioReceiver> = None;
    let mut turn: u32 = number;
    loop {
        if line.over.load(Ordering::Relaxed) {
            let _ = leg.command(Command::HangUp);
        }
        match tokio::time::timeout(LISTEN_EVERY, events.recv()).await {
            Ok(Some(Event::Established)) => {
                found.set_up_ms = Some(clock::since(begun).as_secs_f64() * 1_000.0);
                let (ring, receiver) = audio_ring(8_000, HEARD_RING_SAMPLES);
                let _ = leg.command(Command::Record(ring));
                heard = Some(receiver);
            }
            Ok(Some(Event::SpeechStopped)) => {
                turn = turn.wrapping_add(1);
                speak(&line, &leg, turn);
            }
            Ok(Some(Event::Ended(_)) | None) => {
                found.cut_off = !line.over.load(Ordering::Relaxed);
                return found;
            }
            Ok(Some(_)) | Err(_) => {}
        }
        if let Some(receiver) = &mut heard {
            found.heard_samples += audible_samples(receiver);
        }
    }
}

/// Says the next sentence, as soon as the voice has it.
fn speak(line: &Line, leg: &Arc<dyn Leg>, turn: u32) {
    let index = turn as usize % line.says.len().max(1);
    let text = line.says.get(index).cloned().unwrap_or_default();
    let leg = Arc::clone(leg);
    let kept: Arc<Mutex<Option<Box<dyn models::engine::Speaking>>>> = Arc::default();
    let until_ready = Arc::clone(&kept);
    let ready = Box::new(move |speech: Result<Speech, models::Error>| {
        if let Ok(speech) = speech {
            let _ = leg.command(Command::Play { utterance: UtteranceId(u64::from(turn)), speech });
        }
        drop(until_ready);
    });
    let request = SpeakRequest { text, ..SpeakRequest::default() };
    if let Ok(speaking) = line.voice.speak(request, ready) {
        *kept.lock() = Some(speaking);
    }
}

/// Empties the ring and counts the far side's audible samples: a caller's own leg records itself on the right.
fn audible_samples(receiver: &mut AudioReceiver) -> usize {
    let mut chunk = [0; 1_600];
    let mut count = 0;
    loop {
        let read = receiver.read(&mut chunk);
        if read == 0 {
            return count;
        }
        count += chunk
            .get(..read)
            .unwrap_or_default()
            .iter()
            .step_by(2)
            .filter(|sample| sample.unsigned_abs() > AUDIBLE_PEAK)
            .count();
    }
}
