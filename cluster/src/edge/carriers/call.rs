//! The task of a call, from the carrier's question to the last event.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::call::leg::{Command, Event, Events, Incoming, Leg, Refusal};
use actors::types::{Attestation, CallId, CallQuality, EndReason, PhoneNumber, Private};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::leg::CarrierLeg;
use super::metrics;
use super::provider::Provider;
use super::provider::webhook::Answer;
use super::reach::Reach;
use super::server::Shared;
use super::stream::{Next, Read, Stream, next};
use super::table::{Opens, Place};
use super::told::Told;
use super::transfer::Transfer;
use super::upgrade::Connected;
use crate::clock;
use crate::edge::media::{Control, MediaEvent, MediaEvents, Session};

/// A call that a carrier asks about.
pub(super) struct Ringing {
    pub(super) provider: Provider,
    /// The carrier's name for it.
    pub(super) remote: String,
    pub(super) called: PhoneNumber,
    pub(super) caller: Option<Private<PhoneNumber>>,
    /// What the carrier says of that number.
    pub(super) attestation: Attestation,
    pub(super) place: Place,
    pub(super) me: mpsc::Sender<Told>,
    pub(super) told: mpsc::Receiver<Told>,
    /// Where the carrier waits for what to do.
    pub(super) reply: oneshot::Sender<String>,
}

/// Where a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The call actor has not said whether it answers.
    Asked,
    /// The carrier is to connect a stream.
    Connecting,
    /// The stream is there, and has not said what it is.
    Starting,
    /// Both can hear each other.
    Talking,
    /// The carrier calls people before the call is answered.
    Reaching,
    /// One of them speaks with the caller.
    Joined,
    /// The carrier is to dial somebody else.
    Transferring,
    /// The audio is being closed.
    Ending,
    /// Nothing is left to do.
    Over,
}

/// A call under way.
pub(super) struct Call {
    pub(super) shared: Arc<Shared>,
    pub(super) provider: Provider,
    pub(super) remote: String,
    pub(super) called: PhoneNumber,
    id: CallId,
    events: Events,
    pub(super) place: Place,
    pub(super) me: mpsc::Sender<Told>,
    told: mpsc::Receiver<Told>,
    pub(super) reply: Option<oneshot::Sender<String>>,
    /// The token of the stream that the carrier is to connect.
    pub(super) token: Option<String>,
    session: Option<Session>,
    pub(super) stream: Option<Stream>,
    pub(super) phase: Phase,
    pub(super) deadline: Instant,
    pub(super) transfer: Option<Transfer>,
    pub(super) reach: Option<Reach>,
    established: bool,
    alive: Arc<AtomicBool>,
    ending: Option<EndReason>,
    quality: Option<CallQuality>,
}

/// Offers a call to the reception and, where that takes it, serves it to its end.
pub(super) async fn run(shared: Arc<Shared>, ringing: Ringing) {
    let Ringing { provider, remote, called, caller, attestation, place, me, told, reply } = ringing;
    let alive = Arc::new(AtomicBool::new(true));
    let leg: Arc<dyn Leg> =
        Arc::new(CarrierLeg::new(me.clone(), Arc::clone(&alive), provider.rings_at_once()));
    let id = new_call_id();
    let incoming = Incoming { call: id, called: called.clone(), caller, attestation, at: clock::now() };
    let patience = Duration::from_millis(shared.settings.offer_ms);
    // The leg is kept until the outcome is known, so that a refusal is not taken for a hang-up.
    let kept = Arc::clone(&leg);
    let offered = match timeout(patience, shared.reception.offer(incoming, leg)).await {
        Ok(offered) => offered,
        Err(_) => Err(Refusal::Failed { why: "the reception did not answer in time".to_owned() }),
    };
    let events = match offered {
        Ok(events) => events,
        Err(refusal) => {
            tracing::debug!(call_id = %id, why = %refusal, "a carrier's call was refused");
            metrics::call(provider, "refused");
            alive.store(false, Ordering::Release);
            // A carrier that does not wait any more takes the call for refused.
            let _ = reply.send(provider.answer(&refusing(&refusal)));
            return;
        }
    };
    drop(kept);
    let deadline = Instant::now() + patience;
    let call = Call {
        shared,
        provider,
        remote,
        called,
        id,
        events,
        place,
        me,
        told,
        reply: Some(reply),
        token: None,
        session: None,
        stream: None,
        phase: Phase::Asked,
        deadline,
        transfer: None,
        reach: None,
        established: false,
        alive,
        ending: None,
        quality: None,
    };
    call.serve().await;
}

const fn refusing(refusal: &Refusal) -> Answer<'static> {
    match refusal {
        Refusal::TenantFull { .. } | Refusal::NodeFull { .. } | Refusal::StoreAway { .. } => Answer::Busy,
        Refusal::Screened { status: 486 } => Answer::Busy,
        Refusal::UnknownNumber | Refusal::Screened { .. } | Refusal::Failed { .. } => Answer::Reject,
    }
}

impl Call {
    async fn serve(mut self) {
        while self.phase != Phase::Over {
            tokio::select! {
                biased;
                told = self.told.recv() => match told {
                    Some(told) => self.on_told(told).await,
                    // Nobody can tell us anything any more; that includes ourselves, so it does not happen.
                    None => self.end(EndReason::SignallingTimeout, true).await,
                },
                next = next(&mut self.stream) => self.on_next(next).await,
                () = sleep_until(self.deadline) => self.on_deadline().await,
            }
        }
        let quality = self.quality.take().unwrap_or_default();
        let reason = self.ending.unwrap_or(EndReason::SignallingTimeout);
        tracing::debug!(call_id = %self.id, reason = ?reason, "a carrier's call ended");
        self.alive.store(false, Ordering::Release);
        (self.events)(Event::Quality(quality));
        (self.events)(Event::Ended(reason));
    }

    async fn on_told(&mut self, told: Told) {
        match told {
            Told::Command(command) => self.on_command(command).await,
            Told::Media(event) => self.on_media(event).await,
            Told::AskedAgain(reply) => self.on_asked_again(reply),
            Told::Stream(connected) => self.on_stream(*connected).await,
            Told::Redirected(outcome) => self.on_redirected(outcome).await,
            Told::Fetched(reply) => self.on_fetched(reply),
            Told::Dialled(told) if self.is_reachs(&told.token) => self.on_news(told).await,
            Told::Dialled(told) => self.on_dialled(told.news, told.reply).await,
            Told::PickedUp { token, person, reply } => self.on_picked_up(&token, person, reply),
            Told::Pressed { token, person, takes, reply } => self.on_pressed(&token, person, takes, reply),
            Told::Over => self.end(EndReason::CallerHungUp, false).await,
            // Two who speak with each other need nobody here.
            Told::Stop => self.end(EndReason::NodeStopped, self.phase != Phase::Joined).await,
        }
    }

    async fn on_command(&mut self, command: Command) {
        if self.ending.is_some() {
            return;
        }
        let media = match command {
            // Their callers hear nothing before the answer, and are answered at once.
            Command::Progress => return,
            Command::Reach(people) => return self.begin_reach(people),
            Command::Answer => return self.answer().await,
            Command::Refuse(refusal) => {
                self.tell_carrier(&refusing(&refusal));
                metrics::call(self.provider, "refused");
                return self.end(EndReason::Refused, false).await;
            }
            Command::Transfer(destination) => return self.begin_transfer(&destination),
            // The carrier dials for the caller, or has reached somebody: hanging up would cut them off.
            Command::HangUp if self.is_dialled_for() || self.phase == Phase::Joined => {
                return self.end(EndReason::Transferred, false).await;
            }
            Command::HangUp => return self.end(EndReason::Completed, true).await,
            Command::Listen(ring) => Control::Listen(ring),
            Command::Record(ring) => Control::Record(ring),
            Command::Play { utterance, speech } => Control::Play { utterance, speech },
            Command::StopPlaying => Control::StopPlaying,
            Command::Bridge { says, hears } => Control::Bridge { says, hears },
            Command::Part => Control::Part,
            Command::Wait(sound) => Control::Wait(sound),
        };
        if !self.with_media() || self.session.as_ref().is_none_or(|session| session.control(media).is_err()) {
            tracing::debug!(call_id = %self.id, "a command came too late for the call's media");
        }
    }

    async fn answer(&mut self) {
        if !matches!(self.phase, Phase::Asked | Phase::Reaching) {
            return;
        }
        if !self.with_media() {
            self.tell_carrier(&Answer::Reject);
            return self.end(EndReason::Refused, self.phase == Phase::Reaching).await;
        }
        if self.phase == Phase::Reaching {
            return self.bring_back();
        }
        let connect = self.connect();
        metrics::call(self.provider, "answered");
        if self.reply.take().is_some_and(|reply| reply.send(connect).is_ok()) {
            return;
        }
        // The carrier does not wait any more; it may ask again.
        tracing::debug!(call_id = %self.id, "a carrier did not wait for our answer");
    }

    /// The answer that has the carrier connect a stream to us. The token is one that was not used yet.
    pub(super) fn connect(&mut self) -> String {
        let token = match self.token.take() {
            Some(token) => token,
            None => self.place.token(Opens::Stream),
        };
        self.token = Some(token.clone());
        self.phase = Phase::Connecting;
        let settings = &self.shared.settings;
        self.deadline = Instant::now() + Duration::from_millis(settings.stream_ms);
        let stream = settings.stream_url(self.provider, &token);
        let status = settings.url(self.provider, "status", "");
        let rate_hz = settings.vonage.rate_hz;
        self.provider.answer(&Answer::Connect { stream: &stream, rate_hz, status: &status })
    }

    fn on_asked_again(&mut self, reply: oneshot::Sender<String>) {
        match self.phase {
            Phase::Reaching => self.tell_again(reply),
            Phase::Asked => self.reply = Some(reply),
            Phase::Connecting => {
                let connect = self.connect();
                let _ = reply.send(connect);
            }
            _ => {
                let _ = reply.send(self.provider.answer(&Answer::HangUp));
            }
        }
    }

    fn tell_carrier(&mut self, answer: &Answer<'_>) {
        if let Some(reply) = self.reply.take() {
            // A carrier that does not wait any more will end the call by itself.
            let _ = reply.send(self.provider.answer(answer));
        }
    }

    fn with_media(&mut self) -> bool {
        if self.session.is_some() {
            return true;
        }
        let me = self.me.clone();
        let provider = self.provider;
        let events: MediaEvents = Arc::new(move |event| {
            if me.try_send(Told::Media(event)).is_err() {
                metrics::dropped(provider, "media_event");
            }
        });
        match self.shared.media.open_line(self.id, events) {
            Ok(session) => self.session = Some(session),
            Err(error) => {
                tracing::warn!(call_id = %self.id, error = %error, "a call was refused for want of media");
            }
        }
        self.session.is_some()
    }

    async fn on_stream(&mut self, connected: Connected) {
        if self.phase != Phase::Connecting {
            return;
        }
        self.token = None;
        self.stream = Some(Stream::new(self.provider, connected, &self.shared.settings));
        self.phase = Phase::Starting;
        self.deadline = Instant::now() + Duration::from_millis(self.shared.settings.start_ms);
    }

    async fn on_next(&mut self, next: Next) {
        let Some(stream) = &mut self.stream else { return };
        let read = match next {
            Next::Frame(frame) => stream.read(frame),
            Next::Sent(Some(sent)) => {
                if stream.send(sent).await {
                    return;
                }
                Read::Broken("stalled")
            }
            // The media let go of the line: it has failed or was stopped, and says so itself.
            Next::Sent(None) => return self.let_go().await,
        };
        if self.phase == Phase::Talking {
            self.deadline = Instant::now() + Duration::from_millis(self.shared.settings.idle_ms);
        }
        match read {
            Read::Nothing => {}
            Read::Digit(key) => self.deliver(Event::Digit(key)),
            Read::Started(started, coding) => {
                // Telnyx has one name for a call in TeXML and another in its streams.
                let named = started.call.filter(|_| self.provider != Provider::Telnyx);
                if named.is_some_and(|call| call != self.remote) {
                    metrics::closed(self.provider, "of_another_call");
                    return self.end(EndReason::SignallingTimeout, true).await;
                }
                self.begin_stream(started.stream, coding);
            }
            Read::Stopped => self.stream_over(true).await,
            Read::Broken(why) => {
                metrics::closed(self.provider, why);
                self.stream_over(false).await;
            }
        }
    }

    fn begin_stream(&mut self, name: String, coding: super::provider::audio::Coding) {
        let (line, end) = self.shared.media.line();
        let attached =
            self.session.as_ref().is_some_and(|session| session.control(Control::Attach(line)).is_ok());
        let Some(stream) = self.stream.as_mut().filter(|_| attached) else { return };
        stream.begin(name, coding, end);
        self.phase = Phase::Talking;
        self.deadline = Instant::now() + Duration::from_millis(self.shared.settings.idle_ms);
        metrics::call(self.provider, "connected");
        if !std::mem::replace(&mut self.established, true) {
            self.deliver(Event::Established);
        }
        self.tell_failed_transfer();
    }

    /// The stream has ended: the caller hung up, or the carrier dials for them or brings them back on another.
    async fn stream_over(&mut self, in_order: bool) {
        if matches!(self.phase, Phase::Transferring | Phase::Connecting) {
            return self.let_go().await;
        }
        // A stream that broke does not say that the call is over.
        self.end(EndReason::CallerHungUp, !in_order).await;
    }

    async fn let_go(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.close().await;
        }
    }

    async fn on_media(&mut self, event: MediaEvent) {
        match event {
            // Nothing is agreed on by DTLS where a connection carries the audio.
            MediaEvent::FirstPacket | MediaEvent::Keys | MediaEvent::NoKeys(_) => {}
            MediaEvent::SpeechStarted => self.deliver(Event::SpeechStarted),
            MediaEvent::SpeechStopped => self.deliver(Event::SpeechStopped),
            MediaEvent::Digit(key) => self.deliver(Event::Digit(key)),
            MediaEvent::PlaybackStarted { utterance } => self.deliver(Event::PlaybackStarted { utterance }),
            MediaEvent::PlaybackEnded { utterance, complete, last_word } => {
                self.deliver(Event::PlaybackEnded { utterance, complete, last_word });
            }
            // While somebody else is dialled, the caller is not heard.
            MediaEvent::TimedOut if self.phase != Phase::Talking => {}
            MediaEvent::TimedOut => self.end(EndReason::MediaTimeout, true).await,
            MediaEvent::Closed(quality) => {
                self.quality = Some(quality);
                // A session that ends by itself has failed or was stopped: the call can't go on without.
                self.end(EndReason::MediaTimeout, true).await;
                self.phase = Phase::Over;
            }
        }
    }

    async fn on_deadline(&mut self) {
        match self.phase {
            Phase::Asked | Phase::Connecting => self.end(EndReason::SignallingTimeout, true).await,
            Phase::Starting => {
                metrics::closed(self.provider, "no_start");
                self.end(EndReason::SignallingTimeout, true).await;
            }
            Phase::Talking => {
                metrics::closed(self.provider, "idle");
                self.end(EndReason::MediaTimeout, true).await;
            }
            Phase::Transferring => self.transfer_timed_out().await,
            // The carrier tells nothing any more of people who are called.
            Phase::Reaching => self.end(EndReason::SignallingTimeout, true).await,
            Phase::Joined => self.end(EndReason::Transferred, false).await,
            Phase::Ending | Phase::Over => self.phase = Phase::Over,
        }
    }

    /// Ends the call, once. The carrier is asked to where it does not know.
    pub(super) async fn end(&mut self, reason: EndReason, ask_carrier: bool) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(reason);
        let was_asked = self.reply.is_some();
        // What has rung at somebody's is not refused any more.
        self.tell_carrier(if self.reach.is_some() { &Answer::HangUp } else { &Answer::Reject });
        // A call that the carrier waits with is refused by our answer.
        if ask_carrier && !was_asked {
            let (rest, provider, remote) = (self.shared.rest.clone(), self.provider, self.remote.clone());
            self.shared.asking.spawn(async move { rest.hang_up(provider, &remote).await });
        }
        self.let_go().await;
        let closing = self.session.as_ref().is_some_and(|session| session.control(Control::Close).is_ok());
        self.phase = if closing { Phase::Ending } else { Phase::Over };
        self.deadline = Instant::now() + Duration::from_millis(self.shared.settings.media_close_ms);
    }

    pub(super) fn deliver(&self, event: Event) {
        if self.ending.is_none() || matches!(event, Event::PlaybackEnded { .. }) {
            (self.events)(event);
        }
    }
}

/// A new call's identity (RFC 9562, version 7).
fn new_call_id() -> CallId {
    let milliseconds = u64::try_from(clock::now().as_millisecond()).unwrap_or_default();
    let random = crate::chance::bytes::<10>();
    CallId::new(uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
}
