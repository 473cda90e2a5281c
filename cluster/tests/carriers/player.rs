//! What a carrier does with a stream: it brings the caller's audio every 20 ms, plays what it is sent from a buffer,
//! and tells how far it has come.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cluster::edge::carriers::provider::Provider;
use cluster::edge::carriers::provider::audio::Coding;
use cluster::edge::carriers::provider::framing::Encoding;
use futures_util::{SinkExt, StreamExt};
use models::scripted::tone_code;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const FRAME: usize = 160;

/// What is seen of a stream from outside.
#[derive(Default)]
pub(super) struct Seen {
    /// What the caller has heard: 20 ms each.
    pub(super) played: Vec<[i16; FRAME]>,
    /// When frames with sound in them were played.
    pub(super) sounded: Vec<Instant>,
    /// When the edge asked for silence.
    pub(super) cleared: Vec<Instant>,
    /// Marks that came back.
    pub(super) marks: usize,
    /// The most that waited to be played, in frames.
    pub(super) waiting_most: usize,
    /// When the edge closed the stream.
    pub(super) closed: Option<Instant>,
    say: VecDeque<[i16; FRAME]>,
    texts: VecDeque<String>,
    hangs_up: bool,
}

/// A stream under way.
pub(super) struct Player {
    pub(super) seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Drop for Player {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Player {
    /// Begins a stream of this call.
    pub(super) fn start(
        provider: Provider,
        call: &str,
        rate_hz: u32,
        socket: WebSocketStream<TcpStream>,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let encoding = match provider {
            Provider::Vonage => Encoding::Linear { rate_hz },
            _ => Encoding::MuLaw,
        };
        let line = Line {
            provider,
            coding: Coding::new(encoding).expect("a coding"),
            rate_hz,
            buffer: VecDeque::new(),
            chunk: 0,
            seen: Arc::clone(&seen),
        };
        let task = tokio::spawn(line.run(call.to_owned(), socket));
        Self { seen, task }
    }

    /// The caller says this, in tones.
    pub(super) fn says(&self, text: &str) {
        let (samples, _) = tone_code::encode(text, 8_000);
        let mut seen = self.seen.lock();
        for part in samples.chunks(FRAME) {
            let mut frame = [0; FRAME];
            frame[..part.len()].copy_from_slice(part);
            seen.say.push_back(frame);
        }
    }

    /// The caller presses a key.
    pub(super) fn presses(&self, provider: Provider, digit: char) {
        let text = match provider {
            Provider::Vonage => {
                json!({ "event": "websocket:dtmf", "digit": digit.to_string(), "duration": 260 })
            }
            _ => json!({ "event": "dtmf", "dtmf": { "digit": digit.to_string() } }),
        };
        self.seen.lock().texts.push_back(text.to_string());
    }

    /// The caller hangs up.
    pub(super) fn hangs_up(&self) {
        self.seen.lock().hangs_up = true;
    }

    /// The words that the caller has heard so far.
    pub(super) fn heard(&self) -> String {
        let mut decoder = tone_code::Decoder::new(8_000);
        for frame in &self.seen.lock().played {
            decoder.read(frame);
        }
        decoder.flush();
        let words = decoder.take_words();
        words.iter().filter(|word| word.intact).map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Waits until what is seen is like this.
    pub(super) async fn until(&self, what: &str, is: impl Fn(&Seen) -> bool) {
        for _ in 0..1_200 {
            if is(&self.seen.lock()) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("no sign of {what}; heard {:?}", self.heard());
    }
}

enum Waiting {
    Frame(Box<[i16; FRAME]>),
    Mark(String),
}

struct Line {
    provider: Provider,
    coding: Coding,
    rate_hz: u32,
    buffer: VecDeque<Waiting>,
    chunk: u32,
    seen: Arc<Mutex<Seen>>,
}

impl Line {
    async fn run(mut self, call: String, mut socket: WebSocketStream<TcpStream>) {
        for text in self.beginning(&call) {
            let _ = socket.send(Message::text(text)).await;
        }
        let mut every = interval(Duration::from_millis(20));
        every.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            tokio::select! {
                _ = every.tick() => {
                    for message in self.tick() {
                        let _ = socket.send(message).await;
                    }
                    if self.seen.lock().hangs_up {
                        let stop = json!({ "event": "stop" }).to_string();
                        let _ = socket.send(Message::text(stop)).await;
                        let _ = socket.close(None).await;
                        return;
                    }
                }
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        for answer in self.told(&text) {
                            let _ = socket.send(Message::text(answer)).await;
                        }
                    }
                    Some(Ok(Message::Binary(bytes))) => self.enqueue(&bytes),
                    Some(Ok(Message::Close(_))) | Some(Err(_)) | None => {
                        self.seen.lock().closed = Some(Instant::now());
                        return;
                    }
                    Some(Ok(_)) => {}
                },
            }
        }
    }

    fn beginning(&self, call: &str) -> Vec<String> {
        let format = json!({ "encoding": "audio/x-mulaw", "sampleRate": 8000 });
        match self.provider {
            Provider::Twilio => vec![
                json!({ "event": "connected", "protocol": "Call", "version": "1.0.0" }).to_string(),
                json!({ "event": "start", "streamSid": "MZ1", "start": { "streamSid": "MZ1", "callSid": call, "mediaFormat": format } }).to_string(),
            ],
            Provider::Telnyx => vec![
                json!({ "event": "connected", "version": "1.0.0" }).to_string(),
                json!({ "event": "start", "stream_id": "s1", "start": { "call_control_id": "v3:other", "media_format": { "encoding": "PCMU", "sample_rate": 8000 } } }).to_string(),
            ],
            Provider::Plivo => vec![
                json!({ "event": "start", "start": { "callId": call, "streamId": "s1", "mediaFormat": format } }).to_string(),
            ],
            Provider::Vonage => vec![
                json!({ "event": "websocket:connected", "content-type": format!("audio/l16;rate={}", self.rate_hz) }).to_string(),
            ],
        }
    }

    /// 20 ms go by.
    fn tick(&mut self) -> Vec<Message> {
        let (frame, texts) = {
            let mut seen = self.seen.lock();
            let frame = seen.say.pop_front().unwrap_or([0; FRAME]);
            (frame, std::mem::take(&mut seen.texts))
        };
        let payload = self.coding.encode(&frame);
        self.chunk += 1;
        let text = || STANDARD.encode(&payload);
        let mut out: Vec<Message> = texts.into_iter().map(Message::text).collect();
        out.push(match self.provider {
            Provider::Vonage => Message::binary(payload.clone()),
            Provider::Telnyx => Message::text(
                json!({ "event": "media", "media": { "track": "inbound", "chunk": self.chunk.to_string(), "payload": text() } }).to_string(),
            ),
            _ => Message::text(
                json!({ "event": "media", "media": { "track": "inbound", "payload": text() } }).to_string(),
            ),
        });
        let mut seen = self.seen.lock();
        let mut played = [0; FRAME];
        while let Some(waiting) = self.buffer.pop_front() {
            match waiting {
                Waiting::Frame(frame) => {
                    played = *frame;
                    break;
                }
                Waiting::Mark(name) => {
                    seen.marks += 1;
                    out.push(Message::text(self.mark(&name)));
                }
            }
        }
        if played.iter().any(|sample| sample.unsigned_abs() > 200) {
            seen.sounded.push(Instant::now());
        }
        seen.played.push(played);
        out
    }

    fn mark(&self, name: &str) -> String {
        match self.provider {
            Provider::Plivo => json!({ "event": "playedStream", "streamId": "s1", "name": name }),
            Provider::Vonage => json!({ "event": "websocket:notify", "payload": { "mark": name } }),
            _ => json!({ "event": "mark", "mark": { "name": name } }),
        }
        .to_string()
    }

    /// What the edge wants; what is answered at once.
    fn told(&mut self, text: &str) -> Vec<String> {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let word = value["event"].as_str().or(value["action"].as_str()).unwrap_or_default();
        match word {
            "media" | "playAudio" => {
                let payload = value["media"]["payload"].as_str().expect("a payload");
                self.enqueue(&STANDARD.decode(payload).expect("base64"));
                Vec::new()
            }
            "mark" | "checkpoint" | "notify" => {
                let mark = [&value["mark"]["name"], &value["name"], &value["payload"]["mark"]];
                let name = mark.iter().find(|name| !name.is_null()).expect("a name");
                let name = name.as_str().map_or_else(|| name.to_string(), ToOwned::to_owned);
                self.buffer.push_back(Waiting::Mark(name));
                Vec::new()
            }
            "clear" | "clearAudio" => {
                self.seen.lock().cleared.push(Instant::now());
                // Twilio sends back every mark that was not reached; the others say that they have cleared.
                let marks: Vec<String> = self
                    .buffer
                    .drain(..)
                    .filter_map(|waiting| match waiting {
                        Waiting::Mark(name) => Some(name),
                        Waiting::Frame(_) => None,
                    })
                    .collect();
                match self.provider {
                    Provider::Twilio => marks.iter().map(|name| self.mark(name)).collect(),
                    Provider::Plivo => vec![json!({ "event": "clearedAudio", "streamId": "s1" }).to_string()],
                    Provider::Vonage => vec![json!({ "event": "websocket:cleared" }).to_string()],
                    Provider::Telnyx => Vec::new(),
                }
            }
            other => panic!("{other:?} is no word of this carrier: {text}"),
        }
    }

    fn enqueue(&mut self, payload: &[u8]) {
        let samples = self.coding.decode(payload);
        let mut frame = [0; FRAME];
        for (to, from) in frame.iter_mut().zip(&samples) {
            *to = *from;
        }
        self.buffer.push_back(Waiting::Frame(Box::new(frame)));
        let waiting = self.buffer.iter().filter(|one| matches!(one, Waiting::Frame(_))).count();
        let mut seen = self.seen.lock();
        seen.waiting_most = seen.waiting_most.max(waiting);
    }
}
