//! An utterance's stream: a text in, audio out, as fast as it is read.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;
use tonic::Status;

use super::check;
use super::desk::{Desk, Place, absent, bad, status_of, stopping, told};
use crate::Error;
use crate::audio::{FRAME_MS, Speech};
use crate::batching::Tenant;
use crate::engine::{SpeakRequest, Speaking};
use crate::remote::failover::{Delivered, Rest};
use crate::remote::metrics::{self as measured, Sense};
use crate::remote::wire::{FromVoice, Say, bytes_of, from_voice};

/// Audio of one message at most, in milliseconds.
const PIECE_MS: usize = 100;
/// Nobody's deadline is later, and that of peers that name none.
const WITHIN_MAX: Duration = Duration::from_mins(1);
/// How often an engine that is late is tried again.
const LATE_EVERY: Duration = Duration::from_millis(10);

type Sender = mpsc::Sender<Result<FromVoice, Status>>;

/// The reading end.
pub(super) struct Outgoing(mpsc::Receiver<Result<FromVoice, Status>>);

impl Stream for Outgoing {
    type Item = Result<FromVoice, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// An utterance under way. Whoever reads it may go at any time, which cancels it.
struct Mouth {
    sender: Sender,
    rest: Rest,
    rate_hz: u32,
    engine: &'static str,
    /// Dropped with this: what is not spoken yet never is.
    _speaking: Option<Box<dyn Speaking>>,
    _place: Place,
}

/// Grants an utterance, or says at once why not.
pub(super) fn say(desk: Arc<Desk>, asked: Say) -> Result<Outgoing, Status> {
    let place = desk.take(Sense::Speaking)?;
    let engine = desk.engines.text_to_speech.clone().ok_or_else(|| absent(Sense::Speaking))?;
    check::say(&asked, &desk.settings).map_err(|wrong| bad(Sense::Speaking, wrong))?;
    let Say { text, voice, rate_hz, resume, tenant, within_ms } = asked;
    let delivered = resume.map(|resume| Delivered {
        engine: resume.engine,
        samples: resume.samples,
        words: resume.words,
    });
    let rest = Rest::of(&text, engine.name(), &delivered.unwrap_or_default());
    let (ready, spoken) = oneshot::channel();
    let speaking = if rest.text.is_empty() && !text.is_empty() {
        // Everything was begun: an end is all that is left.
        None
    } else {
        let within =
            if within_ms == 0 { WITHIN_MAX } else { Duration::from_millis(within_ms).min(WITHIN_MAX) };
        let (text, tenant) = (rest.text.clone(), Tenant(tenant));
        let request = SpeakRequest { text, voice, rate_hz, tenant, within };
        let speaking = engine.speak(request, Box::new(move |speech| drop(ready.send(speech))));
        Some(speaking.map_err(|error| told(Sense::Speaking, &error))?)
    };
    measured::count_granted(Sense::Speaking);
    let (sender, receiver) = mpsc::channel(desk.settings.pieces_waiting_max.max(1));
    let engine = engine.name();
    let mouth = Mouth { sender, rest, rate_hz, engine, _speaking: speaking, _place: place };
    tokio::spawn(mouth.attend(spoken, desk.ends()));
    Ok(Outgoing(receiver))
}

/// Why an utterance was not said to its end.
enum Cut {
    Cancelled,
    Engine(Error),
}

impl Mouth {
    async fn attend(self, spoken: oneshot::Receiver<Result<Speech, Error>>, mut ends: watch::Receiver<bool>) {
        let sender = self.sender.clone();
        let cut = tokio::select! {
            said = self.say(spoken) => said.err(),
            () = sender.closed() => Some(Cut::Cancelled),
            _ = ends.wait_for(|over| *over) => {
                measured::count_cut(Sense::Speaking, "stopping");
                let _ = sender.try_send(Err(stopping()));
                None
            }
        };
        match cut {
            None => {}
            Some(Cut::Cancelled) => measured::count_cut(Sense::Speaking, "cancelled"),
            Some(Cut::Engine(error)) => {
                measured::count_cut(Sense::Speaking, "engine");
                let status = status_of(&error).0;
                // Whoever reads it may have gone.
                let _ = sender.send(Err(status)).await;
            }
        }
    }

    async fn say(self, spoken: oneshot::Receiver<Result<Speech, Error>>) -> Result<(), Cut> {
        self.send(from_voice::Kind::Begun(self.engine.to_owned())).await?;
        if self._speaking.is_some() {
            let gone = |_| Error::Failed { engine: self.engine, why: "it gave no answer".into() };
            let speech = spoken.await.map_err(gone).flatten().map_err(Cut::Engine)?;
            self.play(speech).await?;
        }
        self.send(from_voice::Kind::End(true)).await
    }

    async fn play(&self, mut speech: Speech) -> Result<(), Cut> {
        let samples = |ms: usize| (self.rate_hz as usize * ms / 1_000).max(1);
        let (mut frame, piece) = (vec![0; samples(FRAME_MS as usize)], samples(PIECE_MS));
        let (mut skip, mut last_word, mut heard) = (self.rest.skip, None, Vec::new());
        loop {
            let read = speech.read(&mut frame);
            let unheard = skip.min(read.samples as u64);
            skip -= unheard;
            let from = usize::try_from(unheard).unwrap_or(usize::MAX);
            heard.extend_from_slice(frame.get(from..read.samples).unwrap_or_default());
            let word = read.word.filter(|_| read.word != last_word);
            if word.is_some() || read.ended || heard.len() >= piece || read.samples == 0 {
                self.give(&mut heard).await?;
            }
            // After the frame in which it begins, as a player that reads by the frame learns of it.
            if let Some(word) = word {
                last_word = read.word;
                self.send(from_voice::Kind::Word(word + self.rest.words_before)).await?;
            }
            if read.ended {
                return Ok(());
            }
            if read.samples == 0 {
                sleep(LATE_EVERY).await;
            }
        }
    }

    async fn give(&self, heard: &mut Vec<i16>) -> Result<(), Cut> {
        if heard.is_empty() {
            return Ok(());
        }
        measured::count_spoken(heard.len(), self.rate_hz);
        let bytes = bytes_of(heard);
        heard.clear();
        self.send(from_voice::Kind::Audio(bytes)).await
    }

    async fn send(&self, kind: from_voice::Kind) -> Result<(), Cut> {
        self.sender.send(Ok(FromVoice { kind: Some(kind) })).await.map_err(|_| Cut::Cancelled)
    }
}
