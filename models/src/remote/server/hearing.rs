//! A caller's stream: audio in, words out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Status, Streaming};

use super::check;
use super::desk::{Desk, Place, absent, bad, stopping, told};
use super::outbox::{Outbox, Outgoing};
use crate::Error;
use crate::audio::AudioSender;
use crate::batching::Tenant;
use crate::engine::{self, ListenRequest, Listening, RecogniserEvent, SpeechToText};
use crate::remote::metrics::{self as measured, Sense};
use crate::remote::wire::{
    EndOfTurn, Keep, Open, ToEar, Words, expectation_of, from_ear, mark_of, samples_of, to_ear,
};

/// How often an engine that has no room is tried again: twice for each time that it empties its rings.
const ROOM_EVERY: Duration = Duration::from_millis(10);

/// A place, taken at the engine as well.
struct Seat {
    desk: Arc<Desk>,
    engine: Arc<dyn SpeechToText>,
    at: engine::Place,
    _place: Place,
}

/// A session under way.
struct Ear {
    incoming: Streaming<ToEar>,
    audio: AudioSender,
    listening: Box<dyn Listening>,
    outbox: Arc<Outbox>,
    stall: Duration,
    seat: Seat,
}

/// Grants a session, or a place for one, or says at once why not.
pub(super) async fn hear(desk: Arc<Desk>, mut incoming: Streaming<ToEar>) -> Result<Outgoing, Status> {
    let place = desk.take(Sense::Hearing)?;
    let engine = desk.engines.speech_to_text.clone().ok_or_else(|| absent(Sense::Hearing))?;
    let settings = &desk.settings;
    let first = timeout(Duration::from_millis(settings.first_ms), incoming.message()).await;
    let first = first.map_err(|_| bad(Sense::Hearing, "nothing was opened in time"))??;
    let (outbox, outgoing) = Outbox::new(settings.events_waiting_max);
    match first.and_then(|first| first.kind) {
        Some(to_ear::Kind::Open(open)) => {
            check::open(&open, settings).map_err(|wrong| bad(Sense::Hearing, wrong))?;
            let seat = Seat::take(desk, engine, place, Tenant(open.tenant)).await?;
            let ear = seat.open(open, incoming, outbox)?;
            tokio::spawn(ear.attend());
        }
        Some(to_ear::Kind::Keep(Keep { tenant })) => {
            let seat = Seat::take(desk, engine, place, Tenant(tenant)).await?;
            tokio::spawn(seat.wait(incoming, outbox));
        }
        _ => return Err(bad(Sense::Hearing, "a stream begins with what it opens")),
    }
    measured::count_granted(Sense::Hearing);
    Ok(outgoing)
}

impl Seat {
    /// By the engine's own grant, held as long as the stream.
    async fn take(
        desk: Arc<Desk>,
        engine: Arc<dyn SpeechToText>,
        place: Place,
        tenant: Tenant,
    ) -> Result<Self, Status> {
        let (sender, kept) = oneshot::channel();
        engine.reserve(tenant, Box::new(move |kept| drop(sender.send(kept))));
        let patience = Duration::from_millis(desk.settings.first_ms);
        let gone = |_| Error::Failed { engine: engine.name(), why: "it gave no answer".into() };
        let kept = timeout(patience, kept).await.map_err(|_| late())?.map_err(gone).flatten();
        let at = kept.map_err(|error| told(Sense::Hearing, &error))?;
        Ok(Self { desk, engine, at, _place: place })
    }

    /// Waits for the call to be answered.
    async fn wait(self, mut incoming: Streaming<ToEar>, outbox: Arc<Outbox>) {
        let patience = Duration::from_millis(self.desk.settings.kept_ms);
        let mut ends = self.desk.ends();
        let opened = tokio::select! {
            first = timeout(patience, incoming.message()) => match first {
                Ok(Ok(Some(ToEar { kind: Some(to_ear::Kind::Open(open)) }))) => {
                    check::open(&open, &self.desk.settings)
                        .map_err(|wrong| Some(bad(Sense::Hearing, wrong)))
                        .and_then(|()| self.open(open, incoming, Arc::clone(&outbox)).map_err(Some))
                }
                Ok(Ok(Some(_))) => Err(Some(bad(Sense::Hearing, "nothing is opened"))),
                // The call was not answered.
                Ok(Ok(None) | Err(_)) => Err(None),
                Err(_) => Err(Some(late())),
            },
            () = outbox.ended() => Err(None),
            _ = ends.wait_for(|over| *over) => Err(Some(stopping())),
        };
        match opened {
            Ok(ear) => ear.attend().await,
            Err(status) => outbox.end(status),
        }
    }

    fn open(self, open: Open, incoming: Streaming<ToEar>, outbox: Arc<Outbox>) -> Result<Ear, Status> {
        let Open { rate_hz, phrases, expectation, .. } = open;
        let events = Arc::clone(&outbox);
        let listener = Box::new(move |event| tell(&events, event));
        let request = ListenRequest { rate_hz, phrases: phrases.into() };
        let opened = self.engine.listen_at(&self.at, request, listener);
        let (audio, listening) = opened.map_err(|error| told(Sense::Hearing, &error))?;
        listening.expect(expectation_of(expectation));
        let stall = Duration::from_millis(self.desk.settings.stall_ms);
        Ok(Ear { incoming, audio, listening, outbox, stall, seat: self })
    }
}

fn late() -> Status {
    Status::deadline_exceeded("it took too long")
}

/// Queues what the engine says. Called on its thread.
fn tell(outbox: &Outbox, event: RecogniserEvent) {
    let read = match event {
        RecogniserEvent::Partial { turn, heard } => {
            outbox.push(from_ear::Kind::Partial(Words::of(turn, &heard)))
        }
        RecogniserEvent::Final { turn, heard } => outbox.push(from_ear::Kind::Final(Words::of(turn, &heard))),
        RecogniserEvent::EndOfTurn { turn, back_channel } => {
            outbox.push(from_ear::Kind::EndOfTurn(EndOfTurn { turn, back_channel }))
        }
        RecogniserEvent::Failed(error) => {
            measured::count_cut(Sense::Hearing, "engine");
            outbox.end(Some(Status::internal(error.to_string())));
            true
        }
    };
    if !read {
        measured::count_cut(Sense::Hearing, "unread");
    }
}

impl Ear {
    /// Takes what comes until either side ends.
    async fn attend(mut self) {
        let mut ends = self.seat.desk.ends();
        let outbox = Arc::clone(&self.outbox);
        let status = tokio::select! {
            status = self.listen() => status,
            () = outbox.ended() => None,
            _ = ends.wait_for(|over| *over) => {
                measured::count_cut(Sense::Hearing, "stopping");
                Some(stopping())
            }
        };
        // No event comes after this, so the end is the last.
        drop(self.listening);
        outbox.end(status);
    }

    /// None where the caller's node ended the stream.
    async fn listen(&mut self) -> Option<Status> {
        loop {
            let kind = match self.incoming.message().await {
                Ok(Some(message)) => message.kind,
                Ok(None) => return None,
                Err(status) => {
                    let why =
                        if status.code() == tonic::Code::Cancelled { "cancelled" } else { "bad_request" };
                    measured::count_cut(Sense::Hearing, why);
                    return Some(status);
                }
            };
            let wrong = match kind {
                Some(to_ear::Kind::Audio(bytes)) => match samples_of(&bytes) {
                    Ok(samples) => {
                        if let Some(status) = self.write(&samples).await {
                            return Some(status);
                        }
                        continue;
                    }
                    Err(misshapen) => misshapen.to_string(),
                },
                Some(to_ear::Kind::Mark(number)) => match mark_of(number) {
                    Some(kind) => {
                        self.audio.mark(kind);
                        continue;
                    }
                    None => format!("there is no mark {number}"),
                },
                Some(to_ear::Kind::FinishTurn(turn)) => {
                    self.listening.finish_turn(turn);
                    continue;
                }
                Some(to_ear::Kind::Expect(number)) => {
                    self.listening.expect(expectation_of(number));
                    continue;
                }
                Some(to_ear::Kind::Open(_) | to_ear::Kind::Keep(_)) => "a stream is opened once".to_owned(),
                // Of a peer that knows more than this node; it can do without.
                None => continue,
            };
            measured::count_cut(Sense::Hearing, "bad_request");
            return Some(Status::invalid_argument(wrong));
        }
    }

    /// Gives the engine all of it, as fast as it has room: nothing is dropped, the sender waits.
    async fn write(&mut self, mut samples: &[i16]) -> Option<Status> {
        let mut since: Option<Instant> = None;
        loop {
            let fits = samples.len().min(self.audio.room());
            let (now, later) = samples.split_at(fits);
            if !now.is_empty() {
                self.audio.write(now);
                since = None;
            }
            if later.is_empty() {
                return None;
            }
            samples = later;
            let waited = since.get_or_insert_with(Instant::now).elapsed();
            if waited > self.stall || self.audio.is_abandoned() {
                measured::count_cut(Sense::Hearing, "stalled");
                return Some(Status::aborted("the engine takes no audio"));
            }
            sleep(ROOM_EVERY).await;
        }
    }
}
