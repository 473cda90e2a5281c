//! A caller's stream: audio in, words out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Status, Streaming};

use super::check;
use super::desk::{Desk, Place, absent, bad, stopping, told};
use super::outbox::{Outbox, Outgoing};
use crate::audio::AudioSender;
use crate::engine::{ListenRequest, Listening, RecogniserEvent};
use crate::remote::metrics::{self as measured, Sense};
use crate::remote::wire::{
    EndOfTurn, Open, ToEar, Words, expectation_of, from_ear, mark_of, samples_of, to_ear,
};

/// How often an engine that has no room is tried again: twice for each time that it empties its rings.
const ROOM_EVERY: Duration = Duration::from_millis(10);

/// A session under way.
struct Ear {
    incoming: Streaming<ToEar>,
    audio: AudioSender,
    listening: Box<dyn Listening>,
    outbox: Arc<Outbox>,
    stall: Duration,
    _place: Place,
}

/// Grants a session, or says at once why not.
pub(super) async fn hear(desk: Arc<Desk>, mut incoming: Streaming<ToEar>) -> Result<Outgoing, Status> {
    let place = desk.take(Sense::Hearing)?;
    let engine = desk.engines.speech_to_text.clone().ok_or_else(|| absent(Sense::Hearing))?;
    let settings = &desk.settings;
    let first = timeout(Duration::from_millis(settings.first_ms), incoming.message()).await;
    let first = first.map_err(|_| bad(Sense::Hearing, "nothing was opened in time"))??;
    let Some(to_ear::Kind::Open(open)) = first.and_then(|first| first.kind) else {
        return Err(bad(Sense::Hearing, "a stream begins with what it opens"));
    };
    check::open(&open, settings).map_err(|wrong| bad(Sense::Hearing, wrong))?;
    let Open { rate_hz, phrases, expectation } = open;
    let (outbox, outgoing) = Outbox::new(settings.events_waiting_max);
    let events = Arc::clone(&outbox);
    let listener = Box::new(move |event| tell(&events, event));
    let request = ListenRequest { rate_hz, phrases: phrases.into() };
    let (audio, listening) =
        engine.listen(request, listener).map_err(|error| told(Sense::Hearing, &error))?;
    listening.expect(expectation_of(expectation));
    measured::count_granted(Sense::Hearing);
    let stall = Duration::from_millis(settings.stall_ms);
    let ear = Ear { incoming, audio, listening, outbox, stall, _place: place };
    tokio::spawn(ear.attend(desk.ends()));
    Ok(outgoing)
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
    async fn attend(mut self, mut ends: watch::Receiver<bool>) {
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
                Some(to_ear::Kind::Open(_)) => "a stream is opened once".to_owned(),
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
