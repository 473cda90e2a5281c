//! Packets out: audio, silence and keys, one stream of sequence numbers and timestamps.

use std::net::{SocketAddr, UdpSocket};

use super::guard::Guard;
use super::{Codec, Settings, Stream};
use crate::rtp::codec::Encoder;
use crate::rtp::packet::{HEADER_BYTES, Header};
use crate::rtp::telephone_event::{Event, Sender, Sending};
use crate::rtp::{FRAME, rtcp};

/// The longest packet that is sent: 60 ms.
const MOST_SAMPLES: usize = 480;

/// Frames of silence that are sent as audio before comfort noise takes their place, 200 ms: a pause between two words
/// is none.
const SILENT_AFTER: u32 = 10;
/// Frames between two packets of comfort noise, half a second: a far side that has lost one has the next soon, and the
/// way through address translation stays open.
const COMFORT_EVERY: u32 = 25;
/// How loud our silence is: 65 dB below overload, which is hardly heard and not a dead line.
const COMFORT_LEVEL: u8 = 65;

#[derive(Debug)]
pub(super) struct Outgoing {
    /// Of the next audio packet.
    header: Header,
    /// Audio that does not fill a packet yet.
    samples: [i16; MOST_SAMPLES + FRAME],
    waiting: usize,
    keys: Sender,
    encoder: Option<(Codec, Encoder)>,
    /// How far the timestamp moves per sample.
    ticks: u32,
    /// Frames of silence so far.
    silent: u32,
    packets: u64,
    bytes: u64,
}

impl Outgoing {
    /// A stream that starts at random places (RFC 3550 section 5.1).
    pub(super) fn new(settings: &Settings, random: [u8; 10]) -> Self {
        let [s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = random;
        let header = Header {
            payload_type: 0,
            marker: true,
            // The upper half is left out, so that no receiver meets a wrap in the first minutes.
            sequence: u16::from_be_bytes([s0 & 0x7f, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        };
        let keys = Sender::new(&settings.keys);
        Self {
            header,
            samples: [0; MOST_SAMPLES + FRAME],
            waiting: 0,
            keys,
            encoder: None,
            ticks: 1,
            silent: 0,
            packets: 0,
            bytes: 0,
        }
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.header.ssrc
    }

    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// What a sender report says; none while nothing was sent.
    pub(super) fn info(&self, ntp: u64) -> Option<rtcp::SenderInfo> {
        (self.packets > 0).then_some(rtcp::SenderInfo {
            ntp,
            timestamp: self.header.timestamp,
            packets: self.packets as u32,
            bytes: self.bytes as u32,
        })
    }

    /// Presses keys; how many were not taken.
    pub(super) fn press(&mut self, keys: &str) -> usize {
        self.keys.press(keys)
    }

    /// What waits for its packet to fill becomes silence.
    pub(super) fn hush(&mut self) {
        self.samples.fill(0);
    }

    /// Time went by in which nothing was sent: the next packet says so.
    pub(super) fn pass_over(&mut self, frames: u64) {
        self.move_on((frames as u32).wrapping_mul(FRAME as u32));
        self.header.marker = true;
        self.waiting = 0;
    }

    /// Sends 20 ms, or keeps it until the packet is full; where there `is_anything` in them, or else where a silence
    /// is audio, too. Returns packets sent.
    pub(super) fn frame(
        &mut self,
        (ours, is_anything): (&mut [i16; FRAME], bool),
        stream: &Stream,
        way: (&UdpSocket, SocketAddr),
        guard: &mut Guard,
    ) -> u64 {
        self.header.payload_type = stream.payload_type;
        self.ticks = stream.codec.ticks_per_sample();
        let ahead = self.header.timestamp.wrapping_add((self.waiting as u32).wrapping_mul(self.ticks));
        let event = stream.telephone_event.map(|payload_type| (payload_type, self.keys.frame(ahead)));
        match event {
            Some((payload_type, Sending::Packet { timestamp, marker, event })) => {
                ours.fill(0);
                let ticks = u16::try_from(self.ticks).unwrap_or(1);
                let event = Event { duration: event.duration.saturating_mul(ticks), ..event };
                let header = Header { payload_type, marker, timestamp, ..self.header };
                self.pass_over_silently();
                return self.send(&[&header.to_bytes()[..], &event.to_bytes()[..]].concat(), way, guard);
            }
            Some((_, Sending::Pause)) => ours.fill(0),
            Some((_, Sending::Audio)) | None => {}
        }
        let pressed = event.is_some_and(|(_, sending)| !matches!(sending, Sending::Audio));
        self.silent = if is_anything || pressed { 0 } else { self.silent.saturating_add(1) };
        if let Some(payload_type) = stream.comfort_noise.filter(|_| self.silent > SILENT_AFTER) {
            return self.comfort(payload_type, way, guard);
        }
        if let Some(room) = self.samples.get_mut(self.waiting..self.waiting + FRAME) {
            room.copy_from_slice(ours);
            self.waiting += FRAME;
        }
        let length = (stream.packet_ms.clamp(10, 60) / 10 * 80) as usize;
        let mut sent = 0;
        while self.waiting >= length {
            sent += self.packet(length, stream, way, guard);
        }
        sent
    }

    /// A frame of a silence: its level at its beginning and now and then, else nothing.
    fn comfort(&mut self, payload_type: u8, way: (&UdpSocket, SocketAddr), guard: &mut Guard) -> u64 {
        let due = (self.silent - SILENT_AFTER - 1).is_multiple_of(COMFORT_EVERY);
        let header = Header { payload_type, marker: false, ..self.header };
        self.pass_over_silently();
        if due { self.send(&[&header.to_bytes()[..], &[COMFORT_LEVEL]].concat(), way, guard) } else { 0 }
    }

    fn move_on(&mut self, samples: u32) {
        self.header.timestamp = self.header.timestamp.wrapping_add(samples.wrapping_mul(self.ticks));
    }

    /// An event's frame takes the place of an audio frame in time.
    fn pass_over_silently(&mut self) {
        self.move_on((self.waiting + FRAME) as u32);
        self.waiting = 0;
        self.header.marker = true;
    }

    fn packet(
        &mut self,
        length: usize,
        stream: &Stream,
        way: (&UdpSocket, SocketAddr),
        guard: &mut Guard,
    ) -> u64 {
        let mut datagram = [0u8; HEADER_BYTES + MOST_SAMPLES];
        if self.encoder.as_ref().is_none_or(|(present, _)| *present != stream.codec) {
            self.encoder = Encoder::new(stream.codec).map(|encoder| (stream.codec, encoder));
        }
        let mut bytes = 0;
        if let Some((head, body)) = datagram.split_first_chunk_mut::<HEADER_BYTES>() {
            *head = self.header.to_bytes();
            let audio = self.samples.get(..length).unwrap_or_default();
            bytes = self.encoder.as_mut().map_or(0, |(_, encoder)| encoder.encode(audio, body));
        }
        self.header.marker = false;
        self.move_on(length as u32);
        self.samples.copy_within(length..self.waiting, 0);
        self.waiting -= length;
        self.send(datagram.get(..HEADER_BYTES + bytes).unwrap_or_default(), way, guard)
    }

    fn send(&mut self, packet: &[u8], (socket, to): (&UdpSocket, SocketAddr), guard: &mut Guard) -> u64 {
        self.header.sequence = self.header.sequence.wrapping_add(1);
        // A packet that the system can't take now is lost like any other.
        if guard.seal(packet).is_none_or(|datagram| socket.send_to(&datagram, to).is_err()) {
            return 0;
        }
        self.packets += 1;
        self.bytes += (packet.len() - HEADER_BYTES) as u64;
        1
    }
}
