//! Nodes that serve scripted engines, a wire that can be cut, and a caller.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::audio::{AudioSender, MarkKind, TELEPHONE_HZ};
use crate::engine::{
    ListenRequest, Listening, Place, RecogniserEvent, SpeakRequest, SpeechToText, TextToSpeech,
};
use crate::remote::{ClientSettings, Remote, Served, Server, ServerSettings, Settings};
use crate::scripted::{self, Control, Recogniser, Voice, tone_code};
use crate::{Error, SpeakingSettings, clock};

/// How long anything may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A node with scripted engines.
pub(super) struct Node {
    pub(super) server: Server,
    pub(super) control: Control,
}

impl Node {
    pub(super) fn start(runtime: &Runtime, server: ServerSettings) -> Self {
        Self::of(runtime, server, scripted::Settings::default())
    }

    /// With an ear of these bounds.
    pub(super) fn of(runtime: &Runtime, server: ServerSettings, ear: scripted::Settings) -> Self {
        let control = Control::default();
        let recogniser = Recogniser::start(ear, control.clone()).expect("starts");
        let voice = Voice::start(SpeakingSettings::default(), control.clone()).expect("starts");
        let engines = Served {
            speech_to_text: Some(Arc::new(recogniser)),
            text_to_speech: Some(Arc::new(voice)),
            ..Served::default()
        };
        let any = "127.0.0.1:0".parse().expect("an address");
        let settings = Settings { listen: any, server, ..Settings::default() };
        let server = runtime.block_on(Server::start(&settings, engines)).expect("starts");
        Self { server, control }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }
}

/// A wire to a node that can be cut, or stand still.
pub(super) struct Wire {
    address: SocketAddr,
    flows: Arc<Mutex<Vec<JoinHandle<()>>>>,
    accepting: JoinHandle<()>,
    is_cut: Arc<std::sync::atomic::AtomicBool>,
}

impl Wire {
    pub(super) fn to(runtime: &Runtime, node: SocketAddr) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("binds");
        let address = listener.local_addr().expect("bound");
        let flows: Arc<Mutex<Vec<JoinHandle<()>>>> = Arc::default();
        let is_cut = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (kept, cut) = (Arc::clone(&flows), Arc::clone(&is_cut));
        let accepting = runtime.spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                if cut.load(std::sync::atomic::Ordering::Acquire) {
                    continue;
                }
                kept.lock().push(tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(node).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                }));
            }
        });
        Self { address, flows, accepting, is_cut }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks every connection; later ones are made.
    pub(super) fn snap(&self) {
        for flow in self.flows.lock().drain(..) {
            flow.abort();
        }
    }

    /// Breaks every connection, for good.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, std::sync::atomic::Ordering::Release);
        self.snap();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
        self.snap();
    }
}

pub(super) fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let until = clock::now() + PATIENCE;
    while !is_so() {
        assert!(clock::now() < until, "no sign of {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(super) fn settings(nodes: Vec<String>) -> Settings {
    let client = ClientSettings { look_ms: 200, out_ms: 100, ..ClientSettings::default() };
    Settings { nodes, client, ..Settings::default() }
}

pub(super) fn remote(runtime: &Runtime, nodes: Vec<String>) -> Remote {
    Remote::start(&settings(nodes), runtime.handle()).expect("starts")
}

/// Somebody who speaks in tones, and what is heard of them.
pub(super) struct Caller {
    audio: AudioSender,
    pub(super) listening: Box<dyn Listening>,
    pub(super) events: Receiver<RecogniserEvent>,
    turn: u64,
}

impl Caller {
    pub(super) fn on(engine: &dyn SpeechToText) -> Result<Self, Error> {
        Self::at(engine, &Place::default())
    }

    /// At a place that was kept for them.
    pub(super) fn at(engine: &dyn SpeechToText, place: &Place) -> Result<Self, Error> {
        let (sender, events) = sync_channel(10_000);
        let request = ListenRequest { rate_hz: TELEPHONE_HZ, phrases: Arc::from(["a phrase".to_owned()]) };
        let (audio, listening) =
            engine.listen_at(place, request, Box::new(move |event| drop(sender.try_send(event))))?;
        Ok(Self { audio, listening, events, turn: 0 })
    }

    /// The same, as soon as a node is there.
    pub(super) fn soon_on(engine: &dyn SpeechToText) -> Self {
        let until = clock::now() + PATIENCE;
        loop {
            match Self::on(engine) {
                Ok(caller) => return caller,
                Err(Error::Unavailable { .. }) if clock::now() < until => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Says words, at up to twenty times the pace of speech.
    pub(super) fn says(&mut self, words: &str) {
        self.audio.mark(MarkKind::SpeechStarted);
        let (samples, _) = tone_code::encode(words, TELEPHONE_HZ);
        for frame in samples.chunks(160) {
            while self.audio.room() < frame.len() {
                std::thread::sleep(Duration::from_millis(1));
            }
            self.audio.write(frame);
        }
        self.audio.mark(MarkKind::SpeechStopped);
    }

    /// Waits for a partial result with so many words.
    pub(super) fn is_heard(&self, words: usize) {
        let until = clock::now() + PATIENCE;
        loop {
            let event = self.next(until);
            if let RecogniserEvent::Partial { heard, .. } = event
                && heard.words.len() >= words
            {
                return;
            }
        }
    }

    fn next(&self, until: Instant) -> RecogniserEvent {
        match self.events.recv_timeout(until.saturating_duration_since(clock::now())) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => panic!("nothing was heard in {PATIENCE:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the session is gone"),
        }
    }

    /// Ends the turn and returns its words; or the failure.
    pub(super) fn finishes(&mut self) -> Result<String, Error> {
        self.listening.finish_turn(self.turn);
        self.turn += 1;
        self.awaits(self.turn - 1)
    }

    /// The words of that turn, which must be the next.
    pub(super) fn awaits(&self, turn: u64) -> Result<String, Error> {
        let until = clock::now() + PATIENCE;
        loop {
            match self.next(until) {
                RecogniserEvent::Final { turn: of, heard } => {
                    assert_eq!(of, turn, "turns are answered in their order, each once");
                    return Ok(heard.text());
                }
                RecogniserEvent::Failed(error) => return Err(error),
                RecogniserEvent::Partial { .. } | RecogniserEvent::EndOfTurn { .. } => {}
            }
        }
    }
}

/// Everything that comes of an utterance: the samples and the words in the order of their beginning.
pub(super) type Played = (Vec<i16>, Vec<u32>);

/// Speaks and plays at a pace.
pub(super) fn speaks(engine: &dyn TextToSpeech, text: &str) -> Result<crate::audio::Speech, Error> {
    let (sender, receiver) = sync_channel(1);
    let request = SpeakRequest { text: text.into(), ..SpeakRequest::default() };
    let _speaking = engine.speak(request, Box::new(move |speech| drop(sender.send(speech))))?;
    receiver.recv_timeout(PATIENCE).expect("an answer")
}

/// Plays to the end, calling `now_and_then` with the samples so far.
pub(super) fn plays(mut speech: crate::audio::Speech, mut now_and_then: impl FnMut(usize)) -> Played {
    let (mut samples, mut words, mut frame) = (Vec::new(), Vec::new(), [0; 160]);
    let until = clock::now() + PATIENCE;
    loop {
        let read = speech.read(&mut frame);
        samples.extend_from_slice(&frame[..read.samples]);
        if let Some(word) = read.word
            && words.last() != Some(&word)
        {
            words.push(word);
        }
        now_and_then(samples.len());
        if read.ended {
            return (samples, words);
        }
        if read.samples == 0 {
            assert!(clock::now() < until, "the voice is late: {} samples", samples.len());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
