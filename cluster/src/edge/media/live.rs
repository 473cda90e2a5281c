//! A session on its thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actors::types::{CallId, CallQuality};
use models::audio::{AudioSender, Clip, TELEPHONE_HZ};

use super::batch::{Batch, DATAGRAMS, Datagram};
use super::bridge::Bridge;
use super::expecting::Expecting;
use super::guard::Guard;
use super::handshake::Identity;
use super::hearing::Hearing;
use super::incoming::Incoming;
use super::line::Playing;
use super::outgoing::Outgoing;
use super::playout::{Kernels, Playout};
use super::ports::{Pair, Ports};
use super::reporting::{Clocks, Port, Reporting};
use super::session::Commands;
use super::setup::{Setup, Way};
use super::waiting::Sound;
use super::{Control, MediaEvent, MediaEvents, Settings, Stream, metrics};
use crate::rtp::latch::Latch;
use crate::rtp::level::Level;
use crate::rtp::packet::is_rtcp;
use crate::rtp::{FRAME, Micros};
use crate::{chance, clock};

/// Reads per turn at most: a flood waits in the kernel and is dropped there.
const READS: usize = 3;
/// One frame.
const FRAME_MICROS: Micros = 20_000;
/// Frames between looks at the RTCP port: a second.
const REPORT_FRAMES: u64 = 50;
/// Frames behind the clock after which they are passed over instead of sent at once.
const HOPELESS_FRAMES: u64 = 10;

/// Whether a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Goes,
    Over,
}

/// What all sessions of a thread share: buffers, and what the present turn counts.
#[derive(Debug)]
pub(super) struct Scratch {
    clocks: Clocks,
    /// The turn's beginning.
    moment: Instant,
    batch: Batch,
    kernels: Kernels,
    pub(super) received: u64,
    pub(super) sent: u64,
}

impl Default for Scratch {
    fn default() -> Self {
        let clocks = Clocks { now: 0, wall: 0 };
        let moment = clock::monotonic();
        Self { clocks, moment, batch: Batch::default(), kernels: Kernels::default(), received: 0, sent: 0 }
    }
}

impl Scratch {
    /// A turn begins, so long after the thread's origin.
    pub(super) fn begin(&mut self, moment: Instant, now: Micros) {
        self.moment = moment;
        let wall = u64::try_from(clock::now().as_microsecond()).unwrap_or(0);
        self.clocks = Clocks { now, wall };
        self.received = 0;
        self.sent = 0;
    }
}

/// A session on its thread.
pub(super) struct Live {
    call: CallId,
    pair: Option<Pair>,
    line: Option<Playing>,
    closed: bool,
    ports: Arc<Ports>,
    events: MediaEvents,
    commands: Arc<Commands>,
    settings: Arc<Settings>,
    far: Option<(Stream, Latch)>,
    expecting: Expecting,
    incoming: Incoming,
    hearing: Hearing,
    playout: Playout,
    outgoing: Outgoing,
    reporting: Reporting,
    guard: Guard,
    setup: Setup,
    record: Option<AudioSender>,
    recorded: Option<Level>,
    bridge: Option<Bridge>,
    waiting: Option<Sound>,
    /// Frames sent on lines that are gone.
    line_frames: u64,
    /// When its first turn was, and how many frames it has had since.
    began: Option<Micros>,
    frames: u64,
    clocks: Clocks,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Live").field("call", &self.call).finish_non_exhaustive()
    }
}

impl Live {
    pub(super) fn new(
        call: CallId,
        (pair, ports): (Option<Pair>, Arc<Ports>),
        identity: Option<Arc<Identity>>,
        events: MediaEvents,
        commands: Arc<Commands>,
        settings: &Arc<Settings>,
    ) -> Self {
        let outgoing = Outgoing::new(settings, chance::bytes());
        Self {
            call,
            pair,
            line: None,
            closed: false,
            ports,
            events,
            commands,
            settings: Arc::clone(settings),
            far: None,
            expecting: Expecting::default(),
            incoming: Incoming::new(settings),
            hearing: Hearing::new(settings),
            playout: Playout::new(settings.utterances),
            reporting: Reporting::new(settings, outgoing.ssrc()),
            outgoing,
            guard: Guard::default(),
            setup: Setup::new(identity, Duration::from_millis(settings.handshake_ms)),
            record: None,
            recorded: settings.level.recording.then(|| Level::new(&settings.level)),
            bridge: None,
            waiting: None,
            line_frames: 0,
            began: None,
            frames: 0,
            clocks: Clocks { now: 0, wall: 0 },
        }
    }

    pub(super) fn call(&self) -> CallId {
        self.call
    }

    /// 20 ms of the session.
    pub(super) fn turn(&mut self, scratch: &mut Scratch) -> Turn {
        self.clocks = scratch.clocks;
        self.keep_time();
        while let Some(control) = self.commands.next() {
            self.carry_out(control, scratch);
        }
        if self.commands.is_closing() {
            return Turn::Over;
        }
        self.receive(scratch);
        match self.setup.news() {
            None => {}
            Some(Ok(())) => (self.events)(MediaEvent::Keys),
            Some(Err(why)) => (self.events)(MediaEvent::NoKeys(why)),
        }
        let events = &self.events;
        let mut theirs = [0; FRAME];
        self.incoming.frame(&mut theirs);
        // Where telephone events were agreed on, tones in the audio are the same keys again, or music.
        if self.far.as_ref().is_some_and(|(stream, _)| stream.telephone_event.is_none()) {
            self.hearing.frame_with_tones(&theirs, &mut |event| events(event));
        } else {
            self.hearing.frame(&theirs, &mut |event| events(event));
        }
        if let Some(bridge) = &mut self.bridge {
            bridge.say(&theirs);
        }
        let mut ours = [0; FRAME];
        if let Some(line) = &mut self.line {
            let others = (self.bridge.as_mut(), self.waiting.as_mut());
            ours = line.frame(&mut self.playout, others, scratch.clocks.now, &mut |event| events(event));
            self.tell_dead_media(scratch.clocks.now);
        } else if let (Some((stream, latch)), Some(pair)) = (&self.far, &self.pair) {
            if stream.direction.sends() && self.guard.is_ready() && latch.is_reachable() {
                let made = self.playout.frame(&mut ours, &mut |event| events(event));
                let mut said = made > 0;
                if let Some(bridge) = &mut self.bridge {
                    said |= bridge.hear(&mut ours);
                }
                if let Some(waiting) = &mut self.waiting {
                    said |= waiting.frame(&mut ours, said);
                }
                let way = (&pair.rtp, latch.destination());
                scratch.sent += self.outgoing.frame((&mut ours, said), stream, way, &mut self.guard);
            } else {
                self.outgoing.pass_over(1);
            }
            if stream.direction.receives() {
                self.tell_dead_media(scratch.clocks.now);
            } else if self.setup.has_left(scratch.moment, self.patience()) {
                self.tell_timed_out();
            }
        }
        if self.waiting.as_ref().is_some_and(Sound::is_over) {
            self.waiting = None;
        }
        self.hearing.sent(&ours);
        self.write_recording(theirs, &ours);
        self.report(scratch);
        Turn::Goes
    }

    fn tell_dead_media(&mut self, now: Micros) {
        if self.incoming.has_died(now, self.settings.dead_media_ms) {
            self.tell_timed_out();
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.settings.dead_media_ms)
    }

    fn tell_timed_out(&self) {
        ::metrics::counter!(metrics::TIMEOUTS).increment(1);
        (self.events)(MediaEvent::TimedOut);
    }

    /// Passes over frames that the thread had no time for.
    fn keep_time(&mut self) {
        let began = *self.began.get_or_insert(self.clocks.now);
        let due = self.clocks.now.saturating_sub(began) / FRAME_MICROS;
        let behind = due.saturating_sub(self.frames);
        if behind > HOPELESS_FRAMES {
            self.outgoing.pass_over(behind);
            self.frames += behind;
        }
        self.frames += 1;
    }

    fn carry_out(&mut self, control: Control, scratch: &mut Scratch) {
        let events = &self.events;
        match control {
            Control::Configure(stream) => self.configure(stream),
            Control::Attach(line) => {
                self.incoming.expect(self.clocks.now);
                self.incoming.hold();
                self.let_go_of_line();
                self.line = Some(Playing::new(line, &self.settings));
            }
            Control::Play { utterance, speech } => {
                self.playout.play(utterance, speech, &mut scratch.kernels, &mut |event| events(event));
            }
            Control::StopPlaying => match &mut self.line {
                Some(line) => line.stop(&mut self.playout, &mut |event| events(event)),
                None => {
                    self.playout.stop(&mut |event| events(event));
                    self.outgoing.hush();
                }
            },
            Control::Listen(sender) => self.hearing.listen(sender),
            Control::Record(sender) => self.record = Some(sender),
            Control::Bridge { says, hears } => {
                self.wait(None);
                self.bridge = Some(Bridge::new(says, hears));
            }
            Control::Part => self.bridge = None,
            Control::Wait(sound) => self.wait(sound),
            Control::SendDigits(keys) => {
                let agreed = self.far.as_ref().is_some_and(|(stream, _)| stream.telephone_event.is_some());
                let refused = if agreed { self.outgoing.press(&keys) } else { keys.chars().count() };
                if refused > 0 {
                    tracing::warn!(call_id = %self.call, refused, "keys not sent");
                }
            }
            // Never queued: closing is a flag of its own.
            Control::Close => {}
        }
    }

    fn wait(&mut self, sound: Option<Clip>) {
        match sound {
            Some(sound) if sound.rate_hz == TELEPHONE_HZ => {
                self.waiting = Some(Sound::new(sound.samples, self.settings.waiting_ms));
            }
            Some(sound) => tracing::warn!(rate_hz = sound.rate_hz, "a waiting sound can't be played"),
            None => self.waiting.iter_mut().for_each(Sound::end),
        }
    }

    fn configure(&mut self, stream: Stream) {
        let anew = self.setup.configure(&stream, clock::monotonic());
        if anew {
            self.guard.wait_for_keys();
        }
        if stream.handshake.is_none()
            && let Err(why) = self.guard.configure(stream.protected.as_ref())
        {
            // What was agreed on has keys of the right length; a far side that changes them without end has not.
            tracing::warn!(call_id = %self.call, %why, "a stream's keys can't be used; the stream stays as it was");
            return;
        }
        let now = self.clocks.now;
        let window_ends = now + self.settings.latch_window_ms * 1_000;
        if stream.direction.receives() {
            self.incoming.expect(now);
        } else {
            self.incoming.hold();
        }
        let latch = match self.far.take() {
            // Whoever has proved itself is known by that, not by where the description points.
            Some((_, latch)) if stream.connectivity.is_some() && latch.is_by_checks() => latch,
            _ if stream.connectivity.is_some() => Latch::by_checks(stream.remote),
            Some((_, mut latch)) if !latch.is_by_checks() => {
                latch.describe(stream.remote, window_ends);
                latch
            }
            _ => Latch::new(stream.remote, window_ends),
        };
        self.far = Some((stream, latch));
    }

    /// What a line counted outlives it.
    fn let_go_of_line(&mut self) {
        let Some(mut line) = self.line.take() else { return };
        let events = &self.events;
        line.stop(&mut self.playout, &mut |event| events(event));
        self.line_frames += line.frames;
        ::metrics::counter!(metrics::LINE_UNSENT).increment(line.unsent);
        ::metrics::counter!(metrics::LINE_UNMARKED).increment(line.unmarked);
    }

    fn receive(&mut self, scratch: &mut Scratch) {
        if let Some(line) = &mut self.line {
            let events = &self.events;
            while let Some(piece) = line.piece() {
                self.incoming.piece(&piece, scratch.clocks.now, &mut |event| events(event));
            }
            return;
        }
        let Some(pair) = &self.pair else { return };
        let events = &self.events;
        if let Some((_, latch)) = &mut self.far {
            self.setup.tick(&mut Way { socket: &pair.rtp, latch, guard: &mut self.guard }, scratch.moment);
        }
        let mut most = self.expecting.most();
        for read in 0..READS {
            let more = scratch.batch.read(&pair.rtp, scratch.clocks.wall, most);
            let before = scratch.received;
            if let Some((stream, latch)) = &mut self.far {
                for datagram in scratch.batch.datagrams() {
                    let mut way = Way { socket: &pair.rtp, latch: &mut *latch, guard: &mut self.guard };
                    if self.setup.datagram(&datagram, &mut way, scratch.moment) {
                        continue;
                    }
                    if is_rtcp(datagram.bytes) && datagram.source == latch.destination() {
                        let came = scratch.clocks.earlier(datagram.age);
                        if let Some(report) = self.guard.open_report(datagram.bytes) {
                            self.reporting.hear(&report, self.outgoing.ssrc(), came);
                        }
                        continue;
                    }
                    let Some(clear) = self.guard.open(datagram.bytes) else { continue };
                    let datagram = Datagram { bytes: &clear, ..datagram };
                    let now = scratch.clocks.now;
                    let ours =
                        self.incoming.datagram(&datagram, stream, latch, now, &mut |event| events(event));
                    scratch.received += u64::from(ours);
                }
            } else {
                for datagram in scratch.batch.datagrams() {
                    self.setup.before_description(&datagram);
                }
            }
            let ages = scratch.batch.datagrams().map(|datagram| datagram.age);
            let regular = read == 0 && self.expecting.is_regular(ages, scratch.received - before);
            if !more || regular {
                return;
            }
            most = DATAGRAMS;
        }
    }

    fn report(&mut self, scratch: &mut Scratch) {
        if !self.frames.is_multiple_of(REPORT_FRAMES) {
            return;
        }
        let (Some((stream, latch)), Some(pair)) = (&self.far, &self.pair) else { return };
        if !latch.is_reachable() {
            return;
        }
        let figures = (&self.outgoing, &mut self.incoming.reception, &mut self.guard);
        let ports = if stream.multiplexed { Port::Shared(&pair.rtp) } else { Port::Own(&pair.rtcp) };
        self.reporting.turn(ports, latch.destination(), scratch.clocks, &mut scratch.batch, figures);
    }

    fn write_recording(&mut self, mut theirs: [i16; FRAME], ours: &[i16; FRAME]) {
        let Some(record) = &mut self.record else { return };
        if let Some(level) = &mut self.recorded {
            level.frame(&mut theirs, self.hearing.is_speaking());
        }
        let mut both = [0; 2 * FRAME];
        let (pairs, _) = both.as_chunks_mut();
        for ((pair, left), right) in pairs.iter_mut().zip(theirs).zip(ours) {
            *pair = [left, *right];
        }
        record.write(&both);
    }

    /// Ends the session: what plays is reported, the port is freed, the end is told.
    pub(super) fn close(&mut self) {
        self.commands.end();
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        if let Some(pair) = self.pair.take() {
            if let Some((stream, latch)) = self.far.as_ref().filter(|(_, latch)| latch.is_reachable()) {
                let figures = (&self.outgoing, &mut self.incoming.reception, &mut self.guard);
                let ports = if stream.multiplexed { Port::Shared(&pair.rtp) } else { Port::Own(&pair.rtcp) };
                self.reporting.send(ports, latch.destination(), self.clocks, figures, true);
            }
            let port = pair.port;
            drop(pair);
            self.ports.give_back(port, clock::monotonic());
        }
        self.let_go_of_line();
        let sent = self.outgoing.packets() + self.line_frames;
        let quality = self.incoming.quality(sent, self.reporting.round_trip_ms());
        self.count(&quality);
        let events = &self.events;
        self.playout.stop(&mut |event| events(event));
        events(MediaEvent::Closed(quality));
    }

    fn count(&self, quality: &CallQuality) {
        ::metrics::counter!(metrics::PACKETS_LOST).increment(quality.packets_lost);
        ::metrics::counter!(metrics::CONCEALED_MS).increment(quality.concealed_ms);
        let echo = self.hearing.echo();
        ::metrics::counter!(metrics::ECHO_HELD_BACK_MS).increment(echo.held_back_ms());
        if let Some((delay_ms, loss_db)) = echo.known().filter(|_| echo.held_back_ms() > 0) {
            ::metrics::histogram!(metrics::ECHO_DELAY_MS).record(delay_ms as f64);
            ::metrics::histogram!(metrics::ECHO_LOSS_DB).record(f64::from(loss_db));
        }
        ::metrics::counter!(metrics::STARVED_MS).increment(self.playout.starved_samples() / 8);
        let overrun = self.hearing.lost_samples() + self.record.as_ref().map_or(0, AudioSender::lost_samples);
        ::metrics::counter!(metrics::OVERRUN_SAMPLES).increment(overrun);
        if let Some(score) = quality.mos {
            ::metrics::histogram!(metrics::MEAN_OPINION_SCORE).record(f64::from(score));
            ::metrics::histogram!(metrics::JITTER_MS).record(f64::from(quality.jitter_ms));
        }
    }
}
