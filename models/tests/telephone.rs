//! A telephone line between a voice and a recogniser: 8 kHz, G.711 µ-law.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use models::Error;
use models::audio::{AudioSender, resample};
use models::engine::{
    Expectation, Heard, ListenRequest, Listening, RecogniserEvent, SpeakRequest, SpeechToText, TextToSpeech,
};

/// What G.711 leaves of `samples`.
pub(crate) fn through_g711(samples: &[i16]) -> Vec<i16> {
    samples
        .iter()
        .map(|sample| audio_codec_algorithms::decode_ulaw(audio_codec_algorithms::encode_ulaw(*sample)))
        .collect()
}

/// A reading from `tests/speech`, as it arrives by telephone.
pub(crate) fn reading(name: &str) -> Vec<i16> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/speech").join(name);
    let reader = hound::WavReader::open(&file).expect("a reading is there");
    let rate = reader.spec().sample_rate;
    let wide: Vec<i16> = reader.into_samples().collect::<Result<_, _>>().expect("16-bit samples");
    through_g711(&resample(&wide, rate, 8_000))
}

/// `text` in an engine's voice, as it arrives by telephone.
pub(crate) fn spoken(engine: &dyn TextToSpeech, voice: &str, text: &str) -> Vec<i16> {
    let (sender, receiver) = sync_channel(1);
    let request = SpeakRequest { text: text.into(), voice: voice.into(), ..SpeakRequest::default() };
    let _speaking = engine.speak(request, Box::new(move |speech| drop(sender.send(speech)))).expect("room");
    let mut speech = receiver.recv_timeout(Duration::from_secs(20)).expect("an answer").expect("speech");
    let mut samples = vec![0; 8_000 * 30];
    let read = speech.read(&mut samples);
    samples.truncate(read.samples);
    through_g711(&samples)
}

/// A caller's session.
pub(crate) struct Line {
    pub(crate) ring: AudioSender,
    pub(crate) session: Box<dyn Listening>,
    pub(crate) events: Receiver<RecogniserEvent>,
}

pub(crate) fn listen(engine: &dyn SpeechToText, phrases: &Arc<[String]>) -> Result<Line, Error> {
    let (sender, events) = sync_channel(1_000);
    let request = ListenRequest { rate_hz: 8_000, phrases: Arc::clone(phrases) };
    let (ring, session) = engine.listen(request, Box::new(move |event| drop(sender.send(event))))?;
    Ok(Line { ring, session, events })
}

impl Line {
    /// Writes as fast as the ring is emptied.
    pub(crate) fn say(&mut self, mut samples: &[i16]) {
        while !samples.is_empty() {
            let (head, rest) = samples.split_at(self.ring.room().min(samples.len()));
            self.ring.write(head);
            samples = rest;
            if !samples.is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// The final words of turn `turn` and how many partial results came before them.
    pub(crate) fn answer(&self, turn: u64) -> (Heard, usize) {
        let mut partials = 0;
        loop {
            match self.events.recv_timeout(Duration::from_secs(60)).expect("an event") {
                RecogniserEvent::Partial { turn: of, .. } => {
                    assert_eq!(of, turn);
                    partials += 1;
                }
                RecogniserEvent::EndOfTurn { .. } => {}
                RecogniserEvent::Final { turn: of, heard } => {
                    assert_eq!(of, turn);
                    return (heard, partials);
                }
                RecogniserEvent::Failed(error) => panic!("{error}"),
            }
        }
    }

    /// One whole turn.
    pub(crate) fn turn(&mut self, number: u64, expectation: Expectation, samples: &[i16]) -> Heard {
        self.session.expect(expectation);
        self.say(samples);
        self.session.finish_turn(number);
        self.answer(number).0
    }
}

/// Words to be changed, left out or put in to make `heard` of `said`.
pub(crate) fn word_errors(said: &str, heard: &str) -> usize {
    let (said, heard): (Vec<&str>, Vec<&str>) =
        (said.split(' ').collect(), heard.split_whitespace().collect());
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, one) in said.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in heard.iter().enumerate() {
            let substituted = diagonal + usize::from(one != other);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[heard.len()]
}
