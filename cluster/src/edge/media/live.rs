//! A session on its thread.

use std::sync::Arc;
use std::time::Duration;

use actors::types::{CallId, CallQuality};
use models::audio::AudioSender;

use super::playout::Playout;
use super::ports::{Pair, Ports};
use super::session::Commands;
use super::{Codec, Control, Direction, MediaEvent, MediaEvents, Settings, Stream};
use crate::rtp::g711::Law;
use crate::rtp::jitter_buffer::JitterBuffer;
use crate::rtp::latch::Latch;
use crate::rtp::packet::{HEADER_BYTES, Header, Packet};
use crate::rtp::{FRAME, Micros};
use crate::{chance, clock};

/// Datagrams read per turn at most: a flood waits in the kernel and is dropped there.
const READS: usize = 16;
/// The longest packet: 60 ms.
const MOST_SAMPLES: usize = 480;

/// Whether a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Goes,
    Over,
}

/// What all sessions of a thread share: buffers, and what the present turn counts.
#[derive(Debug)]
pub(super) struct Scratch {
    now: Micros,
    datagram: Box<[u8; 2_048]>,
    pub(super) received: u64,
    pub(super) sent: u64,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { now: 0, datagram: Box::new([0; 2_048]), received: 0, sent: 0 }
    }
}

impl Scratch {
    /// A turn begins.
    pub(super) fn begin(&mut self, since_origin: Duration) {
        self.now = u64::try_from(since_origin.as_micros()).unwrap_or(u64::MAX);
        self.received = 0;
        self.sent = 0;
    }
}

/// A session on its thread.
pub(super) struct Live {
    call: CallId,
    pair: Option<Pair>,
    ports: Arc<Ports>,
    events: MediaEvents,
    commands: Arc<Commands>,
    settings: Settings,
    stream: Option<Stream>,
    latch: Option<Latch>,
    jitter: JitterBuffer,
    far_ssrc: Option<u32>,
    heard_any: bool,
    heard_at: Micros,
    timed_out: bool,
    playout: Playout,
    outgoing: Outgoing,
    listen: Option<AudioSender>,
    record: Option<AudioSender>,
    quality: CallQuality,
}

/// Samples on their way into packets.
#[derive(Debug)]
struct Outgoing {
    header: Header,
    samples: [i16; MOST_SAMPLES + FRAME],
    waiting: usize,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Live").field("call", &self.call).finish_non_exhaustive()
    }
}

fn law(codec: Codec) -> Law {
    match codec {
        Codec::Pcmu => Law::Mu,
        Codec::Pcma => Law::A,
    }
}

fn may_send(direction: Direction) -> bool {
    matches!(direction, Direction::SendReceive | Direction::SendOnly)
}

fn may_receive(direction: Direction) -> bool {
    matches!(direction, Direction::SendReceive | Direction::ReceiveOnly)
}

impl Live {
    pub(super) fn new(
        call: CallId,
        pair: Pair,
        ports: Arc<Ports>,
        events: MediaEvents,
        commands: Arc<Commands>,
        settings: &Settings,
    ) -> Self {
        let [s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = chance::bytes();
        let header = Header {
            marker: true,
            sequence: u16::from_be_bytes([s0 & 0x7f, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            payload_type: 0,
        };
        Self {
            call,
            pair: Some(pair),
            ports,
            events,
            commands,
            jitter: JitterBuffer::new(&settings.jitter_buffer),
            playout: Playout::new(settings.utterances),
            settings: settings.clone(),
            stream: None,
            latch: None,
            far_ssrc: None,
            heard_any: false,
            heard_at: 0,
            timed_out: false,
            outgoing: Outgoing { header, samples: [0; MOST_SAMPLES + FRAME], waiting: 0 },
            listen: None,
            record: None,
            quality: CallQuality::default(),
        }
    }

    pub(super) fn call(&self) -> CallId {
        self.call
    }

    /// 20 ms of the session.
    pub(super) fn turn(&mut self, scratch: &mut Scratch) -> Turn {
        while let Some(control) = self.commands.next() {
            self.carry_out(control, scratch.now);
        }
        if self.commands.is_closing() {
            return Turn::Over;
        }
        self.receive(scratch);
        let mut theirs = [0; FRAME];
        let frame = self.jitter.read(&mut theirs);
        self.quality.concealed_ms += frame.concealed as u64 / 8;
        if let Some(listen) = &mut self.listen {
            listen.write(&theirs);
        }
        let mut ours = [0; FRAME];
        if self.stream.as_ref().is_some_and(|stream| may_send(stream.direction)) {
            let events = &self.events;
            self.playout.frame(&mut ours, &mut |event| events(event));
            self.send(&ours, scratch);
        }
        self.write_recording(&theirs, &ours);
        self.watch(scratch.now);
        Turn::Goes
    }

    fn carry_out(&mut self, control: Control, now: Micros) {
        let events = Arc::clone(&self.events);
        match control {
            Control::Configure(stream) => self.configure(stream, now),
            Control::Play { utterance, speech } => {
                self.playout.play(utterance, speech, &mut |event| events(event));
            }
            Control::StopPlaying => {
                self.playout.stop(&mut |event| events(event));
                self.outgoing.waiting = 0;
            }
            Control::Listen(sender) => self.listen = Some(sender),
            Control::Record(sender) => self.record = Some(sender),
            Control::SendDigits(_) | Control::Close => {}
        }
    }

    fn configure(&mut self, stream: Stream, now: Micros) {
        let window_ends = now + self.settings.latch_window_ms * 1_000;
        match &mut self.latch {
            Some(latch) => latch.describe(stream.remote, window_ends),
            None => self.latch = Some(Latch::new(stream.remote, window_ends)),
        }
        self.outgoing.header.payload_type = stream.payload_type;
        self.heard_at = now;
        self.timed_out = false;
        self.stream = Some(stream);
    }

    fn receive(&mut self, scratch: &mut Scratch) {
        for _ in 0..READS {
            let Some(pair) = &self.pair else { return };
            let Ok((length, source)) = pair.rtp.recv_from(&mut scratch.datagram[..]) else { return };
            let Some(packet) = scratch.datagram.get(..length).and_then(Packet::parse) else { continue };
            let (Some(stream), Some(latch)) = (&self.stream, &mut self.latch) else { continue };
            if !latch.accepts(source, &packet.header, scratch.now) || !may_receive(stream.direction) {
                continue;
            }
            scratch.received += 1;
            self.quality.packets_received += 1;
            self.heard_at = scratch.now;
            self.timed_out = false;
            if !self.heard_any {
                self.heard_any = true;
                (self.events)(MediaEvent::FirstPacket);
            }
            if packet.header.payload_type != stream.payload_type {
                continue;
            }
            if self.far_ssrc.replace(packet.header.ssrc).is_some_and(|other| other != packet.header.ssrc) {
                self.jitter.restart();
            }
            let mut audio = [0; 1_600];
            let count = law(stream.codec).decode_into(packet.payload, &mut audio);
            self.jitter.insert(packet.header.timestamp, audio.get(..count).unwrap_or_default(), 0);
        }
    }

    fn send(&mut self, ours: &[i16; FRAME], scratch: &mut Scratch) {
        let (Some(stream), Some(latch), Some(pair)) = (&self.stream, &self.latch, &self.pair) else { return };
        let outgoing = &mut self.outgoing;
        if let Some(room) = outgoing.samples.get_mut(outgoing.waiting..outgoing.waiting + FRAME) {
            room.copy_from_slice(ours);
            outgoing.waiting += FRAME;
        }
        let length = (stream.packet_ms.clamp(10, 60) / 10 * 80) as usize;
        while outgoing.waiting >= length {
            let mut datagram = [0u8; HEADER_BYTES + MOST_SAMPLES];
            if let Some((head, body)) = datagram.split_first_chunk_mut::<HEADER_BYTES>() {
                *head = outgoing.header.to_bytes();
                law(stream.codec).encode_into(outgoing.samples.get(..length).unwrap_or_default(), body);
            }
            let bytes = datagram.get(..HEADER_BYTES + length).unwrap_or_default();
            // A packet that the system can't take now is lost like any other.
            if pair.rtp.send_to(bytes, latch.destination()).is_ok() {
                scratch.sent += 1;
                self.quality.packets_sent += 1;
            }
            outgoing.header.marker = false;
            outgoing.header.sequence = outgoing.header.sequence.wrapping_add(1);
            outgoing.header.timestamp = outgoing.header.timestamp.wrapping_add(length as u32);
            outgoing.samples.copy_within(length..outgoing.waiting, 0);
            outgoing.waiting -= length;
        }
    }

    fn write_recording(&mut self, theirs: &[i16; FRAME], ours: &[i16; FRAME]) {
        if let Some(record) = &mut self.record {
            let mut both = [0; 2 * FRAME];
            for ((pair, left), right) in both.chunks_exact_mut(2).zip(theirs).zip(ours) {
                pair.copy_from_slice(&[*left, *right]);
            }
            record.write(&both);
        }
    }

    fn watch(&mut self, now: Micros) {
        let expected = self.stream.as_ref().is_some_and(|stream| may_receive(stream.direction));
        if expected
            && !self.timed_out
            && now.saturating_sub(self.heard_at) > self.settings.dead_media_ms * 1_000
        {
            self.timed_out = true;
            (self.events)(MediaEvent::TimedOut);
        }
    }

    /// Ends the session: what plays is reported, the port is freed, the end is told.
    pub(super) fn close(&mut self) {
        self.commands.end();
        let Some(pair) = self.pair.take() else { return };
        let port = pair.port;
        drop(pair);
        self.ports.give_back(port, clock::monotonic());
        let events = Arc::clone(&self.events);
        self.playout.stop(&mut |event| events(event));
        events(MediaEvent::Closed(self.quality));
    }
}
