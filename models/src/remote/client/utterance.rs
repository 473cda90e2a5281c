//! Carries one utterance from node to node. What was delivered is never delivered again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::super::NAME;
use super::super::failover::{Delivered, Rest};
use super::super::metrics::{self as measured, Sense};
use super::super::wire::{FromVoice, Resume, Say, from_voice, samples_of};
use super::shared::Shared;
use super::speaking::UnderWay;
use super::trouble::{Trouble, nobody};
use crate::audio::{AudioSender, FRAME_MS, MarkKind, Speech, audio_ring};
use crate::engine::{SpeakRequest, SpeechReady, TextToSpeech};
use crate::{Error, metrics as engine_metrics};

/// How often it is seen whether a player has room, or has gone.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) struct Utterance {
    shared: Arc<Shared>,
    instead: Option<Arc<dyn TextToSpeech>>,
    request: SpeakRequest,
    /// Until its first sample.
    ready: Option<SpeechReady>,
    /// From its first sample on.
    audio: Option<AudioSender>,
    delivered: Delivered,
    asked: Instant,
    _under_way: UnderWay,
}

/// How following one node ended.
enum End {
    /// Everything was said.
    Said,
    /// Nobody listens any more.
    Unheard,
    Trouble(Trouble),
}

impl Utterance {
    pub(super) fn new(
        shared: Arc<Shared>,
        instead: Option<Arc<dyn TextToSpeech>>,
        request: SpeakRequest,
        ready: SpeechReady,
        under_way: UnderWay,
    ) -> Self {
        Self {
            shared,
            instead,
            request,
            ready: Some(ready),
            audio: None,
            delivered: Delivered::default(),
            asked: Instant::now(),
            _under_way: under_way,
        }
    }

    /// Until it was said, or nobody is left to say it, or nobody listens.
    pub(super) async fn carry(mut self, mut cancelled: watch::Receiver<()>) {
        let (mut tried, mut last) = (Vec::new(), None);
        let shared = Arc::clone(&self.shared);
        let moves_max = shared.settings.moves_max as usize;
        while tried.len() <= moves_max
            && let Some(node) = shared.pick(Sense::Speaking, &tried)
        {
            let trouble = match self.say_at(node, &mut cancelled).await {
                End::Said | End::Unheard => return,
                End::Trouble(trouble) => trouble,
            };
            shared.note(Sense::Speaking, node, &trouble);
            if matches!(trouble, Trouble::Bad(_)) {
                return self.fails(nobody(shared.links.len(), Some(&trouble)));
            }
            tried.push(node);
            last = Some(trouble);
        }
        self.say_here(last.as_ref(), &mut cancelled).await;
    }

    async fn say_at(&mut self, node: usize, cancelled: &mut watch::Receiver<()>) -> End {
        let shared = Arc::clone(&self.shared);
        let Some(link) = shared.link(node) else {
            return End::Trouble(Trouble::Unreachable("there is no such node".into()));
        };
        let (open_after, audio_after) =
            (Duration::from_millis(shared.settings.open_ms), Duration::from_millis(shared.settings.audio_ms));
        let opened = tokio::select! {
            opened = timeout(open_after, link.say(self.asks())) => opened,
            _ = cancelled.changed(), if self.ready.is_some() => return End::Unheard,
        };
        let mut incoming = match opened {
            Ok(Ok(incoming)) => incoming,
            Ok(Err(status)) => return End::Trouble(Trouble::of(&status)),
            Err(_) => return End::Trouble(Trouble::Late),
        };
        let _counted = shared.opened(Sense::Speaking, node);
        let mut since = Instant::now();
        loop {
            let message = tokio::select! {
                message = timeout(LOOK_EVERY, incoming.message()) => message,
                _ = cancelled.changed(), if self.ready.is_some() => return End::Unheard,
            };
            match message {
                Ok(message) => match self.takes(message).await {
                    None => since = Instant::now(),
                    Some(end) => return end,
                },
                Err(_) if self.is_unheard() => return End::Unheard,
                Err(_) if since.elapsed() > audio_after => return End::Trouble(Trouble::Late),
                Err(_) => {}
            }
        }
    }

    /// What is asked of the next node.
    fn asks(&self) -> Say {
        let Delivered { engine, samples, words } = self.delivered.clone();
        Say {
            text: self.request.text.clone(),
            voice: self.request.voice.clone(),
            rate_hz: self.request.rate_hz,
            resume: (samples > 0).then_some(Resume { engine, samples, words }),
            tenant: self.request.tenant.0,
            // 0 is what peers say that know nothing of this.
            within_ms: u64::try_from(self.within().as_millis()).unwrap_or(u64::MAX).max(1),
        }
    }

    /// How long its next sample is of use: what has begun goes on as soon as it can.
    fn within(&self) -> Duration {
        if self.delivered.samples > 0 {
            return Duration::from_millis(self.shared.settings.audio_ms);
        }
        self.request.within.saturating_sub(self.asked.elapsed())
    }

    /// Takes what a node says; an end where there is one.
    async fn takes(&mut self, message: Result<Option<FromVoice>, tonic::Status>) -> Option<End> {
        let broken = |why: &str| Some(End::Trouble(Trouble::Broken(why.to_owned())));
        let kind = match message {
            Ok(Some(message)) => message.kind,
            Ok(None) => return broken("it ended the stream"),
            Err(status) => return Some(End::Trouble(Trouble::of(&status))),
        };
        match kind {
            Some(from_voice::Kind::Begun(engine)) => self.begins(&engine),
            Some(from_voice::Kind::Audio(bytes)) => {
                measured::count_bytes(Sense::Speaking, "received", bytes.len());
                let Ok(samples) = samples_of(&bytes) else { return broken("half a sample") };
                return self.delivers(&samples).await;
            }
            Some(from_voice::Kind::Word(word)) => self.reaches(word),
            Some(from_voice::Kind::End(_)) => {
                self.ends();
                return Some(End::Said);
            }
            None => return broken("it says what nobody understands"),
        }
        None
    }

    /// Who says it from here on. Of an utterance that two voices said no third can skip the right samples.
    fn begins(&mut self, engine: &str) {
        if self.delivered.samples == 0 {
            engine.clone_into(&mut self.delivered.engine);
        } else if self.delivered.engine != engine {
            self.delivered.engine.clear();
        }
    }

    /// Gives the player samples, as fast as it has room. An end where nobody listens.
    async fn delivers(&mut self, samples: &[i16]) -> Option<End> {
        let mut rest = samples;
        while !rest.is_empty() {
            let audio = self.audio();
            if audio.is_abandoned() {
                return Some(End::Unheard);
            }
            let (now, later) = rest.split_at(rest.len().min(audio.room()));
            audio.write(now);
            self.delivered.samples += now.len() as u64;
            rest = later;
            if !rest.is_empty() {
                sleep(LOOK_EVERY).await;
            }
        }
        None
    }

    /// The ring, which the player gets with the first sample.
    fn audio(&mut self) -> &mut AudioSender {
        let (rate_hz, lead_ms) = (self.request.rate_hz, self.shared.settings.lead_ms.max(2 * FRAME_MS));
        self.audio.get_or_insert_with(|| {
            let capacity = u64::from(rate_hz) * u64::from(lead_ms) / 1_000;
            let (sender, receiver) = audio_ring(rate_hz, usize::try_from(capacity).unwrap_or(usize::MAX));
            if let Some(ready) = self.ready.take() {
                ready(Ok(Speech::stream(receiver)));
            }
            sender
        })
    }

    fn reaches(&mut self, word: u32) {
        if word >= self.delivered.words {
            self.delivered.words = word.saturating_add(1);
            self.audio().mark(MarkKind::Word(word));
        }
    }

    fn ends(&mut self) {
        // Where there was nothing to say the player is told so, too.
        self.audio().mark(MarkKind::End);
        self.audio = None;
    }

    fn is_unheard(&self) -> bool {
        self.audio.as_ref().is_some_and(AudioSender::is_abandoned)
    }

    /// No node is left: this node's own engine says what is left of it, if there is one.
    async fn say_here(mut self, last: Option<&Trouble>, cancelled: &mut watch::Receiver<()>) {
        let Some(engine) = self.instead.clone() else {
            let nodes = self.shared.links.len();
            return self.fails(nobody(nodes, last));
        };
        measured::count_instead(Sense::Speaking);
        let rest = Rest::of(&self.request.text, engine.name(), &self.delivered);
        if rest.text.is_empty() && self.delivered.samples > 0 {
            return self.ends();
        }
        let (ready, spoken) = oneshot::channel();
        let within = self.within();
        let request = SpeakRequest { text: rest.text.clone(), within, ..self.request.clone() };
        // Held until the voice is there.
        let speaking = match engine.speak(request, Box::new(move |speech| drop(ready.send(speech)))) {
            Ok(speaking) => speaking,
            Err(error) => return self.fails(error),
        };
        let gone = |_| Error::Failed { engine: NAME, why: "this node's own voice gave no answer".into() };
        let spoken = tokio::select! {
            spoken = spoken => spoken.map_err(gone).flatten(),
            _ = cancelled.changed(), if self.ready.is_some() => return,
        };
        match (spoken, self.ready.take()) {
            (Ok(speech), Some(ready)) => ready(Ok(speech)),
            (Ok(speech), None) => self.goes_on(speech, &rest).await,
            (Err(error), ready) => {
                self.ready = ready;
                self.fails(error);
            }
        }
        drop(speaking);
    }

    /// The player has the beginning; the rest of it follows.
    async fn goes_on(&mut self, mut speech: Speech, rest: &Rest) {
        let mut frame = vec![0; (self.request.rate_hz * FRAME_MS / 1_000).max(1) as usize];
        let mut skip = rest.skip;
        loop {
            let read = speech.read(&mut frame);
            let unheard = usize::try_from(skip).unwrap_or(usize::MAX).min(read.samples);
            skip -= unheard as u64;
            let heard = frame.get(unheard..read.samples).unwrap_or_default();
            if self.delivers(heard).await.is_some() {
                return;
            }
            if let Some(word) = read.word {
                self.reaches(word + rest.words_before);
            }
            if read.ended {
                return self.ends();
            }
            if read.samples == 0 {
                sleep(LOOK_EVERY).await;
            }
        }
    }

    /// Nobody is left. What was delivered stays; the player comes to its end.
    fn fails(mut self, error: Error) {
        measured::count_nobody(Sense::Speaking);
        engine_metrics::count_failure(NAME);
        tracing::warn!(%error, begun = self.audio.is_some(), "an utterance was not said to its end");
        if let Some(ready) = self.ready.take() {
            ready(Err(error));
        }
    }
}
